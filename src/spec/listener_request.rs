//! A listener as a person writes it: `SSL:443/TCP:80`, or `443:80` for short.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{CertificateArn, Malformed, Protocol};

/// A wanted listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerRequest {
    /// The front-end protocol.
    pub protocol: Protocol,
    /// The port clients connect to.
    pub load_balancer_port: u16,
    /// The back-end protocol.
    pub instance_protocol: Protocol,
    /// The port on the instances.
    pub instance_port: u16,
    /// Its certificate; absent means the spec's, else the one the port has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateArn>,
}

impl FromStr for ListenerRequest {
    type Err = Malformed;

    /// Reads `PROTOCOL:PORT/PROTOCOL:PORT`, front end first. The short form `PORT:PORT` means SSL to TCP for load balancer
    /// port 443 and TCP to TCP for any other.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = |why: &str| {
            Malformed(format!(
                "`{text}` is not a listener: {why}. Write PROTOCOL:PORT/PROTOCOL:PORT, front end first, for example \
                 SSL:443/TCP:80; or PORT:PORT for short, where 443:80 means SSL:443/TCP:80 and 80:80 means TCP:80/TCP:80"
            ))
        };
        let (front, back) = match text.split_once('/') {
            Some((front, back)) => (endpoint(front, &wrong)?, endpoint(back, &wrong)?),
            None => {
                let (front, back) = text.split_once(':').ok_or_else(|| wrong("it has no colon"))?;
                if Protocol::from(front).layer().is_some() {
                    return Err(wrong("the part after the slash, the instance's, is missing"));
                }
                let front = port(front, &wrong)?;
                let protocol = if front == 443 { Protocol::Ssl } else { Protocol::Tcp };
                ((protocol, front), (Protocol::Tcp, port(back, &wrong)?))
            }
        };
        if front.0.layer() != back.0.layer() {
            return Err(Malformed(format!(
                "`{text}` is not a legal listener: {} and {} cannot be paired. TCP and SSL go with TCP and SSL, \
                 HTTP and HTTPS with HTTP and HTTPS",
                front.0, back.0
            )));
        }
        Ok(ListenerRequest {
            protocol: front.0,
            load_balancer_port: front.1,
            instance_protocol: back.0,
            instance_port: back.1,
            certificate: None,
        })
    }
}

fn endpoint(text: &str, wrong: &impl Fn(&str) -> Malformed) -> Result<(Protocol, u16), Malformed> {
    let (protocol, number) = text.split_once(':').ok_or_else(|| wrong(&format!("`{text}` has no protocol or no port")))?;
    let protocol = Protocol::from(protocol);
    if protocol.layer().is_none() {
        return Err(wrong(&format!("the protocol `{protocol}` is none of SSL, TCP, HTTPS and HTTP")));
    }
    Ok((protocol, port(number, wrong)?))
}

fn port(text: &str, wrong: &impl Fn(&str) -> Malformed) -> Result<u16, Malformed> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port != 0)
        .ok_or_else(|| wrong(&format!("`{text}` is not a port from 1 to 65535")))
}

impl fmt::Display for ListenerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenerRequest { protocol, load_balancer_port, instance_protocol, instance_port, certificate: _ } = self;
        write!(f, "{protocol}:{load_balancer_port}/{instance_protocol}:{instance_port}")
    }
}

#[cfg(test)]
mod tests {
    use super::ListenerRequest;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<ListenerRequest>().map(|request| request.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn long_and_short_forms() {
        assert_eq!(read("SSL:443/TCP:80").as_deref(), Ok("SSL:443/TCP:80"));
        assert_eq!(read("ssl:8443/Tcp:8080").as_deref(), Ok("SSL:8443/TCP:8080"));
        assert_eq!(read("443:80").as_deref(), Ok("SSL:443/TCP:80"));
        assert_eq!(read("80:8080").as_deref(), Ok("TCP:80/TCP:8080"));
    }

    #[test]
    fn bad_grammar_shows_the_right_one() {
        for (text, why) in [
            ("", "it has no colon"),
            ("443", "it has no colon"),
            ("443:", "`` is not a port"),
            ("443:80:90", "`80:90` is not a port"),
            ("443:+80", "`+80` is not a port"),
            ("SSL:443", "the part after the slash, the instance's, is missing"),
            ("SSL:443/80", "`80` has no protocol"),
            ("SSL:0/TCP:80", "`0` is not a port"),
            ("SSL:65536/TCP:80", "`65536` is not a port"),
            ("UDP:53/UDP:53", "`UDP` is none of"),
            ("SSL:443/TCP:80/TCP:90", "`80/TCP:90` is not a port"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(why), "{text}: {message}");
            assert!(message.contains("SSL:443/TCP:80"), "{text}: {message}");
        }
    }

    #[test]
    fn layers_do_not_mix() {
        let message = read("SSL:443/HTTP:80").unwrap_err();
        assert!(message.contains("SSL and HTTP cannot be paired"), "{message}");
    }
}
