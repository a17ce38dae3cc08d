//! For whoever is logged in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use covenant_canon::Digest;
use covenant_domain::{ConsentChange, ConsentId};

use super::caller::Citizen;
use super::{Failure, PathText, Shared, parse};
use crate::view::{Approval, Changed, MyConsent, MyRequest, MyUse};

type Reply<T> = Result<Json<T>, Failure>;

pub(super) async fn requests(State(state): State<Shared>, citizen: Citizen) -> Reply<Vec<MyRequest>> {
    Ok(Json(state.my_requests(&citizen.empty()?).await?))
}

pub(super) async fn approve(State(state): State<Shared>, id: PathText, citizen: Citizen) -> Reply<Changed> {
    let id: Digest = parse(id)?;
    let (me, approval) = citizen.json::<Approval>()?;
    Ok(Json(state.approve(&me, &id, &approval).await?))
}

pub(super) async fn decline(
    State(state): State<Shared>,
    id: PathText,
    citizen: Citizen,
) -> Result<StatusCode, Failure> {
    let id: Digest = parse(id)?;
    state.decline(&citizen.empty()?, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn consents(State(state): State<Shared>, citizen: Citizen) -> Reply<Vec<MyConsent>> {
    Ok(Json(state.my_consents(&citizen.empty()?).await?))
}

pub(super) async fn pause(State(state): State<Shared>, id: PathText, citizen: Citizen) -> Reply<Changed> {
    change(&state, id, citizen, ConsentChange::Paused).await
}

pub(super) async fn resume(State(state): State<Shared>, id: PathText, citizen: Citizen) -> Reply<Changed> {
    change(&state, id, citizen, ConsentChange::Resumed).await
}

pub(super) async fn revoke(State(state): State<Shared>, id: PathText, citizen: Citizen) -> Reply<Changed> {
    change(&state, id, citizen, ConsentChange::Revoked).await
}

async fn change(state: &Shared, id: PathText, citizen: Citizen, change: ConsentChange) -> Reply<Changed> {
    let id: ConsentId = parse(id)?;
    Ok(Json(state.change(&citizen.empty()?, &id, change).await?))
}

pub(super) async fn uses(State(state): State<Shared>, citizen: Citizen) -> Reply<Vec<MyUse>> {
    Ok(Json(state.my_uses(&citizen.empty()?).await?))
}
