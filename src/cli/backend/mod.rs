//! `elbws backend`: the web server's side, written or checked.
//!
//! `head` says what made a configuration and how to switch to it, `nginx_files` reads the files that are to be checked.

mod head;
mod nginx_files;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::connection::Connection;
use super::error::{CliError, Exit, with_cloud_hints};
use super::stdout::write_data;
use super::target::{SpecArgs, Target};
use super::{Global, reading};
use crate::backend::check::{CheckError, Expectation, check};
use crate::backend::{
    BackendError, CutOver, Request, Server, ServerName, Upstream, WebSocketRoute, cut_over, generate, newly_proxied,
};
use crate::cloud::Account;
use crate::model::Balancer;
use crate::output::{clean, findings_json, findings_text, sink, warning_text};
use crate::plan::plan;
use crate::spec::recipe::service_without_proxy;
use crate::spec::{ListenerIntent, ListenerRequest, Spec};
use head::{Commands, typed};

/// Print, or check, the configuration of the web server behind a balancer
#[derive(Debug, Args)]
#[command(after_help = "\
The configuration fits the balancer as `elbws apply` leaves it, with the same flags given to both; \
--as-is takes it as it is.

Where a port is in use already, web server and balancer cannot change at the same instant. --cut-over gives the web server a \
second port that expects the PROXY header, and says in the file's head how to move the balancer there and when to close the \
old port.

Examples:
  elbws backend nginx --elb chat > chat.conf
  elbws backend nginx --elb chat --app 127.0.0.1:8000 --websocket /ws/=127.0.0.1:9000
  elbws backend nginx --elb chat --cut-over 8080
  elbws backend nginx --elb chat --health-check HTTP:8081/health    a plain port for a health check
  elbws backend nginx --elb chat --check /etc/nginx/nginx.conf      2 if something would break
  nginx -T | elbws backend nginx --elb chat --check -
  elbws backend haproxy --elb chat > haproxy.cfg")]
pub(super) struct BackendArgs {
    /// The web server
    #[arg(value_name = "SERVER", value_parser = server())]
    server: Server,
    /// Where the application listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    app: Upstream,
    /// A path that leads to an application of its own, as /ws/=127.0.0.1:9000; repeat it. WebSockets work on every path
    #[arg(long, value_name = "PATH=HOST:PORT")]
    websocket: Vec<WebSocketRoute>,
    /// A host name to answer to; repeat it [default: any]
    #[arg(long, value_name = "NAME")]
    server_name: Vec<ServerName>,
    /// Serve plain HTTP too, instead of redirecting it to HTTPS
    #[arg(long)]
    no_redirect: bool,
    /// A range that the balancer's connections come from; repeat it [default: its subnets, as EC2 describes them]
    #[arg(long, value_name = "CIDR", value_parser = trusted_range)]
    trust: Vec<IpNet>,
    /// Switch through a new instance port that expects the PROXY header, and print how
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), conflicts_with_all = ["as_is", "config", "prune"])]
    cut_over: Option<u16>,
    /// Check this configuration of nginx, and what it includes, instead of printing one; - reads `nginx -T` from stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["app", "websocket", "server_name", "no_redirect", "cut_over"])]
    check: Option<PathBuf>,
    /// The format of what a check finds
    #[arg(long, value_enum, default_value_t = CheckFormat::Text, requires = "check")]
    format: CheckFormat,
    /// Take the balancer as it is, not as `elbws apply` leaves it
    #[arg(long, conflicts_with_all = ["config", "listener", "certificate", "policy_name", "instance_port", "skip_instance_port", "idle_timeout", "ssl_policy", "health_check", "keep_health_check", "prune", "no_journal"])]
    as_is: bool,
    #[command(flatten, next_help_heading = "What apply will be asked for")]
    spec: SpecArgs,
}

/// Formats of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people: one finding a line.
    Text,
    /// For programs.
    Json,
}

pub(super) async fn run(global: Global, args: BackendArgs) -> Result<Exit, CliError> {
    let (name, spec) = args.target()?;
    if args.check.is_some() && args.server != Server::Nginx {
        return Err(CliError::usage("only configurations of nginx can be checked"));
    }
    let connection = Connection::open(&global).await?;
    let live = reading::read(connection.cloud(), &name).await?;
    let trusted = args.trusted(&connection, &live).await?;
    let after = match args.as_is {
        true => live.clone(),
        false => planned(&live, &spec)?,
    };
    if let Some(file) = &args.check {
        return report(file, args.format, &Expectation { leave_out: foreign_ports(&after), balancer: &after, trusted });
    }
    let refused = |error: BackendError| refused(&name, &error);
    let commands = Commands { global: &global, spec: &args.spec };
    let (balancer, before, mut header) = match args.cut_over {
        Some(port) => {
            let switch = cut_over(&live, &after, port).map_err(refused)?;
            let balancer = planned(&live, &asked_for(&spec, &switch))?;
            let header = commands.steps(&balancer, &switch, port);
            (balancer, Some(&live), header)
        }
        None => {
            let newly_proxied = newly_proxied(&live, &after).map_err(refused)?;
            let header = match args.as_is {
                true => vec!["It fits the balancer as it is.".to_owned()],
                false => commands.state(&name, &newly_proxied),
            };
            (after, None, header)
        }
    };
    header.insert(0, format!("Made by: {}", typed(|_| true)));
    let mut request = Request::new(&balancer, trusted.into_iter().collect(), args.app.clone());
    request.before = before;
    request.websockets = args.websocket.clone();
    request.server_names = args.server_name.clone();
    request.redirect = !args.no_redirect;
    request.leave_out = foreign_ports(&balancer);
    request.header = header;
    request.header.extend(request.leave_out.iter().map(|port| {
        format!("Instance port {port} is left to {}.", service_without_proxy(*port).unwrap_or("another program"))
    }));
    let configuration = generate(args.server, &request).map_err(refused)?;
    for warning in &configuration.warnings {
        sink::message(&warning_text(&clean(&format!("balancer `{name}`: {warning}"))));
    }
    write_data(&configuration.text)?;
    Ok(Exit::Done)
}

