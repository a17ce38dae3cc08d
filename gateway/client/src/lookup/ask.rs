//! One lookup from the question to the checked answer.

use std::time::{Duration, Instant};

use covenant_api::{QueriesRequest, QueryState};
use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_domain::{
    Answer, Body, DatasetId, Entry, Evaluation, Intent, IntentId, LookupClaim, LookupRecord, Mode, Point, Proof,
    PurposeCode, Reason, Retrieval, Retrieved, SignedRetrieval, Subject,
};
use covenant_ledger::{Bundle, Closure, verify_bundle};
use covenant_oprf::{finalize, lookup_context};
use covenant_pir::Prepared;
use covenant_sigma::{Blinding, Opening, prove_claim};
use covenant_suite::{Sealed, suite};
use zeroize::Zeroizing;

use super::fetch::{Ground as Fetched, Held};
use super::row::{Drawn, Places, answer};
use crate::identity::now_ms;
use crate::request::ten_random_bytes;
use crate::{Client, ClientError, Ground, Reply};

/// Shortest and longest time between two looks at the same query; each is twice the one before.
const BREATH: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(160)];

/// What a consumer wants to look up. Its subject never leaves this process.
#[derive(Debug)]
pub struct LookupQuestion {
    /// In which dataset.
    pub dataset: DatasetId,
    /// Why.
    pub purpose: PurposeCode,
    /// About whom.
    pub subject: Subject,
    /// On what ground.
    pub ground: Ground,
}

/// What became of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The query.
    pub intent: IntentId,
    /// Where it ended: answered, refused, lapsed or voided; received or permitted when patience ran out.
    pub state: QueryState,
    /// Why it was refused.
    pub reasons: Vec<Reason>,
    /// Why its holder voided it.
    pub voided: Option<String>,
    /// The records, opened; no rows when there is no record. Personal data in the clear.
    pub answer: Option<Answer>,
    /// Canonical bytes of the evidence, verified against the trust root.
    pub evidence: Option<Vec<u8>>,
}

impl From<Found> for Reply {
    /// As the reply to a question. The sealed answer is left out: nobody but this process could open it again.
    fn from(it: Found) -> Self {
        let Found { intent, state, reasons, voided, answer, evidence } = it;
        Self { intent, state, reasons, answer, sealed: None, receipted: evidence.is_some(), voided }
    }
}

/// A lookup that was signed.
struct Signed {
    intent: Intent,
    request: QueriesRequest,
    blinding: Blinding,
}

impl Client {
    /// Looks a subject up. A refusal is an outcome; so is "no record", which looks the same to everybody else.
    ///
    /// # Errors
    /// [`ClientError`] when it could not be asked, or somebody on the way did not do as it must: the variants say who.
    pub async fn look_up(&self, question: LookupQuestion) -> Result<Found, ClientError> {
        let fetched = self.ground(&question.dataset).await?;
        let canonical = Zeroizing::new(question.subject.canonical());
        let signed = self.sign_lookup(question, &fetched)?;
        let id = signed.intent.id;
        let deadline = Instant::now() + self.0.config.patience;
        // The secrets of the retrieval do not depend on the subject: they are drawn while the ledger decides.
        let drawn = self.draw(&fetched.held);
        let (state, drawn) = tokio::join!(self.decided(signed.request, id, deadline), drawn);
        let (state, drawn) = (state?, drawn?);
        if state.state != QueryState::Permitted {
            return Ok(state);
        }
        let evaluation = self.evaluation(&id).await?;
        let places = self.places(&fetched, &signed.intent, &evaluation, signed.blinding, &canonical)?;
        let asked = places.ask(drawn, &fetched.held).ok_or_else(|| ClientError::protocol("rows without places"))?;
        let retrieval = Retrieval {
            intent: id,
            overlay: fetched.held.overlay_revision,
            table_query: asked.table.to_bytes(),
            overlay_query: asked.overlay.to_bytes(),
        };
        self.retrieve(&id, to_bytes(&self.sign_retrieval(&retrieval)?)).await?;
        let found = self.answered(id, deadline).await?;
        let Some(sealed) = found.1 else { return Ok(found.0) };
        let retrieved_bytes = self.open_retrieved(id, &sealed)?;
        let evidence = self.receipt(&fetched.held, &evaluation, &retrieval, &sealed, &retrieved_bytes).await?;
        let retrieved: Retrieved = from_bytes(&retrieved_bytes).map_err(ClientError::protocol)?;
        let row = places.open(asked, &retrieved, &fetched.held);
        let answer = Some(answer(id, &fetched.held.epoch, row));
        Ok(Found { answer, evidence: Some(evidence), ..found.0 })
    }

