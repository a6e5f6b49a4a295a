//! What the prober found: stage by stage while it goes on, and the verdict.

mod json;
mod progress;
mod stage;
mod text;

pub use json::verdict_json;
pub use progress::VerifyView;
pub use stage::stage_text;
pub use text::{verdict_text, verify_heading};
