//! Consortium, health, tip, catalogue, grants, consents and entries.

use covenant_api::{
    ConsentStatusView, Consortium, EntriesRequest, EntryResult, GrantStatusView, HealthReport, NodeReport, Settlement,
    Tip,
};
use covenant_canon::to_bytes;
use minicbor::{Decode, Encode};

use crate::error::{canonical, parse, word, word_of};
use crate::{WireError, v1};

/// A list of domain documents.
pub fn documents<T: Encode<()>>(all: &[T]) -> v1::Documents {
    v1::Documents { canonical: all.iter().map(to_bytes).collect() }
}

/// Reads what [`documents`] wrote.
///
/// # Errors
/// [`WireError::Canonical`].
pub fn read_documents<T: for<'b> Decode<'b, ()> + Encode<()>>(all: &v1::Documents) -> Result<Vec<T>, WireError> {
    all.canonical.iter().map(|bytes| canonical("canonical", bytes)).collect()
}

impl v1::Document {
    /// One domain document.
    pub fn of<T: Encode<()>>(value: &T) -> Self {
        Self { canonical: to_bytes(value) }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`WireError::Canonical`].
    pub fn read<T: for<'b> Decode<'b, ()> + Encode<()>>(&self) -> Result<T, WireError> {
        canonical("canonical", &self.canonical)
    }
}

impl From<Consortium> for v1::ConsortiumDocument {
    fn from(it: Consortium) -> Self {
        let handovers = it.handovers.iter().map(to_bytes).collect();
        Self { digest: it.digest.to_string(), genesis: to_bytes(&it.genesis), handovers }
    }
}

impl TryFrom<v1::ConsortiumDocument> for Consortium {
    type Error = WireError;
    fn try_from(it: v1::ConsortiumDocument) -> Result<Self, WireError> {
        let handovers = it.handovers.iter().map(|bytes| canonical("handovers", bytes)).collect::<Result<_, _>>()?;
        Ok(Self { digest: parse("digest", &it.digest)?, genesis: canonical("genesis", &it.genesis)?, handovers })
    }
}

impl From<Tip> for v1::LedgerTip {
    fn from(Tip { height, block, leaves, time_ms }: Tip) -> Self {
        Self { height, block: block.to_string(), leaves, time_ms }
    }
}

impl TryFrom<v1::LedgerTip> for Tip {
    type Error = WireError;
    fn try_from(v1::LedgerTip { height, block, leaves, time_ms }: v1::LedgerTip) -> Result<Self, WireError> {
        Ok(Self { height, block: parse("block", &block)?, leaves, time_ms })
    }
}

impl From<HealthReport> for v1::HealthReport {
    fn from(it: HealthReport) -> Self {
        let node = |NodeReport { member, height, backlog, sound, fault }| v1::NodeReport {
            member: member.to_string(),
            height,
            backlog,
            sound,
            fault,
        };
        Self { all_sound: it.all_sound, nodes: it.nodes.into_iter().map(node).collect() }
    }
}

impl TryFrom<v1::HealthReport> for HealthReport {
    type Error = WireError;
    fn try_from(it: v1::HealthReport) -> Result<Self, WireError> {
        let node = |v1::NodeReport { member, height, backlog, sound, fault }| {
            Ok(NodeReport { member: parse("member", &member)?, height, backlog, sound, fault })
        };
        Ok(Self { all_sound: it.all_sound, nodes: it.nodes.into_iter().map(node).collect::<Result<_, WireError>>()? })
    }
}

impl From<GrantStatusView> for v1::GrantView {
    fn from(it: GrantStatusView) -> Self {
        Self { state: to_bytes(&it.state), used_in_window: it.used_in_window }
    }
}

impl TryFrom<v1::GrantView> for GrantStatusView {
    type Error = WireError;
    fn try_from(it: v1::GrantView) -> Result<Self, WireError> {
        Ok(Self { state: canonical("state", &it.state)?, used_in_window: it.used_in_window })
    }
}

impl From<Settlement> for v1::SettlementReport {
    fn from(it: Settlement) -> Self {
        Self { month: it.month, tariff: to_bytes(&it.tariff), accounts: it.accounts.iter().map(to_bytes).collect() }
    }
}

impl TryFrom<v1::SettlementReport> for Settlement {
    type Error = WireError;
    fn try_from(it: v1::SettlementReport) -> Result<Self, WireError> {
        let accounts = it.accounts.iter().map(|a| canonical("accounts", a)).collect::<Result<_, _>>()?;
        Ok(Self { month: it.month, tariff: canonical("tariff", &it.tariff)?, accounts })
    }
}

impl From<ConsentStatusView> for v1::ConsentView {
    fn from(it: ConsentStatusView) -> Self {
        Self {
            consent: to_bytes(&it.consent),
            issuer: it.issuer.to_string(),
            status: word_of(&it.status),
            uses: it.uses,
        }
    }
}

impl TryFrom<v1::ConsentView> for ConsentStatusView {
    type Error = WireError;
    fn try_from(it: v1::ConsentView) -> Result<Self, WireError> {
        Ok(Self {
            consent: canonical("consent", &it.consent)?,
            issuer: parse("issuer", &it.issuer)?,
            status: word("status", &it.status)?,
            uses: it.uses,
        })
    }
}

impl From<EntriesRequest> for v1::EntriesRequest {
    fn from(it: EntriesRequest) -> Self {
        Self { batch: it.batch.0 }
    }
}

impl From<v1::EntriesRequest> for EntriesRequest {
    fn from(it: v1::EntriesRequest) -> Self {
        Self { batch: it.batch.into() }
    }
}

impl From<EntryResult> for v1::EntryResult {
    fn from(EntryResult { entry, leaf, height, rejected }: EntryResult) -> Self {
        Self { entry: entry.to_string(), leaf, height, rejected }
    }
}

impl TryFrom<v1::EntryResult> for EntryResult {
    type Error = WireError;
    fn try_from(v1::EntryResult { entry, leaf, height, rejected }: v1::EntryResult) -> Result<Self, WireError> {
        Ok(Self { entry: parse("entry", &entry)?, leaf, height, rejected })
    }
}
