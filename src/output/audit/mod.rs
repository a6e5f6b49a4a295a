//! The audit's reports, one file per format, and what is shown while it goes on.

mod html;
mod json;
mod junit;
mod markdown;
mod picture;
mod progress;
mod rules;
mod sarif;
mod text;

pub use html::audit_html;
pub use json::audit_json;
pub use junit::audit_junit;
pub use markdown::audit_markdown;
pub use progress::AuditProgress;
pub use rules::{explain_rule, list_rules, rule_table};
pub use sarif::audit_sarif;
pub use text::{audit_summary, audit_text};
