//! The citizen's side: requests, consents and uses of one's own data.

use covenant_api::Problem;
use covenant_canon::Digest;
use covenant_domain::{Body, Capacity, Consent, ConsentChange, ConsentId, ConsentKind, Subject};

use crate::db::entity::request::Model as Row;
use crate::db::state;
use crate::issue::Speaker;
use crate::problem::{Trouble, internal, trouble};
use crate::representation::Voice;
use crate::service::{Answer, Service, db_failed, ledger_failed, read_ms, stored_ms};
use crate::terms::RequestTerms;
use crate::view::{Approval, Changed, MyConsent, MyRequest, MyUse};

/// A row that is the caller's to see, and the voice through which, unless it is about the caller.
struct Seen {
    row: Row,
    voice: Option<Voice>,
}

impl Seen {
    fn capacity(&self) -> Option<Capacity> {
        self.voice.as_ref().map(|v| v.capacity)
    }
}

fn unknown_request() -> Problem {
    trouble(Trouble::RequestUnknown, "no request of this id is about you or whom you speak for")
}

fn unknown_consent() -> Problem {
    trouble(Trouble::ConsentNotYours, "no consent of this id is about you or whom you speak for")
}

impl Service {
    /// Requests that wait for the caller.
    pub(crate) async fn my_requests(&self, me: &Subject) -> Answer<Vec<MyRequest>> {
        let now_ms = self.clock.now_ms();
        let mut out = Vec::new();
        for seen in self.seen(me, state::ISSUING).await? {
            self.settle(seen.row).await?;
        }
        for seen in self.seen(me, state::REQUESTED).await? {
            let terms = self.terms_of(&seen.row)?;
            let expires_ms = self.expires_ms(&seen.row, &terms);
            if expires_ms <= now_ms || seen.voice.as_ref().is_some_and(|v| !v.covers(&terms.purpose)) {
                continue;
            }
            let member = self.ledger.trust().member(&terms.consumer);
            let names = member.map_or_else(Default::default, |m| [m.names.zh.clone(), m.names.en.clone()]);
            out.push(MyRequest {
                id: seen.row.id.parse().map_err(|e| internal("read a stored request", e))?,
                notice: self.notices.get(&terms.purpose).cloned(),
                consumer_names: names,
                capacity: seen.capacity(),
                expires_ms,
                terms,
            });
        }
        Ok(out)
    }

    /// Agrees to a request as it was shown.
    pub(crate) async fn approve(&self, me: &Subject, id: &Digest, approval: &Approval) -> Answer<Changed> {
        let (seen, terms) = self.decidable(me, id).await?;
        if &approval.terms != id {
            return Err(trouble(Trouble::TermsChanged, "the digest of the terms is not this request's: read it again"));
        }
        // INVARIANT the text that was read, the text the consumer named and the newest on the ledger are one.
        if approval.notice != terms.notice.as_ref().map(|n| n.text) {
            return Err(trouble(
                Trouble::NoticeChanged,
                "the digest is not that of the notice to be shown: read it again",
            ));
        }
        self.check_notice(&terms).await?;
        let subject = self.subject_in(&seen.row)?;
        let row = match &seen.voice {
            None if self.needs_guardian(&subject) => return Err(minor()),
            None => self.issue(seen.row, &terms, &subject, None).await?,
            Some(voice) => {
                let evidence = self.hear(voice, &subject, &terms.purpose)?;
                let speaker = Speaker { subject: me, capacity: voice.capacity, evidence };
                self.issue(seen.row, &terms, &subject, Some((&speaker, voice.id.clone()))).await?
            }
        };
        let consent = row.consent.as_deref().and_then(|c| c.parse().ok());
        let consent = consent.ok_or_else(|| internal("read the issued consent", "no id"))?;
        Ok(Changed { consent, leaf: place_of(row.leaf), height: place_of(row.height) })
    }

    /// Says no. A minor may: nothing is given away.
    pub(crate) async fn decline(&self, me: &Subject, id: &Digest) -> Answer<()> {
        let (seen, terms) = self.decidable(me, id).await?;
        if let Some(voice) = &seen.voice {
            self.hear(voice, &self.subject_in(&seen.row)?, &terms.purpose)?;
        }
        let now = Some(stored_ms(self.clock.now_ms()));
        let turned = self.db.turn(&seen.row.id, state::REQUESTED, state::DECLINED, now).await.map_err(db_failed)?;
        if turned { Ok(()) } else { Err(trouble(Trouble::RequestDecided, "somebody decided it just now")) }
    }

    /// A request that the caller may see and that nobody has decided.
    async fn decidable(&self, me: &Subject, id: &Digest) -> Answer<(Seen, RequestTerms)> {
        let row = self.db.request(&id.to_string()).await.map_err(db_failed)?.ok_or_else(unknown_request)?;
        let terms = self.terms_of(&row)?;
        // An authority by law is nobody's to decide, and may be sealed: it is as if it were not there.
        if terms.kind != ConsentKind::Consent {
            return Err(unknown_request());
        }
        let seen = self.look(me, row).await?.ok_or_else(unknown_request)?;
        let row = self.settle(seen.row).await?;
        if row.state != state::REQUESTED {
            return Err(trouble(Trouble::RequestDecided, format!("it is `{}` already", row.state)));
        }
        if self.expires_ms(&row, &terms) <= self.clock.now_ms() {
            return Err(trouble(Trouble::RequestExpired, "nobody decided it in time: the consumer must ask anew"));
        }
        Ok((Seen { row, voice: seen.voice }, terms))
    }

