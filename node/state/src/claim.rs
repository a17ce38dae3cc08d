//! Whether the claim of a lookup is proven: checked by every node when the intent is decided.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Authority, Commitment, Intent};
use covenant_engine::{Facts, Guard};
use covenant_oprf::{claim_of, lookup_context};
use covenant_sigma::{EscrowKey, verify_claim};

use crate::draft::Draft;

/// Some when the proof holds. Everything it is bound to comes from the ledger, not from the intent's word.
pub(crate) fn holds(draft: &Draft<'_>, intent: &Intent) -> Option<()> {
    let claim = intent.lookup.as_ref()?;
    if intent.input != Digest::of(draft.base.suite(), Label::QUERY_INPUT, &to_bytes(claim)) {
        return None;
    }
    let holder = &draft.dataset(&intent.dataset)?.holder;
    let policy = draft.guard(holder).map(Guard::digest)?;
    let escrow = EscrowKey::from_bytes(&draft.escrow_in_force()?.key.0).ok()?;
    let commitment = commitment(draft, intent)?;
    let context = lookup_context(draft.base.consortium(), intent, holder, claim.epoch, policy);
    verify_claim(&context, &commitment.0, &escrow, &claim_of(claim)).ok()
}

fn commitment(draft: &Draft<'_>, intent: &Intent) -> Option<Commitment> {
    match &intent.authority {
        Authority::Consent { id } => draft.consent(id).map(|c| c.consent.commitment),
        Authority::Legal { commitment, .. } => Some(*commitment),
    }
}
