//! No credential, token, private key or signed header is ever shown: planted ones are looked for in everything that is printed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::raw_server::serve;
use crate::support::story::{Ran, Story};

const KEY_ID: &str = "AKIDPLANTED000000001";
const SECRET_KEY: &str = "plantedSecretKey/plantedSecretKey+123456";
const TOKEN: &str = "plantedSessionToken//////////plantedSessionToken==";
const PASSWORD: &str = "plantedPassword";
/// A line of a private key.
const KEY_LINE: &str = "MIIEplantedPrivateKeyplantedPrivateKeyplantedPrivateKeyplantedKey";

/// Everything that makes programs talkative.
const TALKATIVE: [(&str, &str); 6] = [
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "full"),
    ("AWS_LOG_LEVEL", "trace"),
    ("SMITHY_LOG", "trace"),
    ("AWS_SDK_LOG", "trace"),
    ("RUST_LIB_BACKTRACE", "1"),
];

#[track_caller]
fn hides(what: &str, text: &str) {
    for secret in [KEY_ID, SECRET_KEY, TOKEN, PASSWORD, KEY_LINE, "AWS4-HMAC-SHA256", "Signature="] {
        assert!(!text.contains(secret), "{what} shows {secret}:\n{text}");
    }
}

/// The binary at its most talkative, with nothing else in its environment.
fn talkative(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(arguments).env_clear().env("HOME", home).current_dir(home).envs(TALKATIVE);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-west-1").envs(environment.iter().copied());
    Ran::of(command.stdin(Stdio::null()))
}

fn keys() -> [(&'static str, &'static str); 3] {
    [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY), ("AWS_SESSION_TOKEN", TOKEN)]
}

/// Commands that call the service.
const CALLING: [&[&str]; 13] = [
    &["plan", "--elb", "chat", "-v"],
    &["show", "--elb", "chat", "-v", "--format", "json"],
    &["plan", "--elb", "chat", "-v", "--out", "chat.plan", "--format", "markdown"],
    &["apply", "--elb", "chat", "-v"],
    &["apply", "chat.plan", "-v"],
    &["proxy-protocol", "disable", "--elb", "chat", "-v", "--format", "json"],
    &[
        "listener",
        "--elb",
        "chat",
        "HTTPS:443/HTTP:80",
        "-v",
        "--certificate",
        "arn:aws:acm:eu-west-1:123456789012:certificate/a",
    ],
    &["certificate", "--elb", "chat", "-v", "arn:aws:iam::123456789012:server-certificate/next"],
    &["audit", "-v"],
    &["audit", "-v", "--all-regions", "--format", "html"],
    &["audit", "-v", "--elb", "chat", "--format", "sarif"],
    &["backend", "nginx", "-v", "--elb", "chat"],
    &["verify", "-v", "--elb", "chat", "wss://127.0.0.1:1/"],
];

#[test]
fn runs_that_succeed_show_no_secret() {
    let story = Story::begin();
    let home = story.folder.path();
    std::fs::create_dir(home.join(".aws")).unwrap();
    let profile = format!(
        "[planted]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET_KEY}\naws_session_token = {TOKEN}\n"
    );
    std::fs::write(home.join(".aws/credentials"), profile).unwrap();
    let endpoint = ("AWS_ENDPOINT_URL", &*story.sandbox.endpoint());
    for (with, environment) in [(&["--profile", "planted"][..], vec![endpoint]), (&[], [&keys()[..], &[endpoint]].concat())]
    {
        story.sandbox.reset();
        for arguments in CALLING {
            let ran = talkative(home, &[arguments, with].concat(), &environment);
            hides(&format!("{arguments:?}"), &format!("{}{}", ran.stdout, ran.stderr));
            assert!(
                ran.stderr.contains("Describe") || ran.stderr.contains("GetCallerIdentity"),
                "-v shows calls: {}",
                ran.stderr
            );
        }
        hides("the plan file", &std::fs::read_to_string(home.join("chat.plan")).unwrap());
    }
    assert!(story.counts().mutating > 10, "the runs did something");
}

