//! Private lookup in the story: the trustees' key, an epoch, a lookup, and one case.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use covenant_client::authorise::ConsentTicket;
use covenant_client::{BuildView, Client, Found, LookupQuestion, QueryState, ShareFile};
use covenant_domain::{CaseNumber, CaseOutcome, IntentId, MemberId, PurposeCode, ReasonCode, Subject};

use super::{BANK_FIELDS, Story, dataset, demand};
use crate::error::DemoError;

/// Members that hold a share of the escrow key; two of them open.
pub(super) const TRUSTEES: [&str; 3] = ["audit-office", "court", "regulator"];
/// Longest wait for a ceremony or an epoch.
const PATIENCE: Duration = Duration::from_secs(120);
const CREDIT: &str = "credit-centre/scoring/credit";

impl Story<'_> {
    /// The trustees make the escrow key, unless there is one already.
    pub(super) async fn trustees_make_key(&mut self) -> Result<(), DemoError> {
        let first = self.consortium.nodes.first();
        if first.is_some_and(|n| n.with_state(|s| s.escrow().is_some())) {
            return Ok(());
        }
        self.open(
            "审计局、法院与数据管理局共同生成托管密钥（任何一方都不掌握完整密钥，三方中两方才能开启）",
            "Audit office, court and data authority make an escrow key together (nobody holds it; two of three open)",
        );
        let started = Instant::now();
        let regulator = self.consortium.client("regulator").await?;
        let trustees = TRUSTEES.into_iter().map(MemberId::new).collect::<Result<_, _>>()?;
        let number = regulator.call_ceremony(2, trustees).await?;
        let mut clients = Vec::new();
        for trustee in TRUSTEES {
            clients.push(self.consortium.client(trustee).await?);
        }
        let joined = clients.iter().map(|client| client.join_ceremony(number, PATIENCE));
        for share in futures::future::try_join_all(joined).await? {
            let path = self.share_file(share.trustee.as_str())?;
            let text = serde_json::to_vec(&share).map_err(|e| DemoError::story("escrow key", e.to_string()))?;
            std::fs::write(&path, text).map_err(|source| DemoError::File { path, source })?;
        }
        self.say(
            started,
            format!("第 {number} 次仪式完成，密钥由三方在账本上签名确认"),
            format!("ceremony {number} is finished, its key signed by all three on the ledger"),
        );
        Ok(())
    }

    fn share_file(&self, trustee: &str) -> Result<PathBuf, DemoError> {
        Ok(self.consortium.founding.member_dir(&MemberId::new(trustee)?)?.join("escrow-share.json"))
    }

    fn share(&self, trustee: &str) -> Result<ShareFile, DemoError> {
        let path = self.share_file(trustee)?;
        let text = std::fs::read(&path).map_err(|source| DemoError::File { path, source })?;
        serde_json::from_slice(&text).map_err(|e| DemoError::story("escrow share", e.to_string()))
    }

    /// The credit centre builds an epoch, unless one is open.
    pub(super) async fn credit_centre_builds_epoch(&mut self) -> Result<(), DemoError> {
        let id = dataset(CREDIT)?;
        let centre = self.consortium.client("credit-centre").await?;
        let served = centre.epoch(&id).await.is_ok_and(|e| e.state.epoch.closes_ms > super::now_ms() + 3_600_000);
        if served {
            return Ok(());
        }
        self.open(
            "征信中心为匿踪查询生成当日数据表（逐行加密，密钥当日作废）",
            "The credit centre builds the day's table for private lookup (every row sealed, the key destroyed with the day)",
        );
        let started = Instant::now();
        centre.build_epoch(&id, 1).await?;
        let epoch = loop {
            match centre.build_state(&id).await? {
                BuildView::Done { epoch } => break epoch,
                BuildView::Failed { reason } => return Err(DemoError::story("epoch", reason)),
                _ if started.elapsed() > PATIENCE => return Err(DemoError::story("epoch", "it takes too long")),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let state = centre.epoch(&id).await?.state;
        let (rows, bytes) = (state.epoch.table.rows, state.epoch.table.row_bytes);
        self.say(
            started,
            format!("第 {epoch} 期：{rows} 行，每行 {bytes} 字节，只有密文"),
            format!("epoch {epoch}: {rows} rows of {bytes} bytes, ciphertext only"),
        );
        Ok(())
    }

    fn citizen(&self) -> Result<Subject, DemoError> {
        let citizen = self.city.residents.get(self.cast.citizen);
        let citizen = citizen.ok_or_else(|| DemoError::story("cast", "the citizen is gone"))?;
        Ok(Subject::Resident(citizen.number.clone()))
    }

    /// The bank looks the citizen up; the credit centre answers without learning whom it was asked about.
    pub(super) async fn bank_looks_up(&mut self, bank: &Client, ticket: &ConsentTicket) -> Result<Found, DemoError> {
        self.open(
            "银行匿踪查询：征信中心不知道查的是谁、有没有查到，却验证了授权有效",
            "The bank looks the citizen up in private: the credit centre learns neither whom nor whether, yet verifies the consent",
        );
        let id = dataset(CREDIT)?;
        let fetched = Instant::now();
        bank.prepare_lookups(&id).await?;
        self.say(fetched, "取得当日公开参数（每日一次）", "the day's public files are fetched, once a day");
        let started = Instant::now();
        let subject = self.citizen()?;
        let ground = ticket.ground(&self.consortium.founding.identity("bank")?, &subject)?;
        let question = LookupQuestion { dataset: id, purpose: PurposeCode::new("mortgage-review")?, subject, ground };
        let found = bank.look_up(question).await?;
        let answer = found.answer.as_ref().filter(|_| found.state == QueryState::Answered);
        let answer = answer.ok_or_else(|| DemoError::story("lookup", format!("{:?}", found.reasons)))?;
        self.check_credit(answer)?;
        self.say(
            started,
            format!("得到获准的 {} 个字段；回执与本地计算逐项一致", BANK_FIELDS.len()),
            format!("the {} granted fields came; the receipt fits what was computed here", BANK_FIELDS.len()),
        );
        self.holder_sees(&found.intent).await?;
        Ok(found)
    }

    /// What the holder has on record of the lookup.
    async fn holder_sees(&mut self, intent: &IntentId) -> Result<(), DemoError> {
        let started = Instant::now();
        let node = self.consortium.node("credit-centre").ok_or(DemoError::NoNode)?;
        let bundle = node.evidence(intent).await?.ok_or_else(|| DemoError::story("lookup", "it left no record"))?;
        let record = serde_json::to_string(&bundle).map_err(|e| DemoError::story("lookup", e.to_string()))?;
        let stored = node.retrieval(intent).await?.unwrap_or_default();
        let number = self.citizen()?.expose().to_owned();
        let inside = |bytes: &[u8]| bytes.windows(number.len()).any(|w| w == number.as_bytes());
        let clean = !inside(record.as_bytes()) && !inside(&stored) && !stored.is_empty();
        demand("lookup", clean, || "the holder's record names the citizen".into())?;
        let size = stored.len();
        self.say(
            started,
            format!("征信中心的记录：bank、mortgage-review、授权编号、盲化点与 {size} 字节密文；没有身份证号"),
            format!("on the credit centre's record: bank, mortgage-review, the consent, a blinded point and {size} bytes of ciphertext; no citizen's number"),
        );
        Ok(())
    }

    /// Asking about somebody else under the same consent proves nothing and is not sent.
    pub(super) async fn bank_tries_another(&mut self, bank: &Client, ticket: &ConsentTicket) -> Result<(), DemoError> {
        self.open("银行用同一授权查询另一个人", "The bank tries the same consent for somebody else");
        let started = Instant::now();
        let other = self.city.residents.get(self.cast.citizen + 1).or_else(|| self.city.residents.first());
        let other = other.ok_or_else(|| DemoError::story("cast", "nobody else"))?;
        let subject = Subject::Resident(other.number.clone());
        let refused = ticket.ground(&self.consortium.founding.identity("bank")?, &subject).is_err();
        demand("somebody else", refused, || "the consent opened to somebody else".into())?;
        // With the claim of a query of its own in place of the consent, the ledger refuses too.
        let purpose = PurposeCode::new("mortgage-review")?;
        let ground = covenant_client::Ground::Legal { case: None };
        let reply = bank.look_up(LookupQuestion { dataset: dataset(CREDIT)?, purpose, subject, ground }).await?;
        let named = reply.reasons.iter().any(|r| r.code == ReasonCode::ConsentRequired);
        demand("somebody else", reply.state == QueryState::Refused && named, || format!("{:?}", reply.state))?;
        self.say(
            started,
            "无法构造证明；改用自己的承诺值，账本拒绝并记录在案",
            "no proof can be made; under a commitment of its own the ledger refuses, on record",
        );
        Ok(())
    }

    /// The regulator opens one lookup with two of three trustees.
    pub(super) async fn regulator_opens_case(&mut self, found: &Found) -> Result<(), DemoError> {
        self.open(
            "监管立案：三方受托人中两方协助，打开一笔查询的当事人",
            "The regulator opens a case: with two of three trustees the subject of one lookup is confirmed",
        );
        let started = Instant::now();
        let regulator = self.consortium.client("regulator").await?;
        let intent = found.intent;
        // The random end of the id: another story in the same folder opens another case.
        let id = intent.to_string();
        let case = CaseNumber::new(&format!("JC-2026/{}", id.rsplit('-').next().unwrap_or("1")))
            .map_err(|e| DemoError::story("case", e.to_string()))?;
        regulator.open_case(&case, vec![intent], b"order of the demo").await?;
        let too_few = regulator.open_escrow(&case, &intent).await.is_err();
        demand("case", too_few, || "it opened without the trustees".into())?;
        for trustee in ["court", "regulator"] {
            let client = self.consortium.client(trustee).await?;
            client.help_case(&case, &self.share(trustee)?).await?;
        }
        let opened = regulator.open_escrow(&case, &intent).await?;
        demand("case", opened.is(&self.citizen()?), || "the escrow opened to somebody else".into())?;
        regulator.conclude_case(&case, &intent, CaseOutcome::Confirmed).await?;
        self.say(
            started,
            format!("案件 {case}：两份协助后确认当事人；立案、协助与结论均在账本上，不含姓名"),
            format!("case {case}: confirmed with two parts; opening, help and result are on the ledger, no name is"),
        );
        Ok(())
    }

    /// The regulator computes the holder's answer again from ciphertext.
    pub(super) async fn regulator_recomputes(&mut self, found: &Found) -> Result<(), DemoError> {
        self.open(
            "监管复算：用密文数据表重算当时的回答",
            "The regulator computes the holder's answer again, from ciphertext alone",
        );
        let started = Instant::now();
        let regulator = self.consortium.client("regulator").await?;
        regulator.mirror_epoch(&dataset(CREDIT)?).await?;
        let again = regulator.recompute(&found.intent).await?;
        demand("recomputation", again.equal, || again.detail.clone())?;
        self.say(started, "与征信中心签名的记录一致", "equal to what the credit centre has signed");
        Ok(())
    }
}
