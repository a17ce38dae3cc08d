//! The story that the demo tells, step by step, through the public interface.

mod consent;
mod lookup;
mod register;

use std::time::Instant;

use covenant_api::QueryState;
use covenant_client::{Client, ConsentTicket, Ground, Question, Reply};
use covenant_daemon::{Clock, SystemClock};
use covenant_domain::{DatasetId, FieldName, IdError, MatchOutcome, Mode, PurposeCode, ReasonCode, Subject, Value};
use covenant_ledger::{Report, verify_bundle};

use crate::city::{Characters, City};
use crate::consortium::Consortium;
use crate::desk::Desk;
use crate::error::DemoError;

/// A line of the story in both languages of the platform.
#[derive(Debug, Clone)]
pub struct Line {
    /// Whether it opens a step.
    pub opens: bool,
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// How long it took, in milliseconds, if something was done.
    pub took_ms: Option<u128>,
}

/// Tells the story.
pub struct Story<'a> {
    consortium: &'a Consortium,
    city: &'a City,
    cast: Characters,
    tell: &'a mut (dyn FnMut(Line) + Send),
}

const DAY_MS: u64 = 24 * 3_600_000;
const BANK_FIELDS: [&str; 3] = ["balance_fen", "defaulted", "overdue_24m"];

impl<'a> Story<'a> {
    /// A story in a consortium that holds the city's records.
    ///
    /// # Errors
    /// [`DemoError::Story`] when the city is too small to have the characters.
    pub fn new(
        consortium: &'a Consortium,
        city: &'a City,
        tell: &'a mut (dyn FnMut(Line) + Send),
    ) -> Result<Self, DemoError> {
        let cast =
            city.characters().ok_or_else(|| DemoError::story("cast", "the city is too small: raise --residents"))?;
        Ok(Self { consortium, city, cast, tell })
    }

    /// Tells all of it; the authorisation service goes on running. Every step checks its own outcome.
    ///
    /// # Errors
    /// [`DemoError::Story`] naming the step that came out otherwise than it must.
    pub async fn tell(&mut self) -> Result<Desk, DemoError> {
        self.address_matches().await?;
        let bank = self.consortium.client("bank").await?;
        self.bank_without_consent(&bank).await?;
        let desk = Desk::open(self.consortium, self.city, &[self.cast.citizen, self.cast.debtor]).await?;
        let ticket = self.citizen_consents(&bank, &desk).await?;
        let answered = self.bank_with_consent(&bank, &ticket).await?;
        self.trustees_make_key().await?;
        self.credit_centre_builds_epoch().await?;
        let found = self.bank_looks_up(&bank, &ticket).await?;
        self.bank_tries_another(&bank, &ticket).await?;
        self.regulator_opens_case(&found).await?;
        self.regulator_recomputes(&found).await?;
        self.licence_delivered(&bank).await?;
        self.register(&bank, &answered).await?;
        self.citizen_looks_and_revokes(&desk, &ticket).await?;
        let refused = self.bank_after_revocation(&bank, &ticket).await?;
        self.evidence(&bank, &[&answered, &refused]).await?;
        self.tampering(&bank, &answered).await?;
        Ok(desk)
    }

    fn open(&mut self, zh: &str, en: &str) {
        (self.tell)(Line { opens: true, zh: zh.into(), en: en.into(), took_ms: None });
    }

    fn say(&mut self, started: Instant, zh: impl Into<String>, en: impl Into<String>) {
        let took_ms = Some(started.elapsed().as_millis());
        (self.tell)(Line { opens: false, zh: zh.into(), en: en.into(), took_ms });
    }

    /// A market-regulation officer holds two companies' addresses against the property register.
    async fn address_matches(&mut self) -> Result<(), DemoError> {
        self.open(
            "市场监管人员核对企业住所与不动产登记是否一致（只返回是否一致，不返回地址）",
            "A market-regulation officer holds companies' addresses against the property register (yes or no, never the address)",
        );
        let officer = self.consortium.client("market-regulation").await?;
        let cases =
            [(self.cast.honest_company, MatchOutcome::Equal), (self.cast.moved_company, MatchOutcome::Different)];
        for (index, expected) in cases {
            let Some(company) = self.city.companies.get(index) else { continue };
            let started = Instant::now();
            let question = Question {
                dataset: dataset("housing/registry/premises")?,
                purpose: PurposeCode::new("address-verification")?,
                mode: Mode::Match,
                fields: vec![FieldName::new("address")?],
                subject: Subject::Company(company.code.clone()),
                ground: Ground::Legal { case: None },
                claims: vec![(FieldName::new("address")?, Value::Text(company.address.clone()))],
            };
            let reply = officer.ask(question).await?;
            let outcome = reply.answer.as_ref().and_then(|a| a.matches.first()).map(|m| m.outcome);
            demand("address match", outcome == Some(expected), || format!("{outcome:?} instead of {expected:?}"))?;
            let (zh, en) = match expected {
                MatchOutcome::Equal => ("一致", "equal"),
                _ => ("不一致，需现场核查", "different: to be inspected"),
            };
            self.say(started, format!("住所{zh}"), format!("address {en}"));
        }
        Ok(())
    }

