//! Rules for the names of balancers and policies (elb-facts 1.4), and how a set of them is written.

use std::collections::BTreeSet;

use super::Malformed;

/// What the keys of tags begin with in which an unfinished run keeps listeners' definitions.
pub const JOURNAL_TAG: &str = "elbws:listener:";

/// Checks the name of a balancer: 1-32 letters, digits and hyphens, no hyphen at either end.
pub fn check_load_balancer_name(name: &str) -> Result<(), Malformed> {
    let legal = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if legal {
        return Ok(());
    }
    Err(Malformed(format!(
        "`{name}` cannot be the name of a Classic Load Balancer: 1-32 letters, digits and hyphens, with no hyphen at either end"
    )))
}

/// Checks the name of a policy to be created: letters, digits and hyphens, not under a prefix the service reserves.
pub fn check_policy_name(name: &str) -> Result<(), Malformed> {
    let legal = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !is_reserved_policy_name(name);
    if legal {
        return Ok(());
    }
    Err(Malformed(format!(
        "`{name}` cannot be the name of a policy: letters, digits and hyphens, at most 128, \
         not starting with ELBSecurityPolicy- or ELBSample-"
    )))
}

/// Whether a policy name belongs to the service's predefined policies.
pub fn is_reserved_policy_name(name: &str) -> bool {
    name.starts_with("ELBSecurityPolicy-") || name.starts_with("ELBSample-")
}

/// Names as a person reads them: with commas, or `(none)`.
pub fn list(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "(none)".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}
