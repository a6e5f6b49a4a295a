//! `elbws verify`: a real connection, stage by stage. `balancer` looks at what `--elb` names.

mod balancer;

use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::Global;
use super::error::{CliError, Exit};
use super::stdout::write_data;
use super::target::{balancer_name, read_bounded};
use crate::output::{VerifyView, sink, stage_text, verdict_json, verdict_text, verify_heading, warning_text};
use crate::verify::{Event, Message, Place, Probe, Target, TlsSetupError, Trust, Verdict, run as probe_and_diagnose};
use balancer::{look_at, place_of};

/// A bundle of every authority there is has half a megabyte.
const MAX_CA: u64 = 16 << 20;

/// Headers that make the request what it is.
const OURS: [&str; 6] =
    ["connection", "content-length", "sec-websocket-key", "sec-websocket-version", "transfer-encoding", "upgrade"];

/// Make a real WebSocket connection, and say at which stage it fails and why
#[derive(Debug, Args)]
#[command(after_help = "\
The stages: the name is resolved; every address is connected to; TLS is negotiated and the certificate verified; a plain request is \
made for /; the connection is upgraded; something is sent and answered. Then, if asked for, the connection is held in silence, and \
many are opened. Proxies of the environment (HTTPS_PROXY and its like) are not used.

A ping is sent unless --message says otherwise: every server answers it, and no application sees it.

With --elb the connection is made to the balancer's own name, and the diagnosis looks at both sides. ELB_NAME is not \
read here.

Examples:
  elbws verify wss://chat.example.com/ws/
  elbws verify wss://chat.example.com/ws/ --elb chat
  elbws verify wss://chat.example.com/ws/ --message '{\"say\":\"{token}\"}'
  elbws verify wss://chat.example.com/ws/ --idle 90s        how long silence survives
  elbws verify wss://chat.example.com/ws/ --connect-to chat-1234.eu-west-1.elb.amazonaws.com:443

Exit codes:
    0  proven, warnings or not
    1  not proven, or could not be tried
   64  wrong usage
  130  interrupted")]
pub(super) struct VerifyArgs {
    /// The endpoint, as wss://host[:port]/path or ws://host[:port]/path
    #[arg(value_name = "URL")]
    url: Target,
    /// Look at this balancer too, and connect to its own name
    #[arg(long = "elb", value_name = "NAME", value_parser = balancer_name)]
    balancer: Option<String>,
    /// Connect to this host and port; TLS and the request still name those of the URL
    #[arg(long, value_name = "HOST:PORT", value_parser = place)]
    connect_to: Option<Place>,
    /// Connect from this address of this machine
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Trust the certificates of this PEM file, and no others
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Go on whatever the certificate says
    #[arg(long)]
    insecure: bool,
    /// Add a header to the requests, as 'Name: value'; repeat it
    #[arg(long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Send this text and wait for its echo; {token} in it becomes something unique [default: send a ping]
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    message: Option<String>,
    /// Hold the connection in silence for this long, as 90s, 2m or 1500ms
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle: Option<Duration>,
    /// Open this many connections at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    count: u32,
    /// How long each stage may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// The format of stdout
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text)]
    format: VerifyFormat,
}

/// Formats of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerifyFormat {
    /// For people, stage by stage.
    Text,
    /// For programs, at the end.
    Json,
}

pub(super) async fn run(global: Global, args: VerifyArgs) -> Result<Exit, CliError> {
    let mut probe = args.probe()?;
    let looked = match &args.balancer {
        Some(name) => Some(look_at(&global, name).await?),
        None => None,
    };
    if let (Some((view, region)), None) = (&looked, &probe.connect_to) {
        probe.connect_to = Some(place_of(&global, region, &view.balancer, probe.target.port()).await?);
    }
    if args.insecure {
        sink::message(&warning_text(
            "--insecure: the certificate is not verified; whoever is on the way can read and change what is sent",
        ));
    }
    if probe.count > 1 {
        // What the system does not give shows in the diagnosis.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
    }
    let view = looked.as_ref().map(|(view, _)| view);
    let verdict = show(&args, &global, &probe, async |listen| probe_and_diagnose(&probe, view, listen).await).await?;
    Ok(if verdict.proven { Exit::Done } else { Exit::Failed })
}

