//! From an agreement to a consent for the ledger and a ticket for the consumer.

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_client::ConsentTicket;
use covenant_domain::{Capacity, Commitment, Consent, ConsentId, Representative, Subject};
use covenant_sigma::{Opening, commit};
use covenant_suite::{Sealer, SealingKey, SuiteError};
use rand::Rng as _;
use zeroize::Zeroizing;

use crate::terms::RequestTerms;

/// Who speaks for the subject.
pub(crate) struct Speaker<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) capacity: Capacity,
    pub(crate) evidence: Digest,
}

/// A consent that is not on the ledger yet.
pub(crate) struct Drafted {
    pub(crate) consent: Consent,
    pub(crate) ticket: ConsentTicket,
    /// Opening of the representative's commitment and salt of its evidence, 64 bytes.
    pub(crate) spoken: Option<Zeroizing<Vec<u8>>>,
}

fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::rng().fill_bytes(bytes.as_mut_slice());
    bytes
}

fn hide(subject: &Subject) -> (Commitment, Opening) {
    let opening = Opening::from_wide(&random());
    (Commitment(commit(&Zeroizing::new(subject.canonical()), &opening)), opening)
}

/// Commits to the subject, and to who speaks for it, and seals the subject's opening to the consumer.
pub(crate) fn draft(
    id: SuiteId,
    subject: &Subject,
    terms: &RequestTerms,
    speaker: Option<&Speaker<'_>>,
    consumer: &SealingKey,
    now_ms: u64,
) -> Result<Drafted, SuiteError> {
    let (commitment, opening) = hide(subject);
    let (representative, spoken) = speaker.map(|speaker| represent(id, speaker)).unzip();
    let consent = Consent {
        id: ConsentId::from_parts(now_ms, &random()),
        consumer: terms.consumer.clone(),
        purpose: terms.purpose.clone(),
        scopes: terms.scopes.clone(),
        modes: terms.modes.clone(),
        commitment,
        valid_from_ms: terms.valid_from_ms,
        valid_until_ms: terms.valid_until_ms,
        max_uses: terms.max_uses,
        data_life_days: terms.data_life_days,
        kind: terms.kind.clone(),
        frequency: terms.frequency,
        notice: terms.notice.as_ref().map(|n| n.text),
        representative,
        request: Some(terms.digest(id)),
    };
    let sealer = Sealer::new(consumer, Label::SEAL_CONSENT, &mut rand::rng())?;
    let plaintext = Zeroizing::new(opening.to_bytes());
    let sealed = sealer.seal(consent.id.as_bytes(), &to_bytes(&consent), plaintext.as_slice())?;
    let ticket = ConsentTicket { consent: consent.clone(), sealed: sealed.to_bytes().into() };
    Ok(Drafted { consent, ticket, spoken })
}

/// A fresh commitment and salt each time: two consents of one representative cannot be linked on the ledger.
fn represent(id: SuiteId, speaker: &Speaker<'_>) -> (Representative, Zeroizing<Vec<u8>>) {
    let (commitment, opening) = hide(speaker.subject);
    let salt = random::<32>();
    let evidence = Digest::of_parts(id, Label::REPRESENTATION, &[salt.as_slice(), speaker.evidence.as_bytes()]);
    let opening = Zeroizing::new(opening.to_bytes());
    let spoken = Zeroizing::new([opening.as_slice(), salt.as_slice()].concat());
    (Representative { capacity: speaker.capacity, commitment, evidence }, spoken)
}
