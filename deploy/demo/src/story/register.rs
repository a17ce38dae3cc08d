//! The part of the story in which access is asked for, granted, disputed and revoked.

use std::time::Instant;

use covenant_client::{Client, Ground, Question, Reply, RequestDraft};
use covenant_domain::{
    Body, Day, DeletionAttestation, DisputeAnswer, DisputeKind, FieldName, GrantChange, GrantId, IdError, Mode,
    PurposeCode, Quota, ReasonCode, RequestId, RequestStatus, RequestStep, RiskAnswer, RiskLevel, RiskRecord, Subject,
    Value,
};
use covenant_ledger::verify_receipt;

use super::{DAY_MS, Story, dataset, demand, now_ms, refused_for};
use crate::error::DemoError;

const COMPANY_TAX: &str = "tax/levy/company-tax";

impl Story<'_> {
    /// A request is written, checked, decided; what was granted is used, disputed, revoked and deleted.
    pub(super) async fn register(&mut self, bank: &Client, answered: &Reply) -> Result<(), DemoError> {
        let granted = self.bank_requests(bank).await?;
        self.rule_approves().await?;
        self.bank_uses(bank).await?;
        self.tax_revokes(bank, granted).await?;
        self.bank_disputes(bank, answered).await?;
        self.regulator_settles().await
    }

    async fn bank_requests(&mut self, bank: &Client) -> Result<GrantId, DemoError> {
        self.open(
            "银行申请使用企业纳税数据：四维风险评估、平台初审、税务局在法定工作日时限内审批",
            "The bank asks for company tax data: risk in four dimensions, the platform's check, the bureau's decision within its statutory clock",
        );
        let started = Instant::now();
        let draft = draft("loans", COMPANY_TAX, "account-opening", &["arrears_fen"], None)?;
        let request = bank.request_for(draft, None).await?;
        let (id, grant) = (request.id, request.grant.grant.id);
        crate::setup::publish_as(bank, vec![Body::RequestSubmitted(request)]).await?;
        let waiting = bank.request(&id).await?.clock;
        let (member, due) =
            waiting.map(|c| (c.member.to_string(), Day::of_ms(c.due_ms).to_string())).unwrap_or_default();
        self.say(
            started,
            format!("申请 {id} 已上账，待 {member} 于 {due} 前办理"),
            format!("request {id} is on the ledger; `{member}` must act before {due}"),
        );
        let started = Instant::now();
        self.step("data-platform", id, RequestStep::Checked { note: "材料齐全".into() }).await?;
        self.step("tax", id, RequestStep::Approved { reason: "符合职责与用途".into() }).await?;
        let status = bank.request(&id).await?.status;
        demand("request", status == RequestStatus::Approved, || format!("{status:?}"))?;
        self.say(
            started,
            format!("平台初审、税务局批准；授权 {grant} 由双方签名后生效"),
            format!("checked and approved; grant {grant} is in force under both signatures"),
        );
        Ok(grant)
    }

    async fn step(&self, member: &str, request: RequestId, step: RequestStep) -> Result<(), DemoError> {
        crate::setup::publish(self.consortium, member, vec![Body::RequestStepped { request, step }]).await
    }

    /// A small renewal between departments is approved by a rule of the holder's own, on record with the rule's name.
    async fn rule_approves(&mut self) -> Result<(), DemoError> {
        self.open(
            "市场监管局续期低风险核对授权，由住建局自动审批规则批准",
            "A low-risk renewal between departments is approved by the housing bureau's own rule",
        );
        let started = Instant::now();
        let officer = self.consortium.client("market-regulation").await?;
        let held = officer.grants().await?.into_iter().map(|g| g.state);
        let mut live = held.filter(|g| !g.is_ended() && &g.grant.consumer == officer.member());
        let old = live.next().map(|g| g.grant);
        let old = old.ok_or_else(|| DemoError::story("renewal", "market regulation holds no grant"))?;
        let draft =
            draft("inspection", "housing/registry/premises", "address-verification", &["address"], Some(old.id))?;
        let request = officer.request_for(draft, None).await?;
        let id = request.id;
        crate::setup::publish_as(&officer, vec![Body::RequestSubmitted(request)]).await?;
        self.step("data-platform", id, RequestStep::Checked { note: "材料齐全".into() }).await?;
        let state = officer.request(&id).await?;
        let rule = state.rule.clone().filter(|_| state.status == RequestStatus::Approved);
        let rule = rule.ok_or_else(|| DemoError::story("renewal", format!("{:?}", state.status)))?;
        self.say(
            started,
            format!("规则 {rule} 即时批准，原授权被取代"),
            format!("approved at once by rule `{rule}`; the former grant is superseded"),
        );
        Ok(())
    }

    fn tax_question(&self) -> Result<Question, DemoError> {
        let company = self.city.companies.get(self.cast.honest_company);
        let company = company.ok_or_else(|| DemoError::story("cast", "the company is gone"))?;
        Ok(Question {
            dataset: dataset(COMPANY_TAX)?,
            purpose: PurposeCode::new("account-opening")?,
            mode: Mode::Match,
            fields: vec![FieldName::new("arrears_fen")?],
            subject: Subject::Company(company.code.clone()),
            ground: Ground::Legal { case: Some("KYC-2026-0002".into()) },
            claims: vec![(FieldName::new("arrears_fen")?, Value::Integer(0))],
        })
    }

    async fn bank_uses(&mut self, bank: &Client) -> Result<(), DemoError> {
        self.open("银行凭新授权核对企业是否欠税", "Under the new grant the bank checks a company for tax arrears");
        let started = Instant::now();
        let reply = bank.ask(self.tax_question()?).await?;
        let outcome = reply.answer.as_ref().and_then(|a| a.matches.first()).map(|m| m.outcome);
        let outcome = outcome.ok_or_else(|| DemoError::story("company tax", format!("{:?}", reply.reasons)))?;
        self.say(started, format!("核对结果：{outcome:?}"), format!("outcome: {outcome:?}"));
        Ok(())
    }

    async fn tax_revokes(&mut self, bank: &Client, grant: GrantId) -> Result<(), DemoError> {
        self.open(
            "税务局撤销授权：一个区块内生效，银行取得可离线验证的撤销回执",
            "The tax bureau revokes: in force within one block, with a receipt that verifies offline",
        );
        let started = Instant::now();
        let tax = self.consortium.client("tax").await?;
        let outcome = tax.publish(vec![Body::GrantChanged { grant, change: GrantChange::Revoked }]).await?;
        let entry = outcome.first().filter(|o| o.rejected.is_none()).map(|o| o.entry);
        let entry = entry.ok_or_else(|| DemoError::story("revocation", "it was rejected"))?;
        let receipt = bank.entry_receipt(&entry).await?;
        let report = verify_receipt(&receipt, bank.trust());
        demand("revocation", report.verified, || format!("{report:?}"))?;
        let reply = bank.ask(self.tax_question()?).await?;
        refused_for("revocation", &reply, ReasonCode::GrantRevoked)?;
        self.say(
            started,
            format!("回执 {} 字节，{} 步全部通过；再查询被拒绝", receipt.len(), report.steps.len()),
            format!(
                "receipt of {} bytes, all {} steps hold; the next query is refused",
                receipt.len(),
                report.steps.len()
            ),
        );
        let started = Instant::now();
        let attestation =
            DeletionAttestation {
                grant, method: "已从信贷系统删除".into(), operator: "li-na".into(), answers: 1
            };
        crate::setup::publish_as(bank, vec![Body::DeletionAttested(attestation)]).await?;
        self.say(started, "银行提交删除声明", "the bank attests that what it learned is deleted");
        Ok(())
    }

    async fn bank_disputes(&mut self, bank: &Client, answered: &Reply) -> Result<(), DemoError> {
        self.open(
            "银行对一条征信记录提出异议，征信中心在时限内答复",
            "The bank disputes a credit record; the credit centre answers within its clock",
        );
        let started = Instant::now();
        let credit = dataset("credit-centre/scoring/credit")?;
        let fields = vec![FieldName::new("overdue_24m")?];
        let (dispute, grounds) =
            bank.dispute(answered.intent, credit.clone(), fields, DisputeKind::Outdated, "客户出示了结清证明".into())?;
        let id = dispute.id;
        crate::setup::publish_as(bank, vec![Body::DisputeOpened(dispute)]).await?;
        let centre = self.consortium.client("credit-centre").await?;
        let known = centre.disputes().await?.into_iter().find(|d| d.dispute.id == id);
        let same = known.is_some_and(|d| d.dispute.grounds == centre.grounds_digest(&grounds));
        demand("dispute", same, || "the grounds are not those on the ledger".into())?;
        let answer = DisputeAnswer::Refused { reason: "结清日期在统计期之后".into() };
        crate::setup::publish_as(&centre, vec![Body::DisputeAnswered { dispute: id, answer }]).await?;
        let figures = bank.reliability().await?;
        let figure = figures.iter().find(|f| f.dataset == credit);
        let share = figure.map(|f| f.per_mille).unwrap_or_default();
        self.say(
            started,
            format!("不予更正并说明理由；该数据源可靠率 {share}‰"),
            format!("not corrected, with the reason; reliability of this source: {share} per mille"),
        );
        Ok(())
    }

    async fn regulator_settles(&mut self) -> Result<(), DemoError> {
        self.open(
            "监管部门出具贡献账户结算报告（由账本计数推出，任何节点可复算）",
            "The regulator draws the contribution accounts, which any node can compute again",
        );
        let started = Instant::now();
        let report = self.consortium.client("regulator").await?.settlement(None).await?;
        let (earned, spent) = report.accounts.iter().fold((0, 0), |(e, s), a| (e + a.earned, s + a.spent));
        demand("settlement", earned == spent && earned > 0, || format!("{earned} earned, {spent} spent"))?;
        let lines: Vec<_> =
            report.accounts.iter().map(|a| format!("{} +{} -{}", a.member, a.earned, a.spent)).collect();
        self.say(started, lines.join("；"), lines.join("; "));
        Ok(())
    }
}

