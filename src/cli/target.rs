//! Which balancers a command is about, and what is asked of each: from `--elb` and flags, or from `elbws.toml`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::error::CliError;
use crate::model::names::{check_load_balancer_name, check_policy_name};
use crate::model::{CertificateArn, HealthCheckTarget};
use crate::spec::config::Config;
use crate::spec::{HealthCheckIntent, ListenerIntent, ListenerRequest, ProxyProtocolIntent, Spec, check_idle_timeout};

/// An `elbws.toml` of a thousand balancers is far smaller than this many bytes.
pub(super) const MAX_CONFIG: u64 = 4 << 20;

/// The balancers, by name.
#[derive(Debug, Clone, Args)]
pub(super) struct BalancerNames {
    /// The balancer's name; repeat it for more than one [env: ELB_NAME]
    #[arg(long = "elb", value_name = "NAME", value_parser = balancer_name)]
    pub(super) names: Vec<String>,
}

/// What `plan` and `apply` ask for.
#[derive(Debug, Clone, Args)]
pub(super) struct SpecArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// Take balancers and what is wanted of them from this file (see `elbws show --format toml`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listener", "certificate", "policy_name", "instance_port", "skip_instance_port", "idle_timeout", "ssl_policy", "health_check", "keep_health_check", "prune"])]
    config: Option<PathBuf>,
    /// A listener to have, as SSL:443/TCP:80 or 443:80 for short; repeat it [default: derived from the balancer]
    #[arg(long, value_name = "LISTENER")]
    listener: Vec<ListenerRequest>,
    /// The certificate of the SSL and HTTPS listeners, in ACM or IAM [default: the one the port has]
    #[arg(long, value_name = "ARN")]
    certificate: Option<CertificateArn>,
    /// The name of the proxy policy, if one must be created [default: NAME-proxy-protocol]
    #[arg(long, value_name = "NAME", value_parser = policy_name)]
    policy_name: Option<String>,
    /// Send the PROXY header to this instance port although its well-known service cannot read it; repeat it
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    instance_port: Vec<u16>,
    /// Leave this instance port without the PROXY header; repeat it
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    skip_instance_port: Vec<u16>,
    /// Close connections after this many seconds without payload (1-4000)
    #[arg(long, value_name = "SECONDS", value_parser = idle_timeout)]
    idle_timeout: Option<u32>,
    /// The TLS policy of the SSL and HTTPS listeners, predefined or the balancer's own
    #[arg(long, value_name = "NAME")]
    ssl_policy: Option<String>,
    /// The health check's target, as TCP:80 or HTTP:8081/health [default: TCP where the present one would fail]
    #[arg(long, value_name = "TARGET", conflicts_with = "keep_health_check")]
    health_check: Option<HealthCheckTarget>,
    /// Leave the health check as it is, even where it would fail
    #[arg(long)]
    keep_health_check: bool,
    /// Also remove listeners that --listener does not name, and proxy policies that nothing needs
    #[arg(long)]
    prune: bool,
    /// Replace listeners without keeping their definitions in the balancer's tags meanwhile
    #[arg(long)]
    no_journal: bool,
}

/// A balancer and what is asked of it.
pub(super) type Target = (String, Spec);

impl BalancerNames {
    /// The names, without repetition; an error if there are none.
    pub(super) fn required(&self) -> Result<Vec<String>, CliError> {
        let names = self.optional()?;
        match names.is_empty() {
            true => Err(CliError::usage("no balancer is named").hint("name one with --elb NAME, or set ELB_NAME")),
            false => Ok(names),
        }
    }

    /// The names, without repetition; none where neither `--elb` nor `ELB_NAME` gives one.
    pub(super) fn optional(&self) -> Result<Vec<String>, CliError> {
        let mut seen = BTreeSet::new();
        let names: Vec<String> = self.names.iter().filter(|name| seen.insert(*name)).cloned().collect();
        if !names.is_empty() {
            return Ok(names);
        }
        // Read only where it is needed: a file or a saved plan that names its balancers is not narrowed by it.
        let name = std::env::var("ELB_NAME").ok().filter(|name| !name.is_empty());
        let name = name.map(|name| balancer_name(&name)).transpose();
        Ok(name.map_err(|error| CliError::usage(format!("ELB_NAME: {error}")))?.into_iter().collect())
    }

    /// The same spec for every named balancer.
    pub(super) fn with(&self, spec: &Spec) -> Result<Vec<Target>, CliError> {
        Ok(self.required()?.into_iter().map(|name| (name, spec.clone())).collect())
    }
}

