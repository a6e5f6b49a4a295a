//! The command line: one file per command with its arguments, its wiring and its exit code.
//!
//! The only room that wires I/O together. It decides nothing about balancers.

mod apply;
mod audit;
mod backend;
mod certificate;
mod completions;
mod connection;
mod demo;
mod engine;
mod error;
mod fault;
mod file;
mod iam_policy;
mod instance;
mod listener;
mod man;
mod outcome;
mod plan;
mod proxy_protocol;
mod reading;
mod sandbox;
mod schema;
mod show;
mod signals;
mod stdout;
mod target;
mod verify;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::{error_text, sink};
use error::{CliError, Exit};
pub use fault::report_faults;

/// Make WebSockets work behind an AWS Classic Load Balancer that terminates TLS.
///
/// An HTTPS listener swallows the WebSocket upgrade. elbws replaces it by an SSL listener that passes the stream to the instance,
/// attaches a PROXY protocol policy to the instance port, so that the web server still learns who the client is, and adapts the
/// health check. It plans first, changes only what differs, and can be run again.
#[derive(Debug, Parser)]
#[command(name = "elbws", version, propagate_version = true, max_term_width = 110, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  elbws plan --elb chat                    what would change
  elbws apply --elb chat                   do it
  elbws plan --elb chat --detailed-exitcode || echo pending
  elbws plan --elb chat --out chat.plan && elbws apply chat.plan
  elbws apply --elb chat --sandbox         try it on this machine, with no AWS account
  elbws demo                               see it work, with real connections

Exit codes:
    0  done, or nothing to do
    1  failed, nothing changed
    2  changes pending (--detailed-exitcode), findings (--fail-on)
    3  stopped part-way: run again to converge
    4  the saved plan is stale
   64  wrong usage
  130  interrupted before anything changed";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The AWS region [default: from the environment or the profile]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// The profile in the AWS configuration files
    #[arg(long, global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// Another endpoint for every AWS service
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Use a sandbox inside this process instead of AWS, holding the balancers of FILE or else an example
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with_all = ["profile", "endpoint_url"])]
    sandbox: Option<Option<std::path::PathBuf>>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// Show the API calls on stderr
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Show neither progress nor notes on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Listener(listener::ListenerArgs),
    Certificate(certificate::CertificateArgs),
    #[command(subcommand)]
    ProxyProtocol(proxy_protocol::ProxyProtocolCommand),
    Show(show::ShowArgs),
    Verify(verify::VerifyArgs),
    Backend(backend::BackendArgs),
    Audit(audit::AuditArgs),
    IamPolicy(iam_policy::IamPolicyArgs),
    Sandbox(sandbox::SandboxArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Schema(schema::SchemaArgs),
}

/// Parses the command line, runs the command and returns its exit code. Nothing panics on bad input.
pub fn main() -> ExitCode {
    report_faults();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    sink::set_color(match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    });
    if cli.global.verbose {
        sink::show_calls();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return finish(Err(CliError::failed(format!("this process cannot start threads: {error}")))),
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(cli))));
    runtime.shutdown_background();
    finish(result.unwrap_or_else(|_| Err(fault::ended())))
}

async fn run(cli: Cli) -> Result<Exit, CliError> {
    let Cli { global, command } = cli;
    match command {
        Command::Plan(args) => signals::interruptible(plan::run(global, args)).await,
        Command::Apply(args) => apply::run(global, args).await,
        Command::Listener(args) => listener::run(global, args).await,
        Command::Certificate(args) => certificate::run(global, args).await,
        Command::ProxyProtocol(command) => proxy_protocol::run(global, command).await,
        Command::Show(args) => signals::interruptible(show::run(global, args)).await,
        Command::Verify(args) => signals::interruptible(verify::run(global, args)).await,
        Command::Backend(args) => signals::interruptible(backend::run(global, args)).await,
        Command::Audit(args) => signals::interruptible(audit::run(global, args)).await,
        Command::IamPolicy(args) => iam_policy::run(&global, &args),
        Command::Sandbox(args) => sandbox::run(global, args).await,
        Command::Demo(args) => demo::run(global, args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Schema(args) => schema::run(&args),
    }
}

fn finish(result: Result<Exit, CliError>) -> ExitCode {
    let exit = result.unwrap_or_else(|error| {
        sink::message(&error_text(&error.message, &error.hints));
        error.exit
    });
    ExitCode::from(exit as u8)
}

/// Help and versions are data; a wrong command line is an error with our own exit code, since clap's 2 means "changes pending".
fn usage(error: &clap::Error) -> ExitCode {
    let wrong = error.use_stderr();
    // Nobody is left to tell when the reader of the help has gone.
    let _ = error.print();
    ExitCode::from(if wrong { Exit::Usage as u8 } else { 0 })
}
