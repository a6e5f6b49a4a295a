//! A run as it happens: a bar on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::page::{BAD, CHANGED, FAINT, GOOD, Page};
use super::sink;
use crate::apply::Event;

/// Shows events of a run on stderr.
pub struct ProgressView {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl ProgressView {
    /// A bar if stderr is a terminal, else lines; nothing but bad news if `quiet`.
    pub fn new(is_terminal: bool, quiet: bool) -> Self {
        let bar = (is_terminal && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            // The template is a literal that indicatif accepts; without a style the bar is plainer, nothing worse.
            if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:24}] {pos}/{len} {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        ProgressView { bar, quiet }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event) {
        match (event, &self.bar) {
            (Event::Started { steps, .. }, Some(bar)) => {
                bar.reset();
                bar.set_length(*steps as u64);
            }
            (Event::StepStarted { step, .. }, Some(bar)) => bar.set_message(super::clean(&step.to_string())),
            (Event::StepDone { .. }, Some(bar)) => bar.inc(1),
            (Event::Verifying { .. }, Some(bar)) => bar.set_message("reading again"),
            _ => {}
        }
        let ends = matches!(
            event,
            Event::Converged { .. } | Event::NotConverged { .. } | Event::Failed { .. } | Event::Interrupted { .. }
        );
        if let (true, Some(bar)) = (ends, &self.bar) {
            bar.finish_and_clear();
        }
        if let Some(line) = self.line(event) {
            match &self.bar {
                Some(bar) => bar.suspend(|| sink::message(&line)),
                None => sink::message(&line),
            }
        }
    }

    /// The event as a line; nothing for one that the bar shows, or that says nothing new.
    fn line(&self, event: &Event) -> Option<String> {
        let mut page = Page::default();
        match event {
            Event::StepDone { balancer, step, .. } if !self.quiet => {
                page.styled(GOOD, "done").plain("  ").styled(FAINT, balancer).plain("  ").plain(&step.to_string())
            }
            Event::Retrying { balancer, step, error, wait_ms } if !self.quiet => page
                .styled(CHANGED, "retry")
                .plain(" ")
                .styled(FAINT, balancer)
                .plain(&format!("  {step} in {:.1} s: {error}", Duration::from_millis(*wait_ms).as_secs_f32())),
            Event::Restoring { balancer, about, error } => page
                .styled(BAD, "restore")
                .plain(&format!(" {balancer}  {about} could not be created, putting the old one back: {error}")),
            Event::Restored { balancer, about } => {
                page.styled(CHANGED, "restored").plain(&format!(" {balancer}  {about} is as it was"))
            }
            Event::NotRestored { balancer, about, error } => page
                .styled(BAD, "not restored")
                .plain(&format!(" {balancer}  {about}: {error}; its definition is in the balancer's tags")),
            _ => return None,
        };
        page.end();
        Some(page.finish())
    }
}
