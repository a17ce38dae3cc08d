//! Access requests: who may take which step, clocks, what an approval puts in force.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_domain::*;
use support::*;

const DAY_MS: u64 = 86_400_000;

/// A world with a platform, and a request of the bank's that it has checked.
fn with_platform() -> World {
    World::with(&[("platform", Role::Platform), ("province", Role::Platform)], None)
}

fn submitted(world: &World) -> covenant_state::State {
    let mut state = world.ready(10, 10);
    assert_eq!(world.block(&mut state, START_MS, &[by("bank", Body::RequestSubmitted(request(world, 2)))]), []);
    state
}

fn status(state: &covenant_state::State) -> RequestStatus {
    state.request(&request_id(2)).unwrap().status
}

#[test]
fn without_a_platform_the_holder_decides_and_the_grant_is_what_was_asked() {
    let world = World::new();
    let mut state = submitted(&world);
    let clock = state.request(&request_id(2)).unwrap().clock.clone().unwrap();
    assert_eq!(clock.member, id("housing"));
    // Ten working days after Wednesday 18 November 2026 end with Wednesday 2 December.
    assert_eq!(Day::of_ms(clock.due_ms).to_string(), "2026-12-03");
    assert!(state.grant(&grant_id(2)).is_none());
    assert_eq!(world.block(&mut state, START_MS + 1, &[by("housing", stepped(2, approve()))]), []);
    let granted = state.grant(&grant_id(2)).unwrap();
    assert_eq!(granted.grant, world.grant(2, 10).grant);
    assert_eq!((granted.request, granted.signed_by.clone()), (Some(request_id(2)), vec![id("bank"), id("housing")]));
    assert_eq!(status(&state), RequestStatus::Approved);
    let late = world.block(&mut state, START_MS + 2, &[by_at("housing", START_MS + 2, stepped(2, turn_down()))]);
    assert!(reasons(&late)[0].contains("approved"), "{late:?}");
}

