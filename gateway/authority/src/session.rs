//! Who is calling: a session by cookie, or an identity token.

use covenant_api::{Code, Problem};
use covenant_domain::Subject;
use zeroize::Zeroizing;

use crate::db::entity::{login, session};
use crate::oidc::{LoginSecrets, random_token};
use crate::problem::{Trouble, internal, trouble};
use crate::service::{Answer, Service, db_failed, read_ms, stored_ms};

/// How long a login may take, in milliseconds.
const LOGIN_MS: u64 = 600_000;
/// Sessions are sealed for this place.
const PLACE: &str = "sessions";

fn state_invalid() -> Problem {
    trouble(Trouble::LoginStateInvalid, "begin again at `/v1/login`")
}

impl Service {
    /// Begins a login: the provider's address, and the state that the browser must bring back.
    pub(crate) async fn begin_login(&self) -> Answer<(String, String)> {
        let departure = self.party.depart().await?;
        let now_ms = self.clock.now_ms();
        let failed = |e| internal("keep the login", e);
        let secrets = serde_json::to_vec(&departure.secrets).map(Zeroizing::new);
        let secrets = secrets.map_err(|e| internal("keep the login", e))?;
        let row = login::Model {
            id: self.vault.digest(&departure.state).map_err(failed)?,
            secrets: self.vault.seal("logins", &secrets).map_err(failed)?,
            expires_ms: stored_ms(now_ms + LOGIN_MS),
        };
        if !self.db.add_login(row, stored_ms(now_ms)).await.map_err(db_failed)? {
            return Err(Problem::new(Code::TooManyRequests, "too many logins are under way").retry_after(60));
        }
        Ok((departure.url, departure.state))
    }

    /// Ends a login and gives the new session's id. `carried` is the state that this browser left with: without it,
    /// somebody else's login could be slipped to it.
    pub(crate) async fn end_login(&self, code: &str, state: &str, carried: &str) -> Answer<Zeroizing<String>> {
        let key = self.vault.digest(state).map_err(|e| internal("find the login", e))?;
        if state.is_empty() || key != self.vault.digest(carried).map_err(|e| internal("find the login", e))? {
            return Err(state_invalid());
        }
        let now_ms = self.clock.now_ms();
        let row = self.db.take_login(&key).await.map_err(db_failed)?;
        let row = row.filter(|r| read_ms(r.expires_ms) > now_ms).ok_or_else(state_invalid)?;
        let secrets = self.vault.unseal("logins", &row.secrets).map_err(|e| internal("open the login", e))?;
        let secrets: LoginSecrets = serde_json::from_slice(&secrets).map_err(|e| internal("read the login", e))?;
        let subject = self.party.arrive(code, &secrets).await?;
        self.begin_session(&subject, now_ms).await
    }

    async fn begin_session(&self, subject: &Subject, now_ms: u64) -> Answer<Zeroizing<String>> {
        let failed = |e| internal("keep the session", e);
        let id = Zeroizing::new(random_token());
        let lasts = u64::from(self.config.session_minutes) * 60_000;
        let canonical = Zeroizing::new(subject.canonical());
        let row = session::Model {
            id: self.vault.digest(&id).map_err(failed)?,
            subject: self.vault.seal(PLACE, canonical.as_bytes()).map_err(failed)?,
            expires_ms: stored_ms(now_ms + lasts),
        };
        self.db.add_session(row, stored_ms(now_ms)).await.map_err(db_failed)?;
        Ok(id)
    }

    /// Whose session it is.
    pub(crate) async fn session(&self, id: &str) -> Answer<Subject> {
        let key = self.vault.digest(id).map_err(|e| internal("find the session", e))?;
        let row = self.db.session(&key).await.map_err(db_failed)?;
        let ended = || trouble(Trouble::SessionExpired, "log in again at `/v1/login`");
        let row = row.filter(|r| read_ms(r.expires_ms) > self.clock.now_ms()).ok_or_else(ended)?;
        let text = self.vault.unseal(PLACE, &row.subject).map_err(|e| internal("open the session", e))?;
        let text = std::str::from_utf8(&text).map_err(|e| internal("read the session", e))?;
        Subject::parse(text).map_err(|e| internal("read the session", e))
    }

    /// Ends a session.
    pub(crate) async fn logout(&self, id: &str) -> Answer<()> {
        let key = self.vault.digest(id).map_err(|e| internal("find the session", e))?;
        self.db.end_session(&key).await.map_err(db_failed)
    }

    /// What a change must carry beside the session's cookie: derived from the session's id, which no other site can read.
    pub(crate) fn csrf(&self, id: &str) -> Answer<String> {
        let token = self.vault.digest(&format!("csrf {id}")).map_err(|e| internal("make the session's token", e))?;
        Ok(hex::encode(token))
    }
}
