//! One health check: TCP and SSL connect, HTTP and HTTPS ask for a page and want status 200, all within the timeout (elb-facts 2.4).
//!
//! HTTP and HTTPS checks never send the PROXY line: they fail on a port that expects it.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::relay::Stream;
use super::{backend_tls, proxy_protocol};
use crate::model::{HealthCheck, HealthCheckTarget, Protocol};

/// Checks an instance at its real address. Errors: why it failed, in words for a person.
pub(super) async fn check(check: &HealthCheck, address: SocketAddr, proxy_line: bool) -> Result<(), String> {
    let limit = Duration::from_secs(check.timeout.into());
    match tokio::time::timeout(limit, attempt(&check.target, address, proxy_line)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {} seconds", check.timeout)),
    }
}

async fn attempt(target: &HealthCheckTarget, address: SocketAddr, proxy_line: bool) -> Result<(), String> {
    let HealthCheckTarget { protocol, port, path } = target;
    let stream = TcpStream::connect(address).await.map_err(|error| format!("connecting to {address}: {error}"))?;
    let stream: Stream = match protocol.is_secure() {
        true => backend_tls::connect(stream, address.ip(), None).await.map_err(|error| format!("TLS: {error}"))?,
        false => {
            if proxy_line && *protocol == Protocol::Tcp {
                say_hello(stream, *port).await?;
                return Ok(());
            }
            Box::new(stream)
        }
    };
    match path {
        Some(path) => get(stream, address, path).await,
        None => Ok(()),
    }
}

/// What one capture of a TCP check shows: the balancer names itself on both ends, with the instance port (elb-facts 2.3).
async fn say_hello(mut stream: TcpStream, instance_port: u16) -> Result<(), String> {
    let hello = async {
        let local = stream.local_addr()?;
        stream.write_all(proxy_protocol::line(local, local.ip(), instance_port).as_bytes()).await
    };
    hello.await.map_err(|error: std::io::Error| format!("sending the PROXY line: {error}"))
}

async fn get(stream: Stream, address: SocketAddr, path: &str) -> Result<(), String> {
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "ELB-HealthChecker/1.0")
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("the path cannot be asked for: {error}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(describe)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(describe)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("status {} instead of 200", status.as_u16()));
        }
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.map_err(describe)?;
        }
        Ok(())
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        // Its errors reach the exchange.
        _ = &mut connection => exchange.await,
    }
}

fn describe(error: hyper::Error) -> String {
    let closed = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    match closed {
        true => "the connection was closed without an answer".to_owned(),
        false => error.to_string(),
    }
}
