//! Writes the report: to stdout or a file, in the format asked for; and what a person should know beside it, to stderr.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Context;

use super::{AuditArgs, AuditFormat};
use crate::audit::{Report, Severity};
use crate::cli::Global;
use crate::cli::error::CliError;
use crate::cli::file::write_whole;
use crate::output::{
    audit_html, audit_json, audit_junit, audit_markdown, audit_sarif, audit_summary, audit_text, clean, sink,
};

/// Writes the report, and with `--verbose` the number of calls.
pub(super) fn emit(report: &Report, args: &AuditArgs, global: &Global) -> Result<(), CliError> {
    let write = |out: &mut dyn Write| render(report, args, out);
    match &args.out {
        Some(path) => {
            write_whole(path, write)?;
            if !global.quiet {
                let path = clean(&path.display().to_string());
                sink::message(&format!("{}The report is in {path}.\n", audit_summary(report)));
            }
        }
        None => sink::stream(write).context("cannot write to stdout")?,
    }
    if global.verbose {
        let each: Vec<String> = report.calls.iter().map(|(action, count)| format!("{action} {count}")).collect();
        let total: u64 = report.calls.values().sum();
        sink::message(&format!("{total} calls: {}\n", each.join(", ")));
    }
    Ok(())
}

/// The report of a large account is long: all but Markdown, which is bounded, is written as it is made.
fn render(report: &Report, args: &AuditArgs, out: &mut dyn Write) -> io::Result<()> {
    match args.format {
        AuditFormat::Text => audit_text(report, out),
        AuditFormat::Json => audit_json(report, out),
        AuditFormat::Markdown => out.write_all(audit_markdown(report).as_bytes()),
        AuditFormat::Html => audit_html(report, out),
        AuditFormat::Sarif => audit_sarif(report, out),
        AuditFormat::Junit => audit_junit(report, args.fail_on.map(Severity::from), out),
    }
}

/// Adds calls to others.
pub(super) fn add_calls(all: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (action, count) in more {
        *all.entry(action).or_default() += count;
    }
}
