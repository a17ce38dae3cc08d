//! The page at `/`: static, in two languages, without any resource of its own.

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use covenant_canon::{HashAlgorithm, Hasher};

use crate::state::Shared;

const STYLE: &str = include_str!("index.css");
const PAGE: &str = include_str!("index.html");

pub(crate) async fn page(State(state): State<Shared>) -> Response {
    let (height, block, leaves) = match state.gateway.recent_tip().await {
        Ok(tip) => (tip.height.to_string(), tip.block.to_string(), tip.leaves.to_string()),
        Err(_unavailable) => ("–".into(), "–".into(), "–".into()),
    };
    let body = PAGE
        .replace("{{style}}", STYLE)
        .replace("{{docs}}", &escaped(&state.config.docs_url))
        .replace("{{digest}}", &state.gateway.digest().to_string())
        .replace("{{height}}", &height)
        .replace("{{block}}", &block)
        .replace("{{leaves}}", &leaves);
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (CONTENT_SECURITY_POLICY, policy())];
    (headers, body).into_response()
}

/// Nothing but the one style sheet in the page, by its hash.
fn policy() -> String {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(STYLE.as_bytes());
    let hash = STANDARD.encode(hasher.finish().as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
