//! From engine messages to bytes at a peer and back.
//!
//! [`Switch`] holds what both directions share; `actor` is the outward half that the engine talks to, `receive` the
//! inward half. Below them is a [`Link`].

mod actor;
mod allowance;
mod link;
mod memory;
mod receive;
mod switch;

pub(crate) use actor::spawn;
pub use link::{Link, LinkEvent, Network};
pub use memory::{Conditions, MemoryHub};
pub(crate) use receive::receive;
pub(crate) use switch::{Ask, Switch};
