//! What a person is told when the program itself is wrong: where, and never with what values, which may be secret.

use std::backtrace::{Backtrace, BacktraceStatus};

use super::error::{CliError, Exit};
use crate::output::{error_text, sink};

/// From now on a panic says where it happened and nothing else; with `RUST_BACKTRACE` also how it came there.
pub fn report_faults() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let hint = "please report it, with the command and what RUST_BACKTRACE=1 adds to this".to_owned();
        sink::message(&error_text(&format!("a fault in elbws {}, at {place}", env!("CARGO_PKG_VERSION")), &[hint]));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            sink::message(&format!("{backtrace}\n"));
        }
    }));
}

/// The end of a command that panicked. Nobody knows what it had changed by then.
pub(super) fn ended() -> CliError {
    CliError { exit: Exit::PartWay, ..CliError::failed("the command was ended by the fault above") }
        .hint("run it again: it goes on from what is there")
}
