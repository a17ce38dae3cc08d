//! From questions to sealed inputs and a signed batch of intents.

use std::collections::BTreeMap;

use covenant_api::{QueriesRequest, QueryInputItem};
use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Body, DatasetId, Entry, Intent, IntentId, MemberId, Mode, QueryInput};
use covenant_ledger::MAX_BATCH;
use covenant_suite::{Sealer, SealingKey};
use zeroize::Zeroizing;

use crate::identity::now_ms;
use crate::query::Question;
use crate::request::ten_random_bytes;
use crate::{Client, ClientError};

/// Sealed bytes per request; with their intents and base64 this stays below the gateway's limit of 1 MiB.
const MAX_SEALED: usize = 320 * 1024;

/// Questions that were signed and sealed, not sent yet. Whoever keeps the ids can resume after a crash.
pub struct Prepared {
    /// What is sent, again and again if need be.
    pub(crate) requests: Vec<(QueriesRequest, Vec<Expected>)>,
    /// For each question, in order: its intent, or why it could not be prepared.
    pub(crate) slots: Vec<Result<IntentId, ClientError>>,
}

impl Prepared {
    /// The intents, in the order of the questions; an error for what could not be prepared.
    pub fn intents(&self) -> &[Result<IntentId, ClientError>] {
        &self.slots
    }

    /// What is sent, one request per signature; to be kept by who wants to send it again after a crash.
    pub fn requests(&self) -> impl Iterator<Item = &QueriesRequest> {
        self.requests.iter().map(|(request, _)| request)
    }
}

/// What an answer must be to.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) intent: IntentId,
    pub(crate) dataset: DatasetId,
    pub(crate) mode: Mode,
}

/// One question, sealed.
struct One {
    expected: Expected,
    entry: Entry,
    item: QueryInputItem,
}

impl Client {
    /// Draws intent ids, seals each input to its holder, and signs. At most [`MAX_BATCH`] questions share a signature, and
    /// within it the inputs to one holder share an encapsulation.
    ///
    /// # Errors
    /// [`ClientError::Batch`]; a single question that cannot be prepared only fails itself, one of mode `lookup` with
    /// [`ClientError::LookupSealed`].
    pub fn prepare(&self, questions: Vec<Question>) -> Result<Prepared, ClientError> {
        let mut prepared = Prepared { requests: Vec::new(), slots: Vec::with_capacity(questions.len()) };
        let mut part = Part::default();
        for question in questions {
            let one = self.seal(question, &mut part.sealers);
            prepared.slots.push(one.as_ref().map(|o| o.expected.intent).map_err(Clone::clone));
            let Ok(one) = one else { continue };
            part.size += one.item.sealed.0.len();
            part.all.push(one);
            if part.all.len() == MAX_BATCH || part.size >= MAX_SEALED {
                prepared.requests.push(self.close(std::mem::take(&mut part))?);
            }
        }
        if !part.all.is_empty() {
            prepared.requests.push(self.close(part)?);
        }
        Ok(prepared)
    }

    fn close(&self, part: Part) -> Result<(QueriesRequest, Vec<Expected>), ClientError> {
        let (mut entries, mut inputs, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for one in part.all {
            entries.push(one.entry);
            inputs.push(one.item);
            expected.push(one.expected);
        }
        let batch = to_bytes(&self.signed(&entries)?).into();
        Ok((QueriesRequest { batch, inputs, wait_ms: 0 }, expected))
    }

    fn seal(&self, question: Question, sealers: &mut BTreeMap<MemberId, Sealer>) -> Result<One, ClientError> {
        // Sealing its subject to the holder would tell what a lookup is there to hide.
        if question.mode == Mode::Lookup {
            return Err(ClientError::LookupSealed);
        }
        let made_ms = now_ms();
        let id = IntentId::from_parts(made_ms, &ten_random_bytes());
        let consumer = self.member().clone();
        let Question { dataset, purpose, mode, mut fields, subject, ground, claims } = question;
        fields.sort();
        fields.dedup();
        let (authority, opening) = ground.into_authority(&subject);
        let input = QueryInput { subject, opening: *opening, claims };
        let plaintext = Zeroizing::new(to_bytes(&input));
        let aad = to_bytes(&(&dataset, &consumer));
        let sealer = self.sealer(&dataset, sealers)?;
        let sealed = sealer.seal(id.as_bytes(), &aad, &plaintext).map_err(ClientError::crypto("sealing the input"))?;
        let sealed = sealed.to_bytes();
        let digest = Digest::of(self.0.trust.suite, Label::QUERY_INPUT, &sealed);
        let expected = Expected { intent: id, dataset: dataset.clone(), mode };
        let intent = Intent {
            id,
            consumer: consumer.clone(),
            dataset,
            purpose,
            mode,
            fields,
            authority,
            input: digest,
            lookup: None,
        };
        let entry = Entry { author: Some(consumer), made_ms, body: Body::Intent(intent) };
        Ok(One { expected, entry, item: QueryInputItem { intent: id, sealed: sealed.into() } })
    }

    fn sealer<'a>(
        &self,
        dataset: &DatasetId,
        sealers: &'a mut BTreeMap<MemberId, Sealer>,
    ) -> Result<&'a Sealer, ClientError> {
        let (holder, key) = self.holder(dataset)?;
        if !sealers.contains_key(&holder) {
            let sealer = Sealer::new(&key, Label::SEAL_INPUT, &mut rand::rng())
                .map_err(ClientError::crypto("encapsulating to the holder"))?;
            sealers.insert(holder.clone(), sealer);
        }
        sealers.get(&holder).ok_or(ClientError::Stopped)
    }

    /// INVARIANT the holder is the organisation that the dataset id names, by the ledger's rules; its key is that of the
    /// roster, which follows from the trust root. A gateway that lies about the catalogue cannot redirect an input.
    pub(crate) fn holder(&self, dataset: &DatasetId) -> Result<(MemberId, SealingKey), ClientError> {
        let unknown = || ClientError::HolderUnknown { dataset: dataset.clone(), holder: dataset.org().to_owned() };
        let holder = MemberId::new(dataset.org()).map_err(|_| unknown())?;
        let membership = self.membership();
        let keys = membership.keys(&holder).ok_or_else(unknown)?;
        Ok((holder, keys.sealing.clone()))
    }
}

/// What will share a signature.
#[derive(Default)]
struct Part {
    sealers: BTreeMap<MemberId, Sealer>,
    all: Vec<One>,
    size: usize,
}
