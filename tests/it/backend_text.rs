//! Generated configurations as text: what people read, what the real programs accept, and what cannot get in.

use elbws::backend::check::{Expectation, SourceFile, check};
use elbws::backend::{BackendError, Request, Server, generate};
use elbws::model::{Balancer, Policy};
use elbws::sandbox::{FaultError, FaultKind};
use proptest::prelude::*;

use crate::support::balancers::{any_balancer, attach, balancer, seed};
use crate::support::story::Story;
use crate::support::web_server::accepts;

fn request(balancer: &Balancer) -> Request<'_> {
    Request::new(balancer, vec!["10.0.1.0/24".parse().unwrap()], "127.0.0.1:8000".parse().unwrap())
}

#[test]
fn nginx_as_a_person_reads_it() {
    let story = Story::begin();
    let arguments = ["backend", "nginx", "--elb", "chat", "--websocket", "/ws/=127.0.0.1:9000"];
    insta::assert_snapshot!(story.elbws(&arguments).exits(0).snapshot());
}

#[test]
fn haproxy_as_a_person_reads_it() {
    let story = Story::begin();
    let health = ["--health-check", "HTTP:8081/health", "--server-name", "chat.example.com"];
    let arguments = [&["backend", "haproxy", "--elb", "chat"], &health[..]].concat();
    insta::assert_snapshot!(story.elbws(&arguments).exits(0).snapshot());
}

#[test]
fn a_cut_over_as_a_person_reads_it() {
    let story = Story::begin();
    let arguments = ["backend", "nginx", "--elb", "chat", "--cut-over", "8080", "--idle-timeout", "3600"];
    insta::assert_snapshot!(story.elbws(&arguments).exits(0).snapshot());
}

/// Balancers of every kind of arrival, with what is said about them.
fn shapes() -> Vec<(Balancer, Option<&'static str>)> {
    let proxied = |routes: &[&str], check: &str| {
        let mut balancer = balancer(routes, check);
        attach(&mut balancer, 80, "proxy", Policy::proxy_protocol());
        balancer
    };
    vec![
        (seed(), None),
        (proxied(&["SSL:443/TCP:80", "TCP:80/TCP:80"], "TCP:80"), None),
        (proxied(&["SSL:8443/TCP:80", "TCP:80/TCP:80"], "HTTP:8081/health?x=1"), None),
        (proxied(&["SSL:443/TCP:80"], "HTTP:80/"), Some("carries no PROXY header")),
        (proxied(&["SSL:443/TCP:80"], "TCP:9000"), Some("is not served here")),
        (proxied(&["SSL:443/TCP:80", "SSL:8443/SSL:8443"], "SSL:80"), Some("instance port 8443 is left out")),
        (proxied(&["SSL:443/TCP:80", "HTTP:8080/HTTP:8080", "TCP:9000/TCP:9000"], "HTTP:9000/up"), None),
        (balancer(&["SSL:443/TCP:80", "TCP:80/TCP:8080", "SSL:444/TCP:8081", "TCP:81/TCP:8081"], "TCP:80"), None),
        (balancer(&["HTTP:80/HTTP:80"], "HTTP:80/health"), None),
    ]
}

#[test]
fn what_will_not_work_is_said() {
    for (balancer, warns) in shapes() {
        for server in Server::ALL {
            let made = generate(server, &request(&balancer)).unwrap();
            let said = made.warnings.join("\n");
            assert!(warns.map_or(said.is_empty(), |text| said.contains(text)), "{said:?} of\n{}", made.text);
            assert!(made.warnings.iter().all(|warning| made.text.contains(warning)));
        }
    }
}

#[test]
#[ignore = "needs nginx and HAProxy: run ./tests/run"]
fn the_programs_accept_every_shape() {
    for (balancer, _) in shapes() {
        for server in Server::ALL {
            let mut request = request(&balancer);
            request.websockets = vec!["/ws/=[::1]:9000".parse().unwrap(), "/ws=127.0.0.1:9001".parse().unwrap()];
            request.server_names = vec!["chat.example.com".parse().unwrap(), "*.chat.example.com".parse().unwrap()];
            request.trusted = vec!["10.0.1.7/24".parse().unwrap(), "10.0.1.0/24".parse().unwrap()];
            // Low ports need a privilege that the tests do without.
            request.listen.ports = [80, 8080, 8081, 9000].map(|port| (port, port + 20_000)).into();
            accepts(server, &generate(server, &request).unwrap().text).unwrap();
            request.server_names.clear();
            request.redirect = false;
            accepts(server, &generate(server, &request).unwrap().text).unwrap();
        }
    }
}

