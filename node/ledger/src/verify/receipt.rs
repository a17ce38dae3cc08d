//! The receipt of one entry, verified offline.

use covenant_canon::{from_bytes, to_bytes};
use covenant_domain::Body;

use super::{Case, Report, Step, Stop, Walk, fail, included, trusted, verify_bundle};
use crate::{EntryReceipt, Genesis};

/// Verifies the receipt of an entry against the trust root, without network or clock.
///
/// Proves: its author signed it, it stands on the ledger at its block's height, and execution did not reject it. Does not
/// prove that nothing later has changed it again.
pub fn verify_receipt(bytes: &[u8], genesis: &Genesis) -> Report {
    let mut walk = Walk { steps: Vec::new() };
    let outcome = check_receipt(&mut walk, bytes, genesis);
    walk.finish(outcome)
}

/// Verifies whichever kind of evidence the bytes hold: a receipt where they can be read as one, else a bundle.
pub fn verify_evidence(bytes: &[u8], genesis: &Genesis) -> Report {
    if from_bytes::<EntryReceipt>(bytes).is_ok() {
        verify_receipt(bytes, genesis)
    } else {
        verify_bundle(bytes, genesis)
    }
}

fn check_receipt(walk: &mut Walk, bytes: &[u8], genesis: &Genesis) -> Result<String, Stop> {
    let receipt = match from_bytes::<EntryReceipt>(bytes) {
        Ok(receipt) if receipt.version == 1 => receipt,
        Ok(receipt) => {
            let text = format!("receipt has version {}, this build reads 1", receipt.version);
            return Err(fail(walk, Step::Format, text));
        }
        Err(error) => return Err(fail(walk, Step::Format, error.to_string())),
    };
    walk.step(Step::Format, true, "canonical receipt, version 1")?;
    let trust = trusted(walk, &receipt.consortium, genesis, receipt.handovers.as_deref())?;
    let case = Case { genesis, trust: &trust };
    case.certificate(walk, Step::BlockCertificate, &receipt.anchor)?;
    let leaf = &receipt.entry.leaf;
    walk.step(Step::EntryInclusion, included(leaf, &receipt.anchor), format!("leaf {}", leaf.index))?;
    let author = leaf.entry.author.as_ref().map(ToString::to_string).unwrap_or_default();
    walk.step(Step::EntrySignature, case.signed(&receipt.entry, &receipt.anchor), format!("signed by `{author}`"))?;
    let effect = effect(&receipt, genesis);
    let detail = effect.clone().unwrap_or_else(|fault| fault);
    walk.step(Step::EntryEffect, effect.is_ok(), detail)?;
    Ok(format!("{} `{}`", leaf.entry.body.kind(), leaf.entry.body.about()))
}

/// Nothing behind the entry in its block rejects it, and nothing behind it is left out.
fn effect(receipt: &EntryReceipt, genesis: &Genesis) -> Result<String, String> {
    let Some(following) = &receipt.following else {
        return Err("its block holds more leaves behind it than a receipt shows".into());
    };
    let (first, size) = (receipt.entry.leaf.index + 1, receipt.anchor.header.log.size);
    let indices = following.iter().map(|leaf| leaf.index);
    if !indices.eq(first..size) || !following.iter().all(|leaf| included(leaf, &receipt.anchor)) {
        return Err("leaves behind it up to the end of its block are left out or altered".into());
    }
    let id = crate::entry_id(genesis.suite, &to_bytes(&receipt.entry.leaf.entry));
    let rejection = following.iter().find_map(|leaf| match &leaf.entry.body {
        Body::Rejected { entry, reason } if entry == &id => Some(reason),
        _ => None,
    });
    match rejection {
        Some(reason) => Err(format!("it was rejected: {reason}")),
        None => Ok(format!("took effect at height {}", receipt.anchor.header.height)),
    }
}
