//! `elbws backend nginx --check`: every finding with its line, and nothing about what is right.

use std::collections::{BTreeMap, BTreeSet};

use elbws::backend::check::{CheckError, Expectation, Finding, SourceFile, check};
use elbws::model::{Balancer, Policy};
use proptest::prelude::*;

use crate::support::balancers::{attach, balancer};
use crate::support::story::Story;
use crate::support::web_server::dumped;

/// SSL 443 and TCP 80 on PROXY port 80, HTTP on port 8080; idle timeout 300 s.
fn chat() -> Balancer {
    let mut balancer = balancer(&["SSL:443/TCP:80", "TCP:80/TCP:80", "HTTP:8080/HTTP:8080"], "TCP:80");
    attach(&mut balancer, 80, "proxy", Policy::proxy_protocol());
    balancer.attributes.idle_timeout = 300;
    balancer
}

fn checked(main: &str, others: &[(&str, &str)]) -> Result<Vec<Finding>, CheckError> {
    let balancer = chat();
    let trusted = BTreeSet::from(["10.0.1.0/24".parse().unwrap(), "10.0.2.0/24".parse().unwrap()]);
    let expectation = Expectation { balancer: &balancer, trusted, leave_out: BTreeSet::from([8080]) };
    let main = SourceFile { name: "main".to_owned(), text: main.to_owned() };
    check(&expectation, main, &mut |pattern| {
        let found = others.iter().filter(|(name, _)| *name == pattern);
        Ok(found.map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() }).collect())
    })
}

/// The findings as `line rule`.
fn found(main: &str) -> Vec<String> {
    let findings = checked(main, &[]).unwrap();
    findings.iter().map(|finding| format!("{} {}", finding.line, finding.rule)).collect()
}

