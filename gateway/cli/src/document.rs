//! What a command has to say, once for people and once for programs.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

/// How the process ends. The numbers are an interface: scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done; a question was answered; evidence verified.
    Done = 0,
    /// Refused, rejected, not verified, a step failed.
    No = 1,
    /// Wrong usage, or an input that cannot be read.
    Unusable = 2,
    /// The gateway or a database is not reachable.
    Unreachable = 3,
    /// Not final yet: ask again.
    Pending = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Document {
    /// For people, without a line end after it.
    pub(crate) human: String,
    /// For programs.
    pub(crate) machine: Value,
    /// How the process ends.
    pub(crate) exit: Exit,
}

impl Document {
    /// A document whose machine form is the JSON of a value.
    pub(crate) fn new(human: impl Into<String>, machine: &impl Serialize) -> Self {
        // Documents are plain structs: serialisation has no failing case.
        let machine = serde_json::to_value(machine).unwrap_or_default();
        Self { human: human.into(), machine, exit: Exit::Done }
    }

    /// The same with another end.
    pub(crate) fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// [`Exit::No`] unless it holds.
    pub(crate) fn demanding(self, holds: bool) -> Self {
        if holds { self } else { self.ending(Exit::No) }
    }
}
