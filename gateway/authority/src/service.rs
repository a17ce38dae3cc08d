//! The service: what it holds, and the consumer's side of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_api::{Code, Problem};
use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_client::{ConsentTicket, Identity};
use covenant_domain::{ConsentKind, MemberId, Purpose, Role, Subject, SubjectKind};
use covenant_ledger::MemberKeys;
use covenant_suite::Opener;

use crate::clock::Clock;
use crate::config::AuthorityConfig;
use crate::db::entity::request::Model as Row;
use crate::db::{Db, state};
use crate::ledger::{Ledger, LedgerError};
use crate::notice::Notices;
use crate::oidc::RelyingParty;
use crate::problem::{Trouble, internal, trouble};
use crate::replay::Replays;
use crate::terms::{NewRequest, RequestTerms, open_at_service, sealed_digest};
use crate::vault::Vault;
use crate::view::{RequestState, RequestView};

const DAY_MS: u64 = 24 * 3_600_000;
/// How old a request may be when it arrives, or how far ahead, in milliseconds.
const FRESH_MS: u64 = 600_000;
/// Longest seal of an authority beyond its validity, as on the ledger.
const LONGEST_SEAL_MS: u64 = 731 * DAY_MS;
/// Most datasets, fields of one, and modes of one request.
const MOST: usize = 64;

pub(crate) type Answer<T> = Result<T, Problem>;

/// The running service.
pub(crate) struct Service {
    pub(crate) db: Db,
    pub(crate) vault: Vault,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) opener: Opener,
    pub(crate) keys: BTreeMap<MemberId, MemberKeys>,
    pub(crate) consortium: Digest,
    pub(crate) notices: Notices,
    pub(crate) party: RelyingParty,
    pub(crate) config: AuthorityConfig,
    pub(crate) replays: Replays,
}

/// Milliseconds as the database holds them.
pub(crate) fn stored_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Milliseconds from the database.
pub(crate) fn read_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default()
}

pub(crate) fn db_failed(error: sea_orm::DbErr) -> Problem {
    internal("use its database", error)
}

fn invalid(detail: impl Into<String>) -> Problem {
    trouble(Trouble::TermsInvalid, detail)
}

/// A failure of the ledger as a problem.
pub(crate) fn ledger_failed(error: LedgerError) -> Problem {
    match error {
        LedgerError::Refused(reason) => trouble(Trouble::LedgerRefused, reason),
        LedgerError::Unknown => trouble(Trouble::LedgerRefused, "the ledger does not know it"),
        LedgerError::Unreachable(reason) => trouble(Trouble::LedgerUnavailable, reason).retry_after(5),
    }
}

impl Service {
    /// Takes a consumer's request; true when it is new. The same request again gives what became of the first.
    pub(crate) async fn take(&self, caller: &MemberId, new: NewRequest) -> Answer<(RequestView, bool)> {
        let now_ms = self.clock.now_ms();
        self.check_signed(caller, &new)?;
        let id = new.terms.digest(self.suite());
        if let Some(row) = self.db.request(&id.to_string()).await.map_err(db_failed)? {
            let row = self.settle(row).await?;
            let waits = row.state == state::REQUESTED && now_ms < self.expires_ms(&row, &new.terms);
            // An authority by law waits for nobody: it was refused by the ledger, or cut off, the first time.
            let row = match new.terms.kind {
                ConsentKind::LegalAuthority { .. } if waits => {
                    let subject = self.subject_in(&row)?;
                    self.issue(row, &new.terms, &subject, None).await?
                }
                _ => row,
            };
            return Ok((self.view(&row, now_ms)?, false));
        }
        self.check_terms(&new.terms, now_ms)?;
        let purpose = self.purpose_of(&new.terms).await?;
        let subject = self.subject_of(&new)?;
        self.check_ground(&new.terms, &purpose, &subject).await?;
        let row = self.row(&new.terms, &subject, now_ms)?;
        if self.db.add_request(row.clone()).await.is_err() {
            // Two of the same at one time: the other one came first, or the database fails again here.
            let there = self.db.request(&row.id).await.map_err(db_failed)?;
            let there = there.ok_or_else(|| internal("store the request", "its row was not taken"))?;
            return Ok((self.view(&there, now_ms)?, false));
        }
        let row = match new.terms.kind {
            ConsentKind::Consent => row,
            ConsentKind::LegalAuthority { .. } => self.issue(row, &new.terms, &subject, None).await?,
        };
        Ok((self.view(&row, now_ms)?, true))
    }

    /// Where a consumer's own request stands.
    pub(crate) async fn status(&self, caller: &MemberId, id: &Digest) -> Answer<RequestView> {
        let row = self.own(caller, id).await?;
        let row = self.settle(row).await?;
        self.view(&row, self.clock.now_ms())
    }

