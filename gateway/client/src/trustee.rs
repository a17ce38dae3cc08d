//! For trustees: making the escrow key together, and helping to open escrows in a case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covenant_api::Base64Bytes;
use covenant_canon::{Label, from_bytes, to_bytes};
use covenant_domain::{
    Body, Case, CaseNumber, CaseShare, Ceremony, CeremonyStatus, CeremonyStep, IntentId, LookupClaim, MemberId,
    Package, Point, SealedShare, attested,
};
use covenant_ledger::{Bundle, verify_bundle};
use covenant_sigma::threshold::{
    Committee, FirstRound, KeyShare, PartialOpening, SecondRound, ThresholdError, partial_open,
};
use covenant_suite::{Opener, Sealed, Sealer, suite};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Client, ClientError};

/// How often a trustee looks whether the others have done their step.
const LOOK: Duration = Duration::from_millis(300);

/// A trustee's share of an escrow key, sealed to the trustee's own key: a file that opens with the trustee's key file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareFile {
    /// The trustee.
    pub trustee: MemberId,
    /// The ceremony that made the key.
    pub ceremony: u32,
    /// Canonical bytes of the sealed share.
    pub sealed: Base64Bytes,
}

/// A partial opening as it is sealed to the regulator of a case.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Part {
    #[n(0)]
    index: u16,
    #[n(1)]
    point: Point,
    #[n(2)]
    proof: covenant_domain::Proof,
}

impl From<PartialOpening> for Part {
    fn from(it: PartialOpening) -> Self {
        Self { index: it.index, point: Point(it.point), proof: covenant_domain::Proof(it.proof) }
    }
}

impl From<Part> for PartialOpening {
    fn from(it: Part) -> Self {
        Self { index: it.index, point: it.point.0, proof: it.proof.0 }
    }
}

impl Client {
    /// Takes part in a ceremony from its first step to its end, and returns this trustee's share. The steps wait for each
    /// other: all trustees must be at it within `patience`. What does not hold ends the ceremony, with the name of who is
    /// at fault on the ledger.
    ///
    /// # Errors
    /// [`ClientError::Ceremony`] with the step that failed and what to do.
    pub async fn join_ceremony(&self, number: u32, patience: Duration) -> Result<ShareFile, ClientError> {
        let deadline = Instant::now() + patience;
        let ceremony = self.ceremony(number).await?;
        let trustees = ceremony.call.trustees.clone();
        let wrong = |reason: &str| ClientError::Ceremony { number, reason: reason.to_owned() };
        let place =
            trustees.iter().position(|t| t == self.member()).ok_or_else(|| wrong("you are no trustee of it"))?;
        let ours = ceremony.contributions.get(place);
        if ceremony.status != CeremonyStatus::Open || ours.is_none_or(|c| c.package.is_some()) {
            return Err(wrong("it is over, or was joined by another run of yours: ask for a new one"));
        }
        let index = index_of(place);
        let count = u16::try_from(trustees.len()).unwrap_or(u16::MAX);
        let failed = |e: ThresholdError| ClientError::Ceremony { number, reason: e.to_string() };
        let committee = Committee::new(ceremony.call.threshold, count).map_err(failed)?;
        let (first, package) = FirstRound::start(committee, index, &mut rand::rng()).map_err(failed)?;
        self.step(number, CeremonyStep::Committed { package: Package(package) }).await?;
        let ceremony = self.awaited(number, deadline, |c| c.contributions.iter().all(|c| c.package.is_some())).await?;
        let second = self.share_out(&ceremony, place, first).await?;
        let ceremony = self.awaited(number, deadline, |c| c.contributions.iter().all(|c| !c.shares.is_empty())).await?;
        let share = self.confirm(&ceremony, place, second).await?;
        self.awaited(number, deadline, |c| c.status == CeremonyStatus::Finished).await?;
        self.share_file(number, &share)
    }

    /// Second step: checks what the others have committed to and seals a share to each of them.
    async fn share_out(
        &self,
        ceremony: &Ceremony,
        place: usize,
        first: FirstRound,
    ) -> Result<SecondRound, ClientError> {
        let number = ceremony.call.number;
        let package = |c: &covenant_domain::Contribution| c.package.clone().map(|p| p.0).unwrap_or_default();
        let broadcasts: BTreeMap<u16, Vec<u8>> =
            ceremony.contributions.iter().enumerate().map(|(i, c)| (index_of(i), package(c))).collect();
        let (second, shares) = match first.shares(&broadcasts) {
            Ok(done) => done,
            Err(fault) => return Err(self.accuse(ceremony, fault).await),
        };
        let mut sealed = Vec::with_capacity(shares.len());
        for (i, trustee) in ceremony.call.trustees.iter().enumerate().filter(|(i, _)| *i != place) {
            let share = shares.get(&index_of(i)).ok_or(ClientError::Stopped)?;
            let context = to_bytes(&(self.0.consortium, number, self.member(), trustee));
            let bytes = self.seal_to(trustee, Label::SEAL_SHARE, &context, share)?;
            sealed.push(SealedShare { to: trustee.clone(), sealed: Package(bytes) });
        }
        self.step(number, CeremonyStep::Shared { shares: sealed }).await?;
        Ok(second)
    }