/// What a service, or a proxy before it, may say in place of an answer: the whole request, which holds token and signature.
fn echo(form: &str, request: &str) -> (u16, String) {
    let request = request.replace('<', "&lt;");
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>It is wrong: {request}</Message></Error></ErrorResponse>"
        )
    };
    match form {
        "page" => (502, format!("<html><body>Bad gateway: {request}</body></html>")),
        "text" => (200, request),
        "json" => (400, serde_json::json!({ "__type": "ValidationException", "message": request }).to_string()),
        "InternalFailure" => (500, error(form)),
        "code" => (400, error(&request.split_whitespace().collect::<Vec<_>>().join(" "))),
        code => (403, error(code)),
    }
}

#[test]
fn a_server_that_quotes_the_request_is_not_quoted() {
    let home = tempfile::tempdir().unwrap();
    for form in
        ["page", "text", "json", "code", "InternalFailure", "AccessDenied", "SignatureDoesNotMatch", "ValidationError"]
    {
        let endpoint = serve(move |stream, request| {
            assert!(request.contains(TOKEN) && request.contains("Signature="), "the request is signed");
            let (status, body) = echo(form, request);
            let length = body.len();
            // The request id is a header, and printed too.
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nx-amzn-requestid: Signature={TOKEN}\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        });
        let environment = [&keys()[..], &[("AWS_ENDPOINT_URL", &*endpoint)]].concat();
        let ran = talkative(home.path(), &["plan", "--elb", "chat", "-v"], &environment).exits(1);
        hides(form, &format!("{}{}", ran.stdout, ran.stderr));
    }
}

