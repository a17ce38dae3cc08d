//! Questions and how they are pursued.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use covenant_api::{MAX_WAIT_MS, QueriesRequest, QueryResult};
use covenant_domain::{
    Authority, Commitment, ConsentId, DatasetId, FieldName, IntentId, Mode, PurposeCode, Subject, Value,
};
use covenant_sigma::{Opening, commit};
use futures::{StreamExt, stream};
use rand::Rng as _;
use zeroize::Zeroizing;

use crate::client::pause;
use crate::sealing::Expected;
use crate::{Client, ClientError, Prepared, Reply};

/// Batches of one call that are under way at once.
const AT_ONCE: usize = 4;

/// Shortest time between two looks at the same queries.
const BREATH: Duration = Duration::from_millis(50);

/// On what ground a question is asked.
#[derive(Debug)]
pub enum Ground {
    /// The subject consented.
    Consent {
        /// The consent.
        id: ConsentId,
        /// Its commitment.
        commitment: Commitment,
        /// Opening of the commitment, from the consent ticket.
        opening: Opening,
    },
    /// The law allows it; the client commits to the subject itself.
    Legal {
        /// File or case number.
        case: Option<String>,
    },
}

impl Ground {
    /// What the intent says, and the opening that only the holder learns.
    pub(crate) fn into_authority(self, subject: &Subject) -> (Authority, Zeroizing<[u8; 32]>) {
        match self {
            Self::Consent { id, opening, .. } => (Authority::Consent { id }, Zeroizing::new(opening.to_bytes())),
            Self::Legal { case } => {
                let opening = fresh_opening();
                let commitment = Commitment(commit(&Zeroizing::new(subject.canonical()), &opening));
                (Authority::Legal { commitment, case }, Zeroizing::new(opening.to_bytes()))
            }
        }
    }
}

/// A uniform opening.
pub(crate) fn fresh_opening() -> Opening {
    let mut wide = Zeroizing::new([0; 64]);
    rand::rng().fill_bytes(wide.as_mut_slice());
    Opening::from_wide(&wide)
}

/// What a consumer wants to know. Its subject and claims leave this process only sealed to the holder.
#[derive(Debug)]
pub struct Question {
    /// About what.
    pub dataset: DatasetId,
    /// Why.
    pub purpose: PurposeCode,
    /// How.
    pub mode: Mode,
    /// Fields to match or release.
    pub fields: Vec<FieldName>,
    /// About whom.
    pub subject: Subject,
    /// On what ground.
    pub ground: Ground,
    /// Values to compare, for mode `match`.
    pub claims: Vec<(FieldName, Value)>,
}

impl Client {
    /// Asks one question and waits for its answer.
    ///
    /// A refusal is a reply. A reply whose state is not final means that patience ran out: [`Client::resume`] it.
    ///
    /// # Errors
    /// [`ClientError`] when it could not be asked, or its answer is not what it should be.
    pub async fn ask(&self, question: Question) -> Result<Reply, ClientError> {
        self.ask_many(vec![question]).await.pop().unwrap_or(Err(ClientError::Stopped))
    }

    /// Asks many questions; up to 512 share a signature. Replies are in the order of the questions.
    pub async fn ask_many(&self, questions: Vec<Question>) -> Vec<Result<Reply, ClientError>> {
        let count = questions.len();
        match self.prepare(questions) {
            Ok(prepared) => self.send(&prepared).await,
            Err(error) => std::iter::repeat_with(|| Err(error.clone())).take(count).collect(),
        }
    }

    /// Sends prepared questions. Sending them again is harmless and gives the same replies.
    pub async fn send(&self, prepared: &Prepared) -> Vec<Result<Reply, ClientError>> {
        let pursue = |(request, expected): &(QueriesRequest, Vec<Expected>)| {
            let (client, request, expected) = (self.clone(), request.clone(), expected.clone());
            async move { client.replies(request, &expected).await }
        };
        let replies: Vec<_> = stream::iter(prepared.requests.iter().map(pursue)).buffered(AT_ONCE).collect().await;
        let mut by_intent: BTreeMap<IntentId, _> = replies.into_iter().flatten().collect();
        let slot = |slot: &Result<IntentId, ClientError>| match slot {
            Ok(intent) => by_intent.remove(intent).unwrap_or(Err(ClientError::Stopped)),
            Err(error) => Err(error.clone()),
        };
        prepared.slots.iter().map(slot).collect()
    }

    async fn replies(
        &self,
        request: QueriesRequest,
        expected: &[Expected],
    ) -> Vec<(IntentId, Result<Reply, ClientError>)> {
        let results = match self.pursue(request).await {
            Ok(results) if results.len() == expected.len() => results,
            Ok(results) => {
                let reason = format!("{} results to {} queries", results.len(), expected.len());
                return expected.iter().map(|e| (e.intent, Err(ClientError::protocol(&reason)))).collect();
            }
            Err(error) => return expected.iter().map(|e| (e.intent, Err(error.clone()))).collect(),
        };
        expected.iter().zip(results).map(|(e, result)| (e.intent, self.open(result, e.intent, Some(e)))).collect()
    }

    /// Sends the same request until all states are final or patience runs out.
    async fn pursue(&self, mut request: QueriesRequest) -> Result<Vec<QueryResult>, ClientError> {
        let deadline = Instant::now() + self.0.config.patience;
        let mut failures = 0;
        loop {
            let began = Instant::now();
            request.wait_ms = self.wait_ms(deadline);
            match self.0.link.ask(request.clone()).await {
                Ok(results) if results.iter().all(|r| r.state.is_final()) || Instant::now() >= deadline => {
                    return Ok(results);
                }
                Ok(_) => tokio::time::sleep(BREATH.saturating_sub(began.elapsed())).await,
                Err(error) if error.is_transient() && Instant::now() < deadline => {
                    failures += 1;
                    pause(&error, failures).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where a query stands, with its answer opened: after a crash, or when patience ran out.
    ///
    /// # Errors
    /// [`ClientError`] when the query is another's, or its answer is not what it should be.
    pub async fn resume(&self, intent: &IntentId) -> Result<Reply, ClientError> {
        self.open(self.settled(intent).await?, *intent, None)
    }

    /// Where a query stands once that is final or patience has run out, with its answer still sealed.
    pub(crate) async fn settled(&self, intent: &IntentId) -> Result<QueryResult, ClientError> {
        let deadline = Instant::now() + self.0.config.patience;
        loop {
            let began = Instant::now();
            let wait_ms = self.wait_ms(deadline);
            let result = self.again(|| self.0.link.progress(intent, wait_ms)).await?;
            // Waiting does not make an unknown query known.
            let settled = result.state.is_final() || result.state == covenant_api::QueryState::Unknown;
            if settled || Instant::now() >= deadline {
                return Ok(result);
            }
            tokio::time::sleep(BREATH.saturating_sub(began.elapsed())).await;
        }
    }

    fn wait_ms(&self, deadline: Instant) -> u64 {
        let wait = self.0.config.wait.min(deadline.saturating_duration_since(Instant::now()));
        u64::try_from(wait.as_millis()).unwrap_or(MAX_WAIT_MS).min(MAX_WAIT_MS)
    }
}
