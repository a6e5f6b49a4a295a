//! Every error: any call fails in any way, once, seven times or for ever, before or after its effect, and what was just written
//! is visible late. The run converges, or it stops with exit 1 or 3, names the call, and the next run converges.

use std::time::Duration;

use elbws::apply::{Ending, Outcome};
use elbws::model::tls::is_negotiation;
use elbws::model::{Balancer, DEFAULT_NEGOTIATION_POLICY};
use elbws::sandbox::Switches;
use elbws::sandbox::control::World;

use super::cases::{self, Case, Tally, any_case, for_each};
use super::client::Client;
use super::crash::{Wish, beginning, converged, one_run, read, undisturbed_end};
use super::promises::{Promises, journal, same_end};
use super::runner::{Ended, run, undisturbed};
use super::schedule::{Choose, Dice, First, Next, drive};
use super::service::{Fault, Service, Weather};
use super::trouble::{CODES, Trouble, TroubleKind};

/// Troubles drawn for each call of a run.
const DRAWN: usize = 3;

/// How often the adapter makes a call that fails in passing.
const ATTEMPTS: u32 = 6;

/// Trouble of any kind.
fn any_trouble(dice: &mut Dice) -> Trouble {
    let after = dice.choose(2) == 1;
    let kind = match dice.choose(6) {
        0 => TroubleKind::Reset,
        1 => TroubleKind::Silence,
        2 => TroubleKind::HalfAnAnswer,
        _ => {
            // An error is answered after the effect only where the service itself fails.
            let codes: Vec<_> = CODES.into_iter().filter(|(_, status)| !after || *status >= 500).collect();
            let (code, status) = codes[dice.choose(codes.len())];
            TroubleKind::Error(code, status)
        }
    };
    Trouble { kind, after }
}

/// A run in bad weather: how it ended, and the service after it.
fn disturbed(
    world: World,
    case: &Case,
    weather: Weather,
    attempts: u32,
    promises: &Promises,
    dice: &mut Dice,
) -> Result<(Service, Ended), String> {
    let service = Service::new(world, weather);
    let client = Client::new(&service, 0).with_attempts(attempts);
    let stop = undisturbed();
    let task: super::schedule::Task<'_, Ended> = Box::pin(run(&client, case.name(), &case.spec, &stop));
    let ended = drive(&service, vec![task], dice, || {
        promises.hold(&service.balancer(case.name()).ok_or("the balancer is gone")?)?;
        Ok(Next::Go)
    })?;
    let ended = ended.into_iter().next().flatten().ok_or("the run did not end")?;
    Ok((service, ended))
}

/// What must hold after a run in bad weather, and after the next one in good weather.
fn stops_well(
    service: &Service,
    ended: &Ended,
    case: &Case,
    start: &Balancer,
    end: &Balancer,
    promises: &Promises,
) -> Result<(), String> {
    let now = service.balancer(case.name()).expect("it is there");
    if let Ended::Applied(_, Outcome { ending: Ending::Failed { restored: Some(true), .. }, .. }) = ended {
        promises.no_listener_is_missing(&now).map_err(|why| format!("said to be put back: {why}"))?;
    }
    match ended.exit() {
        0 => {
            same_end(end, &now)?;
            if !journal(&now).is_empty() {
                return Err("journal tags are left".to_owned());
            }
        }
        1 => same_end(start, &now).map_err(|why| format!("exit 1 after a change: {why}"))?,
        3 => {}
        other => return Err(format!("exit {other}")),
    }
    let world = service.world();
    let (next, after) = one_run(world, case.name(), Wish::Spec(&case.spec), None, &mut First, promises)?;
    converged(&next, after, end).map_err(|why| format!("the next run: {why}"))
}

/// The message names the call that failed.
fn names_the_call(service: &Service, ended: &Ended) -> Result<(), String> {
    let struck = service.struck();
    let (Some(struck), false) = (struck, ended.exit() == 0) else { return Ok(()) };
    let action = struck.split(' ').next().unwrap_or_default();
    let is_about_the_end = matches!(
        ended,
        Ended::Applied(_, outcome) if matches!(outcome.ending, Ending::NotConverged(_))
    );
    match ended.message().contains(action) || is_about_the_end {
        true => Ok(()),
        false => Err(format!("{struck} failed, and the message is: {}", ended.message())),
    }
}

