//! Bad input gives one clear message and the right exit code, and changes nothing.

use elbws::sandbox::{FaultError, FaultKind};

use crate::support::story::Story;

fn denied() -> FaultKind {
    FaultKind::ErrorBefore(FaultError {
        code: "AccessDenied".to_owned(),
        status: 403,
        message: "User is not authorized".to_owned(),
    })
}

#[test]
fn wrong_command_lines_exit_with_64() {
    let story = Story::begin();
    for (arguments, says) in [
        (&["plan"][..], "name one with --elb"),
        (&["nonsense"], "unrecognized subcommand"),
        (&["plan", "--elb", "no_such_name"], "letters, digits and hyphens"),
        (&["plan", "--elb", "chat", "--listener", "SSL:443"], "SSL:443/TCP:80"),
        (&["plan", "--elb", "chat", "--listener", "SSL:443/HTTP:80"], "cannot be paired"),
        (&["plan", "--elb", "chat", "--certificate", "my-certificate"], "arn:aws:acm:REGION:ACCOUNT:certificate/ID"),
        (&["plan", "--elb", "chat", "--idle-timeout", "0"], "1 to 4000"),
        (&["plan", "--elb", "chat", "--health-check", "TCP:80/path"], "TCP:port"),
        (&["plan", "--elb", "chat", "--policy-name", "ELBSecurityPolicy-x"], "not starting with ELBSecurityPolicy-"),
        (&["apply", "chat.plan", "--listener", "443:80"], "cannot be used with"),
        (&["apply", "chat.plan", "--elb", "other"], "cannot be used with"),
        (&["sandbox", "--listen", "0.0.0.0:0"], "loopback only"),
    ] {
        story.elbws(arguments).exits(64).says(says);
    }
    assert_eq!(story.counts().total, 0, "no call was made");
}

