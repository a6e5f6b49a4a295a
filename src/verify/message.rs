//! Something is sent on the open WebSocket, and its answer waited for.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

use super::probe::{Message, TOKEN};
use super::seen::{Closed, ExchangeFailure, ExchangeFailureKind, MessageSeen, Sent};

/// An open WebSocket.
pub(super) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// How many messages are kept, and how many characters of each.
const MOST_MESSAGES: usize = 16;
const LONGEST_KEPT: usize = 2000;
/// How long a greeting may come after the answer. Many servers greet, and the greeting may name the client.
const GREETING: Duration = Duration::from_millis(200);
/// How long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Sends what is to be sent, and waits for its answer.
pub(super) async fn talk(socket: &mut WebSocket, message: &Message, token: &str, patience: Duration) -> MessageSeen {
    exchange(socket, message, token, patience, Duration::ZERO).await
}

/// The same, and waits a moment longer for a greeting if nothing came but the answer.
pub(super) async fn talk_and_listen(
    socket: &mut WebSocket,
    message: &Message,
    token: &str,
    patience: Duration,
) -> MessageSeen {
    exchange(socket, message, token, patience, GREETING).await
}

async fn exchange(
    socket: &mut WebSocket,
    message: &Message,
    token: &str,
    patience: Duration,
    greeting: Duration,
) -> MessageSeen {
    let sent = match message {
        Message::Ping => Sent::Ping,
        Message::Text(text) => Sent::Text(text.replace(TOKEN, token)),
    };
    let mut talk = Talk {
        expected: match message {
            Message::Text(text) if !text.contains(TOKEN) => text.clone(),
            _ => token.to_owned(),
        },
        token,
        begun: Instant::now(),
        seen: MessageSeen { sent: sent.clone(), echo: None, pong: None, received: Vec::new(), failure: None },
    };
    let first = match &sent {
        Sent::Ping => ping(token),
        Sent::Text(text) => Frame::text(text.clone()),
    };
    if let Err(error) = socket.send(first).await {
        talk.seen.failure = Some(broken(&error));
        return talk.seen;
    }
    let answered = talk.listen(socket, patience, greeting).await;
    let mut seen = talk.seen;
    if let Err(failure) = answered {
        seen.failure = Some(failure);
    }
    seen
}

/// A ping that carries a token.
pub(super) fn ping(token: &str) -> Frame {
    Frame::Ping(Bytes::copy_from_slice(token.as_bytes()))
}

/// Says goodbye, and waits a moment for the answer.
pub(super) async fn close(mut socket: WebSocket) {
    let goodbye = async {
        // The connection ends either way.
        let _ = socket.close(None).await;
        while let Some(Ok(_)) = socket.next().await {}
    };
    drop(timeout(GOODBYE, goodbye).await);
}

struct Talk<'a> {
    expected: String,
    token: &'a str,
    begun: Instant,
    seen: MessageSeen,
}

impl Talk<'_> {
    /// Listens until the answer has come. Where no echo comes for half of the time, a ping asks whether anybody is there.
    async fn listen(
        &mut self,
        socket: &mut WebSocket,
        patience: Duration,
        greeting: Duration,
    ) -> Result<(), ExchangeFailure> {
        let end = self.begun + patience;
        let mut doubt = self.begun + patience / 2;
        let mut until = end;
        loop {
            let wake = if self.is_answered() { until } else { until.min(doubt) };
            let frame = tokio::select! {
                frame = socket.next() => frame,
                () = sleep_until(wake.into()) => {
                    if self.is_answered() {
                        return Ok(());
                    }
                    if wake == end {
                        return Err(self.silent(patience));
                    }
                    doubt = end;
                    if matches!(self.seen.sent, Sent::Text(_)) {
                        socket.send(ping(self.token)).await.map_err(|error| broken(&error))?;
                    }
                    continue;
                }
            };
            match frame {
                Some(Ok(frame)) => self.hear(&frame)?,
                Some(Err(error)) if !self.is_answered() => return Err(broken(&error)),
                None if !self.is_answered() => return Err(gone("the server closed the connection")),
                Some(Err(_)) | None => return Ok(()),
            }
            if self.is_answered() && until == end {
                if greeting.is_zero() || !self.seen.received.is_empty() {
                    return Ok(());
                }
                until = (Instant::now() + greeting).min(end);
            }
        }
    }

    fn is_answered(&self) -> bool {
        match self.seen.sent {
            Sent::Ping => self.seen.pong.is_some(),
            Sent::Text(_) => self.seen.echo.is_some(),
        }
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), ExchangeFailure> {
        match frame {
            Frame::Text(text) => self.keep(text.as_str()),
            Frame::Binary(bytes) => self.keep(&String::from_utf8_lossy(bytes)),
            Frame::Pong(payload) if payload == self.token.as_bytes() => self.seen.pong = Some(self.begun.elapsed()),
            Frame::Close(frame) => return Err(gone(&goodbye(frame.as_ref()))),
            Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => {}
        }
        Ok(())
    }

    fn keep(&mut self, text: &str) {
        if matches!(self.seen.sent, Sent::Text(_)) && self.seen.echo.is_none() && self.is_echo(text) {
            self.seen.echo = Some(self.begun.elapsed());
        }
        if self.seen.received.len() < MOST_MESSAGES {
            self.seen.received.push(text.chars().take(LONGEST_KEPT).collect());
        }
    }

    /// Inside JSON the text's own quotes are escaped.
    fn is_echo(&self, text: &str) -> bool {
        let escaped = serde_json::Value::from(self.expected.as_str()).to_string();
        text.contains(&self.expected) || text.contains(escaped.trim_matches('"'))
    }

    fn silent(&self, patience: Duration) -> ExchangeFailure {
        let seconds = patience.as_secs_f32();
        let (kind, text) = match (&self.seen.sent, self.seen.pong) {
            (Sent::Text(_), Some(_)) => (
                ExchangeFailureKind::NoEcho,
                format!("no echo of the message in {seconds} s, although the server answers pings"),
            ),
            (Sent::Text(_), None) => (ExchangeFailureKind::TimedOut, format!("no echo and no pong in {seconds} s")),
            (Sent::Ping, _) => (ExchangeFailureKind::TimedOut, format!("no pong in {seconds} s")),
        };
        ExchangeFailure { kind, text, received: None }
    }
}

fn gone(text: &str) -> ExchangeFailure {
    ExchangeFailure { kind: ExchangeFailureKind::Closed, text: text.to_owned(), received: None }
}

fn broken(error: &Error) -> ExchangeFailure {
    match closed(error) {
        Closed::Other { why } => ExchangeFailure { kind: ExchangeFailureKind::BadFrame, text: why, received: None },
        Closed::Reset => gone("the connection was reset"),
        _ => gone("the server closed the connection"),
    }
}

fn goodbye(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) if frame.reason.is_empty() => format!("the server said goodbye, code {}", u16::from(frame.code)),
        Some(frame) => format!("the server said goodbye, code {}: {}", u16::from(frame.code), frame.reason),
        None => "the server said goodbye".to_owned(),
    }
}

/// How a connection ended that gave this error.
pub(super) fn closed(error: &Error) -> Closed {
    match error {
        Error::Io(error) => match error.kind() {
            ErrorKind::UnexpectedEof => Closed::EndOfStream,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Closed::Reset,
            _ => Closed::Other { why: error.to_string() },
        },
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::ConnectionClosed | Error::AlreadyClosed => {
            Closed::EndOfStream
        }
        other => Closed::Other { why: other.to_string() },
    }
}
