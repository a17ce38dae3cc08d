//! Epochs of private lookup.

use covenant_api::{BuildRequest, BuildView, EpochDocument, EpochPart, EscrowKey, FileChunk, FileQuery};
use covenant_canon::to_bytes;
use covenant_domain::Point;

use crate::error::{canonical, parse};
use crate::{WireError, v1};

impl From<EpochDocument> for v1::EpochDocument {
    fn from(it: EpochDocument) -> Self {
        let escrow = |EscrowKey { ceremony, key }| v1::EscrowKey { ceremony, key: key.0.to_vec() };
        Self { state: to_bytes(&it.state), policy: it.policy.to_string(), escrow: it.escrow.map(escrow) }
    }
}

impl TryFrom<v1::EpochDocument> for EpochDocument {
    type Error = WireError;
    fn try_from(it: v1::EpochDocument) -> Result<Self, WireError> {
        Ok(Self {
            state: canonical("state", &it.state)?,
            policy: parse("policy", &it.policy)?,
            escrow: it.escrow.map(escrow).transpose()?,
        })
    }
}

fn escrow(v1::EscrowKey { ceremony, key }: v1::EscrowKey) -> Result<EscrowKey, WireError> {
    let wrong = |k: Vec<u8>| WireError::Field { field: "key", detail: format!("{} bytes, expected 32", k.len()) };
    Ok(EscrowKey { ceremony, key: Point(key.try_into().map_err(wrong)?) })
}

impl From<(EpochPart, FileQuery)> for v1::EpochFileRequest {
    fn from((part, FileQuery { dataset, epoch, overlay, offset, length }): (EpochPart, FileQuery)) -> Self {
        Self { dataset: dataset.to_string(), epoch, overlay, part: part.name().to_owned(), offset, length }
    }
}

impl TryFrom<v1::EpochFileRequest> for (EpochPart, FileQuery) {
    type Error = WireError;
    fn try_from(it: v1::EpochFileRequest) -> Result<Self, WireError> {
        let v1::EpochFileRequest { dataset, epoch, overlay, part, offset, length } = it;
        let query = FileQuery { dataset: parse("dataset", &dataset)?, epoch, overlay, offset, length };
        Ok((parse("part", &part)?, query))
    }
}

impl From<FileChunk> for v1::FileChunk {
    fn from(FileChunk { total, bytes }: FileChunk) -> Self {
        Self { total, bytes }
    }
}

impl From<v1::FileChunk> for FileChunk {
    fn from(v1::FileChunk { total, bytes }: v1::FileChunk) -> Self {
        Self { total, bytes }
    }
}

impl From<BuildRequest> for v1::BuildRequest {
    fn from(BuildRequest { dataset, days, overlay }: BuildRequest) -> Self {
        Self { dataset: dataset.to_string(), days, overlay }
    }
}

impl TryFrom<v1::BuildRequest> for BuildRequest {
    type Error = WireError;
    fn try_from(v1::BuildRequest { dataset, days, overlay }: v1::BuildRequest) -> Result<Self, WireError> {
        Ok(Self { dataset: parse("dataset", &dataset)?, days, overlay })
    }
}

impl From<BuildView> for v1::BuildView {
    fn from(it: BuildView) -> Self {
        use v1::build_view::{Done, Failed, Running, State};
        let state = match it {
            BuildView::Idle => State::Idle(v1::Empty {}),
            BuildView::Running { step, done, total } => State::Running(Running { step, done, total }),
            BuildView::Done { epoch } => State::Done(Done { epoch }),
            BuildView::Failed { reason } => State::Failed(Failed { reason }),
        };
        Self { state: Some(state) }
    }
}

impl TryFrom<v1::BuildView> for BuildView {
    type Error = WireError;
    fn try_from(it: v1::BuildView) -> Result<Self, WireError> {
        use v1::build_view::{Done, Failed, Running, State};
        let missing = || WireError::Field { field: "state", detail: "missing".into() };
        Ok(match it.state.ok_or_else(missing)? {
            State::Idle(v1::Empty {}) => Self::Idle,
            State::Running(Running { step, done, total }) => Self::Running { step, done, total },
            State::Done(Done { epoch }) => Self::Done { epoch },
            State::Failed(Failed { reason }) => Self::Failed { reason },
        })
    }
}
