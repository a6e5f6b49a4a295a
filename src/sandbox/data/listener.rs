//! A listener's socket: opening it, and accepting connections until it is closed. No error of accepting ends it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::balance::Turns;
use super::connection::Connection;
use super::listener_tls::ListenerTls;
use super::listing::ListenerKey;
use super::plane::Plane;
use crate::model::Listener;

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// How long a listener that is replaced waits for its port, and how often it tries. A process that this one starts at that moment
/// has a copy of the closed socket until it runs its own program.
const RETURN: Duration = Duration::from_secs(1);
const PACE: Duration = Duration::from_millis(5);

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

/// Opens a listener at the port it had before, else at the first of the plane's ports for it that is free. Errors: why none is, in
/// words for a person.
pub(super) async fn open(
    plane: &Arc<Plane>,
    key: &ListenerKey,
    listener: &Listener,
    address: IpAddr,
    before: Option<u16>,
) -> Result<Open, String> {
    let socket = match before {
        Some(port) => bind_again(SocketAddr::new(address, port)).await,
        None => None,
    };
    let socket = match socket {
        Some(socket) => socket,
        None => bind(address, &plane.traffic.ports.candidates(key.load_balancer_port))?,
    };
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

/// Where a listener was before; `None` if somebody else is there now.
async fn bind_again(address: SocketAddr) -> Option<TcpListener> {
    let end = Instant::now() + RETURN;
    loop {
        match bind_one(address) {
            Ok(socket) => return Some(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => tokio::time::sleep(PACE).await,
            Err(_) => return None,
        }
    }
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
