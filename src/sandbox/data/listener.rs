//! A listener's socket: opening it, and accepting connections until it is closed. No error of accepting ends it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::balance::Turns;
use super::connection::Connection;
use super::listener_tls::ListenerTls;
use super::listing::ListenerKey;
use super::plane::Plane;
use crate::model::Listener;

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// The pause after an error of accepting, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// An open listener.
pub(super) struct Open {
    /// The listener it was opened for.
    pub(super) listener: Listener,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Its TLS settings.
    pub(super) tls: Arc<ListenerTls>,
    /// The policies that were last looked at.
    pub(super) policies: Option<BTreeSet<String>>,
    /// Cancelled when it accepts no more.
    pub(super) stop: CancellationToken,
    /// Cancelled when its connections are to end at once.
    pub(super) cut: CancellationToken,
    /// Ends when the socket is closed.
    pub(super) task: JoinHandle<()>,
}

/// Opens a listener at the first of the ports that is free. Errors: why none is, in words for a person.
pub(super) fn open(
    plane: &Arc<Plane>,
    key: &ListenerKey,
    listener: &Listener,
    address: IpAddr,
    ports: &[u16],
) -> Result<Open, String> {
    let socket = bind(address, ports)?;
    let address = socket.local_addr().map_err(|error| error.to_string())?;
    let (stop, cut) = (plane.stop.child_token(), plane.cut.child_token());
    let tls = Arc::new(ListenerTls::default());
    let accepting = Accepting {
        plane: plane.clone(),
        key: Arc::new(key.clone()),
        turns: Arc::new(Turns::default()),
        tls: tls.clone(),
        stop: stop.clone(),
        cut: cut.clone(),
    };
    let task = plane.tasks.spawn(accepting.run(socket));
    Ok(Open { listener: listener.clone(), address, tls, policies: None, stop, cut, task })
}

fn bind(address: IpAddr, ports: &[u16]) -> Result<TcpListener, String> {
    let mut why = String::new();
    for port in ports {
        let error = match bind_one(SocketAddr::new(address, *port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        why = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} of {address} is in use"),
            io::ErrorKind::PermissionDenied => format!("this user may not listen on port {port}"),
            _ => return Err(format!("cannot listen on port {port} of {address}: {error}")),
        };
    }
    match ports {
        [_] => Err(why),
        _ => Err(format!("{why}, and so are the other ports for it")),
    }
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a listener can be opened again at once where connections of its predecessor still end.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

struct Accepting {
    plane: Arc<Plane>,
    key: Arc<ListenerKey>,
    turns: Arc<Turns>,
    tls: Arc<ListenerTls>,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Accepting {
    async fn run(self, socket: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            let (stream, client) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.plane.notes().add(&self.key, format!("a connection was not accepted: {error}"));
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(permit) = self.plane.permits.clone().try_acquire_owned() else {
                self.plane.notes().add(&self.key, "a connection was closed: there are too many".to_owned());
                continue;
            };
            let (Ok(local), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else { continue };
            let connection = Connection {
                plane: self.plane.clone(),
                key: self.key.clone(),
                turns: self.turns.clone(),
                tls: self.tls.clone(),
                stop: self.stop.clone(),
                client,
                local: local.ip(),
            };
            let cut = self.cut.clone();
            self.plane.tasks.spawn(async move {
                let _permit = permit;
                tokio::select! {
                    () = cut.cancelled_owned() => {}
                    () = connection.run(stream) => {}
                }
            });
        }
    }
}