#[test]
fn what_is_not_there_is_named() {
    let story = Story::begin();
    insta::assert_snapshot!(story.elbws(&["apply", "--elb", "chatt"]).exits(1).snapshot());
    story.elbws(&["plan", "--elb", "chat", "--region", "us-east-1"]).exits(1).says("no Classic Load Balancer in us-east-1");
    let absent = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    story.elbws(&["apply", "--elb", "chat", "--certificate", absent]).exits(1).says("does not exist");
    let elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    story.elbws(&["apply", "--elb", "chat", "--certificate", elsewhere]).exits(1).says("another region");
    story
        .elbws(&["apply", "--elb", "chat", "--ssl-policy", "mine"])
        .exits(1)
        .says("neither predefined nor one of this balancer's");
    story.elbws(&["apply", "nowhere.plan"]).exits(1).says("cannot read nowhere.plan");
    story.elbws(&["plan", "--config", "nowhere.toml"]).exits(1).says("cannot read nowhere.toml");
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn no_region_and_no_credentials_are_told_apart() {
    let story = Story::begin();
    let run = |remove: &[&str]| {
        let mut command = story.command(&["plan", "--elb", "chat"]);
        for name in remove {
            command.env_remove(name);
        }
        let output = command.env("AWS_EC2_METADATA_DISABLED", "true").output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, stderr) = run(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
    assert!(status == Some(1) && stderr.contains("no region") && stderr.contains("AWS_REGION"), "{stderr}");
    let (status, stderr) = run(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    assert!(status == Some(1) && stderr.contains("no AWS credentials") && stderr.contains("--profile"), "{stderr}");
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn a_denied_read_is_an_error_that_names_the_action() {
    let story = Story::begin();
    for call in ["DescribeLoadBalancers", "DescribeLoadBalancerPolicies", "DescribeLoadBalancerAttributes", "DescribeTags"] {
        story.fault(call, 0, None, denied());
        story.elbws(&["apply", "--elb", "chat"]).exits(1).says(&format!("elasticloadbalancing:{call}"));
        story.sandbox.clear_faults();
    }
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn a_certificate_that_cannot_be_checked_is_not_worth_a_listener() {
    let story = Story::begin();
    story.fault("GetServerCertificate", 0, None, denied());
    let arn = "arn:aws:iam::123456789012:server-certificate/other";
    story
        .elbws(&["apply", "--elb", "chat", "--certificate", arn])
        .exits(1)
        .says("iam:GetServerCertificate")
        .says("would be deleted");
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn a_balancer_nobody_can_convert_is_left_alone() {
    let https = include_str!("../../fixtures/chat.toml")
        .replace("[\"HTTPS:443/HTTP:80\", \"HTTP:80/HTTP:80\"]", "[\"HTTPS:443/HTTPS:443\"]")
        .replace("HTTP:80/elb-status", "TCP:443");
    let story = Story::with(&https);
    story.elbws(&["apply", "--elb", "chat"]).exits(1).says("HTTPS:443/HTTPS:443 stays").says("--listener SSL:443/TCP:");
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn an_edited_plan_file_is_refused() {
    let story = Story::begin();
    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0);
    let plan = std::fs::read_to_string(story.file("chat.plan")).expect("it is there");
    for (edit, says) in [
        (plan.replacen("\"instance_port\": 80", "\"instance_port\": 81", 1), "it was edited"),
        (plan.replace("SSL", "TCP"), "it was edited"),
        (plan.replace("\"format_version\": 1", "\"format_version\": 2"), "version 2"),
        (plan.replace("\"elbws_version\": \"", "\"elbws_version\": \"9"), "elbws 9"),
        (plan.replace("\"account\": \"123456789012\"", "\"account\": \"210987654321\""), "account 210987654321"),
        (plan.replace("\"region\": \"eu-west-1\"", "\"region\": \"us-east-1\""), "region us-east-1"),
        (plan.replace("\"account\": \"123456789012\"", "\"account\": null"), "names no account"),
        (plan[..plan.len() / 2].to_owned(), "not a plan"),
        ("{}".to_owned(), "format_version"),
    ] {
        assert_ne!(edit, plan, "the edit for `{says}` changed nothing");
        std::fs::write(story.file("edited.plan"), edit).expect("it is writable");
        story.elbws(&["apply", "edited.plan"]).exits(1).says(says);
    }
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn no_interrupt_refuses_a_replace() {
    let story = Story::begin();
    story
        .elbws(&["apply", "--elb", "chat", "--no-interrupt"])
        .exits(1)
        .says("interrupts port 80, 443")
        .says("--no-interrupt");
    assert_eq!(story.counts().mutating, 0);
}

/// A plan that could not be checked in full is a plan all the same.
#[test]
fn a_plan_with_an_unchecked_certificate_can_be_saved_and_applied() {
    let story = Story::with_a_second_certificate();
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    story.fault("GetServerCertificate", 0, None, denied());
    let arn = "arn:aws:iam::123456789012:server-certificate/next";
    story
        .elbws(&["plan", "--elb", "chat", "--certificate", arn, "--out", "chat.plan"])
        .exits(0)
        .says("could not be checked");
    story.elbws(&["apply", "chat.plan"]).exits(0);
    assert!(story.state().contains(arn));
}

/// What the command line says goes before the environment: the story's commands have the sandbox's endpoint there.
#[test]
fn the_endpoint_of_the_command_line_is_the_one_that_is_called() {
    let story = Story::begin();
    let elsewhere = ["--endpoint-url", "http://127.0.0.1:1"];
    for command in [&["plan", "--elb", "chat"][..], &["show", "--elb", "chat"], &["audit"]] {
        story.elbws(&[command, &elsewhere].concat()).exits(1).says("127.0.0.1:1");
    }
}

/// The place is named, not the text: the file may be another one than was meant.
#[test]
fn a_file_that_is_no_toml_is_located_and_not_quoted() {
    let story = Story::begin();
    std::fs::write(story.file("other"), "[default]\nname = \"chat\"\nkey = unquoted\n").expect("it is writable");
    let ran = story.elbws(&["plan", "--config", "other"]).exits(64).says("line 3, column 7: ");
    assert!(!ran.stderr.contains("unquoted"), "{}", ran.stderr);
    story.elbws(&["plan", "--elb", "chat", "--listener", "SSL:443"]).exits(64).says("after the slash");
}

#[test]
fn a_file_is_written_only_where_a_file_can_be() {
    let story = Story::begin();
    story.elbws(&["plan", "--elb", "chat", "--out", "/dev/null"]).exits(1).says("not a regular file");
    story
        .elbws(&["plan", "--elb", "chat", "--out", "nowhere/chat.plan"])
        .exits(1)
        .says("cannot write nowhere/chat.plan: No such file");
    std::fs::write(story.file("target.plan"), "").expect("it is writable");
    std::os::unix::fs::symlink(story.file("target.plan"), story.file("link.plan")).expect("it can be linked");
    story.elbws(&["plan", "--elb", "chat", "--out", "link.plan"]).exits(0);
    assert!(story.file("link.plan").is_symlink() && story.file("target.plan").metadata().expect("it is there").len() > 0);
}
