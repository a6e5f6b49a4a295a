//! The head of a generated configuration: what made it, which state it fits, and the steps of a switch.

use std::collections::BTreeSet;

use crate::backend::CutOver;
use crate::cli::Global;
use crate::cli::target::SpecArgs;
use crate::model::Balancer;

/// What goes into the commands that a head names.
pub(super) struct Commands<'a> {
    pub(super) global: &'a Global,
    /// What `elbws apply` will be asked for.
    pub(super) spec: &'a SpecArgs,
}

impl Commands<'_> {
    /// Which state the configuration is for, and what follows from that.
    pub(super) fn state(&self, name: &str, newly_proxied: &BTreeSet<u16>) -> Vec<String> {
        let mut lines = vec![format!("It fits the balancer as this leaves it: {}", self.apply(name, Vec::new()))];
        for port in newly_proxied {
            lines.push(format!(
                "Until both are in place, connections to instance port {port} fail; --cut-over PORT avoids that."
            ));
        }
        lines
    }

    /// The steps of a switch through a new port, which leads to `after`.
    pub(super) fn steps(&self, after: &Balancer, switch: &CutOver, port: u16) -> Vec<String> {
        let CutOver { old_port, listeners } = switch;
        let listeners = listeners.iter().map(|listener| ("--listener", Some(listener.to_string()))).collect();
        let mut steps = vec![
            format!(
                "reload the web server with this file; let port {port} through the security groups of balancer and instances"
            ),
            format!("move the balancer:\n{}", self.apply(&after.name, listeners)),
        ];
        if after.health_check.as_ref().is_some_and(|check| check.target.port == *old_port) {
            let flag = ("--health-check", Some(format!("TCP:{port}")));
            steps.push(format!("move its health check off the old port:\n{}", self.apply(&after.name, vec![flag])));
        }
        steps.push(format!(
            "when the connections through port {old_port} have ended, replace this file, and with it the old port:\n{}",
            typed(|flag| flag != "--cut-over" && flag != "--listener")
        ));
        let mut lines = vec![
            String::new(),
            format!(
                "It serves port {old_port} as the balancer uses it now, and port {port} with the PROXY header. To switch:"
            ),
        ];
        for (number, step) in steps.iter().enumerate() {
            let mut parts = step.lines();
            lines.push(format!("{}. {}", number + 1, parts.next().unwrap_or_default()));
            lines.extend(parts.map(|command| format!("      {command}")));
        }
        lines
    }

    /// The command line of `elbws apply` that goes with this one. `instead` are flags to give instead of what was said about
    /// listeners and, where it names one, about the health check.
    fn apply(&self, name: &str, instead: Vec<(&'static str, Option<String>)>) -> String {
        let checks = instead.iter().any(|(flag, _)| *flag == "--health-check");
        let replaced = |flag: &str| match flag {
            "--listener" => !instead.is_empty(),
            "--health-check" | "--keep-health-check" => checks,
            _ => false,
        };
        let mut flags = vec![("--elb", Some(name.to_owned()))];
        flags.extend(instead.clone());
        flags.extend(self.spec.flags().into_iter().filter(|(flag, _)| !replaced(flag)));
        let Global { region, profile, endpoint_url, sandbox: _, color: _, verbose: _, quiet: _ } = self.global;
        for (flag, value) in [("--region", region), ("--profile", profile), ("--endpoint-url", endpoint_url)] {
            flags.extend(value.iter().map(|value| (flag, Some(value.clone()))));
        }
        let words = flags.into_iter().flat_map(|(flag, value)| [Some(flag.to_owned()), value.map(quoted)]).flatten();
        format!("elbws apply {}", words.collect::<Vec<_>>().join(" "))
    }
}

/// The command line as it was typed, without flags that are not `kept`; each of those takes one value.
pub(super) fn typed(kept: impl Fn(&str) -> bool) -> String {
    let mut words = vec!["elbws".to_owned()];
    let mut arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = arguments.next() {
        match word.split_once('=') {
            Some((flag, _)) if !kept(flag) => {}
            None if !kept(&word) => drop(arguments.next()),
            _ => words.push(quoted(word)),
        }
    }
    words.join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: String) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=/.,:@%+~".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