    /// Third step: checks the shares received, and signs the key.
    async fn confirm(&self, ceremony: &Ceremony, place: usize, second: SecondRound) -> Result<KeyShare, ClientError> {
        let number = ceremony.call.number;
        let opener = Opener::new(Arc::clone(&self.0.identity.opening), Label::SEAL_SHARE);
        let mut shares: BTreeMap<u16, Zeroizing<Vec<u8>>> = BTreeMap::new();
        for (i, (trustee, given)) in ceremony.call.trustees.iter().zip(&ceremony.contributions).enumerate() {
            if i == place {
                continue;
            }
            let context = to_bytes(&(self.0.consortium, number, trustee, self.member()));
            let ours = given.shares.iter().find(|s| &s.to == self.member());
            let sealed = ours.and_then(|s| Sealed::from_bytes(&s.sealed.0).ok());
            let opened = sealed.and_then(|sealed| opener.open(&context, &context, &sealed).ok());
            match opened {
                Some(share) => shares.insert(index_of(i), share),
                None => return Err(self.accuse(ceremony, ThresholdError::Package { member: index_of(i) }).await),
            };
        }
        let (share, group) = match second.finish(&shares) {
            Ok(done) => done,
            Err(fault) => return Err(self.accuse(ceremony, fault).await),
        };
        let (key, group) = (Point(group.escrow_key().to_bytes()), Package(group.to_bytes()));
        let id = self.0.trust.suite;
        let digest = attested(id, &self.0.consortium, number, &group, &key);
        let signature = suite(id).sign(&self.0.identity.signing, Label::ESCROW_GROUP, digest.as_bytes());
        let attestation = signature.map_err(ClientError::crypto("signing the escrow key"))?.to_string();
        self.step(number, CeremonyStep::Confirmed { group, key, attestation }).await?;
        Ok(share)
    }

    /// Ends a ceremony in which something does not hold, by the name of who is at fault where that is known.
    async fn accuse(&self, ceremony: &Ceremony, fault: ThresholdError) -> ClientError {
        let number = ceremony.call.number;
        let reason = fault.to_string();
        let accused = fault.culprit().and_then(|m| ceremony.call.trustees.get(usize::from(m).checked_sub(1)?));
        if let Some(accused) = accused.cloned() {
            let step = CeremonyStep::Failed { accused, reason: reason.clone() };
            if let Err(error) = self.step(number, step).await {
                tracing::warn!(number, %error, "the fault could not be recorded");
            }
        }
        ClientError::Ceremony { number, reason }
    }

    fn share_file(&self, number: u32, share: &KeyShare) -> Result<ShareFile, ClientError> {
        let context = own_context(number, self.member());
        let sealed = self.seal_to(self.member(), Label::SEAL_SHARE, &context, share.to_bytes().as_slice())?;
        Ok(ShareFile { trustee: self.member().clone(), ceremony: number, sealed: sealed.into() })
    }

    fn open_share(&self, file: &ShareFile) -> Result<KeyShare, ClientError> {
        let number = file.ceremony;
        let wrong = |reason: &str| ClientError::Ceremony { number, reason: reason.to_owned() };
        let sealed = Sealed::from_bytes(&file.sealed.0).map_err(|_| wrong("the share file cannot be read"))?;
        let context = own_context(number, self.member());
        let opener = Opener::new(Arc::clone(&self.0.identity.opening), Label::SEAL_SHARE);
        let plain = opener.open(&context, &context, &sealed).map_err(|_| wrong("the share file is not yours"))?;
        let bytes = Zeroizing::new(<[u8; 34]>::try_from(plain.as_slice()).map_err(|_| wrong("the share is damaged"))?);
        KeyShare::from_bytes(&bytes).map_err(|_| wrong("the share is damaged"))
    }

