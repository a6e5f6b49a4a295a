//! A small picture of a balancer: what clients connect to, and which instance port that leads to.

use super::page::{BAD, FAINT, GOOD, Page};
use crate::model::{Balancer, Listener};

/// One line a listener, those of an instance port together, with what arrives there.
pub(super) fn draw(page: &mut Page, balancer: &Balancer) {
    let mut listeners: Vec<&Listener> = balancer.listeners.values().collect();
    listeners.sort_by_key(|listener| (listener.instance_port, listener.load_balancer_port));
    for (index, listener) in listeners.iter().enumerate() {
        let same = |other: Option<&&Listener>| other.is_some_and(|other| other.instance_port == listener.instance_port);
        let first = index == 0 || !same(listeners.get(index - 1));
        let last = !same(listeners.get(index + 1));
        let joint = match (first, last) {
            (true, true) => "───▶",
            (true, false) => "─┬─▶",
            (false, false) => "─┤  ",
            (false, true) => "─┘  ",
        };
        page.plain(&format!("  {:>5} {:<5} ", listener.load_balancer_port, listener.protocol));
        page.styled(FAINT, joint);
        if first {
            page.plain(&format!(" {:<5} {:<5}  ", listener.instance_port, listener.instance_protocol));
            match balancer.proxy_policies(listener.instance_port).next() {
                Some(policy) => page.styled(GOOD, "PROXY header").plain(&format!(" ({policy})")),
                None => page.styled(BAD, "no PROXY header"),
            };
        } else {
            page.plain(&format!("       {:<5}", listener.instance_protocol));
        }
        page.end();
    }
}
