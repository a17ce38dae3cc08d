//! A rule book looked at before it is adopted: rules that contradict each other or can never speak, who could see which
//! field, and which questions get another answer than before.
//!
//! Everything is a pure function of the books and the catalogue, with canonical bytes: voters who review the same
//! proposal get the same digest. This crate decides nothing and knows no grant: what it calls reachable still needs
//! one, and a consent where the purpose demands it.
#![deny(missing_docs)]

mod diff;
mod finding;
mod names;
mod pairs;
mod reach;
mod review;
mod space;

pub use diff::{Answer, Change, Difference, diff};
pub use finding::{Finding, FindingCode, Severity};
pub use reach::Reach;
pub use review::{Review, review};
pub use space::Catalogue;
