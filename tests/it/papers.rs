//! What the tool prints about itself.

use crate::support::story::Story;

#[test]
fn help_completions_manuals_and_schema_are_printed() {
    let story = Story::begin();
    for (arguments, says) in [
        (&["--help"][..], "elbws apply --elb chat --sandbox"),
        (&["apply", "--help"], "elbws apply chat.plan"),
        (&["proxy-protocol", "enable", "--help"], "--instance-port"),
        (&["sandbox", "--help"], "elbws verify wss://chat.example.com/ws --elb chat --ca root.pem"),
        (&["sandbox", "--help"], "--trust 127.0.0.0/8 to `elbws backend`"),
        (&["completions", "bash"], "complete -F _elbws"),
        (&["man"], ".TH elbws 1"),
        (&["man", "proxy-protocol", "enable"], "proxy\\-protocol"),
        (&["schema", "config"], "skip_instance_ports"),
    ] {
        let ran = story.elbws(arguments).exits(0);
        assert!(ran.stdout.contains(says), "{arguments:?}: {}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }
    story.elbws(&["man", "nonsense"]).exits(64).says("no command `nonsense`");
}

/// Colours appear only where they are wanted.
#[test]
fn a_pipe_gets_no_colours() {
    let story = Story::begin();
    let plain = story.elbws(&["plan", "--elb", "chat"]).exits(0);
    assert!(!plain.stdout.contains('\u{1b}'));
    let colourful = story.elbws(&["plan", "--elb", "chat", "--color", "always"]).exits(0);
    assert!(colourful.stdout.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&colourful.stdout).to_string(), plain.stdout);
    let quiet = story.elbws(&["apply", "--elb", "chat", "--quiet"]).exits(0);
    assert_eq!(quiet.stderr, "");
}

/// The TOML that the README shows is one that works: it asks for the seed story's result and a little more.
#[test]
fn the_readmes_config_can_be_applied() {
    let readme = include_str!("../../README.md");
    let config = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it shows one");
    let story = Story::begin();
    std::fs::write(story.file("elbws.toml"), config).expect("it is writable");
    story.elbws(&["apply", "--config", "elbws.toml"]).exits(0);
    story.elbws(&["plan", "--config", "elbws.toml", "--detailed-exitcode"]).exits(0);
}
