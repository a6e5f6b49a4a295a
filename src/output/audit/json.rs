//! An audit as JSON.

use std::io::{self, Write};

use crate::audit::Report;
use crate::output::json::write_indented;

/// Writes the report, indented.
pub fn audit_json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_indented(report, out)
}
