//! Questions that nothing allows: refused with the reason, and the refusal proves itself offline.

use covenant_api::QueryState;
use covenant_client::authorise::{ConsentTicket, Terms};
use covenant_client::{Client, Ground, Question, Reply};
use covenant_demo::{counter_sign, publish};
use covenant_domain::ReasonCode as R;
use covenant_domain::{
    Body, ConsentChange, ConsentId, ConsentScope, Grant, GrantId, MemberId, Mode, PurposeCode, Quota, Subject,
};
use covenant_journeys::{Desk, codes, dataset, fields, ledger_bytes, now_ms, until};
use covenant_sigma::Opening;

use crate::World;

const HOUR_MS: u64 = 3_600_000;
const CREDIT: &str = "credit-centre/scoring/credit";

impl World {
    fn resident(&self, n: usize) -> Subject {
        Subject::Resident(self.city.residents[n].number.clone())
    }

    fn credit(&self, resident: usize, ground: Ground) -> Question {
        Question {
            dataset: dataset(CREDIT),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            mode: Mode::Detail,
            fields: fields(&["balance_fen", "overdue_24m"]),
            subject: self.resident(resident),
            ground,
            claims: Vec::new(),
        }
    }

    /// The ground a consent gives, whoever the question is about.
    fn ground(&self, ticket: &ConsentTicket) -> Ground {
        Ground::Consent {
            id: ticket.consent.id,
            commitment: ticket.consent.commitment,
            opening: ticket.open(&self.raw.identity).unwrap(),
        }
    }

    /// Consents of the first residents, in order, under these terms.
    async fn consents(&self, desk: &Desk, terms: &[Terms]) -> Vec<ConsentTicket> {
        desk.issue(terms.iter().enumerate().map(|(n, t)| (self.resident(n), t.clone())).collect()).await
    }
}

fn terms(max_uses: u32) -> Terms {
    Terms {
        consumer: MemberId::new("bank").unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        scopes: vec![ConsentScope { dataset: dataset(CREDIT), fields: fields(&["balance_fen", "overdue_24m"]) }],
        modes: vec![Mode::Detail],
        valid_from_ms: now_ms() - HOUR_MS,
        valid_until_ms: now_ms() + HOUR_MS,
        max_uses,
        data_life_days: 1,
    }
}

/// Refused for this reason among others, without data, and the evidence of the refusal verifies.
async fn refused(client: &Client, question: Question, code: R) -> Reply {
    let reply = client.ask(question).await.unwrap();
    assert!(reply.state == QueryState::Refused && codes(&reply).contains(&code), "{code:?}: {reply:?}");
    assert!(reply.answer.is_none() && reply.sealed.is_none(), "{code:?}: data came with a refusal");
    let report = client.verify_reply(&reply).await.unwrap();
    assert!(report.verified && report.outcome.as_deref().unwrap().contains("refused"), "{code:?}: {report:?}");
    reply
}

