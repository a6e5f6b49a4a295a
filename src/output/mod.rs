//! What people and programs read. One file per format; nothing outside this room writes to stdout or stderr.
//!
//! Renderers are pure: they turn a plan, a balancer or an event into text. Only [`sink`] writes.

mod audit;
mod demo_text;
mod error;
mod findings;
mod json;
mod markdown;
mod mermaid;
mod page;
mod plan_text;
mod progress;
mod show_text;
pub mod sink;
mod topology;
mod verify;

pub use audit::{
    AuditProgress, audit_html, audit_json, audit_junit, audit_markdown, audit_sarif, audit_summary, audit_text,
    explain_rule, list_rules, rule_table,
};
pub use demo_text::{DemoText, demo_text};
pub use error::{error_text, warning_text};
pub use findings::{findings_json, findings_text};
pub use json::{balancer_json, event_json, plan_json};
pub use markdown::plan_markdown;
pub use page::{Page, clean, escaped};
pub use plan_text::plan_text;
pub use progress::ProgressView;
pub use show_text::show_text;
pub use verify::{VerifyView, stage_text, verdict_json, verdict_text, verify_heading};
