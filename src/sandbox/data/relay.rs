//! Passing bytes between two streams, each direction for itself: one side may end its direction and go on reading.
//!
//! A connection that is silent holds no buffer here, so that ten thousand of them are cheap.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::idle::Activity;

/// The most bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// A connection's stream, plain or TLS.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// A stream of either kind.
pub(super) type Stream = Box<dyn ByteStream>;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides ended it, or one broke it off.
    Closed,
    /// No payload moved for as long as the idle timeout.
    Idle,
}

/// Passes bytes both ways until both directions have ended, one side breaks off, or nothing moves for too long.
pub(super) async fn relay(client: &mut Stream, instance: &mut Stream, idle_timeout: Duration) -> End {
    let activity = Activity::new();
    let (mut forth, mut back) = (Direction::default(), Direction::default());
    let both = poll_fn(|cx| {
        let first = forth.poll(cx, client, instance, &activity);
        let second = back.poll(cx, instance, client, &activity);
        match (first, second) {
            (Poll::Ready(Err(Broken)), _) | (_, Poll::Ready(Err(Broken))) => Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    tokio::select! {
        () = both => End::Closed,
        () = activity.idle_for(idle_timeout) => End::Idle,
    }
}

/// A stream was reset by its peer: the other one is of no use any more.
struct Broken;

/// One direction of a connection.
#[derive(Default)]
struct Direction {
    /// What was read and could not be written at once.
    pending: Vec<u8>,
    /// How much of it has been written since.
    written: usize,
    /// Whether something was written that may wait in a TLS stream's buffer.
    unflushed: bool,
    /// Whether the source has ended.
    ended: bool,
    /// Whether the end was passed on, or nobody is left to pass anything on to.
    done: bool,
}

impl Direction {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Stream,
        to: &mut Stream,
        activity: &Activity,
    ) -> Poll<Result<(), Broken>> {
        while !self.done {
            match ready!(self.poll_step(cx, from, to, activity)) {
                Ok(()) => {}
                Err(Failure::Read) => return Poll::Ready(Err(Broken)),
                // The receiver takes nothing more, but what it sent before is still to be delivered: the other direction goes on.
                Err(Failure::Write) => self.done = true,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is pending, else passes on the end, else reads.
    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Stream,
        to: &mut Stream,
        activity: &Activity,
    ) -> Poll<Result<(), Failure>> {
        if self.written < self.pending.len() {
            match ready!(Pin::new(&mut *to).poll_write(cx, &self.pending[self.written..])) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Failure::Write)),
                Ok(count) => self.written += count,
            }
            activity.mark();
            if self.written == self.pending.len() {
                (self.pending, self.written) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        if self.ended {
            ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(|_| Failure::Write)?;
            self.done = true;
            return Poll::Ready(Ok(()));
        }
        self.poll_read(cx, from, to, activity)
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Stream,
        to: &mut Stream,
        activity: &Activity,
    ) -> Poll<Result<(), Failure>> {
        // On the stack and only while bytes move, so that waiting costs no memory.
        let mut chunk = [const { MaybeUninit::uninit() }; CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        match Pin::new(from).poll_read(cx, &mut chunk) {
            Poll::Pending => {
                if self.unflushed {
                    ready!(Pin::new(to).poll_flush(cx)).map_err(|_| Failure::Write)?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            }
            Poll::Ready(Err(error)) if is_end(&error) => self.ended = true,
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Failure::Read)),
            Poll::Ready(Ok(())) if chunk.filled().is_empty() => self.ended = true,
            Poll::Ready(Ok(())) => {
                activity.mark();
                self.unflushed = true;
                let mut bytes = chunk.filled();
                while !bytes.is_empty() {
                    match Pin::new(&mut *to).poll_write(cx, bytes) {
                        Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Failure::Write)),
                        Poll::Ready(Ok(count)) => bytes = &bytes[count..],
                        Poll::Pending => {
                            self.pending = bytes.to_vec();
                            return Poll::Pending;
                        }
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

enum Failure {
    Read,
    Write,
}

/// A TLS peer that closes its socket without saying goodbye has ended all the same; most browsers do so.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
