//! Login, session, logout.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use covenant_api::{Code, Problem};
use serde::Deserialize;

use super::caller::{Citizen, LOGIN, SESSION, cookie};
use super::{Failure, Shared};
use crate::problem::{Trouble, trouble};
use crate::view::SessionView;

/// A cookie that scripts cannot read and that other sites' changes do not carry.
fn set(state: &Shared, name: &str, value: &str, seconds: u64) -> String {
    let secure = if state.config.secure_cookies { "; Secure" } else { "" };
    format!("{name}={value}; Path=/v1; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

pub(super) async fn login(State(state): State<Shared>) -> Result<Response, Failure> {
    let (url, carried) = state.begin_login().await?;
    let headers = [(LOCATION, url), (SET_COOKIE, set(&state, LOGIN, &carried, 600))];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// What the provider sends back.
#[derive(Debug, Deserialize)]
pub(super) struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
}

pub(super) async fn callback(
    State(state): State<Shared>,
    query: Result<Query<Returned>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let wrong = |e: QueryRejection| Problem::new(Code::ParameterInvalid, e.body_text());
    let Query(returned) = query.map_err(wrong)?;
    if returned.error.is_some() {
        // Not repeated: it is whatever the address says.
        return Err(trouble(Trouble::TokenInvalid, "the identity provider did not log you in").into());
    }
    let carried = cookie(&headers, LOGIN).unwrap_or_default();
    let session = state.end_login(&returned.code, &returned.state, carried).await?;
    let lasts = u64::from(state.config.session_minutes) * 60;
    let headers = AppendHeaders([
        (LOCATION, state.party.config().after_login.clone()),
        (SET_COOKIE, set(&state, SESSION, &session, lasts)),
        (SET_COOKIE, set(&state, LOGIN, "", 0)),
    ]);
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

pub(super) async fn session(State(state): State<Shared>, citizen: Citizen) -> Result<Json<SessionView>, Failure> {
    let csrf = citizen.session.as_deref().map(|id| state.csrf(id)).transpose()?.unwrap_or_default();
    let subject = citizen.empty()?;
    Ok(Json(SessionView { kind: subject.kind().to_string(), minor: state.needs_guardian(&subject), csrf }))
}

pub(super) async fn logout(State(state): State<Shared>, citizen: Citizen) -> Result<Response, Failure> {
    if let Some(id) = &citizen.session {
        state.logout(id).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, set(&state, SESSION, "", 0))]).into_response())
}
