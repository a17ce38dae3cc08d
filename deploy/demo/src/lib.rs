//! A synthetic city and a consortium in one process: what `covenant demo` shows and what whole-system tests run on. The
//! nodes, the gateway and the clients are the same code that a department runs; only the links between nodes are memory.
#![deny(missing_docs)]

pub mod catalogue;
pub mod city;
mod consortium;
mod desk;
mod error;
mod setup;
mod story;

pub use consortium::{Consortium, Founding, MEMBERS, MemberLine, PASSPHRASE, Settings, port};
pub use desk::Desk;
pub use error::DemoError;
pub use setup::{Imported, counter_sign, import_city, publish, publish_as, publish_rules};
pub use story::{Line, Story};
