//! How far a live balancer is along a plan: where a saved plan starts, resumes, or turns out to be stale.

use super::digest::comparable;
use super::{Group, Plan, Stage, differences, predict};
use crate::model::Balancer;

/// Where a live balancer stands on the way of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// At the start, or on the way: these stages remain; none if everything is done.
    Remaining(Vec<Stage>),
    /// Off the way: what differs from the nearest state on it.
    Stale(Vec<String>),
}

/// Locates a live balancer on the way of a plan.
///
/// Stages run one after another, so a state on the way has some stages done, in at most one stage some groups part-way, and
/// the rest untouched. Groups of a stage touch different things, so each group's progress is found on its own: the number of
/// steps after which the prediction is nearest to what is live.
pub fn progress(plan: &Plan, live: &Balancer) -> Progress {
    let observed = comparable(live);
    let mut reached = plan.before.clone();
    let mut nearest_miss = differences(&reached, live);
    for (index, stage) in plan.stages.iter().enumerate() {
        if comparable(&reached) == observed {
            return Progress::Remaining(plan.stages[index..].to_vec());
        }
        let mut part_way = reached.clone();
        let mut groups = Vec::new();
        for group in &stage.groups {
            let done = nearest(&part_way, group, live);
            part_way = group.steps[..done].iter().fold(part_way, predict);
            groups.push(Group { steps: group.steps[done..].to_vec(), ..group.clone() });
        }
        if comparable(&part_way) == observed {
            groups.retain(|group| !group.steps.is_empty());
            let mut remaining = vec![Stage { groups }];
            remaining.extend_from_slice(&plan.stages[index + 1..]);
            remaining.retain(|stage| !stage.groups.is_empty());
            return Progress::Remaining(remaining);
        }
        reached = stage.groups.iter().flat_map(|group| &group.steps).fold(reached, predict);
        for state in [&part_way, &reached] {
            let miss = differences(state, live);
            if miss.len() < nearest_miss.len() {
                nearest_miss = miss;
            }
        }
    }
    match comparable(&reached) == observed {
        true => Progress::Remaining(Vec::new()),
        false => Progress::Stale(nearest_miss),
    }
}

/// The number of steps of a group after which the prediction differs least from what is live; the smallest such number.
fn nearest(start: &Balancer, group: &Group, live: &Balancer) -> usize {
    let mut state = start.clone();
    let mut best = (differences(&state, live).len(), 0);
    for (index, step) in group.steps.iter().enumerate() {
        state = predict(state, step);
        best = best.min((differences(&state, live).len(), index + 1));
    }
    best.1
}
