//! What a private lookup needs beside grant, consent and guard rules: a claim, an epoch, an escrow key.

use covenant_domain::{Dataset, Intent, Mode, Permit, Reason, ReasonCode, Release};

use crate::Facts;
use crate::facts::{EpochState, Moment};

/// What is wrong with the claim of an intent; empty for other modes without one.
pub(crate) fn claim_faults(facts: &impl Facts, intent: &Intent) -> Vec<Reason> {
    let one = |code, detail: String| vec![Reason::new(code, detail)];
    let (claim, state) = match (intent.mode, &intent.lookup) {
        (Mode::Lookup, Some(claim)) => (claim, facts.epoch(&intent.dataset)),
        (Mode::Lookup, None) => return one(ReasonCode::ClaimMisplaced, "a lookup needs its claim".into()),
        (_, None) => return Vec::new(),
        (mode, Some(_)) => {
            return one(ReasonCode::ClaimMisplaced, format!("mode `{mode}` takes no claim of a lookup"));
        }
    };
    let mut out = Vec::new();
    if let Some(number) = state.map(|s| s.epoch.number).filter(|n| *n != claim.epoch) {
        let detail = format!("epoch {} is not open, epoch {number} is: ask again", claim.epoch);
        out.push(Reason::new(ReasonCode::EpochClosed, detail));
    }
    let escrow = facts.escrow();
    if let Some(number) = escrow.filter(|number| *number != claim.ceremony) {
        let detail = format!("escrow key {} is not in force, {number} is: ask again", claim.ceremony);
        out.push(Reason::new(ReasonCode::EscrowMissing, detail));
    }
    if out.is_empty() && state.is_some() && escrow.is_some() && !facts.claim_holds(intent) {
        let detail = "the proof does not hold for this intent, commitment, epoch and rule book: ask again";
        out.push(Reason::new(ReasonCode::ClaimInvalid, detail));
    }
    out
}

/// What is wrong with the dataset's epoch, or the escrow, for this intent now; empty for other modes.
pub(crate) fn epoch_faults(facts: &impl Facts, dataset: &Dataset, intent: &Intent, moment: &Moment) -> Vec<Reason> {
    if intent.mode != Mode::Lookup {
        return Vec::new();
    }
    let id = &dataset.id;
    let Some(EpochState { epoch, .. }) = facts.epoch(id) else {
        let detail = format!("dataset `{id}` has no epoch: its holder must build one first");
        return vec![Reason::new(ReasonCode::EpochClosed, detail)];
    };
    let mut out = Vec::new();
    if facts.escrow().is_none() {
        let detail = "no escrow key is in force: the trustees must make one first";
        out.push(Reason::new(ReasonCode::EscrowMissing, detail));
    }
    if !(epoch.opens_ms..epoch.closes_ms).contains(&moment.time_ms) {
        let detail = format!(
            "epoch {} of `{id}` is open from {} to {} ms: its holder must build the next",
            epoch.number, epoch.opens_ms, epoch.closes_ms
        );
        out.push(Reason::new(ReasonCode::EpochClosed, detail));
    }
    if epoch.dataset_revision != dataset.revision {
        let detail = format!("epoch {} of `{id}` was built for another revision of the dataset", epoch.number);
        out.push(Reason::new(ReasonCode::EpochMismatch, detail));
    }
    // A row cannot be divided: whoever may not see all of it may not look it up (I13).
    if intent.fields != epoch.fields {
        let fields: Vec<&str> = epoch.fields.iter().map(|f| f.as_str()).collect();
        let detail =
            format!("a row of epoch {} carries fields `{}`: name exactly these", epoch.number, fields.join("`, `"));
        out.push(Reason::new(ReasonCode::EpochMismatch, detail));
    }
    out
}

/// Most records that a row asked for may carry; absent in other modes.
pub(crate) fn rows(facts: &impl Facts, intent: &Intent) -> Option<u32> {
    let asks = intent.mode == Mode::Lookup;
    facts.epoch(&intent.dataset).filter(|_| asks).map(|state| state.epoch.max_rows)
}

/// Binds the permit of a lookup to its epoch. Its answer always waits for the receipt.
pub(crate) fn bind(facts: &impl Facts, permit: &mut Permit) {
    if permit.mode != Mode::Lookup {
        return;
    }
    let Some(EpochState { epoch, .. }) = facts.epoch(&permit.dataset) else { return };
    permit.epoch = Some(epoch.number);
    permit.obligations.max_rows = epoch.max_rows;
    permit.obligations.release = Release::AfterReceipt;
}