#[test]
fn no_configuration_is_better_than_a_wrong_one() {
    let refused = |balancer: &Balancer| generate(Server::Nginx, &request(balancer)).unwrap_err();
    let mut mixed = balancer(&["SSL:443/TCP:80", "HTTP:80/HTTP:80"], "TCP:80");
    attach(&mut mixed, 80, "proxy", Policy::proxy_protocol());
    assert!(matches!(refused(&mixed), BackendError::MixedPort { port: 80, .. }));
    assert_eq!(refused(&balancer(&["SSL:443/SSL:443"], "TCP:443")), BackendError::NothingToServe);
    let hostile = Balancer { name: "a;\n}".to_owned(), ..seed() };
    assert!(matches!(refused(&hostile), BackendError::Name(_)));
    let balancer = balancer(&["HTTP:80/HTTP:80"], "HTTP:8081/a;{\"$x");
    assert!(matches!(refused(&balancer), BackendError::HealthCheckPath(_)));
    for (trusted, why) in
        [(vec![], "no address range"), (vec!["0.0.0.0/0"], "every address"), (vec!["::/0"], "every address")]
    {
        let balancer = seed();
        let mut request = request(&balancer);
        request.trusted = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let error = generate(Server::Haproxy, &request).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_hostile_command_line_is_refused_or_stays_in_its_comment() {
    let story = Story::begin();
    for (flag, value) in [
        ("--server-name", "a; include /etc/passwd"),
        ("--server-name", "a\nb"),
        ("--server-name", "~^(.*)$"),
        ("--websocket", "/a{b=127.0.0.1:1"),
        ("--websocket", "/$x=127.0.0.1:1"),
        ("--app", "127.0.0.1:80; deny all"),
        ("--app", "unix:/run/x"),
        ("--trust", "0.0.0.0/0"),
        ("--trust", "10.0.0.0"),
        ("--cut-over", "0"),
        ("--format", "json"),
    ] {
        story.elbws(&["backend", "nginx", "--elb", "chat", flag, value]).exits(64);
    }
    story.elbws(&["backend", "caddy", "--elb", "chat"]).exits(64).says("nginx, haproxy");
    story.elbws(&["backend", "haproxy", "--elb", "chat", "--check", "x"]).exits(64).says("only configurations of nginx");
    story.elbws(&["backend", "nginx", "--elb", "chat", "--elb", "other"]).exits(64).says("for one balancer");
    let made = story.elbws(&["backend", "nginx", "--elb", "chat", "--region=eu-west-1", "--profile", "x\n}\nevil on;"]);
    assert!(!made.stdout.lines().any(|line| line.starts_with("evil")), "{}", made.stdout);
}

#[test]
fn subnets_are_read_or_named_by_hand() {
    let story = Story::begin();
    let fault = FaultKind::ErrorBefore(FaultError {
        code: "UnauthorizedOperation".to_owned(),
        status: 403,
        message: "You are not authorized to perform this operation.".to_owned(),
    });
    story.fault("DescribeSubnets", 0, None, fault);
    story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(1).says("ec2:DescribeSubnets").says("--trust CIDR");
    let made = story.elbws(&["backend", "nginx", "--elb", "chat", "--trust", "10.9.0.0/24"]).exits(0);
    assert!(made.stdout.contains("set_real_ip_from 10.9.0.0/24;"), "{}", made.stdout);
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn the_state_is_that_after_apply_unless_it_is_asked_as_it_is() {
    let story = Story::begin();
    let after = story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(0).stdout;
    assert!(after.contains("listen 80 default_server proxy_protocol;") && after.contains("--cut-over PORT"), "{after}");
    let now = story.elbws(&["backend", "nginx", "--elb", "chat", "--as-is"]).exits(0).stdout;
    assert!(now.contains("listen 80 default_server;") && now.contains("as it is"), "{now}");
    let skipped = story.elbws(&["backend", "nginx", "--elb", "chat", "--skip-instance-port", "80"]).exits(0).stdout;
    assert!(skipped.contains("elbws apply --elb chat --skip-instance-port 80") && !skipped.contains("proxy_protocol;"));
    story.elbws(&["backend", "nginx", "--elb", "chat", "--cut-over", "80"]).exits(1).says("in use already");
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    let done = story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(0).stdout;
    assert!(!done.contains("--cut-over"), "{done}");
    story.elbws(&["backend", "nginx", "--elb", "chat", "--cut-over", "8080"]).exits(1).says("nothing to cut over");
    let ssh = story.elbws(&["listener", "--elb", "chat", "TCP:22/TCP:22", "--yes"]).exits(0);
    assert!(ssh.stdout.contains("TCP:22"));
    let without = story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(0).stdout;
    assert!(without.contains("Instance port 22 is left to SSH") && !without.contains("listen 22"), "{without}");
}

proptest! {
    /// What is written passes the check, whatever the balancer; and every line of it is a comment or parses.
    #[test]
    fn what_is_generated_passes_the_check(balancer in any_balancer()) {
        let request = request(&balancer);
        let Ok(made) = generate(Server::Nginx, &request) else { return Ok(()) };
        let expectation = Expectation {
            balancer: &balancer,
            trusted: request.trusted.iter().copied().collect(),
            leave_out: Default::default(),
        };
        let main = SourceFile { name: "site.conf".to_owned(), text: made.text.clone() };
        let found = check(&expectation, main, &mut |pattern| Err(format!("{pattern} is included"))).unwrap();
        // Ports that need a certificate are left out, and that is said; so are health checks that cannot pass.
        let found: Vec<_> = found
            .into_iter()
            .filter(|finding| !(finding.rule == "nothing-listens" && !made.warnings.is_empty()))
            .filter(|finding| !(finding.rule == "health-check-without-header" && !made.warnings.is_empty()))
            .collect();
        prop_assert!(found.is_empty(), "{found:#?} in\n{}", made.text);
    }
}
