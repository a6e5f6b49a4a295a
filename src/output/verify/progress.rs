//! A probe as it happens: a spinner on a terminal that says what is waited for, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::verify::{Event, Stage};

/// Shows on stderr what is waited for.
pub struct VerifyView {
    spinner: Option<ProgressBar>,
}

impl VerifyView {
    /// A spinner if `shown`.
    pub fn new(shown: bool) -> Self {
        let spinner = shown.then(|| {
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a literal that indicatif accepts; without a style it draws a bar, nothing worse.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        VerifyView { spinner }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event<'_>) {
        let Some(spinner) = &self.spinner else { return };
        match event {
            Event::Begun(stage) => spinner.set_message(waiting_for(*stage).to_owned()),
            Event::Holding { stage, held, asked } => {
                spinner.set_message(format!("{}: {} of {} s", waiting_for(*stage), held.as_secs(), asked.as_secs()));
            }
            Event::Opened { open, asked } => spinner.set_message(format!("{open} of {asked} connections are open")),
            Event::Done(_) => spinner.set_message(""),
        }
    }

    /// Writes with the spinner out of the way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.spinner {
            Some(spinner) => spinner.suspend(write),
            None => write(),
        }
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn waiting_for(stage: Stage) -> &'static str {
    match stage {
        Stage::Name => "resolving the name",
        Stage::Tcp => "connecting",
        Stage::Tls => "negotiating TLS",
        Stage::Http => "asking for a page",
        Stage::Upgrade => "asking for the upgrade",
        Stage::Message => "waiting for an answer",
        Stage::Idle => "holding the connection in silence",
        Stage::Pings => "holding the connection with pings",
        Stage::Count => "opening connections",
    }
}
