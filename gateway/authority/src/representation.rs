//! Who may speak for whom: guardians, attorneys, legal representatives.

use std::collections::BTreeSet;

use covenant_api::Problem;
use covenant_domain::{Capacity, MemberId, PurposeCode, Subject};
use uuid::Uuid;

use crate::age::{OF_CONSENT, OF_MAJORITY, reached};
use crate::db::entity::representation::Model;
use crate::problem::{Trouble, internal, trouble};
use crate::service::{Answer, Service, db_failed, read_ms, stored_ms};
use crate::terms::open_at_service;
use crate::view::{NewRepresentation, Registered};

/// Longest power of attorney, in days.
const ATTORNEY_DAYS: u64 = 1096;
const DAY_MS: u64 = 24 * 3_600_000;
/// People that a chain of representations is followed through.
const CHAIN: usize = 256;

fn refused(detail: impl Into<String>) -> Problem {
    trouble(Trouble::RepresentationInvalid, detail)
}

fn capacity_text(capacity: Capacity) -> &'static str {
    match capacity {
        Capacity::Guardian => "guardian",
        Capacity::Attorney => "attorney",
        Capacity::LegalRepresentative => "legal_representative",
    }
}

/// What a stored representation says.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) id: String,
    pub(crate) person: Vec<u8>,
    pub(crate) capacity: Capacity,
    pub(crate) purposes: Vec<PurposeCode>,
    evidence: Vec<u8>,
}

impl Voice {
    /// Whether it covers a purpose.
    pub(crate) fn covers(&self, purpose: &PurposeCode) -> bool {
        self.purposes.is_empty() || self.purposes.contains(purpose)
    }
}

fn is_minor(subject: &Subject, years: i64, now_ms: u64) -> bool {
    matches!(subject, Subject::Resident(number) if !reached(number, years, now_ms))
}

impl Service {
    /// Whether a guardian must decide for this person.
    pub(crate) fn needs_guardian(&self, subject: &Subject) -> bool {
        is_minor(subject, OF_CONSENT, self.clock.now_ms())
    }

    /// Registers a representation, for the service's own operators.
    pub(crate) async fn register(&self, caller: &MemberId, new: NewRepresentation) -> Answer<Registered> {
        self.check_operator(caller)?;
        let now_ms = self.clock.now_ms();
        let opened = open_at_service(&self.opener, caller, &self.identity.member, &new.sealed_names.0);
        let names = opened.ok_or_else(|| refused("the names are not sealed to this service by its operator"))?;
        let (subject, speaker) = names.split_once('\n').ok_or_else(|| refused("expected two lines of names"))?;
        let parse = |text: &str| Subject::parse(text).map_err(|e| refused(e.to_string()));
        let (subject, speaker) = (parse(subject)?, parse(speaker)?);
        check_shape(&new, &subject, &speaker, now_ms)?;
        let failed = |e| internal("seal a representation", e);
        let (person, voice) =
            (self.vault.person(&subject).map_err(failed)?, self.vault.person(&speaker).map_err(failed)?);
        self.check_no_cycle(&person, &voice, now_ms).await?;
        let id = Uuid::now_v7().to_string();
        let row = Model {
            evidence: self.vault.seal(&place(&id), new.evidence.as_bytes()).map_err(failed)?,
            person,
            speaker: voice,
            capacity: capacity_text(new.capacity).into(),
            purposes: serde_json::to_string(&new.purposes).map_err(|e| internal("store the purposes", e))?,
            valid_from_ms: stored_ms(new.valid_from_ms),
            valid_until_ms: stored_ms(new.valid_until_ms),
            revoked_ms: None,
            created_ms: stored_ms(now_ms),
            id: id.clone(),
        };
        self.db.add_representation(row).await.map_err(db_failed)?;
        Ok(Registered { id })
    }

    /// Ends a representation, for the service's own operators.
    pub(crate) async fn end_representation(&self, caller: &MemberId, id: &str) -> Answer<()> {
        self.check_operator(caller)?;
        let ended = self.db.end_representation(id, stored_ms(self.clock.now_ms())).await.map_err(db_failed)?;
        let unknown = || trouble(Trouble::RepresentationUnknown, "no representation of this id stands");
        if ended { Ok(()) } else { Err(unknown()) }
    }

    fn check_operator(&self, caller: &MemberId) -> Answer<()> {
        if caller == &self.identity.member {
            return Ok(());
        }
        let detail = format!("`{caller}` is not `{}`, whose operators keep the representations", self.identity.member);
        Err(trouble(Trouble::NotAuthoriser, detail))
    }

