//! Plans.

use covenant_api::{PlanRequest, PlanResponse, RefusedMode};
use covenant_canon::to_bytes;
use covenant_domain::Reason;

use crate::error::{canonical, parse, word, word_of};
use crate::{WireError, v1};

impl From<Reason> for v1::Reason {
    fn from(it: Reason) -> Self {
        Self { code: word_of(&it.code), detail: it.detail }
    }
}

impl TryFrom<v1::Reason> for Reason {
    type Error = WireError;
    fn try_from(it: v1::Reason) -> Result<Self, WireError> {
        Ok(Self { code: word("code", &it.code)?, detail: it.detail })
    }
}

/// Reads all reasons.
pub(crate) fn reasons(all: Vec<v1::Reason>) -> Result<Vec<Reason>, WireError> {
    all.into_iter().map(TryInto::try_into).collect()
}

impl From<PlanRequest> for v1::PlanRequest {
    fn from(it: PlanRequest) -> Self {
        Self {
            dataset: it.dataset.to_string(),
            purpose: it.purpose.to_string(),
            fields: it.fields.iter().map(ToString::to_string).collect(),
            need: word_of(&it.need),
            authority: to_bytes(&it.authority),
        }
    }
}

impl TryFrom<v1::PlanRequest> for PlanRequest {
    type Error = WireError;
    fn try_from(it: v1::PlanRequest) -> Result<Self, WireError> {
        Ok(Self {
            dataset: parse("dataset", &it.dataset)?,
            purpose: parse("purpose", &it.purpose)?,
            fields: it.fields.iter().map(|f| parse("fields", f)).collect::<Result<_, _>>()?,
            need: word("need", &it.need)?,
            authority: canonical("authority", &it.authority)?,
        })
    }
}

impl From<PlanResponse> for v1::PlanResponse {
    fn from(it: PlanResponse) -> Self {
        let refused = |RefusedMode { mode, reasons }| v1::RefusedMode {
            mode: mode.name().to_owned(),
            reasons: reasons.into_iter().map(Into::into).collect(),
        };
        Self { mode: it.mode.map(|m| m.name().to_owned()), refused: it.refused.into_iter().map(refused).collect() }
    }
}

impl TryFrom<v1::PlanResponse> for PlanResponse {
    type Error = WireError;
    fn try_from(it: v1::PlanResponse) -> Result<Self, WireError> {
        let refused =
            |it: v1::RefusedMode| Ok(RefusedMode { mode: parse("mode", &it.mode)?, reasons: reasons(it.reasons)? });
        Ok(Self {
            mode: it.mode.map(|m| parse("mode", &m)).transpose()?,
            refused: it.refused.into_iter().map(refused).collect::<Result<_, WireError>>()?,
        })
    }
}