    /// Gives this trustee's part for every lookup of a case that it has not given yet, and counts them. The order of the
    /// regulator must have been seen: its digest stands in the case. Each lookup's evidence is verified first.
    ///
    /// # Errors
    /// [`ClientError::Case`] with the lookup that cannot be helped with.
    pub async fn help_case(&self, number: &CaseNumber, file: &ShareFile) -> Result<usize, ClientError> {
        let (case, share) = (self.case(number).await?, self.open_share(file)?);
        let mut bodies = Vec::new();
        for item in case.items.iter().filter(|i| !i.shares.iter().any(|(t, _)| t == self.member())) {
            let claim = self.escrowed(number, &item.intent).await?;
            if claim.ceremony != file.ceremony {
                let reason =
                    format!("it is escrowed under key {}, the share is of key {}", claim.ceremony, file.ceremony);
                return Err(case_error(number, &item.intent, reason));
            }
            let context = self.case_context(number, &item.intent);
            let part = partial_open(&share, &context, &claim.escrow_a.0, &mut rand::rng())
                .map_err(|e| case_error(number, &item.intent, e.to_string()))?;
            let part = to_bytes(&Part::from(part));
            let sealed = self.seal_to(&case.regulator, Label::SEAL_OPENING, &context, &part)?;
            let share = CaseShare { case: number.clone(), intent: item.intent, sealed: Package(sealed) };
            bodies.push(Body::CaseShared(share));
        }
        let given = bodies.len();
        self.demand(bodies).await.map_err(|reason| ClientError::Case { case: number.to_string(), reason })?;
        Ok(given)
    }

    /// The claim of a lookup, from evidence that verifies against the trust root.
    pub(crate) async fn escrowed(&self, case: &CaseNumber, intent: &IntentId) -> Result<LookupClaim, ClientError> {
        let bytes = self.evidence(intent).await?;
        if !verify_bundle(&bytes, &self.0.trust).verified {
            return Err(case_error(case, intent, "its evidence does not verify".into()));
        }
        let bundle: Bundle = from_bytes(&bytes).map_err(ClientError::protocol)?;
        match bundle.intent.leaf.entry.body {
            Body::Intent(found) if found.id == *intent => {
                found.lookup.ok_or_else(|| case_error(case, intent, "it is no lookup".into()))
            }
            _ => Err(case_error(case, intent, "its evidence is another's".into())),
        }
    }

    /// What a partial opening is bound to.
    pub(crate) fn case_context(&self, case: &CaseNumber, intent: &IntentId) -> Vec<u8> {
        to_bytes(&(self.0.consortium, case.as_str(), *intent))
    }

    pub(crate) async fn case(&self, number: &CaseNumber) -> Result<Case, ClientError> {
        let missing = || ClientError::Case { case: number.to_string(), reason: "it is not on the ledger".into() };
        self.cases().await?.into_iter().find(|c| &c.number == number).ok_or_else(missing)
    }

    async fn ceremony(&self, number: u32) -> Result<Ceremony, ClientError> {
        let missing = || ClientError::Ceremony { number, reason: "it is not on the ledger".into() };
        self.ceremonies().await?.into_iter().find(|c| c.call.number == number).ok_or_else(missing)
    }

    /// Waits until the ceremony has got somewhere.
    async fn awaited(
        &self,
        number: u32,
        deadline: Instant,
        there: impl Fn(&Ceremony) -> bool + Send,
    ) -> Result<Ceremony, ClientError> {
        loop {
            let ceremony = self.ceremony(number).await?;
            if let Some((accused, reason)) = &ceremony.fault {
                let reason = format!("it failed, at fault is `{accused}`: {reason}");
                return Err(ClientError::Ceremony { number, reason });
            }
            if there(&ceremony) {
                return Ok(ceremony);
            }
            if Instant::now() >= deadline {
                let reason = "the other trustees did not take their step in time: ask for a new ceremony".into();
                return Err(ClientError::Ceremony { number, reason });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn step(&self, number: u32, step: CeremonyStep) -> Result<(), ClientError> {
        let body = Body::CeremonyStepped { number, step };
        self.demand(vec![body]).await.map_err(|reason| ClientError::Ceremony { number, reason })
    }

    /// Publishes and demands that everything took effect.
    pub(crate) async fn demand(&self, bodies: Vec<Body>) -> Result<(), String> {
        let outcomes = self.publish(bodies).await.map_err(|e| e.to_string())?;
        outcomes.into_iter().find_map(|o| o.rejected).map_or(Ok(()), Err)
    }

    /// Seals to a member by the key in the trust root.
    fn seal_to(&self, to: &MemberId, label: Label, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, ClientError> {
        let membership = self.membership();
        let key = &membership.keys(to).ok_or_else(|| ClientError::NotMember { member: to.clone() })?.sealing;
        let sealer = Sealer::new(key, label, &mut rand::rng()).map_err(ClientError::crypto("encapsulating"))?;
        Ok(sealer.seal(context, context, plain).map_err(ClientError::crypto("sealing"))?.to_bytes())
    }
}

fn own_context(number: u32, trustee: &MemberId) -> Vec<u8> {
    to_bytes(&(number, trustee, "share file"))
}

fn index_of(place: usize) -> u16 {
    u16::try_from(place + 1).unwrap_or(u16::MAX)
}

pub(crate) fn case_error(case: &CaseNumber, intent: &IntentId, reason: String) -> ClientError {
    ClientError::Case { case: case.to_string(), reason: format!("lookup {intent}: {reason}") }
}
