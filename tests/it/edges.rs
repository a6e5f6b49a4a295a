//! Where the output goes: a reader that leaves, a full disk, nowhere at all.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::story::{Ran, Story};

/// A command line of the shell in which `elbws` is the binary.
fn shell(story: &Story, line: &str) -> Ran {
    let binary = story.command(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", &line.replace("elbws", env!("CARGO_BIN_EXE_elbws"))]).env_clear().current_dir(story.folder.path());
    command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    Ran::of(&mut command)
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let story = Story::begin();
    for (writer, reader) in [
        ("elbws plan --elb chat --format json", "head -n 1"),
        ("elbws show --elb chat", "true"),
        ("elbws show --elb chat --format toml", "head -c 1"),
        ("elbws completions bash", "head -n 1"),
        ("elbws man apply", "true"),
        ("elbws --help", "true"),
        ("elbws iam-policy --for plan", "true"),
    ] {
        // The shell itself would give only the reader's status.
        let line = format!("{{ {writer}; echo $? > status; }} | {reader} > /dev/null; cat status");
        let ran = shell(&story, &line).exits(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("0\n", ""), "{line}");
    }
    assert_eq!(story.counts().mutating, 0);
}

/// Nobody reads what it says, and it goes on all the same: a run must not stop in the middle for that.
#[test]
fn a_run_that_nobody_reads_is_finished() {
    let story = Story::begin();
    for arguments in [
        &["apply", "--elb", "chat"][..],
        &["apply", "--elb", "chat", "--verbose"],
        &["apply", "--elb", "chat", "--format", "json", "--verbose"],
    ] {
        let mut command = story.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{arguments:?}");
        story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(0);
        story.sandbox.reset();
    }
    shell(&story, "elbws apply --elb chat >&- 2>&- <&-").exits(0);
    story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_full_disk_behind_stdout_is_an_error_before_anything_changes() {
    let story = Story::begin();
    for line in [
        "elbws plan --elb chat > /dev/full",
        "elbws show --elb chat --format json > /dev/full",
        "elbws apply --elb chat > /dev/full",
        "elbws completions zsh > /dev/full",
        "elbws schema config > /dev/full",
        "elbws iam-policy --for plan > /dev/full",
    ] {
        let ran = shell(&story, line).exits(1).says("error: cannot write to stdout: No space left on device");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    assert_eq!(story.counts().mutating, 0);
    // A full disk behind stderr loses messages, not the run.
    shell(&story, "elbws apply --elb chat --verbose > out.txt 2> /dev/full").exits(0);
    assert!(std::fs::read_to_string(story.file("out.txt")).unwrap().contains("Applied."));
}

/// Events are what a program waits for: a run whose events were lost says so at the end, and is finished all the same.
#[test]
fn events_that_were_lost_are_told() {
    let story = Story::begin();
    shell(&story, "elbws apply --elb chat --format json > /dev/full").exits(3).says("cannot write to stdout: No space left");
    story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(0);
}

/// The plan file is whole and its owner's alone, or it is what it was.
#[test]
fn a_plan_that_does_not_fit_leaves_the_old_one() {
    let story = Story::begin();
    let names = || {
        let entries = std::fs::read_dir(story.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    // A process that may write a few bytes to a file and no more sees what it would see on a full disk, with another name.
    let full = "trap '' XFSZ; ulimit -f 1; exec elbws plan --elb chat --out chat.plan";
    shell(&story, full).exits(1).says("cannot write chat.plan: File too large");
    assert_eq!(names(), Vec::<String>::new(), "nothing is left behind");

    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0);
    std::fs::set_permissions(story.file("chat.plan"), PermissionsExt::from_mode(0o644)).unwrap();
    let before = std::fs::read(story.file("chat.plan")).unwrap();
    shell(&story, full).exits(1);
    assert_eq!(names(), ["chat.plan"]);
    assert_eq!(std::fs::read(story.file("chat.plan")).unwrap(), before);
    // Written again over a file that others may read, it is its owner's alone.
    shell(&story, "umask 000; exec elbws plan --elb chat --out chat.plan").exits(0);
    assert_eq!(std::fs::metadata(story.file("chat.plan")).unwrap().permissions().mode() & 0o777, 0o600);
    story.elbws(&["apply", "chat.plan"]).exits(0);
}

#[test]
fn a_file_larger_than_its_bound_is_refused() {
    let story = Story::begin();
    for (name, mebibytes, arguments) in
        [("huge.plan", 64, &["apply", "huge.plan"][..]), ("huge.toml", 4, &["plan", "--config", "huge.toml"])]
    {
        // It takes no room on the disk.
        std::fs::File::create(story.file(name)).unwrap().set_len((mebibytes << 20) + 1).unwrap();
        story.elbws(arguments).exits(1).says(&format!("{name} is larger than {mebibytes} MiB"));
    }
    // Neither is a file without end.
    story.elbws(&["apply", "/dev/zero"]).exits(1).says("/dev/zero is larger than 64 MiB");
    assert_eq!(story.counts().total, 0);
}

/// A plan of one account, region or version is not applied in another; each refusal says what is different.
#[test]
fn a_plan_from_elsewhere_is_refused_before_anything_is_read() {
    let story = Story::begin();
    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0);
    let other = Story::with(&include_str!("../../fixtures/chat.toml").replace("123456789012", "210987654321"));
    std::fs::copy(story.file("chat.plan"), other.file("chat.plan")).unwrap();
    other
        .elbws(&["apply", "chat.plan"])
        .exits(1)
        .says("it is for account 123456789012, and these credentials are of 210987654321")
        .says("--profile");
    let counts = other.counts();
    assert_eq!((counts.mutating, counts.of("DescribeLoadBalancers")), (0, 0), "{counts:?}");
    story
        .elbws(&["apply", "chat.plan", "--region", "us-east-1"])
        .exits(1)
        .says("it is for region eu-west-1, and this is us-east-1")
        .says("--region eu-west-1");
    assert_eq!(story.counts().mutating, 0);
}
