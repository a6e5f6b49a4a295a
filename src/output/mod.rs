//! What people and programs read. One file per format; nothing outside this room writes to stdout or stderr.
//!
//! Renderers are pure: they turn a plan, a balancer or an event into text. Only [`sink`] writes.

mod audit_html;
mod audit_junit;
mod audit_markdown;
mod audit_picture;
mod audit_progress;
mod audit_rules;
mod audit_sarif;
mod audit_text;
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
mod verify_json;
mod verify_progress;
mod verify_stage;
mod verify_text;

pub use audit_html::audit_html;
pub use audit_junit::audit_junit;
pub use audit_markdown::audit_markdown;
pub use audit_progress::AuditProgress;
pub use audit_rules::{explain_rule, list_rules, rule_table};
pub use audit_sarif::audit_sarif;
pub use audit_text::{audit_summary, audit_text};
pub use demo_text::{DemoText, demo_text};
pub use error::{error_text, warning_text};
pub use findings::{findings_json, findings_text};
pub use json::{audit_json, balancer_json, event_json, plan_json};
pub use markdown::plan_markdown;
pub use page::{Page, clean, escaped};
pub use plan_text::plan_text;
pub use progress::ProgressView;
pub use show_text::show_text;
pub use verify_json::verdict_json;
pub use verify_progress::VerifyView;
pub use verify_stage::stage_text;
pub use verify_text::{verdict_text, verify_heading};