async fn answered(client: &Client, question: Question) -> Reply {
    let reply = client.ask(question).await.unwrap();
    let answer = reply.answer.as_ref().unwrap_or_else(|| panic!("{:?} {:?}", reply.state, reply.reasons));
    assert!(answer.failure.is_none() && answer.rows.len() == 1, "{:?}", answer.failure);
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_about_what_is_not_there() {
    let world = World::new(13).await;
    let bank = &world.bank;
    let before = world.leaves().await;
    let licence = || world.licence(Some("2026-3"));
    let purpose = PurposeCode::new("curiosity").unwrap();
    refused(bank, Question { purpose, ..licence() }, R::PurposeUnknown).await;
    refused(bank, Question { dataset: dataset("housing/registry/castles"), ..licence() }, R::DatasetUnknown).await;
    refused(bank, Question { fields: fields(&["owner_of_record"]), ..licence() }, R::FieldUnknown).await;
    refused(bank, Question { fields: fields(&["company_name", "representative"]), ..licence() }, R::FieldNotGranted)
        .await;
    refused(bank, Question { fields: Vec::new(), ..licence() }, R::FieldsMalformed).await;
    refused(bank, Question { mode: Mode::Submit, dataset: dataset(CREDIT), ..licence() }, R::GuardForbids).await;
    refused(bank, world.licence(None), R::CaseRequired).await;
    refused(bank, world.licence(Some("  ")), R::CaseRequired).await;
    let tax = world.consortium.client("tax").await.unwrap();
    refused(&tax, licence(), R::GrantMissing).await;
    let regulator = world.consortium.client("regulator").await.unwrap();
    refused(&regulator, licence(), R::CallerNotConsumer).await;
    // Intent and decision of each of the ten.
    assert_eq!(world.leaves().await, before + 20);
    quota(&world, &tax).await;
    world.close().await;
}

/// Two queries a day are two queries, however they are asked.
async fn quota(world: &World, tax: &Client) {
    let premises = dataset("housing/registry/premises");
    let grant = Grant {
        id: GrantId::from_parts(now_ms(), &[3; 10]),
        holder: MemberId::new("housing").unwrap(),
        consumer: tax.member().clone(),
        dataset: premises.clone(),
        purpose: PurposeCode::new("address-verification").unwrap(),
        modes: vec![Mode::Match],
        fields: fields(&["address"]),
        quota: Quota { limit: 2, window_ms: 1_000 * 24 * HOUR_MS },
        valid_from_ms: 0,
        valid_until_ms: now_ms() + HOUR_MS,
        data_life_days: 1,
        max_rows: 1,
        supersedes: None,
    };
    let signed = counter_sign(&world.consortium.founding, grant).unwrap();
    publish(&world.consortium, "housing", vec![Body::GrantIssued(signed)]).await.unwrap();
    let question = || Question {
        dataset: premises.clone(),
        purpose: PurposeCode::new("address-verification").unwrap(),
        mode: Mode::Match,
        fields: fields(&["address"]),
        subject: Subject::Company(world.city.companies[0].code.clone()),
        ground: Ground::Legal { case: None },
        claims: Vec::new(),
    };
    let replies = tax.ask_many((0..5).map(|_| question()).collect()).await;
    let states: Vec<_> = replies.iter().map(|r| r.as_ref().unwrap().state).collect();
    assert_eq!(states[..2], [QueryState::Answered; 2]);
    assert_eq!(states[2..], [QueryState::Refused; 3]);
    refused(tax, question(), R::QuotaExhausted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consents_that_do_not_suffice() {
    let world = World::new(14).await;
    let bank = &world.bank;
    let desk = Desk::new(world.consortium.client("authorisation").await.unwrap(), bank);
    // What ended before it began is not taken; this one ends while the test runs.
    let past = Terms { valid_until_ms: now_ms() + 2_000, ..terms(9) };
    let ends_ms = past.valid_until_ms;
    let future = Terms { valid_from_ms: now_ms() + HOUR_MS, valid_until_ms: now_ms() + 2 * HOUR_MS, ..terms(9) };
    let all = [past, future, terms(1), terms(9), terms(9), terms(9)];
    let tickets = world.consents(&desk, &all).await;
    let ask = |n: usize| world.credit(n, world.ground(&tickets[n]));

    refused(bank, world.credit(0, Ground::Legal { case: Some("2026-4".into()) }), R::ConsentRequired).await;
    let unknown = Ground::Consent {
        id: ConsentId::from_parts(now_ms(), &[1; 10]),
        commitment: covenant_domain::Commitment([1; 32]),
        opening: Opening::from_wide(&[1; 64]),
    };
    refused(bank, world.credit(0, unknown), R::ConsentUnknown).await;
    until("the consent has ended", async || (now_ms() > ends_ms).then_some(())).await;
    refused(bank, ask(0), R::ConsentExpired).await;
    refused(bank, ask(1), R::ConsentNotYetValid).await;
    answered(bank, ask(2)).await;
    refused(bank, ask(2), R::ConsentExhausted).await;

    desk.change(tickets[3].consent.id, ConsentChange::Paused).await;
    refused(bank, ask(3), R::ConsentPaused).await;
    desk.change(tickets[3].consent.id, ConsentChange::Resumed).await;
    answered(bank, ask(3)).await;
    let wider = Question { fields: fields(&["balance_fen", "open_loans"]), ..ask(3) };
    refused(bank, wider, R::ConsentOutOfScope).await;
    refused(bank, Question { mode: Mode::Match, ..ask(3) }, R::ConsentOutOfScope).await;
    desk.change(tickets[3].consent.id, ConsentChange::Revoked).await;
    refused(bank, ask(3), R::ConsentRevoked).await;
    let uses = |n: usize| bank.consent(&tickets[n].consent.id);
    assert_eq!((uses(2).await.unwrap().uses, uses(3).await.unwrap().uses), (1, 1), "refusals cost no use");

    of_another_person(&world, &tickets[4], &tickets[5]).await;
    world.close().await;
}

/// A consent given by one person, used for another: permitted by the ledger, which knows neither; refused by the holder;
/// and nobody but the bank can tell it from a hit.
async fn of_another_person(world: &World, ticket: &ConsentTicket, own: &ConsentTicket) {
    let bank = &world.bank;
    let other = world.credit(5, world.ground(ticket));
    let reply = bank.ask(other).await.unwrap();
    let answer = reply.answer.as_ref().unwrap();
    assert_eq!(
        (reply.state, answer.failure.as_deref()),
        (QueryState::Answered, Some("subject does not open the commitment"))
    );
    assert!(answer.rows.is_empty() && answer.matches.is_empty());
    assert!(bank.verify_reply(&reply).await.unwrap().verified);

    let hit = answered(bank, world.credit(5, world.ground(own))).await;
    assert_eq!(reply.sealed.as_ref().unwrap().len(), hit.sealed.as_ref().unwrap().len(), "told apart by length");
    let sizes = async |reply: &Reply| ledger_bytes(&bank.evidence(&reply.intent).await.unwrap());
    assert_eq!(sizes(&reply).await, sizes(&hit).await, "told apart on the ledger");
    // A client that keeps to the rules notices before it asks.
    assert!(ticket.ground(&world.raw.identity, &world.resident(5)).is_err());
}
