//! The PROXY protocol's line, version 1: who the client is, for a back end that sees only the balancer (elb-facts 2.3).

use std::net::{IpAddr, SocketAddr};

/// The line for a connection from `client`, accepted at the address `local` by a listener with a load balancer port.
///
/// The destination port is the one of the API, wherever the listener really is. An IPv4 address in IPv6 clothes is written as
/// IPv4.
pub(super) fn line(client: SocketAddr, local: IpAddr, load_balancer_port: u16) -> String {
    let (source, destination) = (client.ip().to_canonical(), local.to_canonical());
    let family = match (source, destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) => "TCP4",
        (IpAddr::V6(_), IpAddr::V6(_)) => "TCP6",
        // Both ends of one connection have one family.
        _ => return "PROXY UNKNOWN\r\n".to_owned(),
    };
    format!("PROXY {family} {source} {destination} {} {load_balancer_port}\r\n", client.port())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use ppp::v1::{Addresses, Header, IPv4, IPv6};

    use super::*;

    fn parsed(line: &str) -> Addresses {
        Header::try_from(line).unwrap().addresses
    }

    #[test]
    fn a_reader_of_the_protocol_understands_the_line() {
        let text = line("192.0.2.7:65535".parse().unwrap(), "10.0.0.9".parse().unwrap(), 443);
        assert_eq!(text, "PROXY TCP4 192.0.2.7 10.0.0.9 65535 443\r\n");
        let expected = IPv4::new([192, 0, 2, 7], [10, 0, 0, 9], 65535, 443);
        assert_eq!(parsed(&text), Addresses::Tcp4(expected));
        let text = line("[2001:db8::1]:1".parse().unwrap(), Ipv6Addr::LOCALHOST.into(), 80);
        assert_eq!(text, "PROXY TCP6 2001:db8::1 ::1 1 80\r\n");
        let expected = IPv6::new("2001:db8::1".parse::<Ipv6Addr>().unwrap(), Ipv6Addr::LOCALHOST, 1, 80);
        assert_eq!(parsed(&text), Addresses::Tcp6(expected));
    }

    #[test]
    fn a_mapped_address_is_an_ipv4_address() {
        let text = line("[::ffff:192.0.2.7]:1".parse().unwrap(), "::ffff:10.0.0.9".parse().unwrap(), 80);
        assert_eq!(text, "PROXY TCP4 192.0.2.7 10.0.0.9 1 80\r\n");
    }

    #[test]
    fn the_longest_line_has_104_bytes() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let text = line(format!("[{longest}]:65535").parse().unwrap(), longest.parse().unwrap(), 65535);
        assert_eq!(text.len(), 104);
    }
}
