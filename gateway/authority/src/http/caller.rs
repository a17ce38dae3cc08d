//! Who calls: a member by its signature, a citizen by session or token.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse as _;
use covenant_api::{Code, FRESHNESS_MS, Problem, RequestSignature, SignatureError, SignedContent};
use covenant_domain::{MemberId, Subject};
use serde::de::DeserializeOwned;

use super::{Failure, Shared};
use crate::problem::{Trouble, trouble};
use crate::service::Answer;

/// Cookie of a session.
pub(super) const SESSION: &str = "covenant-session";
/// Cookie of a login under way.
pub(super) const LOGIN: &str = "covenant-login";
/// Header that a change carries beside the session's cookie.
const CSRF: &str = "covenant-csrf";

/// A member whose signature holds.
pub(super) struct Member {
    pub(super) id: MemberId,
    body: Body,
}

/// Somebody who is logged in.
pub(super) struct Citizen {
    pub(super) subject: Subject,
    /// The session's id; absent for a bearer token.
    pub(super) session: Option<String>,
    body: Body,
}

struct Body {
    bytes: Bytes,
    json: bool,
}

impl Body {
    fn empty(self) -> Result<(), Failure> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Code::BodyMalformed, "this address takes no body").into())
    }

    fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        if !self.json {
            return Err(Problem::new(Code::UnsupportedMediaType, "send `content-type: application/json`").into());
        }
        serde_json::from_slice(&self.bytes).map_err(|e| Problem::new(Code::BodyMalformed, e.to_string()).into())
    }
}

impl Member {
    /// The caller of an address without a body.
    pub(super) fn empty(self) -> Result<MemberId, Failure> {
        self.body.empty()?;
        Ok(self.id)
    }

    /// The caller and the body.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<(MemberId, T), Failure> {
        Ok((self.id, self.body.json()?))
    }
}

impl Citizen {
    /// The caller of an address without a body.
    pub(super) fn empty(self) -> Result<Subject, Failure> {
        self.body.empty()?;
        Ok(self.subject)
    }

    /// The caller and the body.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<(Subject, T), Failure> {
        Ok((self.subject, self.body.json()?))
    }
}

async fn body(request: Request, state: &Shared) -> Result<Body, Failure> {
    let kind = header(request.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
    let json = kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
        let large = rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
        let (code, detail) = match large {
            true => (Code::BodyTooLarge, "the body is longer than 256 KiB"),
            false => (Code::BodyMalformed, "the body ended early"),
        };
        Problem::new(code, detail)
    })?;
    Ok(Body { bytes, json })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// A cookie of this name. Two of one name are none: a neighbour under the same domain may have set one.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    let pairs = all.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

impl FromRequest<Shared> for Member {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Failure> {
        let signature = RequestSignature::from_headers(|name| header(request.headers(), name)).map_err(unsigned)?;
        let method = request.method().clone();
        let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let body = body(request, state).await?;
        let content = SignedContent {
            consortium: &state.consortium,
            method: method.as_str(),
            target: &target,
            body: &body.bytes,
        };
        identify(state, &content, &signature)?;
        Ok(Self { id: signature.member, body })
    }
}

fn identify(state: &Shared, content: &SignedContent<'_>, signature: &RequestSignature) -> Answer<()> {
    let (member, now_ms) = (&signature.member, state.clock.now_ms());
    let unknown = || Problem::new(Code::MemberUnknown, format!("`{member}` is not of this consortium"));
    let keys = state.keys.get(member).ok_or_else(unknown)?;
    if signature.created_ms.abs_diff(now_ms) > FRESHNESS_MS {
        return Err(Problem::new(Code::RequestStale, "set the clock, and sign each request when it is sent"));
    }
    let bad = |_| Problem::new(Code::SignatureInvalid, format!("it is not `{member}`'s signature over this request"));
    signature.verify(content, &keys.verifying).map_err(bad)?;
    state.replays.admit(member, signature.created_ms, signature.nonce, now_ms)
}

fn unsigned(error: SignatureError) -> Problem {
    let code = match error {
        SignatureError::Missing { .. } => Code::SignatureMissing,
        SignatureError::Malformed { .. } => Code::SignatureMalformed,
    };
    Problem::new(code, error.to_string())
}

impl FromRequest<Shared> for Citizen {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Failure> {
        let (subject, session) = who(request.method(), request.headers(), state).await?;
        Ok(Self { subject, session, body: body(request, state).await? })
    }
}

/// A bearer token is nothing that a browser sends by itself; a cookie is, so a change needs the session's token too.
async fn who(method: &Method, headers: &HeaderMap, state: &Shared) -> Answer<(Subject, Option<String>)> {
    if let Some(token) = header(headers, AUTHORIZATION.as_str()) {
        let token = token.strip_prefix("Bearer ");
        let token =
            token.ok_or_else(|| trouble(Trouble::TokenInvalid, "expected `authorization: Bearer <id token>`"))?;
        return Ok((state.party.bearer(token).await?, None));
    }
    let missing = || trouble(Trouble::LoginMissing, "log in at `/v1/login`, or send an identity token");
    let id = cookie(headers, SESSION).ok_or_else(missing)?;
    let subject = state.session(id).await?;
    if method != Method::GET && !same(header(headers, CSRF).unwrap_or_default(), &state.csrf(id)?) {
        let detail = "send the `csrf` of `/v1/my/session` as header `covenant-csrf`";
        return Err(trouble(Trouble::CsrfMissing, detail));
    }
    Ok((subject, Some(id.to_owned())))
}

/// Comparison that takes as long for any text of the right length.
fn same(given: &str, expected: &str) -> bool {
    let differ = given.bytes().zip(expected.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == expected.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cookies_of_one_name_are_none() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, text.parse().unwrap());
            cookie(&headers, SESSION).map(str::to_owned)
        };
        assert_eq!(of("a=b; covenant-session=x; c=d").as_deref(), Some("x"));
        assert_eq!(of("covenant-session=x; covenant-session=y"), None);
        assert_eq!(of("other=x"), None);
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("a", "ab") && !same("", "ab"));
    }
}
