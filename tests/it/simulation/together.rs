//! Two at once: two runs take turns call by call, in every order for small wishes and in random ones for any. Nothing that was
//! there before both began is lost, and runs with the same wish end converged, with one more run at the most.

use elbws::model::Balancer;
use elbws::sandbox::Switches;
use elbws::sandbox::control::World;
use elbws::spec::{ListenerIntent, ProxyProtocolIntent, Spec};

use super::cases::{self, Case, Tally, any_case, bounded, for_each};
use super::client::Client;
use super::crash::{Wish, beginning, converged, is_put_back, one_run, read, undisturbed_end};
use super::promises::{Promises, journal};
use super::runner::{Ended, run, undisturbed};
use super::schedule::{Choose, Dice, Every, First, Next, drive};
use super::service::{Service, Weather};
use crate::support::balancers::{OTHER_CERTIFICATE, balancer};

/// Orders drawn for each case.
const DRAWN: usize = 5;

/// Two runs at once: how each ended, and the service after both.
fn both(
    world: World,
    name: &str,
    specs: [&Spec; 2],
    whole_reads: bool,
    choose: &mut dyn Choose,
    promises: &Promises,
) -> Result<(Service, Vec<Ended>), String> {
    let service = Service::new(world, Weather::default());
    let clients = [0, 1].map(|run| {
        let client = Client::new(&service, run);
        if whole_reads { client.with_whole_reads() } else { client }
    });
    let stop = undisturbed();
    let runs: Vec<super::schedule::Task<'_, Ended>> =
        vec![Box::pin(run(&clients[0], name, specs[0], &stop)), Box::pin(run(&clients[1], name, specs[1], &stop))];
    let mut seen = 0;
    let ended = drive(&service, runs, choose, || {
        if service.effects() > seen {
            seen = service.effects();
            promises.hold(&service.balancer(name).ok_or("the balancer is gone")?)?;
        }
        Ok(Next::Go)
    })
    .map_err(|why| format!("{why}\n{:#?}", service.log()))?;
    Ok((service, ended.into_iter().flatten().collect()))
}

/// After two runs with one wish: a third one ends where a single one would have.
fn same_wish(
    service: &Service,
    ended: &[Ended],
    name: &str,
    spec: &Spec,
    end: &Balancer,
    promises: &Promises,
) -> Result<(), String> {
    if let Some(odd) = ended.iter().find(|ended| !matches!(ended.exit(), 0 | 1 | 3)) {
        return Err(format!("exit {}: {}", odd.exit(), odd.message()));
    }
    let (third, after) = one_run(service.world(), name, Wish::Spec(spec), None, &mut First, promises)?;
    converged(&third, after, end)
}

/// After two runs with different wishes: one more of either finds no listener missing, and leaves no journal.
fn different_wishes(service: &Service, name: &str, specs: [&Spec; 2], promises: &Promises) -> Result<(), String> {
    for spec in specs {
        let (third, after) = one_run(service.world(), name, Wish::Spec(spec), None, &mut First, promises)?;
        let ended = after.ok_or("the run did not end")?;
        let now = third.balancer(name).ok_or("the balancer is gone")?;
        match ended.exit() {
            0 if journal(&now).is_empty() => promises.no_listener_is_missing(&now)?,
            0 => return Err(format!("journal tags are left: {:?}", journal(&now))),
            _ if matches!(ended, Ended::Unplanned(_)) || is_put_back(&ended) => {}
            exit => return Err(format!("exit {exit}: {}", ended.message())),
        }
    }
    Ok(())
}

fn described(why: String, service: &Service, ended: &[Ended]) -> String {
    let ended: Vec<String> = ended.iter().map(|ended| format!("exit {}: {}", ended.exit(), ended.message())).collect();
    format!("{why}\n{ended:#?}\n{:#?}", service.log())
}

fn simulate(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let start = beginning(case, Switches::default())?;
    let original = read(&cases::world(&case.balancer, Switches::default()), case.name());
    let alone = Promises::new(&original, &[&case.spec, &case.other]);
    let Some((end, _)) = undisturbed_end(&start, case, &alone)? else { return Ok(()) };
    tally.count("cases", 1);
    let mut dice = Dice(case.seed);
    for _ in 0..DRAWN {
        let (service, ended) = both(start.clone(), case.name(), [&case.spec; 2], false, &mut dice, &alone)?;
        same_wish(&service, &ended, case.name(), &case.spec, &end, &alone)
            .map_err(|why| described(why, &service, &ended))?;
        let again = ended.iter().filter(|ended| ended.exit() == 0).count();
        tally.count(["neither run converged", "one run converged", "both runs converged"][again], 1);
        tally.count("interleavings", 1);
        let specs = [&case.spec, &case.other];
        let (service, ended) = both(start.clone(), case.name(), specs, false, &mut dice, &alone)?;
        different_wishes(&service, case.name(), specs, &alone).map_err(|why| described(why, &service, &ended))?;
        tally.count("interleavings", 1);
    }
    Ok(())
}

#[test]
fn two_runs_at_once_lose_nothing() {
    for_each("simulation::together::two_runs", 15, any_case(), simulate);
}

/// Wishes of a few calls each.
fn small_wishes() -> Vec<(&'static str, Spec)> {
    let nothing = Spec::nothing();
    let set = |route: &str| ListenerIntent::Set(vec![route.parse().expect(route)]);
    let certificate = Some(elbws::model::CertificateArn::observed(OTHER_CERTIFICATE));
    vec![
        ("another certificate", Spec { certificate, ..nothing.clone() }),
        ("the PROXY protocol", Spec { proxy_protocol: ProxyProtocolIntent::enable(), ..nothing.clone() }),
        ("a TCP back end", Spec { listeners: set("SSL:443/TCP:80"), ..nothing.clone() }),
        ("another instance port", Spec { listeners: set("SSL:443/TCP:8080"), ..nothing }),
    ]
}

/// All orders of all pairs of small wishes; in the suite the first of them, and in the long run as many as there are up to
/// `SIMULATION_CASES` for each pair.
#[test]
fn every_order_of_two_small_runs_loses_nothing() {
    let name = "chat";
    let start = cases::world(&balancer(&["SSL:443/SSL:80", "TCP:81/TCP:81"], "TCP:80"), Switches::default());
    let original = read(&start, name);
    let mut tally = Tally::default();
    let limit = bounded(60);
    for (first, one) in &small_wishes() {
        for (second, other) in &small_wishes() {
            let promises = Promises::new(&original, &[one, other]);
            let alone = one_run(start.clone(), name, Wish::Spec(one), None, &mut First, &promises).unwrap().0;
            let end = alone.balancer(name).unwrap();
            let mut every = Every::default();
            for _ in 0..limit {
                let (service, ended) = both(start.clone(), name, [one, other], true, &mut every, &promises)
                    .unwrap_or_else(|why| panic!("{first} beside {second}: {why}"));
                let checked = match first == second {
                    true => same_wish(&service, &ended, name, one, &end, &promises),
                    false => different_wishes(&service, name, [one, other], &promises),
                };
                checked.unwrap_or_else(|why| panic!("{first} beside {second}: {}", described(why, &service, &ended)));
                tally.count("interleavings", 1);
                if !every.advance() {
                    tally.count("pairs of wishes in every order", 1);
                    break;
                }
            }
        }
    }
    tally.tell("simulation::together::every_order");
}