    fn credit_question(&self, ground: Ground) -> Result<Question, DemoError> {
        let citizen = self.city.residents.get(self.cast.citizen);
        let citizen = citizen.ok_or_else(|| DemoError::story("cast", "the citizen is gone"))?;
        Ok(Question {
            dataset: dataset("credit-centre/scoring/credit")?,
            purpose: PurposeCode::new("mortgage-review")?,
            mode: Mode::Detail,
            fields: BANK_FIELDS.into_iter().map(FieldName::new).collect::<Result<_, IdError>>()?,
            subject: Subject::Resident(citizen.number.clone()),
            ground,
            claims: Vec::new(),
        })
    }

    async fn bank_without_consent(&mut self, bank: &Client) -> Result<(), DemoError> {
        self.open("银行未经授权查询征信", "The bank asks for credit details without consent");
        let started = Instant::now();
        let reply = bank.ask(self.credit_question(Ground::Legal { case: None })?).await?;
        refused_for("without consent", &reply, ReasonCode::ConsentRequired)?;
        self.tell_refusal(started, &reply);
        Ok(())
    }

    fn tell_refusal(&mut self, started: Instant, reply: &Reply) {
        let reasons: Vec<_> = reply.reasons.iter().map(|r| r.detail.clone()).collect();
        let text = reasons.join("; ");
        self.say(
            started,
            format!("已拒绝并留痕：{text}"),
            format!("refused, and the refusal is on the ledger: {text}"),
        );
    }

    async fn bank_with_consent(&mut self, bank: &Client, ticket: &ConsentTicket) -> Result<Reply, DemoError> {
        self.open("银行凭授权再次查询", "The bank asks again under the consent");
        let started = Instant::now();
        let question = self.credit_question(self.ground(ticket)?)?;
        let reply = bank.ask(question).await?;
        let answer = reply.answer.as_ref().filter(|_| reply.state == QueryState::Answered && reply.receipted);
        let answer = answer.ok_or_else(|| DemoError::story("with consent", format!("{:?}", reply.state)))?;
        let row = answer.rows.first().ok_or_else(|| DemoError::story("with consent", "no record"))?;
        let open = row.iter().filter(|d| answer.value(d.field()).is_some()).count();
        demand("with consent", open == BANK_FIELDS.len(), || format!("{open} fields were released"))?;
        self.check_credit(answer)?;
        let (total, withheld) = (row.len(), row.len() - open);
        self.say(
            started,
            format!("仅返回获准的 {open} 个字段（共 {total} 个，其余 {withheld} 个可证明地未披露）；先有回执，后有答案"),
            format!("exactly the {open} granted fields of {total} came; {withheld} stay provably withheld; receipt first, answer after"),
        );
        Ok(reply)
    }

    /// The bank learned what the credit centre has on record, no more.
    fn check_credit(&self, answer: &covenant_domain::Answer) -> Result<(), DemoError> {
        let credit = self.city.residents.get(self.cast.citizen).map(|r| r.credit.clone());
        let credit = credit.ok_or_else(|| DemoError::story("cast", "the citizen is gone"))?;
        let value = |name: &str| FieldName::new(name).ok().and_then(|f| answer.value(&f).cloned());
        // The balance is masked: rounded down to full thousands of yuan.
        let masked = credit.balance_fen.div_euclid(100_000) * 100_000;
        let right = value("overdue_24m") == Some(Value::Integer(credit.overdue_24m))
            && value("defaulted") == Some(Value::Boolean(credit.defaulted))
            && value("balance_fen") == Some(Value::Integer(masked));
        demand("with consent", right, || "the answer differs from the record".into())
    }

    fn ground(&self, ticket: &ConsentTicket) -> Result<Ground, DemoError> {
        let citizen = self.credit_question(Ground::Legal { case: None })?.subject;
        Ok(ticket.ground(&self.consortium.founding.identity("bank")?, &citizen)?)
    }

