//! The progress of an audit: a bar with rate and time left on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar, or nothing.
pub struct AuditProgress(Option<ProgressBar>);

impl AuditProgress {
    /// A bar on stderr, if one is wanted there.
    pub fn new(wanted: bool) -> Self {
        AuditProgress(wanted.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let template = "{spinner} [{bar:24}] {pos}/{len} balancers  {per_sec}  {eta} left";
            // The template is a literal that indicatif accepts; without a style the bar is plainer, nothing worse.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        }))
    }

    /// More balancers are known of.
    pub fn found(&self, count: usize) {
        if let Some(bar) = &self.0 {
            bar.inc_length(count as u64);
        }
    }

    /// Balancers are done with.
    pub fn done(&self, count: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(count as u64);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
