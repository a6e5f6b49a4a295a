//! The only place that writes: data to stdout, everything else to stderr, each with colours only where they are wanted.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::page::clean;

/// Sets whether colours are written, for this process. `Auto` asks the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.
pub fn set_color(choice: ColorChoice) {
    choice.write_global();
}

/// Writes data to stdout. A reader that has gone away, as `head` does, is no error.
pub fn data(text: &str) -> io::Result<()> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes data to stdout as it is made. A reader that has gone away is no error.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(AutoStream::auto(io::stdout().lock()));
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a message to stderr. There is nobody left to tell if that fails.
pub fn message(text: &str) {
    let mut stderr = AutoStream::auto(io::stderr().lock());
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Whether a person sits at both ends, so that a question can be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether stderr is a terminal, so that progress can be drawn there.
pub fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Shows what this crate traces, the API calls above all, on stderr. The SDK's own traces stay off: they can hold signatures.
pub fn show_calls() {
    let only_ours = tracing_subscriber::filter::Targets::new().with_target("elbws", tracing::Level::DEBUG);
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Lines).with_target(false).without_time().with_ansi(false);
    // A second subscriber cannot be set; the first one, with the same settings, then stays.
    let _ = tracing_subscriber::registry().with(only_ours).with(lines).try_init();
}

/// Lines of a trace, on which nothing that came from outside can act on the terminal.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines: String = text.lines().map(|line| clean(line) + "\n").collect();
        lines.truncate(lines.len() - usize::from(!text.ends_with('\n') && !lines.is_empty()));
        message(&lines);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
