//! Every crash point: a run dies after any call, before or after its effect, and another one, which knows nothing but the
//! balancer, ends where an undisturbed run ends.

use std::collections::BTreeSet;

use elbws::apply::Ending;
use elbws::model::Balancer;
use elbws::plan::{Plan, PlanFile, plan};
use elbws::sandbox::Switches;
use elbws::sandbox::control::World;
use elbws::spec::Spec;

use super::cases::{self, Case, Tally, any_case, for_each};
use super::client::Client;
use super::promises::{Promises, journal, same_end};
use super::runner::{Ended, run, run_saved, undisturbed};
use super::schedule::{Choose, Dice, First, Next, drive};
use super::service::{Service, Weather};

/// What a run applies.
#[derive(Clone, Copy)]
pub(crate) enum Wish<'a> {
    Spec(&'a Spec),
    Saved(&'a Plan),
}

/// A run that dies after so many calls that changed something, or lives. The world it leaves, and how it ended.
pub(crate) fn one_run(
    world: World,
    name: &str,
    wish: Wish<'_>,
    dies_after: Option<usize>,
    choose: &mut dyn Choose,
    promises: &Promises,
) -> Result<(Service, Option<Ended>), String> {
    let service = Service::new(world, Weather::default());
    let client = Client::new(&service, 0);
    let stop = undisturbed();
    let task: super::schedule::Task<'_, Ended> = match wish {
        Wish::Spec(spec) => Box::pin(run(&client, name, spec, &stop)),
        Wish::Saved(plan) => Box::pin(run_saved(&client, plan.clone(), &stop)),
    };
    let mut seen = 0;
    let after_call = || {
        let effects = service.effects();
        if effects > seen {
            seen = effects;
            promises.hold(&service.balancer(name).ok_or("the balancer is gone")?)?;
        }
        Ok(if dies_after == Some(effects) { Next::Stop } else { Next::Go })
    };
    let ended = drive(&service, vec![task], choose, after_call)?.pop().flatten();
    Ok((service, ended))
}

/// The world that a case begins with: what an earlier run left behind, if there was one.
pub(crate) fn beginning(case: &Case, switches: Switches) -> Result<World, String> {
    let world = cases::world(&case.balancer, switches);
    let Some(calls) = case.left_behind else { return Ok(world) };
    let promises = Promises::new(&read(&world, case.name()), &[&case.other]);
    let mut dice = Dice(case.seed);
    let (service, _) = one_run(world, case.name(), Wish::Spec(&case.other), Some(calls), &mut dice, &promises)?;
    Ok(service.world())
}

pub(crate) fn read(world: &World, name: &str) -> Balancer {
    Service::new(world.clone(), Weather::default()).balancer(name).expect("the balancer is there")
}

/// What an undisturbed run leads to, and how many calls change something on the way; `None` if the service refuses something
/// that the planner cannot know, or the planner refuses the spec.
pub(crate) fn undisturbed_end(start: &World, case: &Case, promises: &Promises) -> Result<Option<(Balancer, usize)>, String> {
    let (service, ended) = one_run(start.clone(), case.name(), Wish::Spec(&case.spec), None, &mut First, promises)?;
    let end = service.balancer(case.name()).expect("it is there");
    match ended {
        Some(Ended::NothingToDo) => Ok(Some((end, 0))),
        Some(Ended::Unplanned(_)) => Ok(None),
        // What was left behind is put back, and the rest is refused.
        Some(ended) if is_put_back(&ended) && !is_unfinished(&end, promises) => Ok(None),
        // A quota that leaves no room for the journal: refused before anything is touched.
        Some(ended) if ended.exit() == 1 && ended.message().contains("TooManyTags") => {
            same_end(&read(start, case.name()), &end)?;
            Ok(None)
        }
        Some(ended) if may_be_refused(&ended, &end) => Ok(None),
        Some(ended) if ended.exit() == 0 => {
            if !journal(&end).is_empty() {
                return Err(format!("journal tags are left: {:?}", journal(&end)));
            }
            Ok(Some((end, service.effects())))
        }
        other => Err(format!("an undisturbed run ends with {other:#?}\n{:#?}", service.log())),
    }
}

/// Of several policies on an instance port that no listener reaches one cannot be detached, where such a port is refused
/// (elb-facts 7): nobody is served there, and the message says so.
fn may_be_refused(ended: &Ended, now: &Balancer) -> bool {
    let keeps_several = |(port, names): (&u16, &BTreeSet<String>)| names.len() > 1 && !now.uses_instance_port(*port);
    ended.message().contains("does not have a listener with instance port") && now.backend_policies.iter().any(keeps_several)
}

