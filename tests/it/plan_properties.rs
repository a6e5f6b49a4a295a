//! What holds for any live balancer and any spec that the planner accepts.

use elbws::model::{Balancer, CertificateArn};
use elbws::plan::{Plan, Progress, Step, differences, plan, predict, progress};
use elbws::spec::{ListenerIntent, ProxyProtocolIntent, Spec};
use proptest::prelude::*;

use crate::support::balancers::{OTHER_CERTIFICATE, any_balancer};
use crate::support::specs::any_spec;

fn fold<'a>(balancer: &Balancer, steps: impl IntoIterator<Item = &'a Step>) -> Balancer {
    steps.into_iter().fold(balancer.clone(), predict)
}

fn assert_same(left: &Balancer, right: &Balancer) -> Result<(), TestCaseError> {
    prop_assert_eq!(differences(left, right), Vec::<String>::new());
    Ok(())
}

/// The plan of a case, or a rejected case where the spec cannot be met on the balancer.
fn accepted(live: &Balancer, spec: &Spec) -> Result<Plan, TestCaseError> {
    plan(live, spec).map_err(|error| TestCaseError::reject(error.to_string()))
}

/// Cases of each property: a short run, or as many as `PROPTEST_CASES` says.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_lead_to_what_is_asked_for_and_a_second_plan_is_empty(live in any_balancer(), spec in any_spec()) {
        let plan = accepted(&live, &spec)?;
        let after = fold(&live, plan.steps());
        assert_same(&after, &plan.after)?;
        let again = elbws::plan::plan(&after, &spec);
        let again = again.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(again.no_op, "left: {:#?}", again.changes);
        prop_assert_eq!(plan.no_op, plan.changes.is_empty());
    }

    #[test]
    fn nothing_unnamed_changes(live in any_balancer(), spec in any_spec()) {
        let plan = accepted(&live, &spec)?;
        let after = fold(&live, plan.steps());
        for (name, policy) in &live.policies {
            let ours = name.starts_with("chat-proxy-protocol");
            prop_assert!(ours || after.policies.get(name) == Some(policy), "policy {} is gone", name);
        }
        prop_assert_eq!(&live.tags, &after.tags);
        for (port, names) in &live.backend_policies {
            let foreign = names.iter().filter(|name| !live.policies[*name].is_proxy_protocol());
            for name in foreign {
                prop_assert!(after.backend_policies.get(port).is_some_and(|names| names.contains(name)), "{} left port {}", name, port);
            }
        }
        if let ListenerIntent::Set(requests) = &spec.listeners && !spec.prune {
            for (port, listener) in &live.listeners {
                let named = requests.iter().any(|request| request.load_balancer_port == *port);
                prop_assert!(named || after.listeners.get(port) == Some(listener), "listener {} changed", port);
            }
        }
        if spec.listeners == ListenerIntent::Keep {
            prop_assert!(live.listeners.values().all(|listener| after.listeners[&listener.load_balancer_port].same_route(listener)));
        }
    }

    /// Killed after any call and started again with the same spec, a run ends where an undisturbed one does.
    #[test]
    fn a_new_plan_from_any_point_on_the_way_leads_to_the_same_end(live in any_balancer(), spec in any_spec()) {
        let spec = Spec { journal: true, ..spec };
        let plan = accepted(&live, &spec)?;
        let steps: Vec<&Step> = plan.steps().collect();
        for stop in 1..=steps.len() {
            let crashed = fold(&live, steps[..stop].iter().copied());
            let again = elbws::plan::plan(&crashed, &spec);
            let again = again.map_err(|error| TestCaseError::fail(format!("after {stop} steps: {error}")))?;
            assert_same(&fold(&crashed, again.steps()), &plan.after)?;
        }
    }

    #[test]
    fn a_saved_plan_resumes_from_any_point_on_the_way(live in any_balancer(), spec in any_spec()) {
        let plan = accepted(&live, &spec)?;
        let steps: Vec<&Step> = plan.steps().collect();
        for stop in 0..=steps.len() {
            let reached = fold(&live, steps[..stop].iter().copied());
            let Progress::Remaining(stages) = progress(&plan, &reached) else {
                return Err(TestCaseError::fail(format!("stale after {stop} of its own steps")));
            };
            let rest = stages.iter().flat_map(|stage| &stage.groups).flat_map(|group| &group.steps);
            assert_same(&fold(&reached, rest), &plan.after)?;
        }
    }

    #[test]
    fn a_replaced_listener_can_be_put_back(live in any_balancer(), spec in any_spec()) {
        let plan = accepted(&live, &spec)?;
        for group in plan.stages.iter().flat_map(|stage| &stage.groups).filter(|group| !group.restore.is_empty()) {
            let failed = group.steps.iter().position(|step| matches!(step, Step::CreateListener { .. }));
            let failed = failed.expect("a group that restores creates");
            // The journal is written first, and stays until the next run.
            let journalled = fold(&live, plan.steps().filter(|step| matches!(step, Step::AddTags { .. })));
            let broken = fold(&journalled, group.steps[..failed].iter());
            let restored = fold(&broken, group.restore.iter());
            prop_assert_eq!(differences(&journalled, &restored), Vec::<String>::new());
        }
    }

    #[test]
    fn a_difference_of_one_concern_takes_the_steps_of_that_concern(live in any_balancer(), spec in any_spec(), concern in 0..3) {
        let nothing = Spec { journal: spec.journal, ..Spec::nothing() };
        let (spec, allowed): (Spec, &[&str]) = match concern {
            0 => {
                let certificate = Some(CertificateArn::observed(OTHER_CERTIFICATE));
                (Spec { certificate, ..nothing }, &["SetLoadBalancerListenerSSLCertificate"])
            }
            1 => {
                let proxy_protocol = ProxyProtocolIntent::enable();
                (Spec { proxy_protocol, ..nothing }, &["CreateLoadBalancerPolicy", "SetLoadBalancerPoliciesForBackendServer"])
            }
            _ => {
                prop_assume!(matches!(spec.listeners, ListenerIntent::Set(_)));
                let (listeners, certificate) = (spec.listeners, spec.certificate);
                let allowed = &[
                    "CreateLoadBalancerListeners",
                    "DeleteLoadBalancerListeners",
                    "SetLoadBalancerListenerSSLCertificate",
                    "SetLoadBalancerPoliciesOfListener",
                    "CreateLoadBalancerPolicy", // the TLS policy of a new listener
                    "AddTags",
                    "RemoveTags",
                ];
                (Spec { listeners, certificate, ..nothing }, allowed)
            }
        };
        let plan = accepted(&live, &spec)?;
        for step in plan.steps() {
            prop_assert!(allowed.contains(&step.action()), "{}", step);
        }
        // No more calls than differences: each listener whose certificate alone differs costs one.
        let replaced = |step: &&Step| matches!(step, Step::DeleteListener { .. });
        prop_assert_eq!(plan.steps().filter(replaced).count(), plan.interrupts.len());
    }
}
