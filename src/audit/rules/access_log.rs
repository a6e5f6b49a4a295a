//! The access log.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const OFF: Check = Check {
    rule: Rule {
        id: "ELBWS404",
        severity: Severity::Note,
        title: "Access log off",
        why: "When clients complain, the access log is the only record of who connected, when, for how long, and with which cipher. \
              It cannot be had afterwards. For TCP and SSL listeners it holds connections, not requests.",
        remedy: "Switch it on: `aws elb modify-load-balancer-attributes --load-balancer-attributes \
                 AccessLog={Enabled=true,S3BucketName=BUCKET,EmitInterval=60}`. The bucket's policy must let the service write.",
        needs: &[Read::Attributes],
        fixed_by_apply: false,
    },
    sources: &[Source::Attributes],
    look: off,
};

fn off(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if !subject.attributes()?.access_log.enabled {
        findings.note(Place::Balancer, "the access log is off");
    }
    Ok(())
}
