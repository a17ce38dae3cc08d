//! Blocks as they come out of the store: whole, or what is kept of them.

use covenant_canon::{from_bytes, to_bytes};
use covenant_ledger::{Anchor, Block, Header};
use covenant_store::{Body, HeaderError, StoredBlock};

use crate::error::NodeError;

/// The header of a block, whole or not.
pub(crate) fn header_of(stored: &StoredBlock) -> Result<Header, NodeError> {
    match stored.body {
        Body::Full => Ok(block_of(stored)?.header),
        Body::Header => Ok(from_bytes(&stored.bytes)?),
    }
}

/// The whole block.
pub(crate) fn block_of(stored: &StoredBlock) -> Result<Block, NodeError> {
    let height = stored.height;
    match stored.body {
        Body::Full => Block::read(&stored.bytes).map_err(|source| NodeError::Block { height, source }),
        Body::Header => Err(NodeError::HeaderOnly { height }),
    }
}

/// Its header with the certificate that made it final.
pub(crate) fn anchor_of(stored: &StoredBlock) -> Result<Anchor, NodeError> {
    Ok(Anchor { header: header_of(stored)?, certificate: from_bytes(&stored.certificate)? })
}

/// What stays of a block when its body goes to an archive.
pub(crate) fn keep_header(bytes: &[u8]) -> Result<Vec<u8>, HeaderError> {
    Ok(to_bytes(&Block::read(bytes)?.header))
}
