//! What every handler shares.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use covenant_app::{Consortium, Gateway};

use crate::metrics::Metrics;
use crate::{ServeError, ServerConfig};

pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) gateway: Gateway,
    pub(crate) config: ServerConfig,
    pub(crate) metrics: Metrics,
    /// It never changes, so it is encoded once.
    pub(crate) openapi: Bytes,
}

impl State {
    pub(crate) fn new(config: ServerConfig, consortium: Arc<dyn Consortium>) -> Result<Shared, ServeError> {
        let gateway = Gateway::new(consortium, config.app)?;
        let openapi = serde_json::to_vec(&covenant_api::openapi())?.into();
        Ok(Arc::new(Self { gateway, config, metrics: Metrics::new(), openapi }))
    }
}

/// Milliseconds since 1970 by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
