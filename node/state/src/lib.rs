//! What ledger entries mean. Executing a block is a pure function of the state and the block: it yields the entries that
//! execution derives (decisions, lapses, rejections) and the changes of the state, and touches nothing. Applying an
//! execution changes the state in memory; `node/store` writes the same rows to disk.
//!
//! Equal blocks give equal states on every node, whatever its database: ordered collections, block time, no floats.
#![deny(missing_docs)]

mod apply;
mod beside;
mod catalogue;
mod claim;
mod draft;
mod execution;
mod fresh;
mod lookup;
mod object;
mod objects;
mod roster;
mod state;
mod tree;
mod view;

pub use beside::{Beside, Twice};
pub use execution::{Execution, Inadmissible, Row, SeenEntry};
pub use object::{EscrowInForce, Key, Object, OpenQuery, WindowUse};
pub use state::{State, StateError};