/// Steps that led there, the step, and who may take it.
type Turn<'a> = (&'a [(&'a str, RequestStep)], RequestStep, &'a [&'a str]);

#[test]
fn each_step_is_open_to_whom_it_belongs_and_to_nobody_else() {
    let world = with_platform();
    let members: Vec<&str> = MEMBERS.iter().map(|(name, _)| *name).chain(["platform", "province"]).collect();
    let amended = RequestStep::Amended { request: request(&world, 2) };
    let table: [Turn<'_>; 9] = [
        (&[], check(), &["platform", "province"]),
        (&[], send_back(), &["platform", "province"]),
        (&[], approve(), &[]),
        (&[], RequestStep::Withdrawn, &["bank"]),
        (&[("platform", check())], approve(), &["housing"]),
        (&[("platform", check())], turn_down(), &["housing"]),
        (&[("platform", check())], send_back(), &["housing"]),
        (&[("platform", send_back())], amended.clone(), &["bank"]),
        (&[("platform", check()), ("housing", turn_down())], approve(), &[]),
    ];
    for (before, taken, may) in table {
        for member in &members {
            let mut state = submitted(&world);
            for (n, (by_whom, step_taken)) in (1..).zip(before) {
                let entry = by_at(by_whom, START_MS + n, stepped(2, step_taken.clone()));
                assert_eq!(world.block(&mut state, START_MS + n, &[entry]), []);
            }
            let derived =
                world.block(&mut state, START_MS + 9, &[by_at(member, START_MS + 9, stepped(2, taken.clone()))]);
            assert_eq!(derived.is_empty(), may.contains(member), "{} by {member}: {derived:?}", taken.name());
        }
    }
}

#[test]
fn a_step_without_its_reason_or_on_nothing_is_refused() {
    let world = World::new();
    let empty = RequestStep::Rejected { reason: " ".into() };
    let long = RequestStep::Rejected { reason: "x".repeat(MAX_WORDS + 1) };
    for wrong in [stepped(2, empty), stepped(2, long), stepped(3, approve())] {
        let mut state = submitted(&world);
        assert_eq!(reasons(&world.block(&mut state, START_MS + 1, &[by("housing", wrong)])).len(), 1);
        assert_eq!(status(&state), RequestStatus::Submitted);
    }
}

#[test]
fn what_could_not_be_granted_cannot_be_requested() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut AccessRequest, &mut Grant)| {
        let mut asked = request(&world, 2);
        let mut grant = asked.grant.grant.clone();
        change(&mut asked, &mut grant);
        asked.grant = world.sign_grant(grant);
        asked
    };
    let mut forged = request(&world, 2);
    forged.grant.grant.quota.limit = 1_000_000;
    let table = [
        ("signature", forged),
        ("read it again", with(&|r, _| r.dataset_revision = 2)),
        ("two operators", with(&|r, _| r.risk.reviewer = r.risk.author.clone())),
        ("`scene`", with(&|r, _| r.risk.scene.answer = "\u{3000}".into())),
        ("subsystem", with(&|r, _| r.subsystem = "贷款".into())),
        ("before it began", with(&|_, g| g.valid_until_ms = START_MS)),
        ("empty validity", with(&|_, g| g.valid_from_ms = g.valid_until_ms)),
        ("no field", with(&|_, g| g.fields = vec![field("salary")])),
        ("no purpose", with(&|_, g| g.purpose = PurposeCode::new("curiosity").unwrap())),
        ("no dataset", with(&|_, g| g.dataset = DatasetId::new("cov:city/gov/housing/registry/none").unwrap())),
        ("exists already", with(&|_, g| g.id = grant_id(1))),
        ("to be superseded", with(&|_, g| g.supersedes = Some(grant_id(9)))),
    ];
    for (words, asked) in table {
        let mut state = world.ready(10, 10);
        let derived = world.block(&mut state, START_MS, &[by("bank", Body::RequestSubmitted(asked))]);
        assert!(reasons(&derived)[0].contains(words), "{words}: {derived:?}");
    }
    let mut state = world.ready(10, 10);
    let foreign = world.block(&mut state, START_MS, &[by("bank-b", Body::RequestSubmitted(request(&world, 2)))]);
    assert!(reasons(&foreign)[0].contains("`bank`'s to submit"), "{foreign:?}");
}

#[test]
fn an_overdue_step_is_recorded_once_and_its_lateness_stays() {
    let world = World::new();
    let mut state = submitted(&world);
    let due_ms = state.request(&request_id(2)).unwrap().clock.clone().unwrap().due_ms;
    assert!(!state.has_due(due_ms - 1) && state.has_due(due_ms));
    let derived = world.block(&mut state, due_ms, &[]);
    let overdue = ClockOverdue { what: "request".into(), id: request_id(2).to_string(), member: id("housing"), due_ms };
    assert_eq!(derived.iter().map(|e| e.body.clone()).collect::<Vec<_>>(), [Body::ClockOverdue(overdue)]);
    assert_eq!(world.block(&mut state, due_ms + 1, &[]), [], "once");
    let now = due_ms + 3 * DAY_MS;
    assert_eq!(world.block(&mut state, now, &[by_at("housing", now, stepped(2, approve()))]), []);
    let events = &state.request(&request_id(2)).unwrap().events;
    assert_eq!(events.last().unwrap().late_ms, 3 * DAY_MS);
    assert!(state.grant(&grant_id(2)).is_some(), "late is better than never");
}

#[test]
fn holidays_of_the_calendar_move_the_clock() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let calendar = Calendar { revision: 1, holidays: vec!["2026-11-19".parse().unwrap()], ..Calendar::default() };
    assert_eq!(world.block(&mut state, START_MS, &[by("regulator", Body::CalendarAdopted(calendar.clone()))]), []);
    assert_eq!(world.block(&mut state, START_MS, &[by("bank", Body::RequestSubmitted(request(&world, 2)))]), []);
    let clock = state.request(&request_id(2)).unwrap().clock.clone().unwrap();
    assert_eq!(Day::of_ms(clock.due_ms).to_string(), "2026-12-04", "one day later than without");
    for (author, revision) in [("regulator", 1), ("regulator", 3), ("housing", 2)] {
        let next = by_at(
            author,
            START_MS + revision,
            Body::CalendarAdopted(Calendar { revision: revision as u32, ..calendar.clone() }),
        );
        assert_eq!(reasons(&world.block(&mut state, START_MS, &[next])).len(), 1, "{author} {revision}");
    }
}

