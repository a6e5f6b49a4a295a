//! Generated configurations in real web servers: a WebSocket through each, and everything that must not work.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use elbws::backend::{Request, Server, generate};
use elbws::model::{Balancer, Policy};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::balancers::{attach, balancer};
use crate::support::traffic::{INSTANCE, REGION, exchange, in_service, instances, seed, start_at, tls};
use crate::support::web_server::{WebServer, application, free_port, get, header, proxy_line, websocket};

/// A balancer as `elbws apply` leaves it, with a health check of its own port.
fn applied() -> Balancer {
    let mut balancer = balancer(&["SSL:443/TCP:80", "TCP:80/TCP:80"], "HTTP:8081/health");
    attach(&mut balancer, 80, "chat-proxy-protocol", Policy::proxy_protocol());
    balancer
}

/// Real ports for instance ports, and the configuration that listens there.
async fn site(server: Server, balancer: &Balancer, trusted: &str, ports: &[u16]) -> (BTreeMap<u16, u16>, String) {
    let mut request = Request::new(balancer, vec![trusted.parse().unwrap()], application("app").await.into());
    let route = format!("/ws/={}", application("sockets").await);
    request.websockets = vec![route.parse().unwrap()];
    request.listen.address = Some(Ipv4Addr::LOCALHOST.into());
    request.listen.ports = ports.iter().map(|port| (*port, free_port())).collect();
    let text = generate(server, &request).unwrap().text;
    (request.listen.ports, text)
}

async fn proxied(port: u16, load_balancer_port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(proxy_line(load_balancer_port).as_bytes()).await.unwrap();
    stream
}

async fn carries(server: Server) {
    let (ports, site) = site(server, &applied(), "127.0.0.0/8", &[80, 8081]).await;
    let (port, health_port) = (ports[&80], ports[&8081]);
    let _server = WebServer::start(server, &site, health_port).await;

    for (path, application) in [("/ws/room", "sockets"), ("/elsewhere", "app")] {
        let sent = websocket(proxied(port, 443).await, path).await.unwrap();
        assert!(sent.starts_with(&format!("application: {application}\nget {path} http/1.1")), "{sent}");
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-real-ip", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("host", "chat.example.com"),
        ] {
            assert_eq!(header(&sent, name), [value], "{name} in\n{sent}");
        }
        assert!(header(&sent, "forwarded").is_empty(), "{sent}");
    }
    let page = get(port, &proxy_line(443), "/page").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("application: app"), "{page}");
    let plain = get(port, &proxy_line(80), "/page?a=b").await.to_lowercase();
    assert!(plain.starts_with("http/1.1 301"), "{plain}");
    assert!(plain.contains("\r\nlocation: https://chat.example.com/page?a=b\r\n"), "{plain}");
    let health = get(health_port, "", "/health").await;
    assert!(health.starts_with("HTTP/1.1 200") || health.starts_with("HTTP/1.0 200"), "{health}");
    let other = get(health_port, "", "/page").await;
    assert!(other.contains(" 404 "), "{other}");
    let headless = get(port, "", "/page").await;
    assert_eq!(headless, "", "a client without the header is not answered");
}

#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn nginx_carries_a_websocket() {
    carries(Server::Nginx).await;
}

#[tokio::test]
#[ignore = "needs HAProxy: run ./tests/run"]
async fn haproxy_carries_a_websocket() {
    carries(Server::Haproxy).await;
}

/// Somebody who reaches the PROXY port past the balancer cannot say who the client is.
#[tokio::test]
#[ignore = "needs nginx and HAProxy: run ./tests/run"]
async fn a_stranger_is_not_believed() {
    let (ports, text) = site(Server::Nginx, &applied(), "10.0.0.0/24", &[80, 8081]).await;
    let _nginx = WebServer::start(Server::Nginx, &text, ports[&8081]).await;
    let sent = websocket(proxied(ports[&80], 443).await, "/ws/").await.unwrap();
    assert_eq!(header(&sent, "x-forwarded-for"), ["127.0.0.1"], "{sent}");

    let (ports, text) = site(Server::Haproxy, &applied(), "10.0.0.0/24", &[80, 8081]).await;
    let _haproxy = WebServer::start(Server::Haproxy, &text, ports[&8081]).await;
    websocket(proxied(ports[&80], 443).await, "/ws/").await.unwrap_err();
}

