//! The tables as sea-orm sees them, one per file.
#![allow(unreachable_pub, reason = "the derived code of an entity has to be public")]

pub(crate) mod answer;
pub(crate) mod block;
pub(crate) mod entry;
pub(crate) mod evidence;
pub(crate) mod input;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod mark;
pub(crate) mod pending;
pub(crate) mod remembered;
pub(crate) mod state;
pub(crate) mod tile;
pub(crate) mod tip;
pub(crate) mod undecided;
