//! `elbws sandbox`: a Classic Load Balancer on this machine, the API and the traffic.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::error::{CliError, Exit};
use super::instance::Instance;
use super::stdout::write_data;
use super::{Global, signals};
use crate::output::{Page, sink, warning_text};
use crate::sandbox::{ListenerPorts, ListenerState, OpenListener, Options, Sandbox, SandboxError, Seed, Traffic, start};

/// The seed of a sandbox that is given none: the balancer of the README's story.
pub(super) const EXAMPLE: &str = include_str!("../../fixtures/chat.toml");

/// The pace of health checks unless real intervals are asked for: nobody wants to wait five minutes for the first page.
const PACE: Duration = Duration::from_secs(1);

/// The most listeners that are told of at once; a seed can have thousands.
const MOST_LINES: usize = 40;

/// Run a Classic Load Balancer on this machine: the API for any AWS client, and its traffic
#[derive(Debug, Args)]
#[command(after_help = "\
It prints the environment that points an AWS client at it, says on stderr where each listener really is, and runs until Ctrl-C. \
Nothing is kept.

A listener is at its load balancer port plus 10000: 443 becomes 10443. If that is taken, by another balancer or another program, \
it is at the port plus 11000, and so on, and in the end at any free port. Ports above 55535 stay as they are if they can. A \
listener that is replaced keeps its place.

An instance that --instance does not name is at 127.0.0.1, with its ports as they are.

Its connections come from this machine: give --trust 127.0.0.0/8 to `elbws backend` for a web server behind it.

Examples:
  elbws sandbox                        in one terminal; paste what it prints into another, then
  aws elb describe-load-balancers
  elbws sandbox --ca root.pem --instance i-0c4a7000000000001=127.0.0.1,80=8080
  elbws verify wss://chat.example.com/ws --elb chat --ca root.pem
  curl --cacert root.pem --resolve chat.example.com:10443:127.0.0.1 https://chat.example.com:10443/
  curl http://127.0.0.1:4555/_elbws/listeners        where the listeners are, as JSON
  curl http://127.0.0.1:4555/_elbws/traffic-log      why a connection or a health check failed")]
pub(super) struct SandboxArgs {
    /// The balancers to begin with, as TOML or JSON [default: the balancer `chat` of the README]
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The loopback address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4555")]
    listen: SocketAddr,
    /// Where an instance really is, as ID=ADDRESS[,PORT=REAL_PORT...]; repeat it
    #[arg(long, value_name = "INSTANCE")]
    instance: Vec<Instance>,
    /// Give listeners their real ports; those below 1024 may need privileges
    #[arg(long)]
    listen_exact: bool,
    /// Check instances at the balancers' own intervals of 5 to 300 seconds, not every second
    #[arg(long)]
    real_intervals: bool,
    /// Write the certificate of the sandbox's authority to this file, for clients to trust
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The API only: no listener is opened, and every instance is in service
    #[arg(long, conflicts_with_all = ["instance", "listen_exact", "real_intervals"])]
    no_traffic: bool,
}

impl SandboxArgs {
    fn traffic(&self) -> Option<Traffic> {
        if self.no_traffic {
            return None;
        }
        Some(Traffic {
            ports: if self.listen_exact { ListenerPorts::Exact } else { ListenerPorts::Shifted },
            instances: self.instance.iter().cloned().map(Instance::into_pair).collect(),
            health_check_pace: (!self.real_intervals).then_some(PACE),
        })
    }
}

