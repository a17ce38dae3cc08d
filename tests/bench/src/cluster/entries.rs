//! Consents of 1 KiB, signed in batches.

use covenant_canon::to_bytes;
use covenant_demo::catalogue;
use covenant_domain::{
    Body, Commitment, Consent, ConsentId, ConsentKind, ConsentScope, DatasetId, Entry, FieldName, Mode, PurposeCode,
};
use covenant_ledger::SignedBatch;
use rand::Rng as _;

use super::city::City;
use crate::figure::Failure;

const DATASET: &str = "cov:yungang/gov/credit-centre/scoring/credit";
const PURPOSE: &str = "mortgage-review";
/// Bytes of an entry, within a few.
pub(super) const ENTRY: usize = 1024;
/// Batches of this many fill a block: it has 512 KiB, and 504 of them are for batches.
pub(super) const FULL: usize = 450;

/// What consents refer to.
pub(super) fn ground() -> Result<Vec<Body>, Failure> {
    let dataset = catalogue::datasets()?.into_iter().find(|d| d.id.as_str() == DATASET).ok_or("no dataset")?;
    let purpose = catalogue::purposes()?.into_iter().find(|p| p.code.as_str() == PURPOSE).ok_or("no purpose")?;
    Ok(vec![Body::PurposeRegistered(purpose), Body::DatasetPublished(dataset)])
}

/// One batch of the loader's.
pub(super) fn sign(city: &City, bodies: Vec<Body>) -> Result<SignedBatch, Failure> {
    let (author, made_ms) = (&city.loader.member, covenant_daemon::service::now_ms());
    let entry = |body| Entry { author: Some(author.clone()), made_ms, body };
    let entries: Vec<Entry> = bodies.into_iter().map(entry).collect();
    Ok(SignedBatch::sign(&city.genesis, author, &entries, &city.loader.signing)?)
}

/// As many batches of so many consents.
pub(super) fn batches(city: &City, count: usize, of: usize) -> Result<Vec<SignedBatch>, Failure> {
    let template = template(city)?;
    let one = |_| {
        let mut fresh = template.clone();
        let mut id = [0; 10];
        rand::rng().fill_bytes(&mut id);
        rand::rng().fill_bytes(&mut fresh.commitment.0);
        // Ids follow the clock, as those of a service do; random ones would scatter over the tables.
        fresh.id = ConsentId::from_parts(covenant_daemon::service::now_ms(), &id);
        Body::ConsentIssued(fresh)
    };
    (0..count).map(|_| sign(city, (0..of).map(one).collect())).collect()
}

/// A consent with so many fields that its entry has about 1 KiB.
fn template(city: &City) -> Result<Consent, Failure> {
    let now_ms = covenant_daemon::service::now_ms();
    let mut consent = Consent {
        id: ConsentId::from_parts(now_ms, &[0; 10]),
        consumer: city.loader.member.clone(),
        purpose: PurposeCode::new(PURPOSE)?,
        scopes: vec![ConsentScope { dataset: DatasetId::new(DATASET)?, fields: Vec::new() }],
        modes: vec![Mode::Detail],
        commitment: Commitment([0; 32]),
        valid_from_ms: now_ms,
        valid_until_ms: now_ms + 86_400_000,
        max_uses: 1,
        data_life_days: 1,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: None,
        representative: None,
        request: None,
    };
    for i in 0.. {
        let length = entry_bytes(city, &consent);
        let Some(room) = ENTRY.checked_sub(length + 2).filter(|room| *room > 3) else { break };
        let name = format!("f{i:02}{}", "x".repeat(room.min(60) - 3));
        consent.scopes.iter_mut().try_for_each(|s| FieldName::new(&name).map(|f| s.fields.push(f)))?;
    }
    Ok(consent)
}

fn entry_bytes(city: &City, consent: &Consent) -> usize {
    let body = Body::ConsentIssued(consent.clone());
    to_bytes(&Entry { author: Some(city.loader.member.clone()), made_ms: consent.valid_from_ms, body }).len()
}
