//! Between the engine and the replica: answers each question of the engine by asking the application.
//!
//! One loop, one question after the other, so the application sees no concurrency. What would block the loop, waiting
//! for a reason to make the next block, runs in `rest`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::consensus::VoteExtensionError;
use arc_malachitebft_app_channel::app::engine::host::{Next, SyncedValueOutcome};
use arc_malachitebft_app_channel::app::streaming::StreamContent;
use arc_malachitebft_app_channel::app::types::sync::RawDecidedValue;
use arc_malachitebft_app_channel::app::types::{LocallyProposedValue, MisbehaviorEvidence, PeerId, ProposedValue};
use arc_malachitebft_app_channel::{AppMsg, Reply};
use arc_malachitebft_core_types::{CommitCertificate, HeightParams, Round, Validity};
use bytes::Bytes;
use covenant_canon::Digest;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::{AppError, Application, Committed, Proposal, Undecided, Verdict};
use crate::assembly::{Assembled, Assembly, Place};
use crate::codec::{
    MAX_VALUES, Message, RequestWire, ResponseWire, StatusWire, ValueWire, from_certificate, peer_member,
    to_certificate,
};
use crate::config::{Config, MAX_BLOCK_BYTES};
use crate::context::{Address, BlockId, Context, Electorate, Height, Part};
use crate::error::ConsensusError;
use crate::rest::Rest;
use crate::signing::Signing;
use crate::transport::{Ask, Switch};

/// Most bytes of blocks in one answer to a peer; at least one block is always sent.
const RESPONSE_BYTES: usize = 2 * 1024 * 1024;

/// Assembled blocks kept for heights that this replica has not reached, of each peer.
const MAX_EARLY: usize = 4;

/// Different blocks of one round that are checked; an honest proposer offers one.
const MAX_CHECKED: usize = 4;

/// How far ahead of the current round blocks are taken.
const ROUNDS_AHEAD: u32 = 16;

/// The engine's application side.
pub(crate) struct Adapter {
    config: Config,
    app: Arc<dyn Application>,
    signing: Signing,
    switch: Arc<Switch>,
    /// The height above the tip and its validators.
    height: u64,
    electorate: Electorate,
    assembly: Assembly,
    /// Round of the current height; none before the first height is started.
    round: Option<u32>,
    /// How many blocks were checked in each round of the current height.
    checked: BTreeMap<u32, usize>,
    /// Blocks of the current height that passed the check.
    known: BTreeMap<Digest, Bytes>,
    /// Complete blocks of later heights: they can be checked only when their parent is committed.
    early: Vec<Assembled>,
    /// Acknowledgement that the engine awaits when the decided block is committed.
    acknowledge: Option<Reply<()>>,
    /// The pause before the current height; it ends with the adapter.
    rest: JoinSet<()>,
    /// Whether the last block was fetched, and not agreed on here.
    fetched: bool,
    /// How often blocks were made for nothing before this height.
    idle: u32,
}

fn during(step: &'static str) -> impl FnOnce(AppError) -> ConsensusError {
    move |source| ConsensusError::Application { step, source }
}

/// Answers the engine. It does not listen any more only when it is being stopped.
fn answer<T>(reply: Reply<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::debug!("the engine is gone");
    }
}

impl Adapter {
    /// Reads where the replica stands.
    pub(crate) async fn new(
        config: Config,
        app: Arc<dyn Application>,
        signing: Signing,
        switch: Arc<Switch>,
    ) -> Result<Self, ConsensusError> {
        let height = app.tip().await.map_err(during("tip"))?.saturating_add(1);
        let electorate = Self::electorate(&*app, height).await?;
        Ok(Self {
            config,
            app,
            signing,
            switch,
            height,
            electorate,
            assembly: Assembly::default(),
            round: None,
            checked: BTreeMap::new(),
            known: BTreeMap::new(),
            early: Vec::new(),
            acknowledge: None,
            rest: JoinSet::new(),
            fetched: false,
            idle: 0,
        })
    }