pub(super) async fn run(global: Global, args: SandboxArgs) -> Result<Exit, CliError> {
    let options = Options { listen: args.listen, traffic: args.traffic() };
    let (seed, name) = load(args.seed.as_deref())?;
    for (id, _) in options.traffic.iter().flat_map(|traffic| &traffic.instances) {
        if !has_instance(&seed, id) {
            sink::message(&warning_text(&format!(
                "--instance {id}: no instance of {name} has this identifier; it gets connections once a balancer registers it"
            )));
        }
    }
    let sandbox = begin(seed, &name, options).await?;
    if let Some(path) = &args.ca {
        std::fs::write(path, sandbox.authority().root_pem())
            .with_context(|| format!("cannot write the certificate to {}", path.display()))?;
    }
    let exports: String = sandbox.environment().iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
    write_data(&exports)?;
    if !global.quiet {
        sink::message(&format!("The sandbox listens on {}. Ctrl-C ends it.\n", sandbox.endpoint()));
        if !args.no_traffic && args.ca.is_none() {
            sink::message("Its certificates are of its own authority; --ca FILE writes the root for clients to trust.\n");
        }
    }
    let mut before = Vec::new();
    let tell = sandbox.follow_traffic(|listeners| {
        if !global.quiet {
            sink::message(&described(listeners, &before));
        }
        before = listeners.to_vec();
    });
    tokio::select! {
        () = signals::signal() => {}
        () = tell => {}
    }
    sandbox.shutdown().await;
    Ok(Exit::Done)
}

/// A line for each listener that is not as it was: where it is, or why it is not open, or that it is gone.
fn described(listeners: &[OpenListener], before: &[OpenListener]) -> String {
    let same_port = |one: &OpenListener, other: &OpenListener| {
        (&one.region, &one.balancer, one.load_balancer_port) == (&other.region, &other.balancer, other.load_balancer_port)
    };
    let gone = before.iter().filter(|one| !listeners.iter().any(|other| same_port(one, other)));
    let news = listeners.iter().filter(|one| !before.contains(one));
    let lines: Vec<String> = gone.map(|one| line(one, "closed")).chain(news.map(|one| line(one, &place(one)))).collect();
    let mut page = Page::default();
    for line in lines.iter().take(MOST_LINES) {
        page.plain(line).end();
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        page.plain(&format!("... and {more} more listeners; /_elbws/listeners lists all")).end();
    }
    page.finish()
}

fn line(listener: &OpenListener, place: &str) -> String {
    let OpenListener { region, balancer, load_balancer_port, protocol, instance_protocol, instance_port, state: _ } =
        listener;
    let route = format!("{protocol}:{load_balancer_port}/{instance_protocol}:{instance_port}");
    format!("{region}  {balancer}  {route:<20}  {place}")
}

fn place(listener: &OpenListener) -> String {
    match &listener.state {
        ListenerState::Open { address } => format!("at {address}"),
        ListenerState::NotOpen { reason } => format!("not open: {reason}"),
    }
}

/// Whether an instance is in the seed, described or only registered with a balancer.
fn has_instance(seed: &Seed, id: &str) -> bool {
    let described = seed.instances.iter().map(|instance| &instance.id);
    described.chain(seed.balancers.iter().flat_map(|balancer| &balancer.instances)).any(|known| known == id)
}

/// Starts a sandbox with the seed of a file, or with the example.
pub(super) async fn open(seed: Option<&Path>, options: Options) -> Result<Sandbox, CliError> {
    let (seed, name) = load(seed)?;
    begin(seed, &name, options).await
}

/// The seed of a file, or the example, and what to call it.
fn load(path: Option<&Path>) -> Result<(Seed, String), CliError> {
    let (seed, name) = match path {
        Some(path) => (Seed::load(path), path.display().to_string()),
        None => (Seed::from_toml(EXAMPLE), "the example".to_owned()),
    };
    let seed = seed.map_err(|error| CliError::failed(format!("{name} is no seed of a sandbox: {error}")))?;
    Ok((seed, name))
}

async fn begin(seed: Seed, name: &str, options: Options) -> Result<Sandbox, CliError> {
    start(options, seed).await.map_err(|error| match error {
        SandboxError::NotLoopback(_) => CliError::usage(error.to_string()),
        SandboxError::Listen { .. } => CliError::failed(error.to_string()).hint("--listen 127.0.0.1:0 takes any free port"),
        SandboxError::Seed(_) => CliError::failed(format!("{name} is no seed of a sandbox: {error}")),
        SandboxError::Authority(_) => CliError::failed(error.to_string()),
    })
}
