//! For members: requests for consents, and the operators' representations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use covenant_canon::Digest;

use super::caller::Member;
use super::{Failure, PathText, Shared, parse};
use crate::terms::NewRequest;
use crate::view::{NewRepresentation, Registered, RequestView};

pub(super) async fn request(
    State(state): State<Shared>,
    member: Member,
) -> Result<(StatusCode, Json<RequestView>), Failure> {
    let (caller, new) = member.json::<NewRequest>()?;
    let (view, is_new) = state.take(&caller, new).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(view)))
}

pub(super) async fn status(
    State(state): State<Shared>,
    id: PathText,
    member: Member,
) -> Result<Json<RequestView>, Failure> {
    let (id, caller): (Digest, _) = (parse(id)?, member.empty()?);
    Ok(Json(state.status(&caller, &id).await?))
}

pub(super) async fn withdraw(
    State(state): State<Shared>,
    id: PathText,
    member: Member,
) -> Result<Json<RequestView>, Failure> {
    let (id, caller): (Digest, _) = (parse(id)?, member.empty()?);
    Ok(Json(state.withdraw(&caller, &id).await?))
}

pub(super) async fn register(
    State(state): State<Shared>,
    member: Member,
) -> Result<(StatusCode, Json<Registered>), Failure> {
    let (caller, new) = member.json::<NewRepresentation>()?;
    Ok((StatusCode::CREATED, Json(state.register(&caller, new).await?)))
}

pub(super) async fn end_representation(
    State(state): State<Shared>,
    id: PathText,
    member: Member,
) -> Result<StatusCode, Failure> {
    let (id, caller): (String, _) = (parse(id)?, member.empty()?);
    state.end_representation(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