    fn sign_lookup(&self, question: LookupQuestion, fetched: &Fetched) -> Result<Signed, ClientError> {
        let LookupQuestion { dataset, purpose, subject, ground } = question;
        let made_ms = now_ms();
        let (holder, _) = self.holder(&dataset)?;
        let ticket = match &ground {
            Ground::Consent { commitment, .. } => Some(*commitment),
            Ground::Legal { .. } => None,
        };
        let (authority, opening) = ground.into_authority(&subject);
        let commitment = match (&authority, ticket) {
            (covenant_domain::Authority::Legal { commitment, .. }, _) => *commitment,
            (covenant_domain::Authority::Consent { .. }, Some(commitment)) => commitment,
            (covenant_domain::Authority::Consent { .. }, None) => return Err(ClientError::Stopped),
        };
        let mut intent = Intent {
            id: IntentId::from_parts(made_ms, &ten_random_bytes()),
            consumer: self.member().clone(),
            dataset,
            purpose,
            mode: Mode::Lookup,
            fields: fetched.held.epoch.fields.clone(),
            authority,
            input: Digest::ZERO,
            lookup: None,
        };
        let epoch = fetched.held.epoch.number;
        let context = lookup_context(self.0.consortium, &intent, &holder, epoch, fetched.policy);
        let opening = Opening::from_bytes(&opening).map_err(|_| ClientError::protocol("opening"))?;
        let canonical = Zeroizing::new(subject.canonical());
        let proven = prove_claim(&context, &commitment.0, &canonical, &opening, &fetched.escrow, &mut rand::rng());
        let wrong = |_| ClientError::Ticket { reason: "the consent is not this subject's".into() };
        let (claim, blinding) = proven.map_err(wrong)?;
        let claim = LookupClaim {
            epoch,
            ceremony: fetched.ceremony,
            blinded: Point(claim.blinded),
            escrow_a: Point(claim.escrow_a),
            escrow_d: Point(claim.escrow_d),
            proof: Proof(claim.proof),
        };
        intent.input = Digest::of(self.0.trust.suite, Label::QUERY_INPUT, &to_bytes(&claim));
        intent.lookup = Some(claim);
        let entry = Entry { author: Some(self.member().clone()), made_ms, body: Body::Intent(intent.clone()) };
        let batch = to_bytes(&self.signed(&[entry])?).into();
        Ok(Signed { intent, request: QueriesRequest { batch, inputs: Vec::new(), wait_ms: 0 }, blinding })
    }

    async fn draw(&self, held: &Held) -> Result<Drawn, ClientError> {
        let (table, overlay) = (held.table.clone(), held.overlay.clone());
        let draw = move || {
            let mut rng = rand::rng();
            let first = Prepared::new(&table.params, &table.public, &mut rng).map_err(ClientError::protocol)?;
            let second = Prepared::new(&overlay.params, &overlay.public, &mut rng).map_err(ClientError::protocol)?;
            Ok((first, second))
        };
        tokio::task::spawn_blocking(draw).await.map_err(|_| ClientError::Stopped)?
    }

    /// Sends the intent until it is decided.
    async fn decided(&self, request: QueriesRequest, id: IntentId, deadline: Instant) -> Result<Found, ClientError> {
        let sent = self.again(|| self.0.link.ask(request.clone())).await?;
        let mut result = sent.into_iter().next().ok_or_else(|| ClientError::protocol("no result"))?;
        let [mut breath, longest] = BREATH;
        while matches!(result.state, QueryState::Received | QueryState::Unknown) && Instant::now() < deadline {
            tokio::time::sleep(breath).await;
            breath = (breath * 2).min(longest);
            result = self.again(|| self.0.link.progress(&id, 0)).await?;
        }
        Ok(self.found(id, result).0)
    }

    /// Waits for the answer.
    async fn answered(&self, id: IntentId, deadline: Instant) -> Result<(Found, Option<Vec<u8>>), ClientError> {
        loop {
            let wait = deadline.saturating_duration_since(Instant::now()).min(self.0.config.wait);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(0);
            let result = self.again(|| self.0.link.progress(&id, wait_ms)).await?;
            if result.state.is_final() || Instant::now() >= deadline {
                return Ok(self.found(id, result));
            }
            tokio::time::sleep(BREATH[1]).await;
        }
    }

