//! Votes signed and verified with the consortium's suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::Label;
use covenant_consensus::{SignError, VoteSigner, VoteVerifier};
use covenant_domain::MemberId;
use covenant_ledger::MemberKeys;
use covenant_suite::{Signature, SigningKey, suite};

pub(crate) struct Votes {
    pub(crate) member: MemberId,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) keys: BTreeMap<MemberId, MemberKeys>,
}

impl VoteSigner for Votes {
    fn member(&self) -> &MemberId {
        &self.member
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signed = suite(self.key.suite()).sign(&self.key, Label::VOTE, message);
        signed.map(|s| s.as_bytes().to_vec()).map_err(|e| SignError(e.to_string()))
    }
}

impl VoteVerifier for Votes {
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
        verify(&self.keys, member, message, signature)
    }
}

/// Whether this is the member's vote.
pub(crate) fn verify(
    keys: &BTreeMap<MemberId, MemberKeys>,
    member: &MemberId,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(keys) = keys.get(member) else { return false };
    Signature::from_bytes(keys.verifying.suite(), signature)
        .and_then(|s| keys.verifying.verify(Label::VOTE, message, &s))
        .is_ok()
}