/// A request in mode `match` for a year from today.
fn draft(
    subsystem: &str,
    path: &str,
    purpose: &str,
    fields: &[&str],
    supersedes: Option<GrantId>,
) -> Result<RequestDraft, DemoError> {
    let answer = |level, answer: &str| RiskAnswer { level, answer: answer.into() };
    let today = now_ms();
    Ok(RequestDraft {
        subsystem: subsystem.into(),
        consumer: None,
        dataset: dataset(path)?,
        purpose: PurposeCode::new(purpose)?,
        modes: vec![Mode::Match],
        fields: fields.iter().map(|f| FieldName::new(f)).collect::<Result<_, IdError>>()?,
        valid_from: Day::of_ms(today),
        valid_until: Day::of_ms(today + 365 * DAY_MS),
        data_life_days: 90,
        max_rows: 1,
        supersedes,
        quota: Quota { limit: 500, window_ms: DAY_MS },
        risk: RiskRecord {
            data: answer(RiskLevel::Low, "企业信息，不含个人信息"),
            scene: answer(RiskLevel::Low, "柜面尽职调查"),
            mode: answer(RiskLevel::Low, "仅核对，不返回数值"),
            audience: answer(RiskLevel::Low, "双人经办"),
            author: "li-na".into(),
            reviewer: "wang-wei".into(),
        },
    })
}
