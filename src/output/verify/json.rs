//! What a probe comes to, as JSON.

use serde::Serialize;

use crate::output::json::indented;
use crate::verify::Verdict;

/// The version of the document; a change that breaks readers raises it.
const FORMAT_VERSION: u32 = 1;

/// A verdict, indented. `balancer` is the one that the diagnosis looked at.
pub fn verdict_json(verdict: &Verdict, balancer: Option<&str>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        format_version: u32,
        elbws_version: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        balancer: Option<&'a str>,
        #[serde(flatten)]
        verdict: &'a Verdict,
    }
    let document = Document { format_version: FORMAT_VERSION, elbws_version: env!("CARGO_PKG_VERSION"), balancer, verdict };
    indented(&document)
}
