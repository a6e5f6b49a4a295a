//! One client's WebSocket: what it says goes to the room, what happens in the room goes to it.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::message::{Event, Request};
use super::room::{Member, Room};

/// The largest message, in bytes: the longest text there may be, each character escaped in JSON.
const LARGEST: usize = 16 << 10;

/// How often a silent client is asked whether it is there: below the balancer's idle timeout of 60 s and nginx's (elb-facts 2.5).
const PING: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves a client until it goes, is sent away, or no longer answers.
pub(super) async fn serve(upgrade: OnUpgrade, client: String, room: &Room) {
    let Ok(upgraded) = upgrade.await else { return };
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let Some((mut member, hello)) = room.enter(client) else {
        close(&mut socket, CloseCode::Again, "the chat is full").await;
        return;
    };
    // Whatever goes wrong with a connection, its client learns of it from the connection itself.
    let _ = converse(&mut socket, &mut member, hello).await;
}

async fn converse(socket: &mut Socket, member: &mut Member<'_>, hello: Event) -> Result<(), Error> {
    send(socket, &hello).await?;
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = true;
    loop {
        tokio::select! {
            message = socket.next() => {
                heard = true;
                match message.transpose()? {
                    None | Some(Message::Close(_)) => return Ok(()),
                    Some(Message::Text(text)) => if let Err(why) = act(member, &text) {
                        send(socket, &Event::Error(why)).await?;
                    },
                    // Pings are answered by the protocol's implementation.
                    Some(_) => {}
                }
            }
            event = member.events.recv() => match event {
                Ok(event) => send(socket, &event).await?,
                Err(RecvError::Lagged(_)) => {
                    close(socket, CloseCode::Policy, "too slow for this chat").await;
                    return Ok(());
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = ping.tick() => {
                if !std::mem::take(&mut heard) {
                    return Ok(());
                }
                socket.send(Message::Ping(Default::default())).await?;
            }
        }
    }
}

fn act(member: &mut Member<'_>, text: &str) -> Result<(), String> {
    match Request::parse(text)? {
        Request::Say(text) => member.say(text),
        Request::Name(name) => member.rename(name)?,
    }
    Ok(())
}

async fn send(socket: &mut Socket, event: &Event) -> Result<(), Error> {
    // Strings and lists of strings are always JSON.
    let text = serde_json::to_string(event).unwrap_or_default();
    socket.send(Message::text(text)).await
}

async fn close(socket: &mut Socket, code: CloseCode, reason: &'static str) {
    // It goes either way.
    let _ = socket.close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })).await;
}
