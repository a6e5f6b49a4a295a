//! What a check of a web server's configuration found.

use serde::Serialize;

use super::json::indented;
use super::page::{BAD, FAINT, GOOD, Page, STRONG};
use crate::backend::check::Finding;

/// One finding a line, `file:line: what`, and how many there are.
pub fn findings_text(findings: &[Finding], balancer: &str) -> String {
    let mut page = Page::default();
    for Finding { file, line, rule, message } in findings {
        let place = if *line == 0 { file.clone() } else { format!("{file}:{line}") };
        page.styled(STRONG, &place).plain(": ").plain(message).plain(" ").styled(FAINT, &format!("[{rule}]")).end();
    }
    match findings.len() {
        0 => page.styled(GOOD, "Nothing found").plain(&format!(": the configuration fits balancer {balancer}.")).end(),
        1 => page.styled(BAD, "1 finding").plain(&format!(" for balancer {balancer}.")).end(),
        many => page.styled(BAD, &format!("{many} findings")).plain(&format!(" for balancer {balancer}.")).end(),
    };
    page.finish()
}

/// The findings as a JSON document, indented.
pub fn findings_json(findings: &[Finding], balancer: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        format_version: u32,
        balancer: &'a str,
        findings: &'a [Finding],
    }
    indented(&Document { format_version: 1, balancer, findings })
}
