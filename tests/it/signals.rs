//! The real process and real signals: whenever one comes, nothing is lost, and the next run converges.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use elbws::sandbox::FaultKind;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::chance::{Chance, number};
use crate::support::story::Story;
use crate::support::terminal::Terminal;

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is running");
}

/// The state an undisturbed run leads to, and how long it takes.
fn undisturbed(story: &Story) -> (String, Duration) {
    let started = Instant::now();
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    let took = started.elapsed();
    let state = story.state();
    story.sandbox.reset();
    (state, took)
}

#[track_caller]
fn converges(story: &Story, expected: &str, after: &str) {
    story.sandbox.clear_faults();
    let ran = story.elbws(&["apply", "--elb", "chat"]);
    assert_eq!(ran.status, 0, "{after}: {}", ran.stderr);
    assert_eq!(story.state(), expected, "{after}");
    assert!(!expected.contains("elbws:"), "the journal is gone");
    story.sandbox.reset();
}

/// Lines of stderr until one contains this.
#[track_caller]
fn says(stderr: &mut BufReader<ChildStderr>, text: &str) -> String {
    let mut all = String::new();
    while !all.contains(text) {
        assert!(stderr.read_line(&mut all).expect("it is text") > 0, "`{text}` was never said:\n{all}");
    }
    all
}

/// Whether the process has handlers of its own for the signals; before that they end it, as they end every process.
fn listens(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is running");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("Linux says so");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("a number");
    // Signals 1, 2 and 15 are SIGHUP, SIGINT and SIGTERM.
    [1, 2, 15].into_iter().all(|signal| mask & (1 << (signal - 1)) != 0)
}

#[track_caller]
fn until(mut happened: impl FnMut() -> bool) {
    let patience = Instant::now();
    while !happened() {
        assert!(patience.elapsed() < Duration::from_secs(30), "it never happened");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_signal_before_anything_changed_ends_it_at_once() {
    let story = Story::begin();
    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0);
    story.fault("*", 0, None, FaultKind::LatencyMs(20_000));
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for arguments in [
            &["plan", "--elb", "chat"][..],
            &["show", "--elb", "chat"],
            &["apply", "--elb", "chat"],
            &["apply", "chat.plan"],
        ] {
            story.counts();
            let child = story.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
            until(|| listens(&child));
            let started = Instant::now();
            send(&child, signal);
            let output = child.wait_with_output().expect("it ends");
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(130), "{arguments:?} {signal:?}: {stderr}");
            assert!(stderr.contains("interrupted: nothing was changed"), "{stderr}");
            assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
            assert_eq!(story.counts().mutating, 0);
        }
    }
}

/// The second signal does not wait for the group: it says which calls are left, and the next run makes them.
#[test]
fn two_signals_stop_at_once() {
    let story = Story::begin();
    let (expected, _) = undisturbed(&story);
    for (first, second) in [(Signal::INT, Signal::INT), (Signal::TERM, Signal::TERM), (Signal::HUP, Signal::INT)] {
        story.fault("CreateLoadBalancerListeners", 0, None, FaultKind::LatencyMs(20_000));
        let mut child = story
            .command(&["apply", "--elb", "chat"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        until(|| story.sandbox.counts().of("DeleteLoadBalancerListeners") == 1);
        send(&child, first);
        says(&mut stderr, "Stopping after the current group");
        let started = Instant::now();
        send(&child, second);
        says(&mut stderr, "Stopping now");
        let rest = says(&mut stderr, "hint: ");
        assert_eq!(child.wait().expect("it ends").code(), Some(3), "{rest}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(rest.contains("Not done:") && rest.contains("create listener TCP:80/TCP:80"), "{rest}");
        assert!(rest.contains("create listener SSL:443/TCP:80"), "{rest}");
        converges(&story, &expected, &format!("{first:?} and {second:?}"));
    }
}

/// A terminal that is closed asks for the same as SIGTERM; under `nohup` it asks for nothing.
#[test]
fn a_hangup_lets_the_group_finish_and_nohup_goes_on() {
    let story = Story::begin();
    let (expected, _) = undisturbed(&story);
    for (program, status) in [("", 3), ("nohup", 0)] {
        story.fault("*", 0, None, FaultKind::LatencyMs(150));
        let command = story.command(&["apply", "--elb", "chat"]);
        let mut command = match program {
            "" => command,
            _ => {
                let mut wrapped = std::process::Command::new(program);
                wrapped.arg(command.get_program()).args(command.get_args()).env_clear().current_dir(story.folder.path());
                wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
                wrapped
            }
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
        until(|| story.sandbox.counts().of("DeleteLoadBalancerListeners") == 1);
        send(&child, Signal::HUP);
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{program}: {stderr}");
        assert!(story.sandbox.counts().of("CreateLoadBalancerListeners") >= 1, "the group was finished");
        converges(&story, &expected, program);
    }
}

/// Kills the process at random moments, `KILLS` times over, up to three times in a row before a run is let through. `KILL_SEED`
/// repeats a failure.
#[test]
fn killed_at_random_moments_it_loses_nothing() {
    let story = Story::begin();
    let (expected, took) = undisturbed(&story);
    let seed = number("KILL_SEED", u64::from(std::process::id()));
    let mut chance = Chance::new(seed);
    let mut cut = 0;
    let kills = number("KILLS", 20);
    for kill in 0..kills {
        let in_a_row = 1 + chance.below(3);
        for _ in 0..in_a_row {
            let mut child = story
                .command(&["apply", "--elb", "chat"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it runs");
            std::thread::sleep(took.mul_f64(chance.below(1000) as f64 / 1000.0));
            // It may have ended already, which is one of the random moments.
            let _ = child.kill();
            cut += u64::from(child.wait().expect("it is gone").code().is_none());
        }
        converges(&story, &expected, &format!("KILL_SEED={seed}, kill {kill} of {kills}, {in_a_row} in a row"));
    }
    assert!(cut > kills / 4, "only {cut} of {kills} met a running process (KILL_SEED={seed})");
}

#[test]
fn the_question_takes_no_for_an_answer() {
    let story = Story::begin();
    for (keys, status, says) in [
        ("n\n", 130, "not applied: nothing was changed"),
        ("\n", 130, "not applied: nothing was changed"),
        ("yess\n", 130, "not applied: nothing was changed"),
        // The end of the input.
        ("\u{4}", 130, "not applied: nothing was changed"),
    ] {
        let mut terminal = Terminal::start(story.command(&["apply", "--elb", "chat"]));
        terminal.shows("Apply this plan? [y/N]");
        terminal.types(keys);
        terminal.shows(says);
        assert_eq!(terminal.ends(), Some(status), "{keys:?}");
    }
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut terminal = Terminal::start(story.command(&["apply", "--elb", "chat"]));
        terminal.shows("Apply this plan? [y/N]");
        send(&terminal.child, signal);
        terminal.shows("interrupted: nothing was changed");
        assert_eq!(terminal.ends(), Some(130), "{signal:?}");
    }
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn the_question_takes_yes_for_an_answer() {
    let story = Story::begin();
    let mut terminal = Terminal::start(story.command(&["apply", "--elb", "chat"]));
    terminal.shows("Apply this plan? [y/N]");
    assert_eq!(story.sandbox.counts().mutating, 0, "nothing happens before the answer");
    terminal.types("y\n");
    assert_eq!(terminal.ends(), Some(0));
    story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(0);
}
