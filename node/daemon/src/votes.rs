//! Votes signed and verified with the consortium's suite, by the keys of their height.

use std::sync::Arc;

use covenant_canon::Label;
use covenant_consensus::{SignError, VoteSigner, VoteVerifier};
use covenant_domain::MemberId;
use covenant_ledger::{Membership, Statement, Trust};
use covenant_suite::{Signature, suite};
use parking_lot::RwLock;

use crate::keyring::Keyring;

pub(crate) struct Votes {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) trust: Arc<RwLock<Trust>>,
}

impl Votes {
    /// The membership of the height that a vote or proposal is about.
    fn membership(&self, message: &[u8]) -> Option<Arc<Membership>> {
        let height = Statement::read(message)?.height;
        Some(self.trust.read().at(height).clone())
    }
}

impl VoteSigner for Votes {
    fn member(&self) -> &MemberId {
        self.keyring.member()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let membership = self.membership(message).ok_or_else(|| SignError("neither a vote nor a proposal".into()))?;
        let key = self.keyring.key_of(&membership).ok_or_else(|| {
            let (member, number) = (self.keyring.member(), membership.roster().number);
            SignError(format!("roster {number} names a key of `{member}` that is not here: put its key file in place"))
        })?;
        let signed = suite(key.suite()).sign(&key, Label::VOTE, message);
        signed.map(|s| s.as_bytes().to_vec()).map_err(|e| SignError(e.to_string()))
    }
}

impl VoteVerifier for Votes {
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
        self.membership(message).is_some_and(|membership| verify(&membership, member, message, signature))
    }
}

/// Whether this is the member's vote.
pub(crate) fn verify(membership: &Membership, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
    let Some(keys) = membership.keys(member) else { return false };
    Signature::from_bytes(keys.verifying.suite(), signature)
        .and_then(|s| keys.verifying.verify(Label::VOTE, message, &s))
        .is_ok()
}
