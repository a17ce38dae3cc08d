//! For who was answered: a dispute, with its grounds kept beside the ledger.

use covenant_canon::{Digest, Label};
use covenant_domain::{DatasetId, Dispute, DisputeId, DisputeKind, FieldName, IntentId};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use crate::identity::now_ms;
use crate::request::ten_random_bytes;
use crate::{Client, ClientError};

/// What goes to the holder on another way: the grounds, and the salt that ties them to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    /// The dispute on the ledger.
    pub dispute: DisputeId,
    /// 32 random bytes.
    #[serde(with = "hex")]
    pub salt: [u8; 32],
    /// What is wrong and how it is known. May name people; never put it on the ledger.
    pub text: String,
}

impl Client {
    /// A dispute about an answered query, and the grounds to hand to the holder.
    ///
    /// # Errors
    /// [`ClientError::Draft`] when no grounds are given.
    pub fn dispute(
        &self,
        intent: IntentId,
        dataset: DatasetId,
        mut fields: Vec<FieldName>,
        kind: DisputeKind,
        text: String,
    ) -> Result<(Dispute, Grounds), ClientError> {
        if text.trim().is_empty() {
            return Err(ClientError::Draft { reason: "a dispute needs grounds".into() });
        }
        fields.sort();
        fields.dedup();
        let mut salt = [0; 32];
        rand::rng().fill_bytes(&mut salt);
        let id = DisputeId::from_parts(now_ms(), &ten_random_bytes());
        let grounds = Grounds { dispute: id, salt, text };
        let digest = self.grounds_digest(&grounds);
        Ok((Dispute { id, intent, dataset, fields, kind, grounds: digest }, grounds))
    }

    /// Digest of grounds as the ledger carries it; whoever receives them compares.
    pub fn grounds_digest(&self, grounds: &Grounds) -> Digest {
        let Grounds { dispute, salt, text } = grounds;
        let suite = self.trust().suite;
        Digest::of_parts(suite, Label::GROUNDS, &[dispute.as_bytes(), salt, text.as_bytes()])
    }
}