    /// Takes a request back that nobody has decided.
    pub(crate) async fn withdraw(&self, caller: &MemberId, id: &Digest) -> Answer<RequestView> {
        let mut row = self.own(caller, id).await?;
        let now = Some(stored_ms(self.clock.now_ms()));
        let turned = self.db.turn(&row.id, state::REQUESTED, state::WITHDRAWN, now).await.map_err(db_failed)?;
        if !turned && row.state != state::WITHDRAWN {
            return Err(trouble(Trouble::RequestDecided, format!("it is `{}` and cannot be withdrawn", row.state)));
        }
        row.state = state::WITHDRAWN.into();
        self.view(&row, self.clock.now_ms())
    }

    async fn own(&self, caller: &MemberId, id: &Digest) -> Answer<Row> {
        let row = self.db.request(&id.to_string()).await.map_err(db_failed)?;
        let unknown = || trouble(Trouble::RequestUnknown, "you made no request of this id here");
        row.filter(|r| r.consumer == caller.as_str()).ok_or_else(unknown)
    }

    pub(crate) fn suite(&self) -> covenant_canon::SuiteId {
        self.ledger.trust().suite
    }

    fn check_signed(&self, caller: &MemberId, new: &NewRequest) -> Answer<()> {
        let terms = &new.terms;
        if terms.consortium != self.consortium || terms.authoriser != self.identity.member {
            let detail = format!("this is `{}` of consortium {}", self.identity.member, self.consortium.short());
            return Err(trouble(Trouble::OtherService, detail));
        }
        if &terms.consumer != caller {
            return Err(trouble(Trouble::NotConsumer, "the terms name another consumer than signed this call"));
        }
        let member = self.ledger.trust().member(caller);
        if !member.is_some_and(|m| m.has(Role::Consumer)) {
            return Err(trouble(Trouble::NotConsumer, format!("`{caller}` does not have the role of a consumer")));
        }
        let bad = || Problem::new(Code::SignatureInvalid, "the signature over the terms does not verify");
        let key = self.keys.get(caller).ok_or_else(bad)?;
        let signature = new.signature.parse().map_err(|_| bad())?;
        terms.verify(&key.verifying, &signature).map_err(|_| bad())?;
        if terms.subject != sealed_digest(self.suite(), &new.sealed_subject.0) {
            return Err(invalid("the sealed subject is not the one that the terms name"));
        }
        Ok(())
    }

    fn check_terms(&self, terms: &RequestTerms, now_ms: u64) -> Answer<()> {
        if terms.made_ms.abs_diff(now_ms) > FRESH_MS {
            return Err(trouble(Trouble::RequestExpired, "it was made more than ten minutes from now: sign it anew"));
        }
        let fits = |n: usize| (1..=MOST).contains(&n);
        if !fits(terms.scopes.len()) || !terms.scopes.iter().all(|s| fits(s.fields.len())) {
            return Err(invalid(format!("name 1 to {MOST} datasets with 1 to {MOST} fields each")));
        }
        if !fits(terms.modes.len()) || terms.max_uses == 0 {
            return Err(invalid("name at least one mode and one use"));
        }
        if terms.frequency.is_some_and(|q| q.limit == 0 || q.window_ms == 0) {
            return Err(invalid("the frequency allows no use in any window"));
        }
        if terms.valid_until_ms <= terms.valid_from_ms || terms.valid_until_ms <= now_ms {
            return Err(invalid("the validity is empty or over"));
        }
        let longest = u64::from(self.config.consent_days) * DAY_MS;
        if terms.valid_until_ms - terms.valid_from_ms.max(now_ms) > longest {
            return Err(invalid(format!("the validity is longer than {} days", self.config.consent_days)));
        }
        Ok(())
    }

    async fn purpose_of(&self, terms: &RequestTerms) -> Answer<Purpose> {
        let purposes = self.ledger.purposes().await.map_err(ledger_failed)?;
        let unknown = || invalid(format!("no purpose `{}` is registered", terms.purpose));
        let purpose = purposes.into_iter().find(|p| p.code == terms.purpose).ok_or_else(unknown)?;
        match terms.modes.iter().find(|m| !purpose.modes.contains(m)) {
            Some(mode) => Err(invalid(format!("purpose `{}` is not served by mode {mode:?}", purpose.code))),
            None => Ok(purpose),
        }
    }

    fn subject_of(&self, new: &NewRequest) -> Answer<Subject> {
        let unreadable = |why: String| trouble(Trouble::SubjectUnreadable, why);
        let opened = open_at_service(&self.opener, &new.terms.consumer, &self.identity.member, &new.sealed_subject.0);
        let text = opened.ok_or_else(|| unreadable("it is not sealed to this service by this consumer".into()))?;
        Subject::parse(&text).map_err(|e| unreadable(e.to_string()))
    }

