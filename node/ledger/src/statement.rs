//! What a validator said, read back from the bytes it signed.

use covenant_canon::{Digest, Label, from_bytes};
use covenant_domain::{Equivocation, MemberId};

use crate::certificate::{ProposalMessage, VoteMessage};
use crate::{MemberKeys, VoteKind};

/// A vote or a proposal. Its bytes are those of [`vote_bytes`](crate::vote_bytes) and
/// [`proposal_bytes`](crate::proposal_bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Prevote or precommit; absent for a proposal.
    pub kind: Option<VoteKind>,
    /// Height.
    pub height: u64,
    /// Round.
    pub round: u32,
    /// The block, or none.
    pub block: Option<Digest>,
    /// Who says so.
    pub validator: MemberId,
    /// Digest of the genesis.
    pub consortium: Digest,
}

impl Statement {
    /// Reads the bytes; none when they are neither a vote nor a proposal.
    pub fn read(message: &[u8]) -> Option<Self> {
        if let Ok(vote) = from_bytes::<VoteMessage>(message)
            && vote.label == Label::VOTE.as_str()
        {
            let VoteMessage { consortium, kind, height, round, block, validator, .. } = vote;
            return Some(Self { kind: Some(kind), height, round, block, validator, consortium });
        }
        let ProposalMessage { label, consortium, height, round, block, validator, .. } = from_bytes(message).ok()?;
        let proposal = Self { kind: None, height, round, block: Some(block), validator, consortium };
        (label == Label::PROPOSAL.as_str()).then_some(proposal)
    }
}

/// Whether the two statements contradict each other and both are the validator's: in one round it voted twice in one
/// kind, or proposed twice. `keys` are the validator's at that height.
///
/// # Errors
/// What is wrong, in words.
pub fn check_equivocation(shown: &Equivocation, consortium: &Digest, keys: &MemberKeys) -> Result<(), String> {
    let read = |message: &[u8]| Statement::read(message).ok_or("a statement is neither vote nor proposal");
    let (first, second) = (read(&shown.first.message)?, read(&shown.second.message)?);
    let same = first.kind == second.kind && first.round == second.round && first.block != second.block;
    let fits =
        |s: &Statement| s.height == shown.height && s.validator == shown.validator && &s.consortium == consortium;
    if !same || !fits(&first) || !fits(&second) {
        return Err("the statements do not contradict each other in one round of that validator".into());
    }
    let signed = |statement: &covenant_domain::SignedStatement| {
        covenant_suite::Signature::from_bytes(keys.verifying.suite(), &statement.signature)
            .and_then(|s| keys.verifying.verify(Label::VOTE, &statement.message, &s))
            .is_ok()
    };
    if signed(&shown.first) && signed(&shown.second) {
        Ok(())
    } else {
        Err(format!("a statement is not signed by `{}`", shown.validator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{proposal_bytes, vote_bytes};

    #[test]
    fn statements_read_back_as_they_were_made() {
        let (consortium, who) = (Digest([1; 32]), MemberId::new("tax").unwrap());
        for (kind, block) in [(VoteKind::Prevote, None), (VoteKind::Precommit, Some(Digest([2; 32])))] {
            let read = Statement::read(&vote_bytes(&consortium, kind, 7, 1, block, &who)).unwrap();
            let expected =
                Statement { kind: Some(kind), height: 7, round: 1, block, validator: who.clone(), consortium };
            assert_eq!(read, expected);
        }
        let message = proposal_bytes(&consortium, 7, 1, Digest([2; 32]), Some(0), &who);
        let read = Statement::read(&message).unwrap();
        assert_eq!((read.kind, read.block), (None, Some(Digest([2; 32]))));
        assert_eq!(Statement::read(&message[1..]), None);
        assert_eq!(Statement::read(b""), None);
    }
}
