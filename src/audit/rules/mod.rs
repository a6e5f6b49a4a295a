//! The rules, by family. One file holds one rule or a few that look at the same thing.
//!
//! Identifiers are stable: a rule that goes leaves its number behind. ELBWS0xx is about WebSockets, 1xx about TLS, 2xx about
//! availability, 3xx about the network, 4xx about hygiene.

mod access_log;
mod balancer_group;
mod certificates;
mod draining;
mod health_check;
mod idle_timeout;
mod instance_group;
mod instances;
pub(super) mod journal;
mod listeners;
mod negotiation;
mod plaintext;
mod policies;
mod proxy_policy;
mod subnets;
mod zones;

use super::Check;

/// Rules that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, which stands for all its rules on the command line.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Its rules, by identifier.
    pub checks: &'static [&'static Check],
}

/// Every family, and so every rule.
pub const FAMILIES: [Family; 5] = [
    Family {
        name: "websocket",
        about: "the way of a WebSocket through the balancer",
        checks: &[
            &listeners::HTTPS,
            &listeners::HTTP,
            &listeners::HTTP_ON_PROXIED_PORT,
            &proxy_policy::NO_HEADER,
            &proxy_policy::ATTACHED_NOWHERE,
            &proxy_policy::SWITCHED_OFF,
            &proxy_policy::INSIDE_TLS,
            &proxy_policy::WITHOUT_LISTENER,
            &health_check::CANNOT_PASS,
            &health_check::UNUSED_PORT,
            &idle_timeout::SHORT,
        ],
    },
    Family {
        name: "tls",
        about: "certificates and encryption",
        checks: &[
            &certificates::EXPIRED,
            &certificates::EXPIRING,
            &certificates::UNUSABLE,
            &certificates::OTHER_REGION,
            &certificates::KEY_TYPE,
            &negotiation::OLD_VERSIONS,
            &negotiation::WEAK_CIPHERS,
            &plaintext::NO_TLS,
        ],
    },
    Family {
        name: "availability",
        about: "whether somebody answers, also tomorrow",
        checks: &[
            &instances::NONE,
            &instances::NONE_IN_SERVICE,
            &zones::ONLY_ONE,
            &zones::UNEVEN,
            &draining::OFF,
            &draining::SHORT,
        ],
    },
    Family {
        name: "network",
        about: "who may connect to whom",
        checks: &[
            &balancer_group::LISTENER_CLOSED,
            &instance_group::INSTANCE_PORT_CLOSED,
            &instance_group::OPEN_TO_THE_WORLD,
            &subnets::NO_WAY_OUT,
        ],
    },
    Family {
        name: "hygiene",
        about: "what was left lying around",
        checks: &[&policies::UNUSED, &policies::DUPLICATE, &journal::UNFINISHED, &access_log::OFF],
    },
];

/// Every rule, by identifier.
pub fn all() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().flat_map(|family| family.checks.iter().copied())
}

/// The rules that a word means: an identifier or a family's name, in any casing. Empty if it means nothing.
pub fn named(word: &str) -> Vec<&'static Check> {
    let family = FAMILIES.iter().filter(|family| family.name.eq_ignore_ascii_case(word));
    let of_family = family.flat_map(|family| family.checks.iter().copied());
    of_family.chain(all().filter(|check| check.rule.id.eq_ignore_ascii_case(word))).collect()
}