#[test]
fn an_amended_request_starts_again_and_thirty_two_steps_are_enough() {
    let world = World::new();
    let mut state = submitted(&world);
    for n in 0..20u64 {
        let at = START_MS + 10 * n + 1;
        let entries = [
            by_at("housing", at, stepped(2, send_back())),
            by_at("bank", at, stepped(2, RequestStep::Amended { request: request(&world, 2) })),
        ];
        let derived = world.block(&mut state, at, &entries);
        assert_eq!(derived.is_empty(), n < 15, "{n}: {derived:?}");
        if !derived.is_empty() {
            assert!(reasons(&derived)[0].contains("32 steps"));
            break;
        }
    }
    let at = START_MS + 4_000;
    assert_eq!(world.block(&mut state, at, &[by_at("bank", at, stepped(2, RequestStep::Withdrawn))]), []);
}

#[test]
fn a_renewal_takes_the_place_of_what_it_renews() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    assert_eq!(words(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])), ["yes"]);
    let mut renewed = request(&world, 2);
    renewed.grant = world.sign_grant(Grant { supersedes: Some(grant_id(1)), ..world.grant(2, 10).grant });
    let entries = [by("bank", Body::RequestSubmitted(renewed)), by("housing", stepped(2, approve()))];
    assert_eq!(world.block(&mut state, START_MS + 1, &entries), []);
    assert_eq!(state.grant(&grant_id(1)).unwrap().superseded_by, Some(grant_id(2)));
    let derived = world.block(&mut state, START_MS + 2, &[ask(START_MS + 2, 2)]);
    assert_eq!(permits(&derived)[0].grant, grant_id(2));
    // What has ended is superseded by nothing more, and not revived.
    let again = world.sign_grant(Grant { supersedes: Some(grant_id(1)), ..world.grant(3, 10).grant });
    let late = world.block(&mut state, START_MS + 3, &[by_at("housing", START_MS + 3, Body::GrantIssued(again))]);
    assert!(reasons(&late)[0].contains("superseded already"), "{late:?}");
    let resume = Body::GrantChanged { grant: grant_id(1), change: GrantChange::Suspended };
    assert_eq!(reasons(&world.block(&mut state, START_MS + 4, &[by_at("bank", START_MS + 4, resume)])).len(), 1);
}

#[test]
fn four_members_suspend_a_grant_each_for_itself() {
    let world = with_platform();
    let mut state = world.ready(10, 10);
    let change =
        |who: &str, at: u64, change| by_at(who, START_MS + at, Body::GrantChanged { grant: grant_id(1), change });
    let four = ["bank", "housing", "platform", "regulator"];
    for (n, who) in (1..).zip(four) {
        assert_eq!(world.block(&mut state, START_MS + n, &[change(who, n, GrantChange::Suspended)]), []);
    }
    for (n, who) in (10..).zip(four) {
        let derived = world.block(&mut state, START_MS + n, &[ask(START_MS + n, n as u32)]);
        assert_eq!(codes(&derived), [ReasonCode::GrantSuspended]);
        assert_eq!(world.block(&mut state, START_MS + n, &[change(who, n, GrantChange::Resumed)]), []);
    }
    assert_eq!(words(&world.block(&mut state, START_MS + 20, &[ask(START_MS + 20, 20)])), ["yes"]);
    assert_eq!(
        words(&world.block(&mut state, START_MS + 21, &[change("platform", 21, GrantChange::Revoked)])),
        ["rejected"]
    );
}

#[test]
fn a_delegate_acts_in_its_principal_s_name_within_its_powers_and_time() {
    let world = with_platform();
    let mut state = submitted(&world);
    assert_eq!(world.block(&mut state, START_MS, &[by("platform", stepped(2, check()))]), []);
    let given = Delegation {
        id: DelegationId::from_parts(START_MS, &[1; 10]),
        principal: id("housing"),
        delegate: id("province"),
        powers: vec![Power::DecideRequests],
        datasets: vec![dataset_id()],
        valid_from_ms: 0,
        valid_until_ms: START_MS + 100,
    };
    let approval = |at: u64| by_at("province", START_MS + at, stepped(2, approve()));
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &[approval(1)])), ["rejected"]);
    assert_eq!(world.block(&mut state, START_MS + 2, &[by("housing", Body::DelegationGiven(given.clone()))]), []);
    let change = Body::GrantChanged { grant: grant_id(1), change: GrantChange::Revoked };
    assert_eq!(words(&world.block(&mut state, START_MS + 3, &[by_at("province", START_MS + 3, change)])), ["rejected"]);
    let mut expired = state.clone();
    assert_eq!(words(&world.block(&mut expired, START_MS + 100, &[approval(100)])), ["rejected"], "its time is over");
    let mut ended = state.clone();
    let end = by_at("province", START_MS + 4, Body::DelegationEnded(given.id));
    assert_eq!(words(&world.block(&mut ended, START_MS + 4, &[end, approval(4)])), ["rejected"], "it gave it back");
    assert_eq!(world.block(&mut state, START_MS + 4, &[approval(4)]), []);
    let event = state.request(&request_id(2)).unwrap().events.last().unwrap().clone();
    assert_eq!((event.by, event.on_behalf_of), (id("province"), Some(id("housing"))));
    assert_eq!(state.grant(&grant_id(2)).unwrap().signed_by, [id("bank"), id("housing")]);
}

