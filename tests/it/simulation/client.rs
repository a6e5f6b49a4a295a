//! The port to the simulated service: what the AWS adapter is to the real one.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use elbws::cloud::{Cloud, CloudError, CloudErrorKind, Identity};
use elbws::model::{Balancer, CertificateArn};
use elbws::plan::Step;
use tokio::time::Instant;

use super::service::Service;
use super::translation::{self, Call};
use super::{reading, schedule};

/// One run's connection.
pub(crate) struct Client {
    service: Service,
    /// Which of several runs it is.
    run: usize,
    started: Instant,
    found: Mutex<BTreeSet<CertificateArn>>,
}

impl Client {
    pub(crate) fn new(service: &Service, run: usize) -> Self {
        Client { service: service.clone(), run, started: *schedule::BEGINNING, found: Mutex::default() }
    }

    /// Whether the run asked for the certificate and it was there.
    pub(crate) fn found(&self, certificate: &CertificateArn) -> bool {
        self.found.lock().unwrap().contains(certificate)
    }

    /// Any call, as the AWS CLI would make it.
    pub(crate) async fn call(&self, call: Call) -> Result<(), CloudError> {
        self.service.call(self.run, call).await.map(drop)
    }
}

impl Cloud for Client {
    fn region(&self) -> &str {
        "eu-west-1"
    }

    async fn identity(&self) -> Result<Identity, CloudError> {
        Ok(Identity { account: "123456789012".to_owned(), region: self.region().to_owned() })
    }

    async fn names(&self) -> Result<Vec<String>, CloudError> {
        Ok(Vec::new())
    }

    async fn read(&self, name: &str) -> Result<Balancer, CloudError> {
        let [described, policies, attributes, tags] = translation::reads(name).map(|call| self.service.call(self.run, call));
        let others = async { Ok(futures::join!(policies, attributes, tags)) };
        let (described, (policies, attributes, tags)) = futures::try_join!(described, others)?;
        Ok(reading::balancer([&described, &policies?, &attributes?, &tags?]))
    }

    async fn has_certificate(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        let Some(call) = translation::certificate(arn) else { return Ok(false) };
        match self.service.call(self.run, call).await {
            Ok(_) => {
                self.found.lock().unwrap().insert(arn.clone());
                Ok(true)
            }
            Err(error) if error.kind == CloudErrorKind::Refused && is_absence(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn perform(&self, name: &str, step: &Step) -> Result<(), CloudError> {
        self.service.call(self.run, translation::step(name, step)).await.map(drop)
    }

    fn now(&self) -> Instant {
        self.started + self.service.clock()
    }

    async fn pause(&self, duration: Duration) {
        self.service.pause(duration).await;
    }
}

fn is_absence(error: &CloudError) -> bool {
    matches!(error.code.as_deref(), Some("ResourceNotFoundException" | "NoSuchEntity"))
}