    async fn licence_delivered(&mut self, bank: &Client) -> Result<(), DemoError> {
        self.open(
            "银行开户尽调：市场监管部门提交电子营业执照",
            "At account opening, market regulation submits the electronic licence",
        );
        let started = Instant::now();
        let company = self.city.companies.get(self.cast.honest_company);
        let company = company.ok_or_else(|| DemoError::story("cast", "the company is gone"))?;
        let fields = ["company_name", "licence_file", "licence_number"];
        let question = Question {
            dataset: dataset("market-regulation/licensing/licences")?,
            purpose: PurposeCode::new("account-opening")?,
            mode: Mode::Submit,
            fields: fields.into_iter().map(FieldName::new).collect::<Result<_, IdError>>()?,
            subject: Subject::Company(company.code.clone()),
            ground: Ground::Legal { case: Some("KYC-2026-0001".into()) },
            claims: Vec::new(),
        };
        let reply = bank.ask(question).await?;
        let file = reply.answer.as_ref().and_then(|a| a.value(&FieldName::new("licence_file").ok()?).cloned());
        let Some(Value::Document { bytes, .. }) = file else {
            return Err(DemoError::story("licence", format!("no document came: {:?}", reply.state)));
        };
        let right = bytes == company.licence_document().into_bytes();
        demand("licence", right, || "another document came".into())?;
        let digest = covenant_canon::Digest::of(bank.trust().suite, covenant_canon::Label::DOCUMENT, &bytes);
        let (size, digest) = (bytes.len(), digest.short());
        self.say(
            started,
            format!("收到电子证照 {size} 字节，摘要 {digest}…"),
            format!("licence of {size} bytes received, digest {digest}…"),
        );
        Ok(())
    }

    async fn bank_after_revocation(&mut self, bank: &Client, ticket: &ConsentTicket) -> Result<Reply, DemoError> {
        self.open("银行再次查询", "The bank asks once more");
        let started = Instant::now();
        let reply = bank.ask(self.credit_question(self.ground(ticket)?)?).await?;
        refused_for("after revocation", &reply, ReasonCode::ConsentRevoked)?;
        self.tell_refusal(started, &reply);
        Ok(reply)
    }

    async fn evidence(&mut self, bank: &Client, replies: &[&Reply]) -> Result<(), DemoError> {
        self.open(
            "离线验证证据文件（只需证据文件与创世文件）",
            "Evidence verifies offline, from the bundle and the genesis alone",
        );
        for reply in replies {
            let bundle = bank.evidence(&reply.intent).await?;
            let started = Instant::now();
            let report = verify_bundle(&bundle, bank.trust());
            demand("evidence", report.verified, || format!("{report:?}"))?;
            let (size, steps) = (bundle.len(), report.steps.len());
            let outcome = report.outcome.unwrap_or_default();
            self.say(
                started,
                format!("{size} 字节，{steps} 步全部通过：{outcome}"),
                format!("{size} bytes, all {steps} steps hold: {outcome}"),
            );
        }
        Ok(())
    }

    async fn tampering(&mut self, bank: &Client, reply: &Reply) -> Result<(), DemoError> {
        self.open("篡改一个字节", "One byte is changed");
        let bundle = bank.evidence(&reply.intent).await?;
        let (changed, report) = change_one_byte(&bundle, bank);
        demand("tampering", !report.verified, || "a changed bundle verified".into())?;
        let failed = report.steps.last().map(|s| (s.step.name(), s.detail.clone()));
        let (step, detail) = failed.unwrap_or_default();
        let started = Instant::now();
        self.say(
            started,
            format!("第 {changed} 字节被改动：在 {step} 一步失败（{detail}）"),
            format!("byte {changed} changed: fails at {step} ({detail})"),
        );
        Ok(())
    }
}

/// Changes the last digest of the intent's own bytes and verifies again.
fn change_one_byte(bundle: &[u8], bank: &Client) -> (usize, Report) {
    let mut changed = bundle.to_vec();
    // Past the head of the file: inside the intent, where the change is no longer a matter of format.
    let at = bundle.len() / 8;
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1;
    }
    (at, verify_bundle(&changed, bank.trust()))
}

pub(crate) fn now_ms() -> u64 {
    SystemClock.now_ms()
}

fn dataset(path: &str) -> Result<DatasetId, IdError> {
    DatasetId::new(&format!("cov:{}/gov/{path}", crate::catalogue::CONSORTIUM))
}

fn demand(step: &'static str, holds: bool, fault: impl FnOnce() -> String) -> Result<(), DemoError> {
    if holds { Ok(()) } else { Err(DemoError::story(step, fault())) }
}

fn refused_for(step: &'static str, reply: &Reply, code: ReasonCode) -> Result<(), DemoError> {
    let named = reply.state == QueryState::Refused && reply.reasons.iter().any(|r| r.code == code);
    demand(step, named, || format!("{:?} for {:?}", reply.state, reply.reasons))
}
