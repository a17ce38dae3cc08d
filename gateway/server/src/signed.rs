//! Signed requests as they come in over REST.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use covenant_api::{Code, Problem, RequestSignature, SignatureError};
use covenant_app::{Authentic, Incoming};
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::state::{Shared, now_ms};

/// A request whose caller was identified, with its headers.
pub(crate) struct Signed {
    body: Authentic<Bytes>,
    headers: HeaderMap,
}

impl FromRequest<Shared> for Signed {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Failure> {
        let headers = request.headers().clone();
        let method = request.method().clone();
        let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        // The headers first: nobody unsigned makes us read a body.
        let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let signature = RequestSignature::from_headers(get).map_err(unsigned)?;
        let body = read_body(request, state).await?;
        let incoming = Incoming { method: method.as_str(), target: &target, body, signature };
        let body = state.gateway.identify(incoming, now_ms())?;
        tracing::Span::current().record("member", body.caller().id().as_str());
        Ok(Self { body, headers })
    }
}

impl Signed {
    /// The call without its body, for methods that take none.
    pub(crate) fn empty(self) -> Result<Authentic<()>, Failure> {
        Ok(self.body.read(|body| {
            let detail = "this address takes no body";
            if body.is_empty() { Ok(()) } else { Err(Problem::new(Code::BodyMalformed, detail)) }
        })?)
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<Authentic<T>, Failure> {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if media_type(kind) != "application/json" {
            return Err(Failure::new(Code::UnsupportedMediaType, "send `content-type: application/json`"));
        }
        // The message of the parser names line and column.
        let wrong = |e: serde_json::Error| Problem::new(Code::BodyMalformed, e.to_string());
        Ok(self.body.read(|body| serde_json::from_slice(&body).map_err(wrong))?)
    }

    /// Headers of the request.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// The type of a media type, without parameters, in lower case.
pub(crate) fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unsigned(error: SignatureError) -> Failure {
    let code = match error {
        SignatureError::Missing { .. } => Code::SignatureMissing,
        SignatureError::Malformed { .. } => Code::SignatureMalformed,
    };
    Failure::new(code, error.to_string())
}

async fn read_body(request: Request, state: &Shared) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("the body is longer than {} bytes: send several", state.config.max_body_bytes);
            return Failure::new(Code::BodyTooLarge, detail);
        }
        Failure::new(Code::BodyMalformed, "the body ended early")
    })
}