/// Runs the probe and writes what it comes to.
async fn show(
    args: &VerifyArgs,
    global: &Global,
    probe: &Probe,
    run: impl AsyncFnOnce(&mut dyn FnMut(Event<'_>)) -> Result<Verdict, TlsSetupError>,
) -> Result<Verdict, CliError> {
    let is_text = args.format == VerifyFormat::Text;
    let view = VerifyView::new(is_text && !global.quiet && sink::is_terminal());
    if is_text {
        let place = probe.connect_to.as_ref().map(ToString::to_string);
        write_data(&verify_heading(&probe.target.to_string(), place.as_deref(), args.balancer.as_deref()))?;
    }
    let mut written = Ok(());
    let mut listen = |event: Event<'_>| {
        view.show(&event);
        if let (Event::Done(result), true, true) = (&event, is_text, written.is_ok()) {
            written = view.aside(|| write_data(&stage_text(result)));
        }
    };
    let verdict = run(&mut listen).await.map_err(|error| args.cannot_try(&error));
    view.finish();
    written?;
    let verdict = verdict?;
    match args.format {
        VerifyFormat::Text => write_data(&verdict_text(&verdict))?,
        VerifyFormat::Json => write_data(&verdict_json(&verdict, args.balancer.as_deref()).context("no JSON")?)?,
    }
    Ok(verdict)
}

impl VerifyArgs {
    /// Why TLS cannot be spoken at all; about the file of --ca with its name.
    fn cannot_try(&self, error: &TlsSetupError) -> CliError {
        match (error, &self.ca) {
            (TlsSetupError::NoCertificate | TlsSetupError::BadCertificate(_), Some(path)) => {
                CliError::usage(format!("{}: {error}", path.display()))
            }
            _ => CliError::usage(error.to_string()),
        }
    }

    fn probe(&self) -> Result<Probe, CliError> {
        let trust = match (&self.ca, self.insecure) {
            (Some(path), _) => Trust::Pem(read_bounded(path, MAX_CA)?.into_bytes()),
            (None, true) => Trust::Insecure,
            (None, false) => Trust::System,
        };
        if !self.url.is_secure() && (self.ca.is_some() || self.insecure) {
            return Err(
                CliError::usage("--ca and --insecure are about certificates, and ws:// has none").hint("is it wss://?")
            );
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        Ok(Probe {
            connect_to: self.connect_to.clone(),
            source: self.source,
            trust,
            headers,
            message: self.message.clone().map_or(Message::Ping, Message::Text),
            idle: self.idle,
            count: self.count,
            timeout: self.timeout,
            ..Probe::new(self.url.clone())
        })
    }
}

fn place(text: &str) -> Result<Place, String> {
    let wrong = || "give HOST:PORT, such as 127.0.0.1:10443 or [::1]:10443".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(address) => address,
        None if host.contains(':') => return Err(wrong()),
        None => host,
    };
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    match host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
        true => Err(wrong()),
        false => Ok(Place { host: host.to_owned(), port }),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = |why: &dyn Display| format!("give 'Name: value': {why}");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong(&"there is no colon"))?;
    let name: HeaderName = name.trim().parse().map_err(|error| wrong(&error))?;
    if OURS.contains(&name.as_str()) {
        return Err(format!("{name} is what makes the request an upgrade; it cannot be changed"));
    }
    let value = value.trim().parse().map_err(|error| wrong(&error))?;
    Ok((name, value))
}

/// Reads `90s`, `2m`, `1500ms`; a bare number is in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let wrong = || "give a time such as 90s, 2m or 1500ms, up to 1440m".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err(wrong()),
    };
    if duration.is_zero() || duration > LONGEST { Err(wrong()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_places_are_read() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        for text in ["", "0", "-1s", "1.5s", "1h", "s", "99999999999999999999", "18446744073709551615m"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(place("chat:443"), Ok(Place { host: "chat".to_owned(), port: 443 }));
        assert_eq!(place("[::1]:443"), Ok(Place { host: "::1".to_owned(), port: 443 }));
        for text in ["", "chat", "chat:", "chat:0", "chat:65536", ":443", "::1:443", "https://chat:443"] {
            assert!(place(text).is_err(), "{text}");
        }
        assert!(header("Upgrade: h2c").is_err() && header("no colon").is_err() && header("Cookie: a=b").is_ok());
    }
}