#[test]
fn broken_settings_are_explained_without_their_values() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let process = |name: &str, script: &str| {
        let script = file(&format!("{name}.sh"), script);
        file(name, &format!("[default]\ncredential_process = sh {script}\n"))
    };
    let rubbish = process("rubbish", &format!("echo '{{\"Version\": 1, \"SecretAccessKey\": \"{SECRET_KEY}\"'"));
    let incomplete = process("incomplete", &format!("echo '{{\"Version\": 1, \"SecretAccessKey\": \"{SECRET_KEY}\"}}'"));
    let failing = process("failing", &format!("echo {SECRET_KEY}; echo {TOKEN} >&2; exit 3"));
    let torn = file("torn", &format!("[default\naws_secret_access_key = {SECRET_KEY}\n"));
    let loose = file("loose", &format!("[default]\naws_secret_access_key {SECRET_KEY}\n"));
    let half = file("half", &format!("[default]\naws_secret_access_key = {SECRET_KEY}\n"));
    let key = file("key.pem", &format!("-----BEGIN PRIVATE KEY-----\n{KEY_LINE}\n-----END PRIVATE KEY-----\n"));
    let as_seed = format!("--sandbox={half}");
    let url = format!("http://user:{PASSWORD}@127.0.0.1:1");
    let in_two_lines = format!("{TOKEN}\n{TOKEN}");
    let local = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let with = |more: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        let given = keys().into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        given.chain(more.iter().copied()).map(|(name, value)| (name, value.to_owned())).collect()
    };
    let from = |file: &str| vec![("AWS_CONFIG_FILE", file.to_owned()), ("AWS_SHARED_CREDENTIALS_FILE", file.to_owned())];
    let plan = vec!["plan", "--elb", "chat", "-v"];
    let cases = [
        (plan.clone(), from(&rubbish)),
        (plan.clone(), from(&incomplete)),
        (plan.clone(), from(&failing)),
        (plan.clone(), from(&torn)),
        (plan.clone(), from(&loose)),
        (plan.clone(), from(&half)),
        (plan.clone(), with(&[("AWS_ENDPOINT_URL", &url)])),
        (plan.clone(), with(&[("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING", &url)])),
        (vec!["plan", "--elb", "chat", "-v", "--endpoint-url", &url], with(&[])),
        (plan.clone(), with(&[("HTTPS_PROXY", &url), ("HTTP_PROXY", &url)])),
        (plan.clone(), with(&[("HTTP_PROXY", &url), ("AWS_ENDPOINT_URL", "http://elb.example")])),
        (plan.clone(), with(&[("AWS_SESSION_TOKEN", &in_two_lines), local])),
        (plan.clone(), with(&[("AWS_ACCESS_KEY_ID", ""), local])),
        (vec!["plan", "--config", &key], with(&[])),
        (vec!["apply", &key], with(&[])),
        // The wrong file was named.
        (vec!["plan", "--config", &half], with(&[])),
        (vec!["audit", "--config", &loose], with(&[])),
        (vec!["apply", &half], with(&[])),
        (vec!["sandbox", "--seed", &half], with(&[])),
        (vec!["plan", "--elb", "chat", &as_seed], with(&[])),
        (vec!["backend", "nginx", "--elb", "chat", "--sandbox", "--check", &half], with(&[])),
        (vec!["verify", "wss://127.0.0.1:1/", "--ca", &half], with(&[])),
    ];
    for (arguments, environment) in cases {
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ran = talkative(home.path(), &arguments, &environment);
        assert!([1, 64].contains(&ran.status), "{arguments:?} {environment:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        hides(&format!("{arguments:?}"), &format!("{}{}", ran.stdout, ran.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_shows_no_key_that_was_given_to_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(["sandbox", "-v", "--listen", "127.0.0.1:0"]).env_clear().envs(TALKATIVE);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut exports = String::new();
    while !exports.contains("AWS_ENDPOINT_URL=") || !exports.ends_with('\n') {
        assert!(stdout.read_line(&mut exports).unwrap() > 0, "{exports}");
    }
    let endpoint = exports.lines().find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=")).unwrap().to_owned();
    let credentials = aws_sdk_iam::config::Credentials::new(KEY_ID, SECRET_KEY, Some(TOKEN.to_owned()), None, "planted");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(credentials)
        .load()
        .await;
    let iam = aws_sdk_iam::Client::new(&config);
    let good = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).unwrap();
    let real = good.signing_key.serialize_pem();
    let planted = format!("-----BEGIN PRIVATE KEY-----\n{KEY_LINE}\n-----END PRIVATE KEY-----\n");
    let mut said = String::new();
    for (name, key) in [("good", real.as_str()), ("bad", planted.as_str()), ("worse", KEY_LINE)] {
        let upload = iam.upload_server_certificate().server_certificate_name(name);
        match upload.certificate_body(good.cert.pem()).private_key(key).send().await {
            Ok(reply) => said.push_str(&format!("{reply:?}")),
            Err(error) => said.push_str(&format!("{:?}", error.raw_response().unwrap())),
        }
    }
    let list = iam.get_server_certificate().server_certificate_name("good").send().await.unwrap();
    said.push_str(&format!("{list:?}"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let printed = format!("{exports}{rest}{}", String::from_utf8(output.stderr).unwrap());
    hides("the sandbox", &printed);
    // What it says to the caller comes back over the wire; the caller's own token is in no answer, nor is a key.
    for secret in [KEY_LINE, SECRET_KEY, TOKEN, real.lines().nth(1).unwrap()] {
        assert!(!said.contains(secret) && !printed.contains(secret), "{secret}: {said}");
    }
}

/// Not a test: what the next one runs in a process of its own.
#[test]
fn a_fault_for_the_next_test() {
    if std::env::var_os("PANIC_WITH_A_SECRET").is_some() {
        elbws::cli::report_faults();
        panic!("unexpected value: {SECRET_KEY} {TOKEN}");
    }
}

#[test]
fn a_panic_says_where_and_not_with_what() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "secrets::a_fault_for_the_next_test", "--nocapture"]).env("PANIC_WITH_A_SECRET", "1");
    let ran = Ran::of(&mut command);
    assert!(ran.stderr.contains("error: a fault in elbws") && ran.stderr.contains("secrets.rs"), "{}", ran.stderr);
    hides("a panic", &format!("{}{}", ran.stdout, ran.stderr));
}