#[test]
fn delegations_never_close_a_circle() {
    let world = World::new();
    let mut state = world.ready(1, 1);
    let give = |n: u8, from: &str, to: &str| {
        let delegation = Delegation {
            id: DelegationId::from_parts(START_MS, &[n; 10]),
            principal: id(from),
            delegate: id(to),
            powers: vec![Power::ChangeGrants],
            datasets: vec![],
            valid_from_ms: 0,
            valid_until_ms: u64::MAX,
        };
        by_at(from, START_MS + u64::from(n), Body::DelegationGiven(delegation))
    };
    assert_eq!(world.block(&mut state, START_MS + 1, &[give(1, "housing", "tax"), give(2, "tax", "bank")]), []);
    for (n, from, to) in [(3, "bank", "housing"), (4, "tax", "housing"), (5, "housing", "housing")] {
        let derived = world.block(&mut state, START_MS + 9, &[give(n, from, to)]);
        assert!(reasons(&derived)[0].contains("circle"), "{from} to {to}: {derived:?}");
    }
    assert_eq!(world.block(&mut state, START_MS + 9, &[give(6, "bank", "bank-b")]), [], "a chain is no circle");
    let end = by_at("tax", START_MS + 10, Body::DelegationEnded(DelegationId::from_parts(START_MS, &[2; 10])));
    assert_eq!(world.block(&mut state, START_MS + 10, &[end, give(7, "bank", "housing")]), [], "it is broken");
}

#[test]
fn a_delegate_asks_for_its_principal_under_its_own_signature() {
    let world = World::new();
    let mut state = world.ready(1, 1);
    let mut asked = request(&world, 2);
    asked.grant = world.sign_grant_as(&id("bank-b"), world.grant(2, 10).grant);
    let submit = |at: u64, who: &str| by_at(who, START_MS + at, Body::RequestSubmitted(asked.clone()));
    assert_eq!(
        words(&world.block(&mut state, START_MS + 1, &[submit(1, "bank-b"), submit(1, "bank")])),
        ["rejected"; 2]
    );
    let given = Delegation {
        id: DelegationId::from_parts(START_MS, &[1; 10]),
        principal: id("bank"),
        delegate: id("bank-b"),
        powers: vec![Power::RequestAccess],
        datasets: vec![],
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
    };
    assert_eq!(world.block(&mut state, START_MS + 2, &[by("bank", Body::DelegationGiven(given))]), []);
    assert_eq!(words(&world.block(&mut state, START_MS + 3, &[submit(3, "bank")])), ["rejected"], "not its signature");
    assert_eq!(world.block(&mut state, START_MS + 4, &[submit(4, "bank-b")]), []);
    assert_eq!(state.request(&request_id(2)).unwrap().events[0].on_behalf_of, Some(id("bank")));
}

