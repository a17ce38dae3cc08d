//! What a node tells of itself: counts and durations, labelled by member, outcome and reason code, nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use covenant_canon::Digest;
use covenant_domain::{Body, MemberId, Outcome};
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};
use parking_lot::Mutex;

use crate::replica::CommittedBlock;

/// Batches whose way to finality is timed at once.
const TIMED: usize = 4096;

pub(crate) struct Metrics {
    member: KeyValue,
    decisions: Counter<u64>,
    entries: Counter<u64>,
    finality_ms: Histogram<f64>,
    commit_ms: Histogram<f64>,
    run_ms: Histogram<f64>,
    backlog: Gauge<u64>,
    submitted: Mutex<BTreeMap<Digest, Instant>>,
}

impl Metrics {
    pub(crate) fn new(member: &MemberId) -> Self {
        let meter = global::meter("covenant.node");
        Self {
            member: KeyValue::new("member", member.to_string()),
            decisions: meter.u64_counter("covenant.node.decisions").build(),
            entries: meter.u64_counter("covenant.node.entries").build(),
            finality_ms: meter.f64_histogram("covenant.node.finality").with_unit("ms").build(),
            commit_ms: meter.f64_histogram("covenant.node.commit").with_unit("ms").build(),
            run_ms: meter.f64_histogram("covenant.node.run").with_unit("ms").build(),
            backlog: meter.u64_gauge("covenant.node.backlog").build(),
            submitted: Mutex::default(),
        }
    }

    /// A batch was taken from a member at this node.
    pub(crate) fn submitted(&self, batch: Digest) {
        let mut submitted = self.submitted.lock();
        if submitted.len() < TIMED {
            submitted.insert(batch, Instant::now());
        }
    }

    /// A block is final here.
    pub(crate) fn committed(&self, block: &CommittedBlock, took: Duration, backlog: usize) {
        let member = std::slice::from_ref(&self.member);
        self.commit_ms.record(took.as_secs_f64() * 1e3, member);
        self.backlog.record(backlog as u64, member);
        let mut entries = block.derived.len();
        {
            let mut submitted = self.submitted.lock();
            for batch in &block.batches {
                entries += batch.entries().len();
                if let Some(since) = submitted.remove(&batch.id()) {
                    self.finality_ms.record(since.elapsed().as_secs_f64() * 1e3, member);
                }
            }
        }
        self.entries.add(entries as u64, member);
        self.count_decisions(block);
    }

    fn count_decisions(&self, block: &CommittedBlock) {
        let mut counts: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        for entry in &block.derived {
            let Body::Decision(decision) = &entry.body else { continue };
            let outcome = match decision.outcome {
                Outcome::Permitted { .. } => "permitted",
                Outcome::Refused => "refused",
            };
            // The code is one of a closed list; details of reasons stay on the ledger.
            let code = decision.reasons.first().map(|r| format!("{:?}", r.code)).unwrap_or_default();
            *counts.entry((outcome, code)).or_default() += 1;
        }
        for ((outcome, reason), count) in counts {
            let labels = [self.member.clone(), KeyValue::new("outcome", outcome), KeyValue::new("reason", reason)];
            self.decisions.add(count, &labels);
        }
    }

    /// Permitted queries were run.
    pub(crate) fn ran(&self, took: Duration) {
        self.run_ms.record(took.as_secs_f64() * 1e3, std::slice::from_ref(&self.member));
    }
}
