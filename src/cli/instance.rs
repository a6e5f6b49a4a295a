//! The value of `--instance`: where an instance of the sandbox really is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use crate::sandbox::Backend;

/// An instance's identifier and its place.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    id: String,
    backend: Backend,
}

impl Instance {
    /// As the sandbox wants it.
    pub(super) fn into_pair(self) -> (String, Backend) {
        (self.id, self.backend)
    }
}

impl FromStr for Instance {
    type Err = String;

    /// Reads `ID=ADDRESS[,PORT=REAL_PORT...]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |what: &str| format!("{what}: give ID=ADDRESS or ID=ADDRESS,80=8080, such as i-0abc1234=127.0.0.1,80=8080");
        let (id, place) = text.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        if !id.starts_with("i-") {
            return Err(wrong(&format!("`{id}` is not the identifier of an instance")));
        }
        let mut parts = place.split(',');
        let address = parts.next().unwrap_or_default();
        let address: IpAddr = address.parse().map_err(|_| wrong(&format!("`{address}` is not an IP address")))?;
        let mut ports = BTreeMap::new();
        for part in parts {
            let pair = part.split_once('=').and_then(|(port, real)| Some((read_port(port)?, read_port(real)?)));
            let (port, real) = pair.ok_or_else(|| wrong(&format!("`{part}` is not a pair of ports")))?;
            if ports.insert(port, real).is_some() {
                return Err(wrong(&format!("port {port} is named twice")));
            }
        }
        Ok(Instance { id: id.to_owned(), backend: Backend { address, ports } })
    }
}

fn read_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_an_address_and_maybe_ports() {
        let (id, backend) = "i-0abc=127.0.0.1,80=8080,443=8443".parse::<Instance>().unwrap().into_pair();
        assert_eq!(id, "i-0abc");
        assert_eq!(backend.address.to_string(), "127.0.0.1");
        assert_eq!(backend.ports, BTreeMap::from([(80, 8080), (443, 8443)]));
        let (_, backend) = "i-0abc=::1".parse::<Instance>().unwrap().into_pair();
        assert_eq!((backend.address.to_string().as_str(), backend.ports.len()), ("::1", 0));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, complaint) in [
            ("i-0abc", "there is no `=`"),
            ("web=127.0.0.1", "`web` is not the identifier"),
            ("i-0abc=localhost", "`localhost` is not an IP address"),
            ("i-0abc=127.0.0.1,80", "`80` is not a pair"),
            ("i-0abc=127.0.0.1,80=0", "`80=0` is not a pair"),
            ("i-0abc=127.0.0.1,80=1,80=2", "port 80 is named twice"),
        ] {
            let error = text.parse::<Instance>().unwrap_err();
            assert!(error.starts_with(complaint), "{text}: {error}");
        }
    }
}
