//! What was seen, and the balancer's own state where it is known, in; causes and remedies out. Pure.
//!
//! One file for each part of the way, one function for each cause. A function looks at the scene and says its diagnosis, or
//! nothing; those of one part are tried in order, and the first that speaks explains that part. To add a cause, add its identifier
//! to [`Cause`], a function beside its like, and the function to the list of its file.

mod cause;
mod hold;
mod message;
mod proxy;
mod reach;
mod reply;
mod scene;
mod tls;
mod trust;
mod view;

#[cfg(test)]
mod tests;

pub use cause::{Cause, Diagnosis, Severity};
pub use view::{BalancerView, InstanceSeen};

use super::Observations;
use scene::{Scene, first};

/// What is wrong, the gravest first. Empty if nothing is.
pub fn diagnose(seen: &Observations, view: Option<&BalancerView>) -> Vec<Diagnosis> {
    let scene = Scene { seen, view };
    // What keeps requests from being answered explains the replies too, so that the two lists are one part.
    let requests = first(&scene, proxy::RULES).or_else(|| first(&scene, reply::RULES));
    let mut diagnoses: Vec<Diagnosis> = first(&scene, reach::RULES).into_iter().collect();
    diagnoses.extend(first(&scene, tls::RULES));
    diagnoses.extend(requests);
    for rule in trust::RULES.iter().chain(message::RULES).chain(hold::RULES) {
        diagnoses.extend(rule(&scene));
    }
    diagnoses.sort_by_key(|diagnosis| diagnosis.severity);
    diagnoses
}