    /// Serves the engine and the peers until the engine ends.
    pub(crate) async fn run(
        mut self,
        mut engine: mpsc::Receiver<AppMsg<Context>>,
        mut asks: mpsc::Receiver<Ask>,
    ) -> Result<(), ConsensusError> {
        let mut tick = tokio::time::interval(Duration::from_millis(self.config.status_interval_ms.max(1)));
        loop {
            tokio::select! {
                biased;
                message = engine.recv() => match message {
                    Some(message) => self.handle(message).await?,
                    None => return Ok(()),
                },
                Some(ask) = asks.recv() => self.oblige(ask).await?,
                // The engine tells its tip by itself from its first height on.
                _ = tick.tick(), if self.round.is_none() => {
                    if let Some(status) = self.status().await? {
                        self.switch.broadcast(status);
                    }
                }
            }
        }
    }

    async fn electorate(app: &dyn Application, height: u64) -> Result<Electorate, ConsensusError> {
        let set = app.validators(height).await.map_err(during("validators"))?;
        Electorate::new(set).ok_or_else(|| ConsensusError::Start("no validators".to_owned()))
    }

    async fn handle(&mut self, message: AppMsg<Context>) -> Result<(), ConsensusError> {
        match message {
            AppMsg::ConsensusReady { reply } => {
                self.when_wanted(move |height, params| answer(reply, (height, params)));
            }
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                self.round = Some(round.as_u32().unwrap_or_default());
                answer(reply_value, self.seen(height.0, round).await?);
            }
            AppMsg::GetValue { height, round, reply, .. } => {
                let id = self.propose(height.0, round).await?;
                answer(reply, LocallyProposedValue::new(height, round, BlockId(id)));
            }
            AppMsg::ReceivedProposalPart { from, part, reply, .. } => {
                let value = match part.content {
                    StreamContent::Data(part) => self.part(&from, part).await?,
                    StreamContent::Fin => None,
                };
                answer(reply, value);
            }
            AppMsg::RestreamProposal { height, round, valid_round, value_id, .. } => {
                self.offer_again(height.0, round, valid_round, value_id.0).await?;
            }
            AppMsg::Decided { reply, .. } => self.acknowledge = Some(reply),
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                self.commit(&certificate, &evidence).await?;
                self.when_wanted(move |height, params| answer(reply, Next::Start(height, params)));
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                answer(reply, Height(self.app.earliest().await.map_err(during("earliest"))?));
            }
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                answer(reply, self.synced(height, round, proposer, value_bytes).await?);
            }
            AppMsg::GetDecidedValues { range, reply } => {
                let committed = self.committed(range.start().0, range.end().0).await?;
                let values = committed
                    .into_iter()
                    .filter_map(|c| Some(RawDecidedValue::new(c.block, to_certificate(c.certificate).ok()?)));
                answer(reply, values.collect());
            }
            AppMsg::ExtendVote { reply, .. } => answer(reply, None),
            AppMsg::VerifyVoteExtensions { extensions, reply, .. } => {
                let refuse = |(who, ())| (who, Err(VoteExtensionError::InvalidVoteExtension));
                answer(reply, extensions.into_iter().map(refuse).collect());
            }
        }
        Ok(())
    }

    /// Lets the engine start the current height once there is a reason to.
    fn when_wanted(&mut self, start: impl FnOnce(Height, HeightParams<Context>) + Send + 'static) {
        let rest = Rest {
            app: self.app.clone(),
            switch: self.switch.clone(),
            set: self.electorate.set.clone(),
            me: self.config.member.clone(),
            height: self.height,
            gather: Duration::from_millis(self.config.gather_ms),
            idle: self.idle,
        };
        let params = HeightParams::new(self.electorate.clone(), self.config.timeouts(), None);
        let height = Height(self.height);
        self.rest = JoinSet::new();
        self.rest.spawn(async move {
            rest.until_wanted().await;
            start(height, params);
        });
    }

    /// The blocks this replica knows for a round: those stored before a restart and those that came too early.
    async fn seen(&mut self, height: u64, round: Round) -> Result<Vec<ProposedValue<Context>>, ConsensusError> {
        let number = round.as_u32().unwrap_or_default();
        let mut values = Vec::new();
        for Undecided { proposer, id, block } in
            self.app.undecided(height, number).await.map_err(during("undecided"))?
        {
            self.known.insert(id, block);
            values.push(ProposedValue {
                height: Height(height),
                round,
                valid_round: Round::Nil,
                proposer: Address(proposer),
                value: BlockId(id),
                validity: Validity::Valid,
            });
        }
        let (now, later) = std::mem::take(&mut self.early).into_iter().partition(|a| a.place.height <= self.height);
        self.early = later;
        for assembled in now {
            values.extend(self.judge(assembled).await?);
        }
        Ok(values)
    }

    /// Makes a block and sends it out.
    async fn propose(&mut self, height: u64, round: Round) -> Result<Digest, ConsensusError> {
        let number = round.as_u32().unwrap_or_default();
        if let Some(certificate) = self.signing.grown_certificate() {
            self.app.strengthened(&certificate).await.map_err(during("strengthened"))?;
        }
        let Proposal { id, block } = self.app.propose(height, number).await.map_err(during("propose"))?;
        if block.len() > MAX_BLOCK_BYTES {
            let cause = format!("a block of {} bytes exceeds {MAX_BLOCK_BYTES}", block.len());
            return Err(during("propose")(AppError::new(cause)));
        }
        self.switch.stream(&Place { height, round: number, valid_round: None, block: id }, &block);
        self.known.insert(id, block);
        Ok(id)
    }

    /// Sends out a block of an earlier round again.
    async fn offer_again(
        &mut self,
        height: u64,
        round: Round,
        valid_round: Round,
        id: Digest,
    ) -> Result<(), ConsensusError> {
        if !self.known.contains_key(&id) {
            for earlier in 0..=round.as_u32().unwrap_or_default() {
                let stored = self.app.undecided(height, earlier).await.map_err(during("undecided"))?;
                self.known.extend(stored.into_iter().map(|u| (u.id, u.block)));
            }
        }
        let place =
            Place { height, round: round.as_u32().unwrap_or_default(), valid_round: valid_round.as_u32(), block: id };
        match self.known.get(&id) {
            Some(block) => self.switch.stream(&place, block),
            None => tracing::error!(height, block = %id, "a block that this replica voted for is not stored"),
        }
        Ok(())
    }

    async fn part(&mut self, from: &PeerId, part: Part) -> Result<Option<ProposedValue<Context>>, ConsensusError> {
        if part.height < self.height {
            return Ok(None);
        }
        let Some(from) = peer_member(from) else { return Ok(None) };
        let Some(assembled) = self.assembly.add(&from, part) else { return Ok(None) };
        if assembled.place.height > self.height {
            if self.early.iter().filter(|a| a.from == assembled.from).count() < MAX_EARLY {
                self.early.push(assembled);
            }
            return Ok(None);
        }
        self.judge(assembled).await
    }

    /// Checks a block that somebody offers. Parts are not signed: only those of the round's proposer count, else a
    /// stranger could spoil its block by sending other bytes under the same id; and the id must be that of the bytes.
    async fn judge(&mut self, assembled: Assembled) -> Result<Option<ProposedValue<Context>>, ConsensusError> {
        let Assembled { from, place, bytes } = assembled;
        let Place { height, round, valid_round, block } = place;
        let expected = self.electorate.set.proposer(height, round);
        if height != self.height || expected.is_none_or(|v| v.member != from) {
            tracing::debug!(%from, height, round, "a block from somebody whose turn it is not");
            return Ok(None);
        }
        let checked = self.checked.entry(round).or_default();
        *checked += 1;
        if *checked > MAX_CHECKED || round > self.round.unwrap_or_default().saturating_add(ROUNDS_AHEAD) {
            return Ok(None);
        }
        let validity = if self.known.get(&block) == Some(&bytes) {
            Validity::Valid
        } else {
            match self.app.check(height, round, &from, bytes.clone()).await.map_err(during("check"))? {
                Verdict::Valid(id) if id == block => {
                    self.known.insert(id, bytes);
                    Validity::Valid
                }
                Verdict::Valid(id) => {
                    tracing::warn!(%from, height, round, offered = %block, found = %id, "a block under another's id");
                    Validity::Invalid
                }
                Verdict::Invalid(reason) => {
                    tracing::warn!(%from, height, round, %block, %reason, "an invalid block");
                    Validity::Invalid
                }
            }
        };
        Ok(Some(ProposedValue {
            height: Height(height),
            round: Round::new(round),
            valid_round: valid_round.into(),
            proposer: Address(from),
            value: BlockId(block),
            validity,
        }))
    }

    /// Commits a decision and moves on. The engine finalises at once after it decides (there is no target time), so one
    /// commit, with the evidence, serves both messages.
    async fn commit(
        &mut self,
        decided: &CommitCertificate<Context>,
        evidence: &MisbehaviorEvidence<Context>,
    ) -> Result<(), ConsensusError> {
        let certificate = from_certificate(decided).map_err(|e| ConsensusError::Engine(e.to_string()))?;
        let (height, block) = (certificate.height, certificate.block);
        let evidence = crate::evidence::gather(&self.signing, evidence);
        self.app.commit(height, block, &certificate, evidence).await.map_err(during("commit"))?;
        if let Some(reply) = self.acknowledge.take() {
            answer(reply, ());
        }
        tracing::debug!(height, %block, round = certificate.round, "committed");
        self.signing.decided(certificate);
        // Whoever fetches is behind: what is empty of the past must not hold it up.
        let fetched = std::mem::take(&mut self.fetched);
        self.idle = if fetched { 0 } else { self.app.idle_blocks().await.map_err(during("idle blocks"))? };
        self.height = height.saturating_add(1);
        self.electorate = Self::electorate(&*self.app, self.height).await?;
        self.round = self.round.map(|_| 0);
        self.checked.clear();
        self.known.clear();
        self.assembly.forget_below(self.height);
        Ok(())
    }

    /// Checks a block that was fetched; the engine has verified its certificate and compares the id.
    async fn synced(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
        bytes: Bytes,
    ) -> Result<SyncedValueOutcome<Context>, ConsensusError> {
        if height.0 != self.height {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        let number = round.as_u32().unwrap_or_default();
        match self.app.check_decided(height.0, number, &proposer.0, bytes.clone()).await.map_err(during("check"))? {
            Verdict::Valid(id) => {
                self.known.insert(id, bytes);
                self.fetched = true;
                Ok(SyncedValueOutcome::Verdict(ProposedValue {
                    height,
                    round,
                    valid_round: Round::Nil,
                    proposer,
                    value: BlockId(id),
                    validity: Validity::Valid,
                }))
            }
            Verdict::Invalid(reason) => {
                if let Some(certificate) = self.switch.certificate(height.0)
                    && let Some(fault) = self.app.condemned(&bytes, &certificate, &reason).await
                {
                    return Err(during("check")(fault));
                }
                tracing::error!(%height, %reason, "a fetched block is invalid");
                Ok(SyncedValueOutcome::PeerFault)
            }
        }
    }

    async fn committed(&self, first: u64, last: u64) -> Result<Vec<Committed>, ConsensusError> {
        let mut values = Vec::new();
        let mut bytes = 0_usize;
        for height in (first..=last).take(MAX_VALUES) {
            let Some(value) = self.app.committed(height).await.map_err(during("committed"))? else { break };
            bytes = bytes.saturating_add(value.block.len());
            if bytes > RESPONSE_BYTES && !values.is_empty() {
                break;
            }
            values.push(value);
        }
        Ok(values)
    }

    /// What this replica can serve. A tip of zero is not told: the peer's engine would take it for all there ever is.
    async fn status(&self) -> Result<Option<Message>, ConsensusError> {
        let tip = self.height.saturating_sub(1);
        let earliest = self.app.earliest().await.map_err(during("earliest"))?;
        Ok((tip > 0).then_some(Message::Status(StatusWire { tip, earliest })))
    }

    async fn oblige(&self, ask: Ask) -> Result<(), ConsensusError> {
        match ask {
            Ask::Greet(peer) => {
                if let Some(status) = self.status().await? {
                    self.switch.send(&peer, status);
                }
            }
            Ask::Serve(peer, RequestWire { id, first, last }) => {
                let committed = self.committed(first, last).await?;
                let values =
                    committed.into_iter().map(|c| ValueWire { block: c.block.to_vec(), certificate: c.certificate });
                self.switch.send(&peer, Message::Response(ResponseWire { id, first, values: values.collect() }));
            }
        }
        Ok(())
    }
}
