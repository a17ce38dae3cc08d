//! The `covenant` command: everything a member does from a terminal, and the demo.
//!
//! | module | holds |
//! |---|---|
//! | `args`, `dispatch` | what may be typed, and which module does it |
//! | `context` | key, passphrase, trust root and gateway of this call |
//! | `document`, `print`, `table`, `words`, `error` | what a command returns, and how it reaches the terminal |
//! | `files`, `subject`, `claims`, `ground` | what comes from files, personal data above all |
//! | `answer` | answers: shown, kept, their documents saved |
//! | `publish`, `act` | entries for the ledger; acts of administration, with an officer's signature where one is needed |
//! | `init`, `node`, `gateway`, `signals` | founding a consortium; the processes |
//! | `local`, `doctor`, `backup`, `certificate` | a member's own node, for its operator |
//! | `member`, `proposal` | who belongs, and votes |
//! | `soak` | faults of real processes |
//! | `authority`, `my` | the authorisation service, and what citizens do there |
//! | `consent`, `dataset`, `grant`, `keys`, `ledger`, `policy`, `purpose`, `query` | commands of one noun each |
//! | `evidence`, `explain`, `import`, `status`, `verify` | single commands |
//! | `demo` | a consortium in this process |
//!
//! Commands return a [`document::Document`] and print nothing; `print` alone writes to the terminal. This is not a
//! library: what other programs need is in `covenant-client`.
#![forbid(unsafe_code)]

mod act;
mod answer;
mod args;
mod authority;
mod backup;
mod calendar;
mod catalogue;
mod certificate;
mod claims;
mod consent;
mod context;
mod dataset;
mod delegation;
mod demo;
mod dispatch;
mod dispute;
mod doctor;
mod document;
mod epoch;
mod error;
mod evidence;
mod explain;
mod files;
mod gateway;
mod grant;
mod ground;
mod import;
mod init;
mod keys;
mod ledger;
mod local;
mod member;
mod my;
mod node;
mod oversight;
mod policy;
mod print;
mod proposal;
mod publish;
mod purpose;
mod query;
mod receipt;
mod record_model;
mod request;
mod right;
mod signals;
mod soak;
mod status;
mod subject;
mod table;
mod usage;
mod verify;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    dispatch::start(args::Cli::parse()).into()
}