impl BackendArgs {
    /// The one balancer that the configuration is for, and what is asked of it.
    fn target(&self) -> Result<Target, CliError> {
        let mut targets = self.spec.targets()?;
        match (targets.pop(), targets.len()) {
            (Some(target), 0) => Ok(target),
            _ => Err(CliError::usage("a configuration is for one balancer").hint("name one with --elb NAME")),
        }
    }

    /// The ranges that the balancer's connections come from.
    async fn trusted(&self, connection: &Connection, balancer: &Balancer) -> Result<BTreeSet<IpNet>, CliError> {
        if !self.trust.is_empty() {
            return Ok(self.trust.iter().copied().collect());
        }
        let name = &balancer.name;
        if balancer.subnets.is_empty() {
            let why = format!("balancer `{name}` has no subnets, so it is unknown where its connections come from");
            return Err(CliError::failed(why).hint("name the ranges with --trust CIDR"));
        }
        let failed = |why: &dyn std::fmt::Display| {
            CliError::failed(format!("the ranges of the subnets of balancer `{name}` are unknown: {why}"))
        };
        let by_hand = "or name the ranges with --trust CIDR, which asks EC2 for nothing";
        let ids: Vec<String> = balancer.subnets.iter().cloned().collect();
        let subnets = connection
            .cloud()
            .subnets(&ids)
            .await
            .map_err(|error| with_cloud_hints(failed(&error), &error).hint(by_hand))?;
        let range = |id: &String| {
            let subnet = subnets.get(id).ok_or_else(|| failed(&format!("EC2 knows no {id}")).hint(by_hand))?;
            subnet.cidr.parse().map_err(|_| failed(&format!("`{}` is no range", subnet.cidr)).hint(by_hand))
        };
        ids.iter().map(range).collect()
    }
}

/// Checks a configuration and prints what was found.
fn report(file: &Path, format: CheckFormat, expectation: &Expectation<'_>) -> Result<Exit, CliError> {
    let name = &expectation.balancer.name;
    let main = nginx_files::read_main(file)?;
    let findings =
        check(expectation, main, &mut |pattern| nginx_files::included(file, pattern)).map_err(|error| match error {
            CheckError::Source(error) => CliError::failed(format!("the configuration cannot be read: {error}")),
            CheckError::Balancer(error) => refused(name, &error),
        })?;
    let text = match format {
        CheckFormat::Text => findings_text(&findings, name),
        CheckFormat::Json => findings_json(&findings, name).context("no JSON")?,
    };
    write_data(&text)?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Pending })
}

/// The state that `elbws apply` leads to.
fn planned(live: &Balancer, spec: &Spec) -> Result<Balancer, CliError> {
    match plan(live, spec) {
        Ok(plan) => Ok(plan.after),
        Err(error) => Err(CliError::plan(&live.name, &error).hint("--as-is takes the balancer as it is now")),
    }
}

/// What is asked of the balancer when it is moved to a new instance port.
fn asked_for(spec: &Spec, switch: &CutOver) -> Spec {
    let request = |listener: &crate::model::Listener| ListenerRequest {
        protocol: listener.protocol.clone(),
        load_balancer_port: listener.load_balancer_port,
        instance_protocol: listener.instance_protocol.clone(),
        instance_port: listener.instance_port,
        certificate: None,
    };
    Spec { listeners: ListenerIntent::Set(switch.listeners.iter().map(request).collect()), ..spec.clone() }
}

/// Instance ports of well-known services that speak no HTTP, unless they get the PROXY header all the same.
fn foreign_ports(balancer: &Balancer) -> BTreeSet<u16> {
    let ports =
        balancer.listeners.values().filter(|listener| listener.is_transport()).map(|listener| listener.instance_port);
    ports.filter(|port| service_without_proxy(*port).is_some() && !balancer.is_proxied(*port)).collect()
}

fn refused(name: &str, error: &BackendError) -> CliError {
    let failed = CliError::failed(format!("balancer `{name}`: {error}"));
    match error {
        BackendError::MixedPort { .. } => failed.hint("`elbws plan` shows what would mend the balancer"),
        BackendError::SeveralToCutOver(ports) => {
            let others =
                ports.iter().skip(1).map(|port| format!("--skip-instance-port {port}")).collect::<Vec<_>>().join(" ");
            failed.hint(format!("leave the others for later with {others}"))
        }
        BackendError::NothingToCutOver => failed.hint("leave --cut-over out"),
        BackendError::TrustsEverybody(_) | BackendError::NothingTrusted => failed.hint("name the ranges with --trust CIDR"),
        _ => failed,
    }
}

fn server() -> impl TypedValueParser<Value = Server> {
    PossibleValuesParser::new(Server::ALL.map(Server::name))
        .map(|name| Server::ALL.into_iter().find(|server| server.name() == name).unwrap_or(Server::Nginx))
}

fn trusted_range(text: &str) -> Result<IpNet, String> {
    match text.parse::<IpNet>() {
        Ok(range) if range.prefix_len() == 0 => Err(format!("{range} is every address there is")),
        Ok(range) => Ok(range),
        Err(_) => Err("give a range such as 10.0.1.0/24".to_owned()),
    }
}