    /// Pauses, resumes or revokes a consent.
    pub(crate) async fn change(&self, me: &Subject, id: &ConsentId, change: ConsentChange) -> Answer<Changed> {
        let row = self.db.request_of_consent(&id.to_string()).await.map_err(db_failed)?;
        let row = row.filter(|r| r.state == state::ISSUED && self.is_open(r)).ok_or_else(unknown_consent)?;
        let seen = self.look(me, row).await?.ok_or_else(unknown_consent)?;
        let terms = self.terms_of(&seen.row)?;
        if terms.kind != ConsentKind::Consent {
            let detail = "it rests on law, not on your consent; a complaint goes to the authority or the regulator";
            return Err(trouble(Trouble::NotRevocable, detail));
        }
        let subject = self.subject_in(&seen.row)?;
        match &seen.voice {
            Some(voice) => drop(self.hear(voice, &subject, &terms.purpose)?),
            // Less use is any subject's to decide, more use is not a minor's.
            None if change == ConsentChange::Resumed && self.needs_guardian(&subject) => return Err(minor()),
            None => {}
        }
        let body = Body::ConsentChanged { consent: *id, change };
        let placed = self.ledger.publish(body).await.map_err(ledger_failed)?;
        Ok(Changed { consent: *id, leaf: placed.leaf, height: placed.height })
    }

    /// Consents about the caller, and authorities by law once they are open.
    pub(crate) async fn my_consents(&self, me: &Subject) -> Answer<Vec<MyConsent>> {
        let mut out = Vec::new();
        for (seen, consent) in self.standing(me).await? {
            let view = self.ledger.consent(&consent.id).await.map_err(ledger_failed)?;
            out.push(MyConsent {
                status: view.status,
                uses: view.uses,
                leaf: seen.row.leaf.map(read_ms),
                height: seen.row.height.map(read_ms),
                capacity: seen.capacity(),
                consent,
            });
        }
        Ok(out)
    }

    /// Every use of the caller's data under any of them.
    pub(crate) async fn my_uses(&self, me: &Subject) -> Answer<Vec<MyUse>> {
        let mut out = Vec::new();
        for (_, consent) in self.standing(me).await? {
            let case = match &consent.kind {
                ConsentKind::LegalAuthority { case, .. } => Some(case.to_string()),
                ConsentKind::Consent => None,
            };
            let uses = self.ledger.uses(&consent.id).await.map_err(ledger_failed)?;
            out.extend(uses.into_iter().map(|found| MyUse { consent: consent.id, case: case.clone(), found }));
        }
        out.sort_by_key(|u| std::cmp::Reverse(u.found.leaf));
        Ok(out)
    }

    async fn standing(&self, me: &Subject) -> Answer<Vec<(Seen, Consent)>> {
        let mut out = Vec::new();
        for seen in self.seen(me, state::ISSUED).await? {
            let ticket = seen.row.ticket.as_deref().unwrap_or_default();
            let ticket = covenant_client::ConsentTicket::from_json(ticket).map_err(|e| internal("read a ticket", e))?;
            let covered = seen.voice.as_ref().is_none_or(|v| v.covers(&ticket.consent.purpose));
            if covered {
                out.push((seen, ticket.consent));
            }
        }
        Ok(out)
    }

    /// Whether the subject may know of it.
    fn is_open(&self, row: &Row) -> bool {
        read_ms(row.sealed_until_ms) <= self.clock.now_ms()
    }

    /// Rows in a state about the caller or whom it speaks for, without what is sealed.
    async fn seen(&self, me: &Subject, state: &str) -> Answer<Vec<Seen>> {
        let own = self.vault.person(me).map_err(|e| internal("find a person", e))?;
        let voices = self.voices(me).await?;
        let mut people = vec![own.clone()];
        people.extend(voices.iter().map(|v| v.person.clone()));
        let rows = self.db.requests_of(&people, state).await.map_err(db_failed)?;
        let mut out = Vec::new();
        for row in rows.into_iter().filter(|row| self.is_open(row)) {
            if row.person == own {
                out.push(Seen { row, voice: None });
            } else if let Some(seen) = self.through(row, &voices)? {
                out.push(seen);
            }
        }
        Ok(out)
    }

    /// Whether a row is about the caller or whom it speaks for.
    async fn look(&self, me: &Subject, row: Row) -> Answer<Option<Seen>> {
        if row.person == self.vault.person(me).map_err(|e| internal("find a person", e))? {
            return Ok(Some(Seen { row, voice: None }));
        }
        let voices = self.voices(me).await?;
        self.through(row, &voices)
    }

    /// The row through the voice that may decide about it, or through another that speaks for its subject.
    fn through(&self, row: Row, voices: &[Voice]) -> Answer<Option<Seen>> {
        let terms = self.terms_of(&row)?;
        let subject = self.subject_in(&row)?;
        let own = voices.iter().filter(|v| v.person == row.person);
        // What the law did, an attorney for other things need not know.
        let by_law = terms.kind != ConsentKind::Consent;
        let mut own: Vec<&Voice> = own.filter(|v| !by_law || v.capacity != Capacity::Attorney).collect();
        own.sort_by_key(|v| self.hear(v, &subject, &terms.purpose).is_err());
        // A guardian of somebody who has grown up sees nothing any more.
        let voice = own.into_iter().find(|v| v.capacity != Capacity::Guardian || self.needs_guardian(&subject));
        Ok(voice.cloned().map(|voice| Seen { row, voice: Some(voice) }))
    }
}

fn place_of(stored: Option<i64>) -> u64 {
    stored.map_or(0, read_ms)
}

fn minor() -> Problem {
    trouble(Trouble::MinorNeedsGuardian, "you are under 14: your guardian decides, after registering with the service")
}
