//! For the authorisation service: a consent for the ledger, and a ticket for the consumer.

use covenant_api::Base64Bytes;
use covenant_canon::{Label, to_bytes};
use covenant_domain::{
    Body, Commitment, Consent, ConsentId, ConsentKind, ConsentScope, MemberId, Mode, PurposeCode, Subject,
};
use covenant_sigma::{Opening, commit, opens};
use covenant_suite::{Opener, Sealed, Sealer, SealingKey};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::identity::now_ms;
use crate::query::fresh_opening;
use crate::request::ten_random_bytes;
use crate::{ClientError, Ground, Identity};

/// Longest ticket that is read, in bytes.
const MAX_TICKET: usize = 256 * 1024;

/// What the subject allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who may ask.
    pub consumer: MemberId,
    /// Why.
    pub purpose: PurposeCode,
    /// About what.
    pub scopes: Vec<ConsentScope>,
    /// How.
    pub modes: Vec<Mode>,
    /// From when, milliseconds since 1970.
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    pub valid_until_ms: u64,
    /// Queries it allows in all.
    pub max_uses: u32,
    /// How long an answer may be kept, in days.
    pub data_life_days: u32,
}

/// What the consumer receives on its own way: the consent, and the opening of its commitment sealed to the consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentTicket {
    /// The consent as it stands on the ledger.
    pub consent: Consent,
    /// Canonical bytes of the sealed opening.
    pub sealed: Base64Bytes,
}

/// Commits to the subject and seals the opening to the consumer. Publish the body with the service's own client; it
/// names nobody.
///
/// # Errors
/// [`ClientError::Crypto`] when the key cannot be sealed to.
pub fn issue(subject: &Subject, terms: Terms, consumer: &SealingKey) -> Result<(Body, ConsentTicket), ClientError> {
    let opening = fresh_opening();
    let commitment = Commitment(commit(&Zeroizing::new(subject.canonical()), &opening));
    let consent = Consent {
        id: ConsentId::from_parts(now_ms(), &ten_random_bytes()),
        consumer: terms.consumer,
        purpose: terms.purpose,
        scopes: terms.scopes,
        modes: terms.modes,
        commitment,
        valid_from_ms: terms.valid_from_ms,
        valid_until_ms: terms.valid_until_ms,
        max_uses: terms.max_uses,
        data_life_days: terms.data_life_days,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: None,
        representative: None,
        request: None,
    };
    let sealer = Sealer::new(consumer, Label::SEAL_CONSENT, &mut rand::rng())
        .map_err(ClientError::crypto("encapsulating to the consumer"))?;
    let plaintext = Zeroizing::new(opening.to_bytes());
    let sealed = sealer
        .seal(consent.id.as_bytes(), &to_bytes(&consent), plaintext.as_slice())
        .map_err(ClientError::crypto("sealing the opening"))?;
    let ticket = ConsentTicket { consent: consent.clone(), sealed: sealed.to_bytes().into() };
    Ok((Body::ConsentIssued(consent), ticket))
}

impl ConsentTicket {
    /// Opens the ticket with the consumer's own key.
    ///
    /// # Errors
    /// [`ClientError::Crypto`] when it is sealed to another, or the consent beside it was altered.
    pub fn open(&self, identity: &Identity) -> Result<Opening, ClientError> {
        let wrong = |reason: String| ClientError::Ticket { reason };
        let sealed = Sealed::from_bytes(&self.sealed.0).map_err(|e| wrong(e.to_string()))?;
        let opener = Opener::new(Arc::clone(&identity.opening), Label::SEAL_CONSENT);
        let plaintext = opener
            .open(self.consent.id.as_bytes(), &to_bytes(&self.consent), &sealed)
            .map_err(ClientError::crypto("opening the consent ticket"))?;
        let bytes: Zeroizing<[u8; 32]> =
            Zeroizing::new(plaintext.as_slice().try_into().map_err(|_| wrong("opening is not 32 bytes".into()))?);
        Opening::from_bytes(&bytes).map_err(|e| wrong(e.to_string()))
    }

    /// Opens the ticket as ground for a question about this subject.
    ///
    /// # Errors
    /// As [`ConsentTicket::open`], and [`ClientError::Ticket`] when the consent is somebody else's.
    pub fn ground(&self, identity: &Identity, subject: &Subject) -> Result<Ground, ClientError> {
        let opening = self.open(identity)?;
        let canonical = Zeroizing::new(subject.canonical());
        match opens(&self.consent.commitment.0, &canonical, &opening) {
            Ok(true) => Ok(Ground::Consent { id: self.consent.id, commitment: self.consent.commitment, opening }),
            _ => Err(ClientError::Ticket { reason: "the consent is not this subject's".into() }),
        }
    }

    /// The ticket's file content.
    pub fn to_json(&self) -> String {
        // Plain structs of strings and numbers: serialisation has no failing case.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a ticket's file content.
    ///
    /// # Errors
    /// [`ClientError::Ticket`].
    pub fn from_json(json: &[u8]) -> Result<Self, ClientError> {
        if json.len() > MAX_TICKET {
            return Err(ClientError::Ticket { reason: format!("longer than {MAX_TICKET} bytes") });
        }
        serde_json::from_slice(json).map_err(|e| ClientError::Ticket { reason: e.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_suite::SuiteId;

    #[test]
    fn only_the_consumer_opens_and_only_for_the_subject() {
        let member = |id| MemberId::new(id).unwrap();
        let bank = Identity::generate(member("bank"), SuiteId::Sm);
        let other = Identity::generate(member("other"), SuiteId::Sm);
        let subject = Subject::parse("resident:11010519491231002X").unwrap();
        let terms = Terms {
            consumer: member("bank"),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            scopes: vec![],
            modes: vec![Mode::Match],
            valid_from_ms: 0,
            valid_until_ms: 10,
            max_uses: 1,
            data_life_days: 1,
        };
        let (body, ticket) = issue(&subject, terms, bank.opening.sealing_key()).unwrap();
        let Body::ConsentIssued(consent) = body else { panic!("not a consent") };
        let ticket = ConsentTicket::from_json(ticket.to_json().as_bytes()).unwrap();
        let opening = ticket.open(&bank).unwrap();
        assert!(opens(&consent.commitment.0, &subject.canonical(), &opening).unwrap());
        assert!(ticket.ground(&bank, &subject).is_ok());
        let stranger = Subject::parse("company:91350100M000100Y43").unwrap();
        assert!(matches!(ticket.ground(&bank, &stranger), Err(ClientError::Ticket { .. })));
        assert!(ticket.open(&other).is_err());
        let mut altered = ticket;
        altered.consent.max_uses = 100;
        assert!(altered.open(&bank).is_err());
        assert!(ConsentTicket::from_json(b"{}").is_err());
    }
}