/// A site that is right; tests change one line of it. The number of a line is in the comment at its end.
const RIGHT: &str = "\
map $http_upgrade $connection_upgrade { default upgrade; '' close; } #1
map $proxy_protocol_server_port $client_scheme { default http; 443 https; } #2
server { #3
  listen 80 proxy_protocol; #4
  set_real_ip_from 10.0.0.0/16; #5
  real_ip_header proxy_protocol; #6
  if ($client_scheme = http) { return 301 https://$host$request_uri; } #7
  location / { #8
    proxy_pass http://127.0.0.1:8000; #9
    proxy_http_version 1.1; #10
    proxy_set_header Upgrade $http_upgrade; #11
    proxy_set_header Connection $connection_upgrade; #12
    proxy_set_header X-Forwarded-For $remote_addr; #13
    proxy_set_header X-Forwarded-Proto $client_scheme; #14
    proxy_read_timeout 5m; #15
  }
  #17
}
";

fn with(line: usize, text: &str) -> String {
    RIGHT.lines().enumerate().map(|(index, old)| if index + 1 == line { text } else { old }.to_owned() + "\n").collect()
}

#[test]
fn one_line_changed_is_one_finding() {
    assert_eq!(found(RIGHT), [""; 0]);
    for (line, text, finds) in [
        (4, "listen 80;", &["4 listen-without-proxy-protocol"][..]),
        (4, "listen *:80 default_server backlog=100;", &["4 listen-without-proxy-protocol"]),
        (4, "", &["3 listen-without-proxy-protocol"]),
        (4, "listen 81 proxy_protocol;", &["0 nothing-listens"]),
        (4, "listen 80 proxy_protocol; listen [::]:80;", &[]),
        (4, "listen 80 proxy_protocol; listen 127.0.0.1:80;", &[]),
        (4, "listen 10.0.1.9:80;", &["4 listen-without-proxy-protocol"]),
        (4, "listen 127.0.0.1:80;", &["4 listen-without-proxy-protocol"]),
        (4, "listen [::]:80 ipv6only=off;", &["4 listen-without-proxy-protocol"]),
        (4, "listen 80 ssl proxy_protocol;", &["4 listen-with-ssl"]),
        (5, "set_real_ip_from 0.0.0.0/0;", &["5 trusted-range-too-wide"]),
        (5, "set_real_ip_from ::/0; set_real_ip_from 10.0.0.0/16;", &["5 trusted-range-too-wide"]),
        (5, "set_real_ip_from 10.0.0.0/8;", &["5 trusted-range-too-wide"]),
        (5, "set_real_ip_from 10.0.1.0/24;", &["5 subnet-not-trusted"]),
        (5, "set_real_ip_from balancer.internal;", &[]),
        (5, "", &["6 subnet-not-trusted"]),
        (6, "", &["3 real-ip-missing"]),
        (6, "real_ip_header X-Forwarded-For;", &["6 real-ip-from-a-header"]),
        (7, "if ($http_x_forwarded_proto = 'http') { return 301 https://$host; }", &["7 redirect-on-x-forwarded-proto"]),
        (7, "if ($http_x_forwarded_proto != https) { rewrite ^ https://$host$uri; }", &["7 redirect-on-x-forwarded-proto"]),
        (
            7,
            "set $p $http_x_forwarded_proto; if ($p = http) { return 301 https://a; }",
            &["7 redirect-on-x-forwarded-proto"],
        ),
        (7, "if ($scheme = http) { return 301 https://$host$request_uri; }", &["7 endless-redirect"]),
        (7, "return 301 https://$host$request_uri;", &["7 endless-redirect"]),
        (7, "return 301 https://other.example.com;", &[]),
        (7, "if ($http_user_agent ~ bot) { return 403; }", &[]),
        (2, "map $proxy_protocol_port $client_scheme { default http; 443 https; }", &["2 client-port"]),
        (
            2,
            "map $http_x_forwarded_proto $client_scheme { default $http_x_forwarded_proto; }",
            &["7 redirect-on-x-forwarded-proto", "14 spoofed-scheme"],
        ),
        (1, "", &["12 connection-header"]),
        (1, "map $http_upgrade $connection_upgrade { default close; }", &["1 connection-header"]),
        (10, "", &["9 http-version"]),
        (10, "proxy_http_version 1.0;", &["10 http-version"]),
        (11, "", &["12 upgrade-header-missing"]),
        (11, "proxy_set_header Upgrade '';", &["12 upgrade-header-missing"]),
        (12, "", &["11 connection-header-missing"]),
        (12, "proxy_set_header Connection \"Upgrade\";", &[]),
        (12, "proxy_set_header Connection keep-alive;", &["12 connection-header"]),
        (12, "proxy_set_header Connection $http_connection;", &[]),
        (13, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", &["13 spoofed-client-address"]),
        (14, "proxy_set_header X-Forwarded-Proto $scheme;", &["14 wrong-scheme"]),
        (14, "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;", &["14 spoofed-scheme"]),
        (14, "proxy_set_header X-Forwarded-Port $proxy_protocol_port;", &["14 client-port"]),
        (15, "", &["9 read-timeout"]),
        (15, "proxy_read_timeout 299s;", &["15 read-timeout"]),
        (15, "proxy_read_timeout 1h;", &[]),
        (17, "location /api { proxy_pass http://127.0.0.1:1; }", &[]),
    ] {
        assert_eq!(found(&with(line, text)), finds, "line {line}: {text}");
    }
}

/// What a location inherits, and what it hides by saying something of its own.
#[test]
fn inheritance_is_nginxs() {
    let site = |location: &str| {
        format!(
            "map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}\n\
             server {{ listen 80 proxy_protocol; set_real_ip_from 10.0.0.0/16; real_ip_header proxy_protocol;\n\
             proxy_http_version 1.1; proxy_read_timeout 1h;\nproxy_set_header Upgrade $http_upgrade;\n\
             proxy_set_header Connection $connection_upgrade;\nlocation / {{ {location} proxy_pass http://a; }}\n}}\n"
        )
    };
    assert_eq!(found(&site("")), [""; 0]);
    assert_eq!(found(&site("proxy_set_header Host $host;")), ["6 hidden-upgrade"]);
    assert_eq!(found(&site("proxy_set_header Connection '';")), ["6 no-upgrade"]);
    let both = site("proxy_set_header Connection ''; proxy_read_timeout 1m;");
    assert_eq!(found(&both), ["6 no-upgrade", "6 read-timeout"], "what follows is not hidden by what comes first");
    assert_eq!(found(&site("proxy_read_timeout 1m;")), ["6 read-timeout"]);
    let whole = format!("events {{}}\nhttp {{\n{}\n}}", site(""));
    assert_eq!(found(&whole), [""; 0], "a main file as well as a fragment");
    let outer =
        whole.replace("real_ip_header proxy_protocol;", "").replace("http {", "http { real_ip_header proxy_protocol;");
    assert_eq!(found(&outer), [""; 0], "from the http block");
    assert_eq!(found(&site("").replace("set_real_ip_from 10.0.0.0/16;", "")), ["2 subnet-not-trusted"]);
}

#[test]
fn other_ports_and_servers() {
    let more = |server: &str| found(&format!("{RIGHT}{server}"));
    assert_eq!(more("server { listen 9000 proxy_protocol; }"), [""; 0], "no listener leads there");
    assert_eq!(
        more("server { listen 80; server_name b; }"),
        ["19 disagreeing-listens", "19 listen-without-proxy-protocol", "19 real-ip-missing"]
    );
    assert_eq!(more("server { listen 81 reuseport; }\nserver { listen 81 reuseport; }"), ["20 duplicate-listen-options"]);
    assert_eq!(
        more("server { listen 81 default_server; }\nserver { listen 81 default_server; }"),
        ["20 duplicate-listen-options"]
    );
    assert_eq!(more("server { listen unix:/run/x; }\nserver { listen 81 reuseport; listen 82 reuseport; }"), [""; 0]);
    assert_eq!(found("stream { server { listen 80 proxy_protocol; proxy_pass 127.0.0.1:1; } }"), [""; 0]);
    assert_eq!(found("stream { server { listen 80; proxy_pass 127.0.0.1:1; } }"), ["1 listen-without-proxy-protocol"]);
    assert_eq!(found(""), ["0 nothing-listens"]);
}

/// Ports of HTTP listeners and ports without a policy.
#[test]
fn ports_without_the_header() {
    let mut balancer = balancer(&["HTTPS:443/HTTP:80", "TCP:9000/TCP:9000"], "HTTP:9001/health");
    balancer.attributes.idle_timeout = 300;
    let expectation = Expectation { balancer: &balancer, trusted: BTreeSet::new(), leave_out: BTreeSet::new() };
    let text = "server {\nlisten 80 proxy_protocol;\nlisten 9000 proxy_protocol;\nlisten 9001 proxy_protocol;\n}\n\
                server {\nlisten 80;\nkeepalive_timeout 60s;\nif ($http_x_forwarded_proto = http) { return 301 https://$host; }\n}";
    let main = SourceFile { name: "main".to_owned(), text: text.to_owned() };
    let findings = check(&expectation, main, &mut |_| Ok(Vec::new())).unwrap();
    let rules: BTreeSet<String> = findings.iter().map(|finding| format!("{} {}", finding.line, finding.rule)).collect();
    let expected = [
        "1 keepalive-timeout",
        "2 listen-with-proxy-protocol",
        "3 listen-with-proxy-protocol",
        "4 health-check-without-header",
        "7 disagreeing-listens",
        "8 keepalive-timeout",
    ];
    assert_eq!(rules, expected.map(str::to_owned).into(), "an HTTP listener does send X-Forwarded-Proto");
}

#[test]
fn includes_are_followed_and_end() {
    let right: BTreeMap<&str, &str> = BTreeMap::from([("sites/*", RIGHT)]);
    let others: Vec<(&str, &str)> = right.into_iter().collect();
    assert_eq!(checked("http {\n include sites/*;\n}", &others).unwrap(), []);
    let wrong = with(4, "listen 80;");
    let findings = checked("http {\n include sites/*;\n}", &[("sites/*", &wrong)]).unwrap();
    assert_eq!((findings[0].file.as_str(), findings[0].line), ("sites/*", 4));
    for (main, others, says) in [
        ("include a;", &[("a", "include b;"), ("b", "\ninclude a;")][..], "without end"),
        ("include a;", &[("a", "server {")], "a:1: the block of `server` is not closed"),
        ("server {\n listen 80\n}", &[], "main:3: `;` is missing"),
    ] {
        let error = checked(main, others).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_command_finds_reports_and_exits() {
    let story = Story::begin();
    let made = story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(0).stdout;
    std::fs::create_dir_all(story.file("conf.d")).unwrap();
    std::fs::write(story.file("conf.d/chat.conf"), &made).unwrap();
    std::fs::write(story.file("conf.d/.hidden.conf"), "}").unwrap();
    std::fs::write(story.file("nginx.conf"), "events {}\nhttp { include conf.d/*.conf; }\n").unwrap();
    let check =
        |file: &str, more: &[&str]| story.elbws(&[&["backend", "nginx", "--elb", "chat", "--check", file], more].concat());
    for file in ["nginx.conf", "conf.d/chat.conf"] {
        assert_eq!(check(file, &[]).exits(0).stdout, "Nothing found: the configuration fits balancer chat.\n");
    }
    let broken = made.replace(" proxy_protocol;\n    server_name", ";\n    server_name");
    assert_ne!(broken, made);
    std::fs::write(story.file("conf.d/chat.conf"), &broken).unwrap();
    let line = 1 + broken.lines().position(|line| line.contains("listen 80")).unwrap();
    let text = check("nginx.conf", &[]).exits(2).stdout;
    assert!(text.starts_with(&format!("conf.d/chat.conf:{line}: `listen 80` lacks proxy_protocol")), "{text}");
    assert!(text.ends_with("1 finding for balancer chat.\n"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&check("nginx.conf", &["--format", "json"]).exits(2).stdout).unwrap();
    assert_eq!(json["findings"][0]["line"], line);
    assert_eq!(json["findings"][0]["rule"], "listen-without-proxy-protocol");
    let now = check("nginx.conf", &["--as-is"]).exits(2).stdout;
    assert!(now.contains("[real-ip-without-header]") && now.contains("[redirect-without-header]"), "{now}");
    check("nowhere.conf", &[]).exits(1).says("cannot read nowhere.conf");
    std::fs::write(story.file("nginx.conf"), "http { include nowhere.conf; }").unwrap();
    check("nginx.conf", &[]).exits(1).says("nginx.conf:1: the included file nowhere.conf does not exist");
    std::fs::write(story.file("nginx.conf"), [0xff, 0xfe, 0x00]).unwrap();
    check("nginx.conf", &[]).exits(1).says("cannot read nginx.conf");
}

/// What `nginx -T` prints, from stdin.
#[test]
#[ignore = "needs nginx: run ./tests/run"]
fn a_dump_is_checked() {
    let story = Story::begin();
    let made = story.elbws(&["backend", "nginx", "--elb", "chat"]).exits(0).stdout.replace("listen 80 ", "listen 20080 ");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.conf"), made).unwrap();
    let dump = dumped(&format!("include {}/*.conf;", folder.path().display()));
    std::fs::write(story.file("dump"), dump.replace("listen 20080 ", "listen 80 ")).unwrap();
    let mut command = story.command(&["backend", "nginx", "--elb", "chat", "--check", "-"]);
    let output = command.stdin(std::fs::File::open(story.file("dump")).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    std::fs::write(story.file("dump"), dump).unwrap();
    let mut command = story.command(&["backend", "nginx", "--elb", "chat", "--check", "-"]);
    let output = command.stdin(std::fs::File::open(story.file("dump")).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "nothing listens on port 80");
}

/// Pieces of configurations in any order, most of them in no order that makes sense.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "server",
        "listen",
        "http",
        "{",
        "}",
        ";",
        " ",
        "\n",
        "'",
        "\"",
        "\\",
        "$",
        "${",
        "#",
        "80",
        "[::]:80",
        ":",
        "-",
        "map",
        "location",
        "/",
        "if",
        "(",
        ")",
        "proxy_pass",
        "proxy_set_header",
        "Upgrade",
        "$http_upgrade",
        "set",
        "$a",
        "include",
        "a_by_lua_block",
        "--[[",
        "]]",
        "set_real_ip_from",
        "10.0.0.0/33",
        "proxy_read_timeout",
        "9999999999999999999w",
        "é",
        "\0",
        "# configuration file x:\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever a file holds, it is checked or refused with a line that it has.
    #[test]
    fn no_text_is_too_strange(text in any_text(), other in any_text()) {
        let lines = 1 + text.lines().count().max(other.lines().count());
        match checked(&text, &[("80", &other)]) {
            Ok(findings) => prop_assert!(findings.iter().all(|finding| finding.line <= lines)),
            Err(CheckError::Source(error)) => prop_assert!((1..=lines).contains(&error.line), "{error}"),
            Err(CheckError::Balancer(error)) => prop_assert!(false, "{error}"),
        }
    }
}
