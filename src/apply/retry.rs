//! Which failures pass by themselves, and how long to wait for that.

use std::time::Duration;

use crate::cloud::{CloudError, CloudErrorKind};
use crate::plan::Step;

/// Attempts at a call that gets no answer, on top of the SDK's own.
const ATTEMPTS_WITHOUT_ANSWER: u32 = 3;

/// What a run knows that makes a failure pass.
pub(super) struct Circumstances {
    /// The listener that the step creates has been deleted by this group: the deletion may not be visible yet (elb-facts 1.5).
    pub(super) deleted_before: bool,
    /// The listener that the step is about has been created by this group: that may not be visible yet.
    pub(super) created_before: bool,
    /// The policies that the step sets were created by this plan: they may not be visible yet.
    pub(super) policy_is_new: bool,
}

/// Whether the same call may succeed later. `attempt` counts from 1.
pub(super) fn passes(step: &Step, error: &CloudError, attempt: u32, circumstances: &Circumstances) -> bool {
    match error.kind {
        CloudErrorKind::Throttled => true,
        // A fresh certificate is visible to the balancer only after a while (elb-facts 2.6).
        CloudErrorKind::CertificateNotFound => {
            matches!(step, Step::CreateListener { .. } | Step::SetListenerCertificate { .. })
        }
        CloudErrorKind::DuplicateListener => circumstances.deleted_before,
        CloudErrorKind::ListenerNotFound => circumstances.created_before,
        CloudErrorKind::PolicyNotFound => circumstances.policy_is_new,
        CloudErrorKind::Unreachable | CloudErrorKind::ServiceFault => attempt < ATTEMPTS_WITHOUT_ANSWER,
        CloudErrorKind::LoadBalancerNotFound
        | CloudErrorKind::DuplicatePolicyName
        | CloudErrorKind::AccessDenied
        | CloudErrorKind::NoRegion
        | CloudErrorKind::Configuration
        | CloudErrorKind::Credentials
        | CloudErrorKind::BadReply
        | CloudErrorKind::Refused => false,
    }
}

/// Whether the call may have had its effect although it failed, now or when it was sent before.
pub(super) fn may_have_taken_effect(step: &Step, error: &CloudError) -> bool {
    match error.kind {
        CloudErrorKind::DuplicateListener | CloudErrorKind::DuplicatePolicyName => true,
        CloudErrorKind::PolicyNotFound => matches!(step, Step::DeletePolicy { .. }),
        _ => error.is_ambiguous(),
    }
}

/// The pause before the next attempt: half a second, doubled each time, eight seconds at most.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(500 << attempt.saturating_sub(1).min(4))
}
