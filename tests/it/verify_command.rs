//! `elbws verify` as a command: what it prints, its exit codes, and what it refuses.

use std::process::Command;

use crate::support::nginx::application;

/// The binary with an empty environment: its exit code, stdout and stderr.
async fn elbws(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(arguments).env_clear();
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What differs from run to run is replaced: times, ports.
fn steady(text: &str, port: u16) -> String {
    let text = text.replace(&port.to_string(), "PORT");
    let mut steady = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for index in 1..words.len() {
            let is_time = words[index - 1].trim_start_matches('(').parse::<f64>().is_ok()
                && matches!(words[index].trim_end_matches([',', ')']), "ms" | "s");
            if is_time {
                words[index - 1] = if words[index - 1].starts_with('(') { "(N" } else { "N" }.to_owned();
            }
        }
        // Columns move with the length of a time.
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        steady += &(words.join(" ") + "\n");
    }
    steady
}

#[tokio::test]
async fn a_verdict_reads_well() {
    let address = application().await;
    let url = format!("ws://127.0.0.1:{}/ws", address.port());
    let (status, stdout, stderr) = elbws(&["verify", &url, "--message", "hello {token}", "--count", "3"]).await;
    assert_eq!((status, stderr.as_str()), (0, ""), "{stdout}");
    insta::assert_snapshot!(steady(&stdout, address.port()), @r"
    ws://127.0.0.1:PORT/ws

    ok name N ms 127.0.0.1
    ok tcp N ms connected to 127.0.0.1:PORT
    ok http N ms GET /: 200 OK
    ok upgrade N ms GET /ws: 101 Switching Protocols
    ok message N ms the message came back in N ms
    2 messages came
    ok count N ms 3 of 3 connections open at the same time
    each open after N ms at best, N ms in the median, N ms at worst

    Proven: the WebSocket works.
    ");

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("wss://127.0.0.1:{}/ws", closed.port());
    let (status, stdout, stderr) = elbws(&["verify", &url, "--insecure"]).await;
    assert_eq!(status, 1, "{stdout}");
    assert!(stderr.contains("the certificate is not verified"), "{stderr}");
    insta::assert_snapshot!(steady(&stdout, closed.port()), @r"
    wss://127.0.0.1:PORT/ws

    ok name N ms 127.0.0.1
    FAIL tcp N ms no connection
    127.0.0.1:PORT: Connection refused (os error 111) (N ms)

    Broken: nothing listens on port PORT.
    seen 127.0.0.1:PORT: Connection refused (os error 111)
    do check the port, and that the name points to the balancer

    Not proven: see above.
    ");
}

#[tokio::test]
async fn wrong_command_lines_exit_with_64() {
    for (arguments, says) in [
        (&["verify"][..], "<URL>"),
        (&["verify", "https://chat.example.com/"], "give wss://host[:port]/path"),
        (&["verify", "wss://chat.example.com/", "--idle", "0s"], "90s, 2m or 1500ms"),
        (&["verify", "wss://chat.example.com/", "--count", "0"], "--count"),
        (&["verify", "wss://chat.example.com/", "--connect-to", "chat"], "HOST:PORT"),
        (&["verify", "wss://chat.example.com/", "--header", "Upgrade: h2c"], "cannot be changed"),
        (&["verify", "wss://chat.example.com/", "--ca", "a.pem", "--insecure"], "cannot be used with"),
        (&["verify", "ws://chat.example.com/", "--insecure"], "ws:// has none"),
        (&["verify", "wss://chat.example.com/", "--ca", "/dev/null"], "/dev/null: the CA file holds no certificate"),
        (&["verify", "wss://a_b..example.com/"], "neither a DNS name nor an address"),
        (&["verify", "wss://chat.example.com/", "--elb", "chat", "--sandbox"], "elbws sandbox"),
    ] {
        let (status, stdout, stderr) = elbws(arguments).await;
        assert_eq!(status, 64, "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(says), "`{says}` is not in {stderr}");
    }
    let (status, _, stderr) = elbws(&["verify", "wss://chat.example.com/", "--ca", "nowhere.pem"]).await;
    assert!(status == 1 && stderr.contains("cannot read nowhere.pem"), "{stderr}");
}

/// What is secret in a header is used, and not repeated.
#[tokio::test]
async fn headers_are_sent_and_not_printed() {
    let address = application().await;
    let url = format!("ws://127.0.0.1:{}/ws", address.port());
    for format in ["text", "json"] {
        let header = "X-Client: 192.0.2.7";
        let (status, stdout, _) =
            elbws(&["verify", &url, "--format", format, "--header", header, "--header", "Cookie: session=s3cr3t"]).await;
        assert_eq!(status, 0, "{stdout}");
        // The application repeats the one, which proves that it was sent.
        assert!(stdout.contains("192.0.2.7") && !stdout.contains("s3cr3t"), "{stdout}");
    }
}
