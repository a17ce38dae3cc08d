//! Use cases of the gateway, one file per noun, over the port [`Consortium`].
//!
//! A request enters as an [`Authentic`] value: its signature, author, age and nonce were checked, and only [`Gateway`]
//! can make one. Each use case checks that what it handles is the caller's own, asks the port and shapes the answer.
//! Everything that can go wrong becomes a problem document here, once.
//!
//! The gateway decides nothing: policy is applied by the nodes, and the holder re-checks it all. [`Nodes`] is the port over
//! nodes of which each is a [`port::NodePort`]. Nothing here opens a socket or asks for the time of day.
#![deny(missing_docs)]

mod batch;
mod caller;
mod catalogue;
mod consent;
mod dataset;
mod dcat;
mod entry;
mod epoch;
mod escrow;
mod evidence;
mod gateway;
mod grant;
mod health;
mod index;
mod ledger;
mod limit;
mod lookup;
mod nodes;
mod plan;
mod policy;
pub mod port;
mod problem;
mod query;
mod register;
mod replay;
mod usage;

pub use caller::{Authentic, Caller, Incoming};
pub use gateway::{Gateway, Settings};
pub use limit::Rate;
pub use nodes::Nodes;
pub use port::Consortium;
