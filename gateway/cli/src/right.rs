//! `covenant right`: changes of rights that several bureaus sign. The record stays here; the ledger has a salted digest.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use covenant_client::{Client, SALT_BYTES};
use covenant_domain::{Body, DatasetId, RightChange, RightId, RightKind, RightState};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::publish::publish;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum RightCommand {
    /// Propose a change and sign it; the salt is written beside the record
    Propose(ProposeArgs),
    /// Sign a change that another bureau proposed, after comparing the record with what is on the ledger
    Sign {
        /// Its id
        id: RightId,
        /// The opening that the proposer handed over; checked before signing
        #[arg(long, value_name = "FILE")]
        opening: PathBuf,
        /// The record
        #[arg(long, value_name = "FILE")]
        record: PathBuf,
    },
    /// Show a change with its signatures
    Show {
        /// Its id
        id: RightId,
    },
    /// Compare a record and its salt with the ledger: exit 0 equal, 1 not
    Check {
        /// The opening that was written when it was proposed
        #[arg(long, value_name = "FILE")]
        opening: PathBuf,
        /// The record
        #[arg(long, value_name = "FILE")]
        record: PathBuf,
    },
}

/// A change to propose.
#[derive(Debug, Args)]
pub(crate) struct ProposeArgs {
    /// The register, a dataset with co-signers
    #[arg(long)]
    dataset: DatasetId,
    /// What happens
    #[arg(long, value_enum)]
    kind: Kind,
    /// The change before it; for all but a registration
    #[arg(long)]
    follows: Option<RightId>,
    /// The record as it will be
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// The new opening, id and salt; keep it with the record. Beside the record unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What happens to a right.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// First entry in the register
    Registration,
    /// Mortgage or pledge
    Pledge,
    /// Another owner
    Transfer,
}

/// What opens the digest on the ledger, together with the record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    id: RightId,
    #[serde(with = "hex_salt")]
    salt: [u8; SALT_BYTES],
}

/// Salt as hex text.
mod hex_salt {
    use super::SALT_BYTES;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(salt: &[u8; SALT_BYTES], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&salt.iter().map(|b| format!("{b:02x}")).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; SALT_BYTES], D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || D::Error::custom(format!("salt of {} hex digits expected", 2 * SALT_BYTES));
        let byte = |at: usize| text.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let bytes: Option<Vec<u8>> = (0..SALT_BYTES).map(byte).collect();
        bytes.filter(|_| text.len() == 2 * SALT_BYTES).and_then(|b| b.try_into().ok()).ok_or_else(wrong)
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: RightCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        RightCommand::Propose(args) => propose(&client, args).await,
        RightCommand::Sign { id, opening, record } => {
            let opening = read(&opening)?;
            if opening.id != id {
                return Err(CliError::usage(format!("the opening is of right change {}, not of {id}", opening.id)));
            }
            let checked = check(&client, &opening, &record).await?;
            if checked.exit != Exit::Done {
                return Ok(checked);
            }
            publish(&client, Body::RightSigned(id)).await
        }
        RightCommand::Show { id } => {
            let state = client.right(&id).await?;
            Ok(Document::new(shown(&state), &state))
        }
        RightCommand::Check { opening, record } => check(&client, &read(&opening)?, &record).await,
    }
}

async fn propose(client: &Client, args: ProposeArgs) -> Result<Document, CliError> {
    let ProposeArgs { dataset, kind, follows, record, out } = args;
    let bytes = files::read(&record)?;
    let mut salt = [0; SALT_BYTES];
    rand::rng().fill_bytes(&mut salt);
    let id = RightId::from_parts(words::now_ms(), &covenant_client::ten_random_bytes());
    let kind = match kind {
        Kind::Registration => RightKind::Registration,
        Kind::Pledge => RightKind::Pledge,
        Kind::Transfer => RightKind::Transfer,
    };
    let change = RightChange { id, dataset, kind, record: client.right_digest(&id, &salt, &bytes), follows };
    let out = out.unwrap_or_else(|| beside(&record));
    // Written first: without its salt, a digest on the ledger proves nothing.
    let text = serde_json::to_vec_pretty(&Opening { id, salt }).unwrap_or_default();
    files::write_new(&out, &text, true)?;
    let published = publish(client, Body::RightProposed(change)).await?;
    if published.exit != Exit::Done {
        let removed = std::fs::remove_file(&out);
        removed.map_err(|source| CliError::File { action: "remove", path: out.clone(), source })?;
        return Ok(published);
    }
    let human = format!("{}\nopening: `{}`; keep it with the record", published.human, out.display());
    Ok(Document { human, ..published })
}

fn beside(record: &Path) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(".opening.json");
    name.into()
}

fn read(opening: &Path) -> Result<Opening, CliError> {
    files::read_value(opening, "an opening of a right")
}

async fn check(client: &Client, opening: &Opening, record: &Path) -> Result<Document, CliError> {
    let bytes = files::read(record)?;
    let state = client.right(&opening.id).await?;
    let equal = state.change.record.ct_eq(&client.right_digest(&opening.id, &opening.salt, &bytes));
    let word = if equal { "is the one" } else { "is not the one" };
    let human = format!(
        "{} record `{}` {word} of right change {}\n{}",
        words::mark(equal),
        record.display(),
        opening.id,
        shown(&state)
    );
    let told = serde_json::json!({ "equal": equal, "right": state });
    Ok(Document::new(human, &told).demanding(equal))
}

fn shown(state: &RightState) -> String {
    let RightState { change, signed, signers, effective_ms, followed_by } = state;
    let mut lines = vec![
        format!("right change {}: {} in {}", change.id, words::name(&change.kind), change.dataset),
        format!("signed by {} of {}", words::list(signed), words::list(signers)),
    ];
    lines.push(if *effective_ms == 0 {
        "not effective: signatures are missing".to_owned()
    } else {
        format!("effective since {}", words::time(*effective_ms))
    });
    lines.extend(change.follows.map(|id| format!("follows {id}")));
    lines.extend(followed_by.map(|id| format!("followed by {id}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_read_back_and_spoilt_ones_refused() {
        let opening = Opening { id: RightId::from_parts(1, &[2; 10]), salt: [0xa5; SALT_BYTES] };
        let text = serde_json::to_string(&opening).unwrap();
        let back: Opening = serde_json::from_str(&text).unwrap();
        assert_eq!((back.id, back.salt), (opening.id, opening.salt));
        for spoilt in [text.replace("a5a5", "a5"), text.replace("a5", "zz"), text.replace("a5a5", "a5a5a5a5")] {
            assert!(serde_json::from_str::<Opening>(&spoilt).is_err(), "{spoilt}");
        }
        assert_eq!(beside(Path::new("r.json")), PathBuf::from("r.json.opening.json"));
    }
}
