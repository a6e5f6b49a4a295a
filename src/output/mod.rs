//! What people and programs read. One file per format; nothing outside this room writes to stdout or stderr.
//!
//! Renderers are pure: they turn a plan, a balancer or an event into text. Only [`sink`] writes.

mod audit_html;
mod audit_junit;
mod audit_markdown;
mod audit_picture;
mod audit_sarif;
mod error;
mod json;
mod markdown;
mod mermaid;
mod page;
mod plan_text;
mod progress;
mod show_text;
pub mod sink;
mod topology;

pub use audit_html::audit_html;
pub use audit_junit::audit_junit;
pub use audit_markdown::audit_markdown;
pub use audit_sarif::audit_sarif;
pub use error::{error_text, warning_text};
pub use json::{balancer_json, event_json, plan_json};
pub use markdown::plan_markdown;
pub use page::{Page, clean, escaped};
pub use plan_text::plan_text;
pub use progress::ProgressView;
pub use show_text::show_text;
