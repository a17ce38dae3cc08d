//! The contexts of a lookup, from the nouns of the ledger: the one place where consumer, ledger and holder get them from.

use covenant_canon::{Digest, Label};
use covenant_domain::{DatasetId, Intent, LookupClaim, MemberId};
use covenant_sigma::{Claim, Context, EpochScope};

use crate::RowContext;

/// Version of the protocol.
const VERSION: u32 = 1;

/// What binds claim and evaluation of a lookup to their query.
pub fn lookup_context(consortium: Digest, intent: &Intent, holder: &MemberId, epoch: u32, policy: Digest) -> Context {
    Context {
        protocol: Label::PROTOCOL_LOOKUP,
        version: VERSION,
        consortium,
        intent: *intent.id.as_bytes(),
        holder: holder.to_string(),
        consumer: intent.consumer.to_string(),
        dataset: intent.dataset.to_string(),
        epoch,
        policy,
    }
}

/// What an epoch's proof of possession is bound to.
pub fn epoch_scope(consortium: Digest, holder: &MemberId, dataset: &DatasetId, epoch: u32) -> EpochScope {
    EpochScope { consortium, holder: holder.to_string(), dataset: dataset.to_string(), epoch }
}

/// What the rows of a table are bound to: dataset, epoch, and the seed of an overlay, absent for the epoch's own table.
/// INVARIANT: an epoch's table has a key of its own, an overlay a seed of its own, so no key seals two rows. Ids of datasets
/// hold no `+`.
pub fn table_context(dataset: &DatasetId, epoch: u32, overlay: Option<&[u8; 32]>) -> RowContext {
    match overlay {
        None => RowContext::new(dataset.as_str(), epoch),
        Some(seed) => RowContext::new(&format!("{dataset}+{}", Digest(*seed)), epoch),
    }
}

/// The claim as the proofs see it.
pub fn claim_of(claim: &LookupClaim) -> Claim {
    Claim {
        blinded: claim.blinded.0,
        escrow_a: claim.escrow_a.0,
        escrow_d: claim.escrow_d.0,
        proof: claim.proof.0.clone(),
    }
}