    /// A consent needs a notice in force and somebody who can agree; an authority by law needs a purpose that allows it.
    async fn check_ground(&self, terms: &RequestTerms, purpose: &Purpose, subject: &Subject) -> Answer<()> {
        match &terms.kind {
            ConsentKind::Consent if subject.kind() == SubjectKind::Unit => {
                Err(trouble(Trouble::SubjectUnreadable, "a real-estate unit agrees to nothing: name its owner"))
            }
            ConsentKind::Consent => self.check_notice(terms).await,
            ConsentKind::LegalAuthority { .. } if purpose.needs_consent => {
                let detail =
                    format!("purpose `{}` demands the subject's consent: no authority replaces it", purpose.code);
                Err(trouble(Trouble::NeedsConsent, detail))
            }
            ConsentKind::LegalAuthority { sealed_until_ms: Some(until_ms), .. }
                if until_ms.saturating_sub(terms.valid_until_ms) > LONGEST_SEAL_MS =>
            {
                Err(invalid("it is sealed more than two years beyond its validity"))
            }
            ConsentKind::LegalAuthority { .. } if terms.notice.is_some() => {
                Err(invalid("nobody is shown a notice before an investigation: name none"))
            }
            ConsentKind::LegalAuthority { .. } => Ok(()),
        }
    }

    /// The terms must name the text that is served here, and that must be the newest on the ledger.
    pub(crate) async fn check_notice(&self, terms: &RequestTerms) -> Answer<()> {
        let registered = self.ledger.notices().await.map_err(ledger_failed)?;
        let newest = registered.iter().find(|n| n.purpose == terms.purpose);
        let here = self.notices.get(&terms.purpose);
        let same = match (here, newest) {
            (Some(here), Some(newest)) => here.digest == newest.text && here.version == newest.version,
            (None, None) => true,
            _ => false,
        };
        if !same {
            let detail = format!("the notice of `{}` here is not the newest on the ledger", terms.purpose);
            return Err(trouble(Trouble::NoticeStale, format!("{detail}: its operator must install that text")));
        }
        if terms.notice != here.map(crate::notice::NoticeText::shown) {
            let detail = format!("the terms name another notice than `/v1/notices/{}` shows", terms.purpose);
            return Err(trouble(Trouble::NoticeChanged, detail));
        }
        Ok(())
    }

    fn row(&self, terms: &RequestTerms, subject: &Subject, now_ms: u64) -> Answer<Row> {
        let failed = |e| internal("seal the subject", e);
        let id = terms.digest(self.suite()).to_string();
        let sealed_until_ms = match &terms.kind {
            ConsentKind::LegalAuthority { sealed_until_ms: Some(until_ms), .. } => stored_ms(*until_ms),
            _ => 0,
        };
        let canonical = zeroize::Zeroizing::new(subject.canonical());
        Ok(Row {
            consumer: terms.consumer.to_string(),
            person: self.vault.person(subject).map_err(failed)?,
            subject: self.vault.seal(&place(&id), canonical.as_bytes()).map_err(failed)?,
            terms: to_bytes(terms),
            state: state::REQUESTED.into(),
            created_ms: stored_ms(now_ms),
            decided_ms: None,
            consent: None,
            ticket: None,
            leaf: None,
            height: None,
            representation: None,
            spoken: None,
            sealed_until_ms,
            id,
        })
    }

    /// The signed terms of a stored request.
    pub(crate) fn terms_of(&self, row: &Row) -> Answer<RequestTerms> {
        from_bytes(&row.terms).map_err(|e| internal("read a stored request", e))
    }

    /// The subject of a stored request.
    pub(crate) fn subject_in(&self, row: &Row) -> Answer<Subject> {
        let text = self.vault.unseal(&place(&row.id), &row.subject).map_err(|e| internal("open a subject", e))?;
        let text = std::str::from_utf8(&text).map_err(|e| internal("read a subject", e))?;
        Subject::parse(text).map_err(|e| internal("read a subject", e))
    }

    /// When an undecided request lapses: after its days here, or with its own validity.
    pub(crate) fn expires_ms(&self, row: &Row, terms: &RequestTerms) -> u64 {
        let waits = u64::from(self.config.request_days) * DAY_MS;
        terms.valid_until_ms.min(read_ms(row.created_ms).saturating_add(waits))
    }

    fn view(&self, row: &Row, now_ms: u64) -> Answer<RequestView> {
        let expires_ms = self.expires_ms(row, &self.terms_of(row)?);
        let state = match row.state.as_str() {
            state::REQUESTED if now_ms >= expires_ms => RequestState::Expired,
            state::REQUESTED => RequestState::Requested,
            state::ISSUING => RequestState::Issuing,
            state::ISSUED => RequestState::Issued,
            state::DECLINED => RequestState::Declined,
            _ => RequestState::Withdrawn,
        };
        // Until the consent stands, its ticket could be for one that the ledger will refuse.
        let ticket = row.ticket.as_deref().filter(|_| state == RequestState::Issued);
        let ticket = ticket.map(ConsentTicket::from_json).transpose().map_err(|e| internal("read a ticket", e))?;
        let id = row.id.parse().map_err(|e| internal("read a stored request", e))?;
        Ok(RequestView { id, state, expires_ms, ticket })
    }
}

/// Where the sealed columns of a request belong.
pub(crate) fn place(id: &str) -> String {
    format!("requests/{id}")
}
