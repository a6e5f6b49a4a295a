//! The progress of an audit: a bar with rate and time left on a terminal, nothing elsewhere.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar, or nothing.
pub struct AuditProgress(Option<ProgressBar>);

impl AuditProgress {
    /// A bar on stderr, if one is wanted there. Until it is known how many balancers there are it only says that they are listed.
    pub fn new(wanted: bool) -> Self {
        AuditProgress(wanted.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            set_style(&bar, "{spinner} listing the balancers");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        }))
    }

    /// More balancers are known of.
    pub fn found(&self, count: usize) {
        if let Some(bar) = &self.0 {
            if bar.length() == Some(0) {
                set_style(bar, "{spinner} [{bar:24}] {pos}/{len} balancers{rate}");
                bar.reset_elapsed();
            }
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

/// The templates are literals that indicatif accepts; without a style the bar is plainer, nothing worse.
fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
    }
}

/// How many a second and how long it still takes, as soon as the first is done.
fn rate(state: &ProgressState, out: &mut dyn Write) {
    if state.pos() > 0 {
        // Writing to a string cannot fail.
        let _ = write!(out, "  {:.0}/s  {:#} left", state.per_sec(), HumanDuration(state.eta()));
    }
}
