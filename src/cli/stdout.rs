//! Data for stdout, and the error if it cannot be written.

use anyhow::Context;

use crate::output::sink;

/// Writes data to stdout.
pub(super) fn write_data(text: &str) -> anyhow::Result<()> {
    sink::data(text).context("cannot write to stdout")
}