#[test]
fn deletion_is_due_after_data_life_and_attested_by_the_consumer_alone() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let attest = |who: &str, at: u64| {
        let attestation =
            DeletionAttestation { grant: grant_id(1), method: "wiped".into(), operator: "li-na".into(), answers: 1 };
        by_at(who, at, Body::DeletionAttested(attestation))
    };
    assert_eq!(state.grant(&grant_id(1)).unwrap().deletion_due_ms, None, "nothing was learned yet");
    let permit = permits(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])).remove(0);
    assert_eq!(world.block(&mut state, START_MS + 1, &[complete("housing", START_MS + 1, &permit)]), []);
    assert_eq!(
        words(&world.block(&mut state, START_MS + 1, &[attest("bank", START_MS + 1)])),
        ["rejected"],
        "still valid"
    );
    let revoke =
        by_at("housing", START_MS + 2, Body::GrantChanged { grant: grant_id(1), change: GrantChange::Revoked });
    assert_eq!(world.block(&mut state, START_MS + 2, &[revoke]), []);
    let due_ms = state.grant(&grant_id(1)).unwrap().deletion_due_ms.unwrap();
    assert_eq!(Day::of_ms(due_ms).to_string(), "2027-01-02", "30 days of life, then ten working days");
    let mut kept = state.clone();
    let derived = world.block(&mut state, due_ms, &[]);
    assert!(matches!(&derived[0].body, Body::ClockOverdue(o) if o.what == "deletion" && o.member == id("bank")));
    assert!(state.grant(&grant_id(1)).unwrap().deletion_overdue);
    assert_eq!(world.block(&mut state, due_ms + 1, &[attest("bank", due_ms + 1)]), [], "late, and on record as late");
    assert_eq!(words(&world.block(&mut kept, START_MS + 3, &[attest("housing", START_MS + 3)])), ["rejected"]);
    assert_eq!(world.block(&mut kept, START_MS + 3, &[attest("bank", START_MS + 3)]), []);
    assert_eq!((kept.next_due_ms(), words(&world.block(&mut kept, due_ms, &[]))), (None, vec![]));
    assert_eq!(words(&world.block(&mut kept, due_ms + 1, &[attest("bank", due_ms + 1)])), ["rejected"], "once");
}

#[test]
fn a_register_of_two_bureaus_grants_when_both_have_signed() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let shared = Dataset { cosigners: vec![id("tax")], ..dataset(2) };
    assert_eq!(world.block(&mut state, START_MS, &[by_at("housing", START_MS, Body::DatasetPublished(shared))]), []);
    let direct =
        world.block(&mut state, START_MS + 1, &[by_at("housing", START_MS + 1, Body::GrantIssued(world.grant(3, 1)))]);
    assert!(reasons(&direct)[0].contains("needs `tax` to agree"), "{direct:?}");
    let asked = AccessRequest { dataset_revision: 2, ..request(&world, 2) };
    assert_eq!(
        world.block(&mut state, START_MS + 2, &[by_at("bank", START_MS + 2, Body::RequestSubmitted(asked))]),
        []
    );
    let take = |who: &str, at: u64, taken| by_at(who, START_MS + at, stepped(2, taken));
    let mut refused = state.clone();
    assert_eq!(world.block(&mut state, START_MS + 3, &[take("housing", 3, approve())]), []);
    assert!(state.grant(&grant_id(2)).is_none(), "one signature of two");
    let waits_for = state.request(&request_id(2)).unwrap().clock.clone().unwrap().member;
    assert_eq!(waits_for, id("tax"));
    assert_eq!(words(&world.block(&mut state, START_MS + 4, &[take("housing", 4, approve())])), ["rejected"], "twice");
    assert_eq!(world.block(&mut state, START_MS + 5, &[take("tax", 5, approve())]), []);
    assert_eq!(state.grant(&grant_id(2)).unwrap().signed_by, [id("bank"), id("housing"), id("tax")]);
    assert_eq!(world.block(&mut refused, START_MS + 3, &[take("tax", 3, turn_down())]), []);
    assert_eq!(words(&world.block(&mut refused, START_MS + 4, &[take("housing", 4, approve())])), ["rejected"]);
}

#[test]
fn a_consumer_has_only_so_many_requests_waiting() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    for n in 2..202 {
        let asked = by_at("bank", START_MS + u64::from(n), Body::RequestSubmitted(request(&world, n)));
        assert_eq!(world.block(&mut state, START_MS + u64::from(n), &[asked]), [], "{n}");
    }
    let one_more = by_at("bank", START_MS + 202, Body::RequestSubmitted(request(&world, 202)));
    let derived = world.block(&mut state, START_MS + 202, &[one_more]);
    assert!(reasons(&derived)[0].contains("200 requests waiting"), "{derived:?}");
    let taken_back = by_at("bank", START_MS + 203, stepped(2, RequestStep::Withdrawn));
    let again = by_at("bank", START_MS + 203, Body::RequestSubmitted(request(&world, 203)));
    assert_eq!(world.block(&mut state, START_MS + 203, &[taken_back, again]), []);
}
