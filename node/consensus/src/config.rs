//! Settings of the engine.

use std::path::PathBuf;
use std::time::Duration;

use arc_malachitebft_config::{ConsensusConfig, ValueSyncConfig};
use arc_malachitebft_core_types::LinearTimeouts;
use covenant_canon::Digest;
use covenant_domain::MemberId;

/// Longest block, in bytes: 512 KiB of entries and as much slack.
pub const MAX_BLOCK_BYTES: usize = 1024 * 1024;

/// Bytes of a block that travel in one message.
pub(crate) const PART_BYTES: usize = 128 * 1024;

/// Settings of the engine of one replica.
#[derive(Debug, Clone)]
pub struct Config {
    /// Digest of the genesis document; every signature is bound to it.
    pub consortium: Digest,
    /// Who this replica is.
    pub member: MemberId,
    /// Folder of the engine's write-ahead log, private to this replica. Never copy it to a second live machine.
    pub wal_dir: PathBuf,
    /// How long a proposer may take before the others vote for no block.
    pub propose_timeout_ms: u64,
    /// How long to wait for the missing votes of a split round.
    pub vote_timeout_ms: u64,
    /// How long a proposer that was woken by others waits for work of its own before it proposes.
    pub gather_ms: u64,
    /// How often peers are told this replica's tip.
    pub status_interval_ms: u64,
    /// Whether this replica only follows, though its member may be a validator: its signature must not stand under a vote.
    pub observes: bool,
}

impl Config {
    /// The usual settings.
    pub fn new(consortium: Digest, member: MemberId, wal_dir: PathBuf) -> Self {
        Self {
            consortium,
            member,
            wal_dir,
            propose_timeout_ms: 500,
            vote_timeout_ms: 250,
            gather_ms: 50,
            status_interval_ms: 2_000,
            observes: false,
        }
    }

    pub(crate) fn timeouts(&self) -> LinearTimeouts {
        let propose = Duration::from_millis(self.propose_timeout_ms.max(1));
        let vote = Duration::from_millis(self.vote_timeout_ms.max(1));
        LinearTimeouts {
            propose,
            propose_delta: propose / 2,
            prevote: vote,
            prevote_delta: vote / 2,
            precommit: vote,
            precommit_delta: vote / 2,
            rebroadcast: (propose + vote * 2) * 2,
            max_timeout: Duration::from_secs(10).max(propose * 2),
        }
    }
}

/// The engine's own view of the settings.
#[derive(Debug, Clone)]
pub(crate) struct EngineConfig {
    moniker: String,
    consensus: ConsensusConfig,
    value_sync: ValueSyncConfig,
}

impl From<&Config> for EngineConfig {
    fn from(config: &Config) -> Self {
        let consensus = ConsensusConfig { queue_capacity: 16, queue_per_height_capacity: 1_024, ..Default::default() };
        let value_sync = ValueSyncConfig {
            status_update_interval: Duration::from_millis(config.status_interval_ms.max(1)),
            request_timeout: Duration::from_secs(5),
            ..Default::default()
        };
        Self { moniker: config.member.to_string(), consensus, value_sync }
    }
}

impl arc_malachitebft_app_channel::app::config::NodeConfig for EngineConfig {
    fn moniker(&self) -> &str {
        &self.moniker
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.value_sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.value_sync
    }
}
