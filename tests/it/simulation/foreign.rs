//! A run beside somebody else's: a foreign writer, such as the AWS CLI, changes the same balancer at random moments.
//!
//! What holds: whatever was there before both began and the foreign writer did not touch survives, and so does every policy, tag,
//! listener and instance that it brought. One thing cannot hold. The service has no conditional write, so of two writers who both
//! read a set of policies and write it back whole, the later one wins. A foreign attachment is lost only if it was made after the
//! run read the balancer and before the run wrote that very set; an attachment made earlier or later stays.

use std::collections::{BTreeMap, BTreeSet};

use elbws::model::Balancer;
use elbws::sandbox::Switches;

use super::cases::{self, Case, Tally, any_case, for_each};
use super::client::Client;
use super::crash::{Wish, beginning, is_put_back, one_run, read};
use super::promises::{Promises, journal};
use super::runner::{Ended, run, undisturbed};
use super::schedule::{Choose, Dice, First, Next, Task, drive};
use super::service::{Service, Weather};
use super::translation::Call;

/// Orders drawn for each case.
const DRAWN: usize = 8;

const INSTANCE: &str = "i-0c4a7000000000001";

/// What the foreign writer has brought so far, as far as the service accepted it.
#[derive(Debug, Default)]
struct Brought {
    policies: BTreeSet<String>,
    tags: BTreeMap<String, String>,
    listeners: BTreeSet<u16>,
    instances: BTreeSet<String>,
    /// Instance ports to which the foreign policy was attached, and after how many calls.
    attached: BTreeMap<u16, usize>,
}

/// The foreign writer: a few commands, each on what it sees.
async fn write(client: &Client, service: &Service, name: &str, dice: &mut Dice) -> Brought {
    let mut brought = Brought::default();
    let elb = |action: &str, params: &[(&str, &str)]| client.call(Call::elb(action, name, params));
    let switch = [
        ("PolicyName", "foreign-proxy"),
        ("PolicyTypeName", "ProxyProtocolPolicyType"),
        ("PolicyAttributes.member.1.AttributeName", "ProxyProtocol"),
        ("PolicyAttributes.member.1.AttributeValue", "true"),
    ];
    for number in 0..1 + dice.choose(6) {
        let Some(now) = service.balancer(name) else { break };
        match dice.choose(7) {
            0 if elb("CreateLoadBalancerPolicy", &switch).await.is_ok() => {
                brought.policies.insert("foreign-proxy".to_owned());
            }
            1 => {
                let (key, value) = (format!("foreign:{number}"), "here".to_owned());
                if elb("AddTags", &[("Tags.member.1.Key", &key), ("Tags.member.1.Value", &value)]).await.is_ok() {
                    brought.tags.insert(key, value);
                }
            }
            2 => {
                let port = [9443, 9090][dice.choose(2)];
                let port_text = port.to_string();
                let listener = [
                    ("Listeners.member.1.Protocol", "TCP"),
                    ("Listeners.member.1.InstanceProtocol", "TCP"),
                    ("Listeners.member.1.LoadBalancerPort", &port_text),
                    ("Listeners.member.1.InstancePort", &port_text),
                ];
                if elb("CreateLoadBalancerListeners", &listener).await.is_ok() {
                    brought.listeners.insert(port);
                }
            }
            3 if elb("RegisterInstancesWithLoadBalancer", &[("Instances.member.1.InstanceId", INSTANCE)]).await.is_ok() => {
                brought.instances.insert(INSTANCE.to_owned());
            }
            4 => attach(&mut brought, client, service, &now, dice).await,
            5 if elb("DeleteLoadBalancerPolicy", &[("PolicyName", "foreign-proxy")]).await.is_ok() => {
                brought.policies.remove("foreign-proxy");
            }
            6 if !brought.listeners.is_empty() => {
                let port = *brought.listeners.first().expect("there is one");
                if elb("DeleteLoadBalancerListeners", &[("LoadBalancerPorts.member.1", &port.to_string())]).await.is_ok() {
                    brought.listeners.remove(&port);
                }
            }
            _ => {}
        }
    }
    brought
}

/// Attaches the foreign policy to an instance port beside what is there, as a careful person would.
async fn attach(brought: &mut Brought, client: &Client, service: &Service, now: &Balancer, dice: &mut Dice) {
    let ports: Vec<u16> = now.listeners.values().map(|listener| listener.instance_port).collect();
    if ports.is_empty() || !brought.policies.contains("foreign-proxy") {
        return;
    }
    let port = ports[dice.choose(ports.len())];
    let names = now.policies_of_instance_port(port).into_iter().chain(["foreign-proxy".to_owned()]);
    let mut params = vec![("InstancePort".to_owned(), port.to_string())];
    params.extend((1..).zip(names).map(|(number, name): (u32, _)| (format!("PolicyNames.member.{number}"), name)));
    let params: Vec<(&str, &str)> = params.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    let call = Call::elb("SetLoadBalancerPoliciesForBackendServer", &now.name, &params);
    // Somebody may have written between the look and the call: then this writer undoes that, and is to blame.
    let seen = service.effects();
    if client.call(call).await.is_ok() && service.effects() == seen + 1 {
        brought.attached.insert(port, service.calls());
    }
}

