//! The part of the story in which a citizen allows, sees and revokes.

use std::time::Instant;

use covenant_authority::{Addressee, NewRequest, RemoteError, RequestState, Wish};
use covenant_client::{Client, ConsentTicket, Ground};
use covenant_domain::{ConsentChange, ConsentKind, ConsentScope, FieldName, IdError, MemberId, Mode, PurposeCode};

use super::{BANK_FIELDS, DAY_MS, Story, dataset, demand, now_ms};
use crate::desk::Desk;
use crate::error::DemoError;

/// The citizen's place in the provider's list.
const CITIZEN: usize = 0;

fn failed(error: RemoteError) -> DemoError {
    DemoError::story("authorisation service", error.to_string())
}

impl Story<'_> {
    /// The bank asks, the citizen reads the notice and agrees, the bank fetches its ticket.
    pub(super) async fn citizen_consents(&mut self, bank: &Client, desk: &Desk) -> Result<ConsentTicket, DemoError> {
        self.open(
            "银行向授权服务申请；市民登录、阅读告知书并同意（账本上只有承诺值，没有身份证号）",
            "The bank asks at the authorisation service; the citizen logs in, reads the notice and agrees (the ledger holds a commitment, not the citizen's number)",
        );
        let started = Instant::now();
        let (identity, consortium) = (self.consortium.founding.identity("bank")?, bank.trust().digest());
        let subject = self.credit_question(Ground::Legal { case: None })?.subject;
        let wish = wish()?;
        let notice = desk.remote.notice(&wish.purpose).await.map_err(failed)?.map(|n| n.shown());
        let authoriser = MemberId::new("authorisation")?;
        let to = Addressee { trust: bank.trust(), authoriser: &authoriser, notice: notice.as_ref(), now_ms: now_ms() };
        let request = NewRequest::make(&identity, wish, &subject, to)
            .map_err(|e| DemoError::story("consent request", e.to_string()))?;
        let asked = desk.remote.request(&identity, &request).await.map_err(failed)?;
        let token = desk.log_in(CITIZEN).await?;
        let shown = desk.remote.my_requests(&token).await.map_err(failed)?;
        let own =
            shown.iter().find(|r| r.id == asked.id).ok_or_else(|| DemoError::story("consent", "it is not shown"))?;
        desk.remote.approve(&token, own).await.map_err(failed)?;
        let view = desk.remote.status(&identity, &consortium, &asked.id).await.map_err(failed)?;
        let ticket = view.ticket.filter(|_| view.state == RequestState::Issued);
        let ticket = ticket.ok_or_else(|| DemoError::story("consent", format!("{:?}", view.state)))?;
        let id = ticket.consent.id;
        self.say(started, format!("授权 {id} 已上账"), format!("consent {id} is on the ledger"));
        Ok(ticket)
    }

    /// Every use of the citizen's data, refused ones too; then the consent is revoked.
    pub(super) async fn citizen_looks_and_revokes(
        &mut self,
        desk: &Desk,
        ticket: &ConsentTicket,
    ) -> Result<(), DemoError> {
        self.open("市民查看谁用过自己的数据", "The citizen looks at who has used the data");
        let started = Instant::now();
        let token = desk.log_in(CITIZEN).await?;
        let uses = desk.remote.my_uses(&token).await.map_err(failed)?;
        let own: Vec<_> = uses.iter().filter(|u| u.consent == ticket.consent.id).map(|u| &u.found).collect();
        demand("uses", own.len() >= 2, || format!("{} uses are shown", own.len()))?;
        let lines: Vec<_> = own.iter().map(|u| format!("{} {} {:?}", u.consumer, u.mode, u.outcome)).collect();
        self.say(started, lines.join("；"), lines.join("; "));

        self.open("市民撤回授权", "The citizen revokes");
        let started = Instant::now();
        desk.remote.change(&token, &ticket.consent.id, ConsentChange::Revoked).await.map_err(failed)?;
        self.say(started, "撤回在一个区块内对所有节点生效", "revoked at every node within one block");
        Ok(())
    }
}

fn wish() -> Result<Wish, DemoError> {
    let now_ms = now_ms();
    Ok(Wish {
        purpose: PurposeCode::new("mortgage-review")?,
        scopes: vec![ConsentScope {
            dataset: dataset("credit-centre/scoring/credit")?,
            fields: BANK_FIELDS.into_iter().map(FieldName::new).collect::<Result<_, IdError>>()?,
        }],
        modes: vec![Mode::Match, Mode::Lookup, Mode::Detail],
        valid_from_ms: now_ms.saturating_sub(60_000),
        valid_until_ms: now_ms + 30 * DAY_MS,
        max_uses: 3,
        data_life_days: 90,
        kind: ConsentKind::Consent,
        frequency: None,
    })
}
