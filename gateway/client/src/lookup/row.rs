//! From what was retrieved to an answer.

use covenant_canon::{SuiteId, from_bytes};
use covenant_domain::{Answer, Disclosure, Epoch, IntentId, LookupRow, Mode, Retrieved};
use covenant_oprf::{Output, RowKey, RowSecret, Tag, open_row, table_context};
use covenant_pir::{Answer as PirAnswer, Pending, Query};

use super::fetch::{Held, Table};

/// Where a subject's row lies in both tables, and what opens it.
pub(super) struct Places {
    table: (Tag, RowKey),
    overlay: (Tag, RowKey),
}

/// Questions to both tables, and what opens their answers.
pub(super) struct Asked {
    pub(super) table: Query,
    pub(super) overlay: Query,
    pending: (Pending, Pending),
}

/// One secret per question, drawn before the subject's row is known.
pub(super) type Drawn = (covenant_pir::Prepared, covenant_pir::Prepared);

impl Places {
    pub(super) fn of(suite: SuiteId, output: &Output, held: &Held) -> Option<Self> {
        let Epoch { dataset, number, .. } = held.epoch.as_ref();
        let place = |overlay| RowSecret::derive(suite, output, &table_context(dataset, *number, overlay)).ok();
        Some(Self { table: place(None)?, overlay: place(Some(&held.overlay.described.seed))? })
    }

    /// Turns the secrets drawn into questions for these places. Both tables are always asked.
    pub(super) fn ask(&self, (table, overlay): Drawn, held: &Held) -> Option<Asked> {
        let (table, first) = table.query(held.table.locator.row(&self.table.0)).ok()?;
        let (overlay, second) = overlay.query(held.overlay.locator.row(&self.overlay.0)).ok()?;
        Some(Asked { table, overlay, pending: (first, second) })
    }

    /// The subject's records: those of the overlay where it has a row, which is the newer one. None when there is no row in
    /// either table. Both are opened whatever comes out.
    pub(super) fn open(self, asked: Asked, retrieved: &Retrieved, held: &Held) -> Option<LookupRow> {
        let Epoch { dataset, number, .. } = held.epoch.as_ref();
        let opened = |table: &Table, pending: Pending, bytes: &[u8], key: &RowKey, overlay| {
            let answer = PirAnswer::from_bytes(&table.params, bytes).ok()?;
            let row = pending.open(&answer, &table.hint.view()).ok()?;
            let content = open_row(key, &table_context(dataset, *number, overlay), &row).ok()?;
            from_bytes::<LookupRow>(&content).ok()
        };
        let (first, second) = asked.pending;
        let table = opened(&held.table, first, &retrieved.table_answer, &self.table.1, None);
        let seed = Some(&held.overlay.described.seed);
        let overlay = opened(&held.overlay, second, &retrieved.overlay_answer, &self.overlay.1, seed);
        overlay.or(table)
    }
}

/// The row as an answer. Its salts are empty: a lookup's answer is its consumer's alone and proves nothing to others.
pub(super) fn answer(intent: IntentId, epoch: &Epoch, row: Option<LookupRow>) -> Answer {
    let open = |values: Vec<_>| {
        let pairs = epoch.fields.iter().cloned().zip(values);
        pairs.map(|(field, value)| Disclosure::Open { field, salt: [0; 16], value }).collect()
    };
    Answer {
        intent,
        dataset: epoch.dataset.clone(),
        mode: Mode::Lookup,
        matches: Vec::new(),
        rows: row.map(|row| row.records.into_iter().map(open).collect()).unwrap_or_default(),
        truncated: false,
        failure: None,
        salt: [0; 16],
    }
}