    /// Nobody may come to speak, through others, for whom speaks for it.
    async fn check_no_cycle(&self, person: &[u8], speaker: &[u8], now_ms: u64) -> Answer<()> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![speaker.to_vec()]);
        while let Some(who) = next.pop() {
            if who == person {
                return Err(refused("it closes a circle: the subject speaks for its representative already"));
            }
            if !seen.insert(who.clone()) {
                continue;
            }
            if seen.len() > CHAIN {
                return Err(refused(format!("the representative is spoken for through more than {CHAIN} people")));
            }
            let above = self.db.speakers(&who, stored_ms(now_ms)).await.map_err(db_failed)?;
            next.extend(above.into_iter().map(|row| row.speaker));
        }
        Ok(())
    }

    /// For whom a person may speak now, by what is registered.
    pub(crate) async fn voices(&self, speaker: &Subject) -> Answer<Vec<Voice>> {
        let now_ms = self.clock.now_ms();
        if is_minor(speaker, OF_MAJORITY, now_ms) {
            return Ok(Vec::new());
        }
        let key = self.vault.person(speaker).map_err(|e| internal("find a person", e))?;
        let rows = self.db.spoken_for(&key, stored_ms(now_ms)).await.map_err(db_failed)?;
        rows.into_iter().filter(|row| read_ms(row.valid_from_ms) <= now_ms).map(read).collect()
    }

    /// Whether a voice may decide about this subject for this purpose, and its evidence.
    pub(crate) fn hear(
        &self,
        voice: &Voice,
        subject: &Subject,
        purpose: &PurposeCode,
    ) -> Answer<covenant_canon::Digest> {
        let no = |detail: &str| Err(trouble(Trouble::RepresentationRefused, detail));
        if !voice.covers(purpose) {
            return no("the representation does not cover this purpose");
        }
        match (voice.capacity, self.needs_guardian(subject)) {
            (Capacity::Guardian, false) => no("the subject has turned 14 and decides for itself"),
            (Capacity::Attorney, true) => no("for a minor under 14 its guardian decides, no attorney"),
            _ => {
                let digest = self.vault.unseal(&place(&voice.id), &voice.evidence);
                let digest = digest.map_err(|e| internal("open a representation", e))?;
                let bytes = digest.as_slice().try_into().map_err(|e| internal("read a representation", e))?;
                Ok(covenant_canon::Digest(bytes))
            }
        }
    }
}

fn place(id: &str) -> String {
    format!("representations/{id}")
}

fn read(row: Model) -> Answer<Voice> {
    let capacity = match row.capacity.as_str() {
        "guardian" => Capacity::Guardian,
        "attorney" => Capacity::Attorney,
        "legal_representative" => Capacity::LegalRepresentative,
        other => return Err(internal("read a representation", other)),
    };
    let purposes = serde_json::from_str(&row.purposes).map_err(|e| internal("read a representation", e))?;
    Ok(Voice { id: row.id, person: row.person, capacity, purposes, evidence: row.evidence })
}

/// What can be told from the registration alone.
fn check_shape(new: &NewRepresentation, subject: &Subject, speaker: &Subject, now_ms: u64) -> Answer<()> {
    if subject == speaker {
        return Err(refused("nobody represents itself"));
    }
    if !matches!(speaker, Subject::Resident(_)) {
        return Err(refused("a representative is a natural person"));
    }
    if is_minor(speaker, OF_MAJORITY, now_ms) {
        return Err(refused("the representative is a minor"));
    }
    if new.valid_until_ms <= new.valid_from_ms || new.valid_until_ms <= now_ms {
        return Err(refused("its validity is empty or over"));
    }
    let minor = is_minor(subject, OF_CONSENT, now_ms);
    match (new.capacity, subject) {
        (Capacity::Guardian, Subject::Resident(_)) if minor => Ok(()),
        (Capacity::Guardian, _) => Err(refused("a guardian speaks for a person under 14")),
        (Capacity::Attorney, Subject::Unit(_)) => Err(refused("a real-estate unit gives no power of attorney")),
        (Capacity::Attorney, _) if minor => Err(refused("a person under 14 gives no power of attorney")),
        (Capacity::Attorney, _) if new.valid_until_ms - new.valid_from_ms > ATTORNEY_DAYS * DAY_MS => {
            Err(refused("a power of attorney lasts three years at most"))
        }
        (Capacity::Attorney, _) | (Capacity::LegalRepresentative, Subject::Company(_)) => Ok(()),
        (Capacity::LegalRepresentative, _) => Err(refused("a legal representative speaks for a company")),
    }
}
