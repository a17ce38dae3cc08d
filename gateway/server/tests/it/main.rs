//! The gateway through its sockets, before a consortium that fits in memory.

#![allow(unreachable_pub, reason = "one test crate")]

mod documents;
mod equal;
mod evidence;
mod identify;
mod limits;
mod query;
mod quiet;
mod record;
mod support;
