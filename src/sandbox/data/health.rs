//! Keeps checking one registered instance, and reports what `DescribeInstanceHealth` is to say of it (elb-facts 2.4).
//!
//! The first check comes at once after the registration; the service takes up to 30 seconds. As with the service, an instance is in
//! service after as many good checks in a row as the healthy threshold says, and out of it after as many bad ones as the unhealthy
//! threshold says.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::check;
use super::drain::InstanceKey;
use super::plane::Plane;
use crate::model::HealthCheck;
use crate::sandbox::control::{InstanceHealth, InstanceState, World};
use crate::sandbox::listing::ListenerKey;

/// Checks an instance, until this is dropped.
pub(super) async fn keep_checking(plane: Arc<Plane>, key: InstanceKey) {
    let mut changes = plane.shared.subscribe();
    let mut record = Record::default();
    let mut reported = report(&plane, &key, &record);
    loop {
        let world = changes.borrow_and_update().clone();
        let Some(Configured { check, proxy_line }) = configured(&world, &key) else {
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        };
        if current(&world, &key) != Some(&reported) {
            // Registered anew, or the sandbox was reset.
            record = Record::default();
            report(&plane, &key, &record);
        }
        drop(world);
        let address = plane.traffic.backend(&key.instance, check.target.port);
        let outcome = check::check(&check, address, proxy_line).await;
        if let Err(why) = &outcome {
            note(&plane, &key, &record, &check, why);
        }
        record.count(outcome.is_ok(), &check);
        reported = report(&plane, &key, &record);
        let pace = plane.traffic.health_check_pace.unwrap_or(Duration::from_secs(check.interval.into()));
        tokio::select! {
            () = tokio::time::sleep(pace) => {}
            () = overtaken(&mut changes, &key, &check, &reported) => record.restart(),
        }
    }
}

/// Waits until the health check is another one, or the instance was registered anew.
async fn overtaken(
    changes: &mut watch::Receiver<Arc<World>>,
    key: &InstanceKey,
    check: &HealthCheck,
    reported: &InstanceHealth,
) {
    // An error means that the sandbox is gone; whoever waits for this is about to be dropped.
    let _ = changes
        .wait_for(|world| {
            configured(world, key).is_none_or(|now| now.check != *check) || current(world, key) != Some(reported)
        })
        .await;
}

/// What is known of an instance.
#[derive(Debug, Default)]
struct Record {
    standing: Standing,
    /// Checks in a row with the same outcome.
    good: u32,
    bad: u32,
}

/// What an instance counts as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    /// Nothing is known yet.
    #[default]
    New,
    /// Checked, but never yet in service.
    Waiting,
    /// In service.
    Healthy,
    /// Taken out of service.
    Unhealthy,
}

impl Record {
    fn count(&mut self, is_good: bool, check: &HealthCheck) {
        (self.good, self.bad) = if is_good { (self.good + 1, 0) } else { (0, self.bad + 1) };
        if self.standing == Standing::New {
            self.standing = Standing::Waiting;
        }
        if self.good >= check.healthy_threshold {
            self.standing = Standing::Healthy;
        } else if self.bad >= check.unhealthy_threshold {
            self.standing = Standing::Unhealthy;
        }
    }

    /// Another health check: what was counted under the old one is void, the standing stays.
    fn restart(&mut self) {
        (self.good, self.bad) = (0, 0);
    }

    fn health(&self) -> InstanceHealth {
        let (state, reason_code, description) = match self.standing {
            Standing::Healthy => return InstanceState::InService.into(),
            Standing::Unhealthy => return InstanceState::OutOfService.into(),
            Standing::New => return InstanceHealth::registering(),
            Standing::Waiting => (
                InstanceState::OutOfService,
                "Instance",
                "Instance has not passed the configured HealthyThreshold number of health checks consecutively.",
            ),
        };
        InstanceHealth { state, reason_code: reason_code.to_owned(), description: description.to_owned() }
    }
}

fn report(plane: &Plane, key: &InstanceKey, record: &Record) -> InstanceHealth {
    let health = record.health();
    plane.shared.report_health(&key.region, &key.balancer, &key.instance, health.clone());
    health
}

/// Says in the traffic log why checks begin to fail; the API never says it.
fn note(plane: &Plane, key: &InstanceKey, record: &Record, check: &HealthCheck, why: &str) {
    if record.bad == 0 {
        let InstanceKey { region, balancer, instance } = key.clone();
        let target = &check.target;
        let about = ListenerKey { region, balancer, load_balancer_port: 0 };
        plane.notes().add(&about, format!("the health check {target} of instance {instance} failed: {why}"));
    }
}

/// What the world says about the checks of an instance.
struct Configured {
    check: HealthCheck,
    /// Whether a TCP check begins with the PROXY line.
    proxy_line: bool,
}

/// The health check of an instance; `None` if the instance is not registered any more, or nothing is to be checked.
fn configured(world: &World, key: &InstanceKey) -> Option<Configured> {
    let balancer = &world.regions.get(&key.region)?.load_balancers.get(&key.balancer)?.balancer;
    let check = balancer.health_check.clone().filter(|_| balancer.instances.contains(&key.instance))?;
    let proxy_line = world.switches.tcp_check_sends_proxy && balancer.is_proxied(check.target.port);
    Some(Configured { check, proxy_line })
}

fn current<'w>(world: &'w World, key: &InstanceKey) -> Option<&'w InstanceHealth> {
    world.regions.get(&key.region)?.load_balancers.get(&key.balancer)?.health.get(&key.instance)
}
