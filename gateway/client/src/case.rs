//! For regulators: calling a ceremony, opening cases, opening escrows with the trustees' help.

use std::sync::Arc;

use covenant_canon::{Digest, Label, from_bytes};
use covenant_domain::{
    Body, CaseNumber, CaseOpened, CaseOutcome, CaseResult, CeremonyCall, IntentId, MemberId, Subject,
};
use covenant_sigma::Subjects;
use covenant_sigma::threshold::{PartialOpening, combine};
use covenant_suite::{Opener, Sealed};
use zeroize::Zeroizing;

use crate::trustee::{Part, case_error};
use crate::{Client, ClientError};

/// An escrow that enough trustees have helped to open: the subject's point. It names the subject to whoever has a
/// candidate; keep it as you keep the name.
pub struct OpenedEscrow {
    point: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for OpenedEscrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedEscrow(…)")
    }
}

impl OpenedEscrow {
    /// Whether the lookup was about this subject.
    pub fn is(&self, subject: &Subject) -> bool {
        Subjects::matches(&self.point, &Zeroizing::new(subject.canonical()))
    }
}

impl Client {
    /// Calls the trustees to make an escrow key; its number is returned.
    ///
    /// # Errors
    /// [`ClientError::Ceremony`] with the ledger's reason.
    pub async fn call_ceremony(&self, threshold: u16, mut trustees: Vec<MemberId>) -> Result<u32, ClientError> {
        trustees.sort();
        let number = self.ceremonies().await?.iter().map(|c| c.call.number).max().unwrap_or(0) + 1;
        let call = CeremonyCall { number, threshold, trustees };
        let called = self.demand(vec![Body::CeremonyCalled(call)]).await;
        called.map(|()| number).map_err(|reason| ClientError::Ceremony { number, reason })
    }

    /// Opens a case about lookups. The order stays here; its digest goes on the ledger.
    ///
    /// # Errors
    /// [`ClientError::Case`] with the ledger's reason.
    pub async fn open_case(&self, case: &CaseNumber, intents: Vec<IntentId>, order: &[u8]) -> Result<(), ClientError> {
        let order = Digest::of(self.0.trust.suite, Label::CASE_ORDER, order);
        let opened = CaseOpened { case: case.clone(), intents, order };
        let opened = self.demand(vec![Body::CaseOpened(opened)]).await;
        opened.map_err(|reason| ClientError::Case { case: case.to_string(), reason })
    }

    /// Opens the escrow of a lookup with the parts that trustees have given. Parts that do not hold are left out and named
    /// in the log.
    ///
    /// # Errors
    /// [`ClientError::Case`] when too few parts hold.
    pub async fn open_escrow(&self, case: &CaseNumber, intent: &IntentId) -> Result<OpenedEscrow, ClientError> {
        let wrong = |reason: String| case_error(case, intent, reason);
        let found = self.case(case).await?;
        let item = found.items.iter().find(|i| &i.intent == intent);
        let item = item.ok_or_else(|| wrong("the case is not about it".into()))?;
        let claim = self.escrowed(case, intent).await?;
        let ceremonies = self.ceremonies().await?;
        let ceremony = ceremonies.iter().find(|c| c.call.number == claim.ceremony);
        let ceremony = ceremony.ok_or_else(|| wrong("its escrow key is not on the ledger".into()))?;
        let group = self.checked_group(ceremony)?;
        let context = self.case_context(case, intent);
        let opener = Opener::new(Arc::clone(&self.0.identity.opening), Label::SEAL_OPENING);
        let mut parts: Vec<PartialOpening> = Vec::new();
        for (trustee, package) in &item.shares {
            let sealed = Sealed::from_bytes(&package.0).ok();
            let plain = sealed.and_then(|sealed| opener.open(&context, &context, &sealed).ok());
            let part = plain.and_then(|plain| from_bytes::<Part>(&plain).ok()).map(PartialOpening::from);
            let index = ceremony.call.trustees.iter().position(|t| t == trustee).map_or(0, |i| i + 1);
            let holds = |part: &PartialOpening| {
                usize::from(part.index) == index
                    && covenant_sigma::threshold::verify_partial(&group, &context, &claim.escrow_a.0, part).is_ok()
            };
            match part.filter(holds) {
                Some(part) => parts.push(part),
                None => tracing::warn!(%trustee, %intent, "a trustee's part does not hold"),
            }
        }
        let point = combine(&group, &context, [&claim.escrow_a.0, &claim.escrow_d.0], &parts);
        point.map(|point| OpenedEscrow { point: Zeroizing::new(point) }).map_err(|e| wrong(e.to_string()))
    }

    /// Records what an opening showed; names nobody.
    ///
    /// # Errors
    /// [`ClientError::Case`] with the ledger's reason.
    pub async fn conclude_case(
        &self,
        case: &CaseNumber,
        intent: &IntentId,
        outcome: CaseOutcome,
    ) -> Result<(), ClientError> {
        let result = CaseResult { case: case.clone(), intent: *intent, outcome };
        let concluded = self.demand(vec![Body::CaseConcluded(result)]).await;
        concluded.map_err(|reason| ClientError::Case { case: case.to_string(), reason })
    }
}