enum Done {
    Run(Ended),
    Foreign(Brought),
}

fn simulate(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let start = beginning(case, Switches::default())?;
    let original = read(&cases::world(&case.balancer, Switches::default()), case.name());
    let promises = Promises::new(&original, &[&case.spec, &case.other]).beside_others();
    tally.count("cases", 1);
    let mut dice = Dice(case.seed);
    for _ in 0..DRAWN {
        let service = Service::new(start.clone(), Weather::default());
        let checked = beside(&service, case, &promises, &mut dice, tally);
        checked.map_err(|why| format!("{why}\n{:#?}", service.log()))?;
        tally.count("interleavings", 1);
    }
    Ok(())
}

fn beside(service: &Service, case: &Case, promises: &Promises, dice: &mut Dice, tally: &mut Tally) -> Result<(), String> {
    let name = case.name();
    let (ours, theirs) = (Client::new(service, 0), Client::new(service, 1));
    let stop = undisturbed();
    let mut their_dice = Dice(dice.roll());
    let tasks: Vec<Task<'_, Done>> = vec![
        Box::pin(async { Done::Run(run(&ours, name, &case.spec, &stop).await) }),
        Box::pin(async { Done::Foreign(write(&theirs, service, name, &mut their_dice).await) }),
    ];
    let done = drive(service, tasks, dice, || Ok(Next::Go))?;
    let mut brought = Brought::default();
    for done in done.into_iter().flatten() {
        match done {
            Done::Run(ended) if matches!(ended.exit(), 0 | 1 | 3) => {}
            Done::Run(ended) => return Err(format!("exit {}: {}", ended.exit(), ended.message())),
            Done::Foreign(found) => brought = found,
        }
    }
    let now = service.balancer(name).ok_or("the balancer is gone")?;
    survives(&brought, &now, case)?;
    if !promises.detach() {
        attachments(&brought, &now, service, tally)?;
    }
    // One more run, alone: it converges, or the planner says what the foreign writer has made impossible.
    let (third, after) = one_run(service.world(), name, Wish::Spec(&case.spec), None, &mut First, promises)?;
    let ended = after.ok_or("the run did not end")?;
    let now = third.balancer(name).ok_or("the balancer is gone")?;
    survives(&brought, &now, case)?;
    match ended.exit() {
        0 if !journal(&now).is_empty() => Err(format!("journal tags are left: {:?}", journal(&now))),
        0 => promises.no_listener_is_missing(&now),
        _ if matches!(ended, Ended::Unplanned(_)) || is_put_back(&ended) => {
            tally.count("refused afterwards", 1);
            Ok(())
        }
        exit => Err(format!("the next run: exit {exit}: {}", ended.message())),
    }
}

fn survives(brought: &Brought, now: &Balancer, case: &Case) -> Result<(), String> {
    let Brought { policies, tags, listeners, instances, attached: _ } = brought;
    let kept = policies.iter().all(|name| now.policies.contains_key(name))
        && tags.iter().all(|(key, value)| now.tags.get(key) == Some(value))
        && (case.spec.prune || listeners.iter().all(|port| now.listeners.contains_key(port)))
        && instances.is_subset(&now.instances);
    if kept { Ok(()) } else { Err(format!("something foreign is lost: {brought:?}, and now {now:?}")) }
}

/// An attachment is missing only if the run wrote the set of its port after it, from what the run had read before it.
fn attachments(brought: &Brought, now: &Balancer, service: &Service, tally: &mut Tally) -> Result<(), String> {
    for (port, made_at) in &brought.attached {
        if now.policies_of_instance_port(*port).contains("foreign-proxy") {
            tally.count("foreign attachments kept", 1);
            continue;
        }
        let log = service.log();
        let read_at = log.iter().position(|made| made.run == 0 && made.label.starts_with("DescribeLoadBalancers "));
        let set = format!("SetLoadBalancerPoliciesForBackendServer [(\"InstancePort\", \"{port}\")");
        let written_at = log.iter().rposition(|made| made.label.starts_with(&set) && made.took_effect && made.run == 0);
        match (read_at, written_at) {
            (Some(read), Some(written)) if read < *made_at && *made_at <= written => {
                tally.count("foreign attachments overwritten", 1);
            }
            _ => return Err(format!("the attachment to instance port {port} is lost without need")),
        }
    }
    Ok(())
}

#[test]
fn a_foreign_writer_keeps_what_it_brought() {
    for_each("simulation::foreign", 15, any_case(), simulate);
}
