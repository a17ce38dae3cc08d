//! Explanations.

use covenant_api::Explanation;
use covenant_canon::to_bytes;

use crate::error::canonical;
use crate::{WireError, v1};

impl From<Explanation> for v1::Explanation {
    fn from(it: Explanation) -> Self {
        Self { decision: to_bytes(&it.decision), height: it.height, replayed_equal: it.replayed_equal }
    }
}

impl TryFrom<v1::Explanation> for Explanation {
    type Error = WireError;
    fn try_from(it: v1::Explanation) -> Result<Self, WireError> {
        Ok(Self {
            decision: canonical("decision", &it.decision)?,
            height: it.height,
            replayed_equal: it.replayed_equal,
        })
    }
}
