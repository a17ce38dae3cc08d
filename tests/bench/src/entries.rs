//! Ledger entries committed by four validators with fsync.

use std::time::{Duration, Instant};

use covenant_domain::{
    Body, Commitment, Consent, ConsentId, ConsentKind, ConsentScope, DatasetId, Entry, FieldName, MemberId, Mode,
    PurposeCode,
};
use covenant_ledger::{MAX_BATCH, SignedBatch};
use rand::Rng;

use crate::figure::{Failure, Figure};
use crate::{limits, queries};

const BATCHES: usize = 160;
/// Batches handed in before the first is final; within the charter's quota of 20 000 entries.
const AHEAD: u64 = 30;

/// Consents recorded one batch after the other.
pub(crate) async fn run() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let (consortium, _) = queries::consortium(dir.path()).await?;
    let service = consortium.founding.identity("authorisation")?;
    let node = consortium.node("tax").ok_or("no node")?.clone();
    let genesis = consortium.founding.genesis.digest();
    let batches = batches(&service, &genesis)?;
    let size: usize = batches.iter().flat_map(|b| &b.entries).map(|e| e.len()).sum::<usize>() / (BATCHES * MAX_BATCH);
    let first = node.tip().leaves;
    let started = Instant::now();
    for (sent, batch) in (0u64..).zip(batches) {
        while sent * MAX_BATCH as u64 > node.tip().leaves - first + AHEAD * MAX_BATCH as u64 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        node.submit(batch).await?;
    }
    let all = first + (BATCHES * MAX_BATCH) as u64;
    while consortium.nodes.iter().any(|n| n.tip().leaves < all) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let rate = (BATCHES * MAX_BATCH) as f64 / started.elapsed().as_secs_f64();
    consortium.stop().await;
    Ok(vec![Figure {
        name: "ledger entries, 4 validators, fsync",
        value: rate,
        unit: "entries/s",
        goal: 10_000.0,
        limit: Some(limits::rows_per_second(size).await?),
        limit_is: "SQL rows on 4 replicas, synced, without consensus",
    }])
}

fn batches(service: &covenant_client::Identity, genesis: &covenant_canon::Digest) -> Result<Vec<SignedBatch>, Failure> {
    let now_ms = covenant_daemon::Clock::now_ms(&covenant_daemon::SystemClock);
    let mut out = Vec::new();
    for _ in 0..BATCHES {
        let entry = |_| {
            let (mut id, mut commitment) = ([0; 10], [0; 32]);
            rand::rng().fill_bytes(&mut id);
            rand::rng().fill_bytes(&mut commitment);
            let consent = Consent {
                id: ConsentId::from_parts(now_ms, &id),
                consumer: MemberId::new("bank")?,
                purpose: PurposeCode::new("mortgage-review")?,
                scopes: vec![ConsentScope {
                    dataset: DatasetId::new("cov:yungang/gov/credit-centre/scoring/credit")?,
                    fields: vec![FieldName::new("overdue_24m")?],
                }],
                modes: vec![Mode::Detail],
                commitment: Commitment(commitment),
                valid_from_ms: now_ms,
                valid_until_ms: now_ms + 1_000_000,
                max_uses: 1,
                data_life_days: 1,
                kind: ConsentKind::Consent,
                frequency: None,
                notice: None,
                representative: None,
                request: None,
            };
            Ok(Entry { author: Some(service.member.clone()), made_ms: now_ms, body: Body::ConsentIssued(consent) })
        };
        let entries = (0..MAX_BATCH).map(entry).collect::<Result<Vec<_>, Failure>>()?;
        out.push(SignedBatch::sign(genesis, &service.member, &entries, &service.signing)?);
    }
    Ok(out)
}