impl SpecArgs {
    /// The balancers and their specs.
    pub(super) fn targets(&self) -> Result<Vec<Target>, CliError> {
        match &self.config {
            Some(path) => self.configured(path),
            None => self
                .balancers
                .with(&self.spec())
                .map_err(|error| error.hint("or name balancers in a file with --config FILE")),
        }
    }

    /// The balancers of the file; with `--elb`, only those.
    fn configured(&self, path: &Path) -> Result<Vec<Target>, CliError> {
        let wrong = |why: &dyn std::fmt::Display| CliError::usage(format!("{}: {why}", path.display()));
        let config = Config::parse(&read_bounded(path, MAX_CONFIG)?).map_err(|error| wrong(&error))?;
        let mut targets = Vec::new();
        for balancer in &config.balancers {
            let spec = Spec { journal: !self.no_journal, ..balancer.spec().map_err(|error| wrong(&error))? };
            targets.push((balancer.name.clone(), spec));
        }
        let wanted = &self.balancers.names;
        if let Some(name) = wanted.iter().find(|name| !targets.iter().any(|(found, _)| found == *name)) {
            return Err(wrong(&format!("it names no balancer `{name}`")));
        }
        targets.retain(|(name, _)| wanted.is_empty() || wanted.contains(name));
        Ok(targets)
    }

    /// The flags that were given, with their values, but for the balancers' names: to show a command line that asks for the same.
    pub(super) fn flags(&self) -> Vec<(&'static str, Option<String>)> {
        let SpecArgs {
            balancers: _,
            config,
            listener,
            certificate,
            policy_name,
            instance_port,
            skip_instance_port,
            idle_timeout,
            ssl_policy,
            health_check,
            keep_health_check,
            prune,
            no_journal,
        } = self;
        fn each<'a, T: ToString + 'a>(
            flag: &'static str,
            values: impl IntoIterator<Item = &'a T>,
        ) -> impl Iterator<Item = (&'static str, Option<String>)> {
            values.into_iter().map(move |value| (flag, Some(value.to_string())))
        }
        let switch = |flag: &'static str, given: bool| given.then_some((flag, None));
        let config = config.as_ref().map(|path| path.display().to_string());
        each("--config", &config)
            .chain(each("--listener", listener))
            .chain(each("--certificate", certificate))
            .chain(each("--policy-name", policy_name))
            .chain(each("--instance-port", instance_port))
            .chain(each("--skip-instance-port", skip_instance_port))
            .chain(each("--idle-timeout", idle_timeout))
            .chain(each("--ssl-policy", ssl_policy))
            .chain(each("--health-check", health_check))
            .chain(switch("--keep-health-check", *keep_health_check))
            .chain(switch("--prune", *prune))
            .chain(switch("--no-journal", *no_journal))
            .collect()
    }

    fn spec(&self) -> Spec {
        let listeners = match self.listener.is_empty() {
            true => ListenerIntent::Recipe,
            false => ListenerIntent::Set(self.listener.clone()),
        };
        let health_check = match (&self.health_check, self.keep_health_check) {
            (Some(target), _) => HealthCheckIntent::Set(target.clone()),
            (None, true) => HealthCheckIntent::Keep,
            (None, false) => HealthCheckIntent::Adapt,
        };
        Spec {
            listeners,
            certificate: self.certificate.clone(),
            certificate_ports: BTreeSet::new(),
            ssl_policy: self.ssl_policy.clone(),
            proxy_protocol: ProxyProtocolIntent::Enable {
                policy_name: self.policy_name.clone(),
                include: self.instance_port.iter().copied().collect(),
                skip: self.skip_instance_port.iter().copied().collect(),
                only: BTreeSet::new(),
            },
            health_check,
            idle_timeout: self.idle_timeout,
            prune: self.prune,
            journal: !self.no_journal,
        }
    }
}

/// Reads a text file that must not be larger than `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(limit + 1).read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(text.len() as u64 <= limit, "{} is larger than {} MiB", path.display(), limit >> 20);
    Ok(text)
}

pub(super) fn balancer_name(text: &str) -> Result<String, String> {
    check_load_balancer_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn policy_name(text: &str) -> Result<String, String> {
    check_policy_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn idle_timeout(text: &str) -> Result<u32, String> {
    let seconds = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    check_idle_timeout(seconds).map_err(|error| error.to_string())
}