/// Behind HTTP listeners, a sandbox in front: the headers of the balancer count, and health checks are not redirected.
async fn serves_http_listeners(server: Server) {
    let text = seed(&["HTTPS:443/HTTP:80", "HTTP:80/HTTP:80"], &[], &[INSTANCE], "HTTP:80/health");
    let live = balancer(&["HTTPS:443/HTTP:80", "HTTP:80/HTTP:80"], "HTTP:80/health");
    let (ports, site) = site(server, &live, "127.0.0.0/8", &[80]).await;
    let _server = WebServer::start(server, &site, ports[&80]).await;
    let real = [(80, (Ipv4Addr::LOCALHOST, ports[&80]).into())];
    let sandbox = start_at(Ipv4Addr::LOCALHOST.into(), &text, instances(&[(INSTANCE, &real)])).await;
    in_service(&sandbox, INSTANCE).await;
    let request =
        "GET /page HTTP/1.1\r\nHost: chat.example.com\r\nX-Forwarded-For: 198.51.100.66\r\nConnection: close\r\n\r\n";
    let page = exchange(tls(&sandbox, 443, "chat.example.com").await.unwrap(), request).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert_eq!(header(&page, "x-forwarded-for"), ["127.0.0.1"], "{page}");
    assert_eq!(header(&page, "x-forwarded-proto"), ["https"], "{page}");
    let address = sandbox.listener_address(REGION, "chat", 80).unwrap();
    let plain = exchange(TcpStream::connect(address).await.unwrap(), request).await;
    assert!(plain.starts_with("HTTP/1.1 301") && plain.contains("https://chat.example.com/page"), "{plain}");
}

#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn nginx_serves_http_listeners() {
    serves_http_listeners(Server::Nginx).await;
}

#[tokio::test]
#[ignore = "needs HAProxy: run ./tests/run"]
async fn haproxy_serves_http_listeners() {
    serves_http_listeners(Server::Haproxy).await;
}

/// The switch that `--cut-over` prints, done as it says: nothing but the port that is just replaced is ever closed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: run ./tests/run"]
async fn the_printed_cut_over_works() {
    let text = seed(&["HTTPS:443/HTTP:80", "HTTP:80/HTTP:80"], &[], &[INSTANCE], "HTTP:80/health");
    let ports = [(80, (Ipv4Addr::LOCALHOST, free_port()).into()), (8080, (Ipv4Addr::LOCALHOST, free_port()).into())];
    let sandbox = start_at(Ipv4Addr::LOCALHOST.into(), &text, instances(&[(INSTANCE, &ports)])).await;
    let environment = sandbox.environment();
    let elbws = async |line: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_elbws"));
        command.args(line.split_whitespace().skip(1)).env_clear().envs(environment.clone());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let app = application("app").await;
    let printed = elbws(&format!("elbws backend nginx --elb chat --trust 127.0.0.0/8 --app {app} --cut-over 8080")).await;
    // The two ports need a privilege, or may be taken, on the machine of the test.
    let real = |text: String| {
        ports.iter().fold(text, |text, (port, real): &(u16, std::net::SocketAddr)| {
            text.replace(&format!("listen {port} "), &format!("listen {real} "))
        })
    };
    let nginx = WebServer::start(Server::Nginx, &real(printed.clone()), ports[1].1.port()).await;
    in_service(&sandbox, INSTANCE).await;
    let page = "GET /page HTTP/1.1\r\nHost: chat.example.com\r\nConnection: close\r\n\r\n";
    let works = async |when: &str| {
        let answer = exchange(tls(&sandbox, 443, "chat.example.com").await.unwrap(), page).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{when}: {answer}");
        let address = sandbox.listener_address(REGION, "chat", 80).unwrap();
        let plain = exchange(TcpStream::connect(address).await.unwrap(), page).await;
        assert!(plain.starts_with("HTTP/1.1 301"), "{when}: {plain}");
    };
    works("before").await;
    let commands: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("#       ")).collect();
    let (applies, rest): (Vec<&str>, Vec<&str>) = commands.iter().partition(|line| line.starts_with("elbws apply "));
    assert_eq!((applies.len(), rest.len()), (2, 1), "{printed}");
    for apply in applies {
        elbws(apply).await;
        sandbox.settled().await;
        works(apply).await;
        in_service(&sandbox, INSTANCE).await;
        let sent = websocket(tls(&sandbox, 443, "chat.example.com").await.unwrap(), "/ws").await.unwrap();
        assert_eq!(header(&sent, "x-forwarded-for"), ["127.0.0.1"], "{sent}");
        assert_eq!(header(&sent, "x-forwarded-proto"), ["https"], "{sent}");
    }
    let last = elbws(rest[0]).await;
    assert!(last.contains("listen 8080 ") && !last.contains("listen 80 "), "{last}");
    nginx.reload(&real(last), ports[0].1.port()).await;
    works("without the old port").await;
    assert!(elbws("elbws plan --elb chat").await.contains("Nothing to do"));
}
