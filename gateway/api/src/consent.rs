//! A consent as the ledger holds it.

use covenant_domain::{Consent, ConsentStatus, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A consent with its status. It names no subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentStatusView {
    /// The consent.
    #[schema(value_type = schema::Consent)]
    pub consent: Consent,
    /// Member that issued it.
    #[schema(value_type = String)]
    pub issuer: MemberId,
    /// Status on the ledger; expiry follows from the dates.
    #[schema(value_type = schema::ConsentStatus)]
    pub status: ConsentStatus,
    /// Uses debited.
    pub uses: u32,
}
