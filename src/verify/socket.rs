//! A connection to the server, plain or encrypted, on which the client speaks first and that remembers how the server began.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of what the server sends is kept for the diagnosis, in bytes.
const KEPT: usize = 96;

/// Any stream of bytes.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// The first bytes that came from the server.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// The first bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first bytes as a person can read them: text as text, other bytes as `\x15`.
    pub(super) fn preview(&self) -> Option<String> {
        let bytes = self.bytes();
        (!bytes.is_empty()).then(|| bytes.escape_ascii().to_string())
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

/// A stream that remembers its first bytes, and gives none before something was written: a server that finds the PROXY line
/// wrong has answered before the request is on its way, and an answer to nothing is one that HTTP clients refuse.
pub(super) struct Listened<S> {
    stream: S,
    heard: Heard,
    has_spoken: bool,
    reader: Option<Waker>,
}

impl<S> Listened<S> {
    /// Listens to a stream.
    pub(super) fn new(stream: S) -> (Self, Heard) {
        let heard = Heard::default();
        (Listened { stream, heard: heard.clone(), has_spoken: false, reader: None }, heard)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.has_spoken {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(new) = buffer.filled().get(before..) {
            self.heard.add(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.has_spoken = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
