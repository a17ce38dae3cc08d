//! What a replica does for the engine.

use async_trait::async_trait;
use bytes::Bytes;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, ValidatorSet};

/// The replica could not do what consensus asked of it: storage failed, or its state contradicts the chain.
/// It is fatal for the engine, which stops; a restart begins again from the stored tip.
#[derive(Debug, thiserror::Error)]
#[error("the replica failed")]
pub struct AppError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl AppError {
    /// Wraps the cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// A block made by this replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id: what validators sign.
    pub id: Digest,
    /// Its bytes, at most [`MAX_BLOCK_BYTES`](crate::MAX_BLOCK_BYTES).
    pub block: Bytes,
}

/// What the replica thinks of a block that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Correct, and stored durably together with its id, which the replica computed from the bytes.
    Valid(Digest),
    /// Not a block, or one that must not be agreed on; the reason is for the log.
    Invalid(String),
}

/// A block that was seen but not decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Who offered it in that round.
    pub proposer: MemberId,
    /// Its id.
    pub id: Digest,
    /// Its bytes.
    pub block: Bytes,
}

/// A decided block with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its bytes.
    pub block: Bytes,
    /// Proof of the decision.
    pub certificate: Certificate,
}

/// A message with the signature of a validator over it; see `vote_bytes` and `proposal_bytes` of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The canonical bytes that were signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Two contradicting statements of one validator in one round: proof of equivocation that anyone can check offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who contradicted itself.
    pub validator: MemberId,
    /// Height at which it did.
    pub height: u64,
    /// The statement seen first.
    pub first: Statement,
    /// The statement contradicting it.
    pub second: Statement,
}

/// What the replica does for the engine. Any method may be called again with the same arguments after a crash, so all
/// are idempotent. All but [`wanted`](Application::wanted) are called one after the other.
#[async_trait]
pub trait Application: Send + Sync + 'static {
    /// Height of the last committed block; zero means genesis only.
    async fn tip(&self) -> Result<u64, AppError>;

    /// The validators of a height, at most one above the tip. Equal on all replicas, so derived from the ledger alone.
    async fn validators(&self, height: u64) -> Result<ValidatorSet, AppError>;

    /// Resolves when there is a reason to make block `height`: the mempool is not empty, a lapse is due. It is called
    /// from its own task, may be dropped while waiting and asked again.
    async fn wanted(&self, height: u64);

    /// Makes a block for this round and stores it durably before returning. The same `(height, round)` always has the
    /// same answer, also after a restart: another one would make this validator contradict itself.
    async fn propose(&self, height: u64, round: u32) -> Result<Proposal, AppError>;

    /// Checks a block and stores it durably, under this height and round, when it is valid. Only called for the height
    /// above the tip. Validity must depend on the bytes and the ledger alone: `round` and `proposer` say who offers the
    /// block now, it may have been made by an earlier proposer of the same height.
    async fn check(&self, height: u64, round: u32, proposer: &MemberId, block: Bytes) -> Result<Verdict, AppError>;

    /// As [`check`](Application::check), for a block that was fetched with its certificate. A quorum has agreed on it, so
    /// that what only a validator's own clock speaks against is no fault any more.
    async fn check_decided(
        &self,
        height: u64,
        round: u32,
        proposer: &MemberId,
        block: Bytes,
    ) -> Result<Verdict, AppError> {
        self.check(height, round, proposer, block).await
    }

    /// The blocks that were stored for this round by [`propose`](Application::propose) or
    /// [`check`](Application::check).
    async fn undecided(&self, height: u64, round: u32) -> Result<Vec<Undecided>, AppError>;

    /// Commits the decided block, one of those stored before, durably. Answers `Ok` without doing anything when `height`
    /// is already committed with this block.
    async fn commit(
        &self,
        height: u64,
        block: Digest,
        certificate: &Certificate,
        evidence: Vec<Evidence>,
    ) -> Result<(), AppError>;

    /// More validators signed the block at the tip than its committed certificate says; called before the next block is
    /// proposed. Whoever derives from certificates in blocks who is alive puts this one into the next block, else a
    /// validator that is merely the slowest would never count. May be ignored.
    async fn strengthened(&self, _certificate: &Certificate) -> Result<(), AppError> {
        Ok(())
    }

    /// Told of a fetched block that [`check`](Application::check) found invalid, with the certificate it came with. When the
    /// certificate holds and is for this very block, the others have agreed on what this replica cannot follow: it answers
    /// with what is wrong here, and consensus stops, loudly. Otherwise the peer that sent it is at fault.
    async fn condemned(&self, _block: &Bytes, _certificate: &Certificate, _reason: &str) -> Option<AppError> {
        None
    }

    /// How many of the newest blocks, one after the other, hold nothing at all. The more there are, the longer a replica that
    /// has no work waits before it helps to make another because a peer says that it is wanted.
    async fn idle_blocks(&self) -> Result<u32, AppError> {
        Ok(0)
    }

    /// A committed block, for peers that catch up; `None` when it is above the tip or pruned.
    async fn committed(&self, height: u64) -> Result<Option<Committed>, AppError>;

    /// The lowest height that [`committed`](Application::committed) can serve.
    async fn earliest(&self) -> Result<u64, AppError>;
}
