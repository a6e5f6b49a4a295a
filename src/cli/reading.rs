//! Reads balancers for a command, and says which there are where the one asked for is not.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::error::CliError;
use crate::cloud::{Cloud, CloudErrorKind};
use crate::model::Balancer;

/// Balancers read at the same time. Each takes four calls, and the service's bucket holds 40 (elb-facts 1.6).
const AT_ONCE: usize = 8;

/// Does something for each of many balancers, a few at a time; the results come in the order of the balancers.
pub(super) async fn for_each<I, T, F>(balancers: Vec<I>, work: impl Fn(I) -> F) -> Result<Vec<T>, CliError>
where
    F: Future<Output = Result<T, CliError>>,
{
    stream::iter(balancers).map(work).buffered(AT_ONCE).try_collect().await
}

/// Reads a balancer; if there is none of that name, says which there are.
pub(super) async fn read(cloud: &impl Cloud, name: &str) -> Result<Balancer, CliError> {
    let error = match cloud.read(name).await {
        Ok(balancer) => return Ok(balancer),
        Err(error) => error,
    };
    let failed = CliError::cloud(name, &error);
    if error.kind != CloudErrorKind::LoadBalancerNotFound {
        return Err(failed);
    }
    let there = match cloud.names().await {
        Ok(names) if names.is_empty() => {
            format!("there is no Classic Load Balancer in {}: is it the right --region and --profile?", cloud.region())
        }
        Ok(names) => format!("Classic Load Balancers in {}: {}", cloud.region(), shorten(&names)),
        Err(_) => format!("is {} the right --region?", cloud.region()),
    };
    Err(failed
        .hint(there)
        .hint("an Application or Network Load Balancer is never found here; it carries WebSockets without elbws"))
}

fn shorten(names: &[String]) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=MOST => shown,
        more => format!("{shown} and {} more", more - MOST),
    }
}
