//! The parts of a seed that can be written in two ways: as a short text or in full.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};

use crate::model::{HealthCheckTarget, Malformed};

/// A listener: `"HTTPS:443/HTTP:80"`, or a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct SeedListener {
    /// The protocol clients speak.
    pub protocol: String,
    /// The port clients connect to.
    pub load_balancer_port: u16,
    /// The protocol instances speak; the sandbox's default if absent.
    #[serde(default)]
    pub instance_protocol: Option<String>,
    /// The port on the instances.
    pub instance_port: u16,
    /// The name of a certificate of the seed, or an ARN. If the seed has exactly one certificate, HTTPS and SSL listeners need
    /// not name it.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The listener's policies, in place of the default one.
    #[serde(default)]
    pub policies: Option<Vec<String>>,
}

/// A health check: `"TCP:80"`, or a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct SeedHealthCheck {
    /// What is asked, `TCP:80` or `HTTP:80/path`.
    pub target: String,
    /// Seconds between checks; 30 if absent.
    #[serde(default)]
    pub interval: Option<u32>,
    /// Seconds to wait; 5 if absent.
    #[serde(default)]
    pub timeout: Option<u32>,
    /// Failures until out of service; 2 if absent.
    #[serde(default)]
    pub unhealthy_threshold: Option<u32>,
    /// Successes until in service; 10 if absent.
    #[serde(default)]
    pub healthy_threshold: Option<u32>,
}

/// One value, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a text, true, false, or a list of texts")]
pub enum OneOrMore {
    /// `"value"`
    Text(String),
    /// `true`
    Flag(bool),
    /// `["value", "value"]`
    List(Vec<String>),
}

impl OneOrMore {
    /// The values.
    pub fn values(&self) -> Vec<String> {
        match self {
            OneOrMore::Text(text) => vec![text.clone()],
            OneOrMore::Flag(flag) => vec![flag.to_string()],
            OneOrMore::List(list) => list.clone(),
        }
    }
}

/// What can be written as a text or as a table.
trait TextOrTable: Sized {
    const EXPECTED: &'static str;
    fn from_text(text: &str) -> Result<Self, Malformed>;
    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error>;
}

impl TextOrTable for SeedListener {
    const EXPECTED: &'static str = "a listener: \"PROTOCOL:PORT/PROTOCOL:PORT\" or a table";

    fn from_text(text: &str) -> Result<Self, Malformed> {
        let end = |end: &str| {
            let (protocol, port) = end.split_once(':')?;
            Some((protocol.to_owned(), port.parse().ok()?))
        };
        let ends = text.split_once('/').and_then(|(front, back)| Some((end(front)?, end(back)?)));
        let ((protocol, load_balancer_port), (instance_protocol, instance_port)) = ends.ok_or_else(|| {
            Malformed(format!("`{text}` is not a listener: give PROTOCOL:PORT/PROTOCOL:PORT, for example HTTPS:443/HTTP:80"))
        })?;
        let instance_protocol = Some(instance_protocol);
        Ok(SeedListener {
            protocol,
            load_balancer_port,
            instance_protocol,
            instance_port,
            certificate: None,
            policies: None,
        })
    }

    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        SeedListener::deserialize(table)
    }
}

impl TextOrTable for SeedHealthCheck {
    const EXPECTED: &'static str = "a health check: a target such as \"TCP:80\", or a table";

    fn from_text(text: &str) -> Result<Self, Malformed> {
        let target = text.parse::<HealthCheckTarget>()?.to_string();
        Ok(SeedHealthCheck { target, interval: None, timeout: None, unhealthy_threshold: None, healthy_threshold: None })
    }

    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        SeedHealthCheck::deserialize(table)
    }
}

impl<'de> Deserialize<'de> for SeedListener {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de> Deserialize<'de> for SeedHealthCheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

struct Either<T>(PhantomData<T>);

impl<'de, T: TextOrTable> Visitor<'de> for Either<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<T, A::Error> {
        T::from_table(MapAccessDeserializer::new(table))
    }
}