fn faults(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let start = beginning(case, Switches::default())?;
    let live = read(&start, case.name());
    let original = read(&cases::world(&case.balancer, Switches::default()), case.name());
    let promises = Promises::new(&original, &[&case.spec, &case.other]);
    let Some((end, _)) = undisturbed_end(&start, case, &promises)? else { return Ok(()) };
    tally.count("cases", 1);
    let mut dice = Dice(case.seed);
    let calm = disturbed(start.clone(), case, Weather::default(), 1, &promises, &mut dice)?.0.calls();
    for skip in 0..calm {
        for _ in 0..DRAWN {
            let trouble = any_trouble(&mut dice);
            let times = [1, 7, u32::MAX][dice.choose(3)];
            let attempts = [1, ATTEMPTS][dice.choose(2)];
            let weather = Weather { fault: Some(Fault::new(skip, times, trouble.clone())), ..Weather::default() };
            let (service, ended) = disturbed(start.clone(), case, weather, attempts, &promises, &mut dice)?;
            let checked =
                stops_well(&service, &ended, case, &live, &end, &promises).and_then(|()| names_the_call(&service, &ended));
            checked.map_err(|why| {
                format!(
                    "{trouble:?} {times} times at call {skip}, {attempts} attempts: {why}\nexit {}: {}\n{:#?}",
                    ended.exit(),
                    ended.message(),
                    service.log()
                )
            })?;
            tally.count("faults", 1);
        }
    }
    Ok(())
}

fn late(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let start = beginning(case, Switches::default())?;
    let live = read(&start, case.name());
    let original = read(&cases::world(&case.balancer, Switches::default()), case.name());
    let promises = Promises::new(&original, &[&case.spec, &case.other]);
    let Some((end, effects)) = undisturbed_end(&start, case, &promises)? else { return Ok(()) };
    tally.count("cases", 1);
    let mut dice = Dice(case.seed);
    let lags = [0, 300, 1000, 4000, 20_000].map(Duration::from_millis);
    for reads_lag in lags {
        for writes_lag in lags {
            let weather = Weather { fault: None, reads_lag, writes_lag };
            let described = |why: String, log| format!("reads lag {reads_lag:?}, writes {writes_lag:?}: {why}\n{log:#?}");
            let (service, ended) = disturbed(start.clone(), case, weather.clone(), 1, &promises, &mut dice)?;
            stops_well(&service, &ended, case, &live, &end, &promises).map_err(|why| described(why, service.log()))?;
            // The same, beginning while what a run that died wrote is not visible yet.
            let dies_after = dice.choose(effects + 1);
            let crashed =
                one_run(start.clone(), case.name(), Wish::Spec(&case.spec), Some(dies_after), &mut dice, &promises)?.0;
            let service = crashed.goes_on(weather);
            let client = Client::new(&service, 0);
            let stop = undisturbed();
            let task: super::schedule::Task<'_, Ended> = Box::pin(run(&client, case.name(), &case.spec, &stop));
            let ended = drive(&service, vec![task], &mut dice, || Ok(Next::Go))?.pop().flatten().ok_or("no end")?;
            promises.hold(&service.balancer(case.name()).ok_or("the balancer is gone")?)?;
            let now = service.balancer(case.name()).expect("it is there");
            // A verification that looks at the past cannot tell.
            let ended_well = ended.exit() != 0 || reads_lag > Duration::ZERO || same_end(&end, &now).is_ok();
            if !ended_well {
                return Err(described("exit 0 at another end".to_owned(), service.log()));
            }
            let (next, after) = one_run(service.world(), case.name(), Wish::Spec(&case.spec), None, &mut First, &promises)?;
            let end = match reads_lag.is_zero() {
                true => end.clone(),
                false => taken_for_new(&end, &next.balancer(case.name()).expect("it is there")),
            };
            converged(&next, after, &end).map_err(|why| described(format!("after a crash: {why}"), service.log()))?;
            tally.count("lags", 2);
        }
    }
    Ok(())
}

/// The end that is allowed to a run which begins while it is not visible yet that a dead run made a listener again and took its
/// journal away: a listener that had the service's default policy may have been taken for a new one, which gets TLS 1.2.
fn taken_for_new(end: &Balancer, now: &Balancer) -> Balancer {
    let mut allowed = end.clone();
    for (port, listener) in &mut allowed.listeners {
        let found = now.listeners.get(port).map(|found| &found.policies).filter(|found| **found != listener.policies);
        let Some(found) = found else { continue };
        if listener.policies == [DEFAULT_NEGOTIATION_POLICY.to_owned()].into()
            && found.iter().all(|name| is_negotiation(name, now.policies.get(name)))
        {
            listener.policies.clone_from(found);
            let made = found.iter().filter_map(|name| Some((name.clone(), now.policies.get(name)?.clone())));
            allowed.policies.extend(made);
        }
    }
    allowed
}

#[test]
fn whatever_fails_however_the_run_converges_or_stops_well() {
    for_each("simulation::errors::whatever_fails", 12, any_case(), faults);
}

#[test]
fn what_becomes_visible_late_does_not_mislead() {
    for_each("simulation::errors::what_becomes", 8, any_case(), late);
}