    fn found(&self, intent: IntentId, result: covenant_api::QueryResult) -> (Found, Option<Vec<u8>>) {
        let (state, reasons, voided) = (result.state, result.reasons, result.voided);
        (Found { intent, state, reasons, voided, answer: None, evidence: None }, result.sealed.map(|s| s.0))
    }

    /// Checks the evaluation and derives where the subject's row lies.
    fn places(
        &self,
        fetched: &Fetched,
        intent: &Intent,
        evaluation: &Evaluation,
        blinding: Blinding,
        canonical: &str,
    ) -> Result<Places, ClientError> {
        let wrong = || ClientError::Evaluation { intent: intent.id };
        let (holder, _) = self.holder(&intent.dataset)?;
        let claim = intent.lookup.as_ref().ok_or_else(wrong)?;
        if evaluation.intent != intent.id {
            return Err(wrong());
        }
        let context = lookup_context(self.0.consortium, intent, &holder, claim.epoch, fetched.policy);
        let evaluated = covenant_oprf::Evaluation { z: evaluation.evaluated.0, proof: evaluation.proof.0.clone() };
        let output = finalize(&context, &fetched.held.key, &claim.blinded.0, &evaluated, blinding, canonical);
        let output = output.map_err(|_| wrong())?;
        Places::of(self.0.trust.suite, &output, &fetched.held).ok_or_else(wrong)
    }

    fn sign_retrieval(&self, retrieval: &Retrieval) -> Result<SignedRetrieval, ClientError> {
        let id = self.0.trust.suite;
        let digest = Digest::of(id, Label::LOOKUP_RETRIEVAL, &to_bytes(retrieval));
        let signature = suite(id).sign(&self.0.identity.signing, Label::LOOKUP_RETRIEVAL, digest.as_bytes());
        let signature = signature.map_err(ClientError::crypto("signing the retrieval"))?.to_string();
        Ok(SignedRetrieval { retrieval: retrieval.clone(), signature })
    }

    fn open_retrieved(&self, intent: IntentId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        let sealed = Sealed::from_bytes(sealed).map_err(ClientError::protocol)?;
        let id = intent.as_bytes();
        self.0.opener.open(id, id, &sealed).map_err(ClientError::crypto("opening the answer"))
    }

    /// Fetches the evidence, verifies it, and holds the holder's signed record against what was sent and received here.
    async fn receipt(
        &self,
        held: &Held,
        evaluation: &Evaluation,
        retrieval: &Retrieval,
        sealed: &[u8],
        retrieved: &[u8],
    ) -> Result<Vec<u8>, ClientError> {
        let intent = retrieval.intent;
        let bytes = self.evidence(&intent).await?;
        let wrong = |reason: String| ClientError::Receipt { intent, reason };
        let report = verify_bundle(&bytes, &self.0.trust);
        if !report.verified {
            return Err(wrong(format!("the evidence does not verify: {report:?}")));
        }
        let bundle: Bundle = from_bytes(&bytes).map_err(ClientError::protocol)?;
        let Closure::Completed { completion, .. } = &bundle.closure else {
            return Err(wrong("the query is not completed".into()));
        };
        let Body::Completion(completion) = &completion.leaf.entry.body else {
            return Err(wrong("the query is not completed".into()));
        };
        let id = self.0.trust.suite;
        let expected = LookupRecord {
            evaluation: Digest::of(id, Label::LOOKUP_EVALUATION, &to_bytes(&(intent, evaluation.evaluated))),
            retrieval: Digest::of(id, Label::LOOKUP_RETRIEVAL, &to_bytes(retrieval)),
            table: held.table.described.digest(id),
            overlay: held.overlay.described.digest(id),
            retrieved: Digest::of(id, Label::LOOKUP_RETRIEVED, retrieved),
        };
        if completion.answer != Digest::of(id, Label::ANSWER, sealed) {
            return Err(wrong("the sealed answer is not the recorded one".into()));
        }
        match &completion.lookup {
            Some(record) if record == &expected => Ok(bytes),
            _ => Err(wrong("the holder's record is not of what was sent and received here".into())),
        }
    }
}
