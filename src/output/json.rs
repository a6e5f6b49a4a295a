//! Plans, balancers and events as JSON.

use serde::Serialize;

use crate::apply::Event;
use crate::model::Balancer;
use crate::plan::{FORMAT_VERSION, PlanFile};

/// Plans, indented: the same document that `plan --out` saves.
pub fn plan_json(file: &PlanFile) -> serde_json::Result<String> {
    indented(file)
}

/// Balancers as they are, indented.
pub fn balancer_json(balancers: &[Balancer], region: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        format_version: u32,
        region: &'a str,
        balancers: &'a [Balancer],
    }
    indented(&Document { format_version: FORMAT_VERSION, region, balancers })
}

/// An event on one line.
pub fn event_json(event: &Event) -> serde_json::Result<String> {
    Ok(serde_json::to_string(event)? + "\n")
}

fn indented(document: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
