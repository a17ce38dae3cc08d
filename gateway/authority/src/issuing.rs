//! Between the service's database and the ledger: consents are written, and looked up when nobody told how it ended.

use covenant_domain::{Body, Subject};

use crate::db::entity::request::Model as Row;
use crate::db::state;
use crate::issue::{Speaker, draft};
use crate::ledger::LedgerError;
use crate::problem::{Trouble, internal, trouble};
use crate::service::{Answer, Service, db_failed, ledger_failed, place, read_ms, stored_ms};
use crate::terms::RequestTerms;

/// After this long the ledger takes no entry of the time of an issue any more, in milliseconds: twice the usual freshness.
const GIVEN_UP_MS: u64 = 600_000;

impl Service {
    /// Writes a consent to the ledger.
    ///
    /// INVARIANT of all who try at once, one passes `turn`; consent and ticket are stored before the ledger hears of
    /// them, so that a crash leaves nothing on the ledger that is not here.
    pub(crate) async fn issue(
        &self,
        mut row: Row,
        terms: &RequestTerms,
        subject: &Subject,
        speaker: Option<(&Speaker<'_>, String)>,
    ) -> Answer<Row> {
        let now_ms = self.clock.now_ms();
        let consumer = self.keys.get(&terms.consumer).ok_or_else(|| internal("seal the ticket", "no key"))?;
        let speaks = speaker.as_ref().map(|(speaker, _)| *speaker);
        let drafted = draft(self.suite(), subject, terms, speaks, &consumer.sealing, now_ms)
            .map_err(|e| internal("draft the consent", e))?;
        let started = Some(stored_ms(now_ms));
        if !self.db.turn(&row.id, state::REQUESTED, state::ISSUING, started).await.map_err(db_failed)? {
            return Err(trouble(Trouble::RequestDecided, "somebody decided it just now"));
        }
        row.state = state::ISSUING.into();
        row.decided_ms = started;
        row.consent = Some(drafted.consent.id.to_string());
        row.ticket = Some(drafted.ticket.to_json().into_bytes());
        row.representation = speaker.map(|(_, id)| id);
        let sealed =
            drafted.spoken.map(|spoken| self.vault.seal(&format!("{}/spoken", place(&row.id)), &spoken)).transpose();
        row.spoken = sealed.map_err(|e| internal("seal the representative", e))?;
        self.db.put_request(row.clone()).await.map_err(db_failed)?;
        match self.ledger.publish(Body::ConsentIssued(drafted.consent)).await {
            Ok(placed) => {
                (row.leaf, row.height) = (Some(stored_ms(placed.leaf)), Some(stored_ms(placed.height)));
                row.state = state::ISSUED.into();
                self.db.put_request(row.clone()).await.map_err(db_failed)?;
                Ok(row)
            }
            Err(LedgerError::Unreachable(reason)) => {
                let detail = format!("{reason}; whether the consent stands is looked up when the request is");
                Err(trouble(Trouble::LedgerUnavailable, detail).retry_after(30))
            }
            Err(refused) => {
                self.undo(row).await?;
                Err(ledger_failed(refused))
            }
        }
    }

    async fn undo(&self, mut row: Row) -> Answer<Row> {
        row.state = state::REQUESTED.into();
        (row.decided_ms, row.consent, row.ticket) = (None, None, None);
        (row.representation, row.spoken) = (None, None);
        self.db.put_request(row.clone()).await.map_err(db_failed)?;
        Ok(row)
    }

    /// Looks up on the ledger what became of an issue that did not end here. What is not there is given up only when the
    /// ledger would not take it any more.
    pub(crate) async fn settle(&self, mut row: Row) -> Answer<Row> {
        if row.state != state::ISSUING {
            return Ok(row);
        }
        let age_ms = self.clock.now_ms().saturating_sub(read_ms(row.decided_ms.unwrap_or_default()));
        let Some(consent) = row.consent.as_deref().and_then(|id| id.parse().ok()) else {
            // Its consent was never stored, so it was never sent.
            return if age_ms < GIVEN_UP_MS { Ok(row) } else { self.undo(row).await };
        };
        match self.ledger.consent(&consent).await {
            Ok(_) => {
                self.db.turn(&row.id, state::ISSUING, state::ISSUED, row.decided_ms).await.map_err(db_failed)?;
                row.state = state::ISSUED.into();
                Ok(row)
            }
            Err(LedgerError::Unknown) if age_ms >= GIVEN_UP_MS => self.undo(row).await,
            Err(_) => Ok(row),
        }
    }
}