pub(crate) fn simulate(case: &Case, switches: Switches, tally: &mut Tally) -> Result<(), String> {
    let start = beginning(case, switches)?;
    let original = read(&cases::world(&case.balancer, switches), case.name());
    let promises = Promises::new(&original, &[&case.spec, &case.other]);
    let Some((end, effects)) = undisturbed_end(&start, case, &promises)? else {
        tally.count("refused plans", 1);
        return Ok(());
    };
    promises.no_listener_is_missing(&end)?;
    tally.count("cases", 1);
    let saved = saved_plan(&start, case);
    let mut dice = Dice(case.seed);
    for dies_after in 0..=effects {
        let spec = Wish::Spec(&case.spec);
        let (crashed, _) = one_run(start.clone(), case.name(), spec, Some(dies_after), &mut dice, &promises)?;
        let at = |what: &str, why: String| {
            format!("{what}, after a crash after {dies_after} of {effects} effects: {why}\n{:#?}", crashed.log())
        };
        // The same command again, undisturbed and dying once more.
        let again =
            |world: World, wish, dies_after, dice: &mut Dice| one_run(world, case.name(), wish, dies_after, dice, &promises);
        let (recovered, ended) = again(crashed.world(), spec, None, &mut dice)?;
        converged(&recovered, ended, &end).map_err(|why| at("the same command", why))?;
        let twice = dice.choose(recovered.effects() + 1);
        let (crashed_again, _) = again(crashed.world(), spec, Some(twice), &mut dice)?;
        let (recovered, ended) = again(crashed_again.world(), spec, None, &mut dice)?;
        converged(&recovered, ended, &end).map_err(|why| at("a second crash", why))?;
        // The plan that was saved before.
        if let Some(saved) = &saved {
            let (recovered, ended) = again(crashed.world(), Wish::Saved(saved), None, &mut dice)?;
            converged(&recovered, ended, &end).map_err(|why| at("the saved plan", why))?;
        }
        // Somebody who knows no flags, and somebody who wants something else.
        for other in [&Spec::websocket(), &case.other] {
            let promises = Promises::new(&original, &[&case.spec, &case.other, other]);
            let (recovered, ended) = one_run(crashed.world(), case.name(), Wish::Spec(other), None, &mut dice, &promises)?;
            let now = recovered.balancer(case.name()).expect("it is there");
            // What cannot be done to the balancer is refused, crash or no crash; but the recipe puts back what is missing.
            let is_recipe = *other == Spec::websocket();
            if ended.as_ref().is_some_and(|ended| may_be_refused(ended, &now)) {
                tally.count("refused other commands", 1);
                continue;
            }
            if matches!(ended, Some(Ended::Unplanned(_))) && !(is_recipe && is_unfinished(&now, &promises)) {
                tally.count("refused other commands", 1);
                continue;
            }
            other_wish(&now, ended, &promises).map_err(|why| at(&format!("another command {other:?}"), why))?;
        }
        tally.count("crash points", 1);
        tally.count("runs", 7);
    }
    Ok(())
}

/// The plan as a file would bring it back.
fn saved_plan(start: &World, case: &Case) -> Option<Plan> {
    let made = plan(&read(start, case.name()), &case.spec).ok()?;
    let file = PlanFile::new(Some("123456789012".to_owned()), "eu-west-1", vec![made]);
    let text = serde_json::to_string(&file).expect("a plan is JSON");
    Some(PlanFile::parse(&text).expect("a saved plan is read").plans.remove(0))
}

pub(crate) fn converged(service: &Service, ended: Option<Ended>, end: &Balancer) -> Result<(), String> {
    let ended = ended.ok_or("the run did not end")?;
    if ended.exit() != 0 {
        return Err(format!("exit {}: {}\n{:#?}", ended.exit(), ended.message(), service.log()));
    }
    same_end(end, &service.balancer(&end.name).expect("it is there"))
}

/// Whether a run put back what another one had left behind, and was refused what it was asked for.
pub(crate) fn is_put_back(ended: &Ended) -> bool {
    matches!(ended, Ended::Applied(_, outcome) if matches!(outcome.ending, Ending::NoLongerFits(_)))
}

/// Whether a run that died has left something to do for whoever comes next.
fn is_unfinished(now: &Balancer, promises: &Promises) -> bool {
    promises.no_listener_is_missing(now).is_err() || !journal(now).is_empty()
}

/// With another wish the end is another one, but no listener is missing, and the journal is gone.
fn other_wish(now: &Balancer, ended: Option<Ended>, promises: &Promises) -> Result<(), String> {
    let ended = ended.ok_or("the run did not end")?;
    promises.no_listener_is_missing(now)?;
    if ended.exit() != 0 && !is_put_back(&ended) {
        return Err(format!("exit {}: {}", ended.exit(), ended.message()));
    }
    match journal(now).is_empty() {
        true => Ok(()),
        false => Err(format!("journal tags are left: {:?}", journal(now))),
    }
}

#[test]
fn whatever_dies_wherever_the_next_run_ends_as_an_undisturbed_one() {
    for_each("simulation::crash", 60, any_case(), |case, tally| simulate(case, Switches::default(), tally));
}
