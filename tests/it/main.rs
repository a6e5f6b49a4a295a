//! The one integration binary: tests through public interfaces and over real sockets, one module a subject.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod adapter;
mod support;
