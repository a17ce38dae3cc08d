//! Queries run beside a source in memory: what is refused, what is answered, what stays withheld.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Digest, SuiteId};
use covenant_domain::*;
use covenant_worker::*;
use support::*;

fn reason(answer: &Answer) -> &str {
    assert!(answer.rows.is_empty() && answer.matches.is_empty(), "a failed answer carries nothing");
    answer.failure.as_deref().unwrap()
}

#[tokio::test]
async fn a_wrong_input_is_answered_with_its_reason_and_nothing_else() {
    type Spoilt = (fn(&mut Query), &'static str);
    let spoil: [Spoilt; 8] = [
        (|q| q.committed = OTHER.into(), "subject does not open the commitment"),
        (|q| q.subject = OTHER.into(), "subject does not open the commitment"),
        (|q| q.tamper = true, "input is not the one the intent names"),
        (|q| q.holder_key = 3, "input cannot be opened"),
        (|q| q.plain = Some(vec![0xff]), "input cannot be read"),
        (
            |q| (q.subject, q.committed) = ("company:91350100M000100Y43".into(), "company:91350100M000100Y43".into()),
            "subject is not of the kind the dataset is keyed by",
        ),
        (
            |q| q.dataset.id = DatasetId::new("cov:city/gov/housing/registry/loans").unwrap(),
            "the holder has no records of this dataset at hand",
        ),
        (|q| q.dataset.subject = SubjectKind::Unit, "subject is not of the kind the dataset is keyed by"),
    ];
    for (spoil, expected) in spoil {
        let mut query = query(1, Mode::Detail, &["address"]);
        spoil(&mut query);
        assert_eq!(reason(&ask(memory(), query).await), expected);
    }
}

#[tokio::test]
async fn an_opening_that_is_no_scalar_is_refused() {
    let input = QueryInput { subject: Subject::parse(RESIDENT).unwrap(), opening: [0xff; 32], claims: vec![] };
    let mut query = query(1, Mode::Detail, &["address"]);
    query.plain = Some(covenant_canon::to_bytes(&input));
    assert_eq!(reason(&ask(memory(), query).await), "opening cannot be read");
}

#[tokio::test]
async fn detail_releases_what_was_granted_and_withholds_the_rest() {
    let answer = ask(memory(), query(1, Mode::Detail, &["address", "area_cm2"])).await;
    assert_eq!(answer.value(&field("address")), Some(&text("云港市12号")));
    assert_eq!(answer.value(&field("area_cm2")), Some(&Value::Integer(900_123)));
    assert_eq!(answer.value(&field("owner")), None);
    assert_eq!(answer.rows[0].len(), 4, "every field stands behind the root, released or not");
    answer.check(SUITE, &answer.fields_root(SUITE), &[field("address"), field("area_cm2")]).unwrap();
}

#[tokio::test]
async fn masks_fall_on_released_fields_only() {
    let mut asked = query(1, Mode::Detail, &["address", "area_cm2"]);
    asked.masked = vec![field("area_cm2"), field("owner")];
    let answer = ask(memory(), asked).await;
    assert_eq!(answer.value(&field("area_cm2")), Some(&Value::Integer(900_000)));
    assert_eq!(answer.value(&field("address")), Some(&text("云港市12号")));
    let mut asked = query(2, Mode::Detail, &["owner"]);
    asked.masked = vec![field("owner")];
    assert_eq!(ask(memory(), asked).await.value(&field("owner")), Some(&text("欧**文")));
}

#[tokio::test]
async fn a_mask_that_the_description_lost_releases_nothing_rather_than_all() {
    let mut asked = query(1, Mode::Detail, &["address"]);
    asked.masked = vec![field("address")];
    assert_eq!(ask(memory(), asked).await.value(&field("address")), Some(&Value::Absent));
}

#[tokio::test]
async fn comparisons_are_equal_different_or_absent() {
    let cases = [
        ("owner", Some(text("欧阳修文")), MatchOutcome::Equal),
        ("address", Some(text(" 云港市１２号　")), MatchOutcome::Equal),
        ("owner", Some(text("欧阳修")), MatchOutcome::Different),
        ("area_cm2", Some(Value::Integer(900_123)), MatchOutcome::Equal),
        ("area_cm2", Some(Value::Integer(900_124)), MatchOutcome::Different),
        ("area_cm2", Some(text("900123")), MatchOutcome::Different),
        ("remark", Some(text("any")), MatchOutcome::Absent),
        ("owner", None, MatchOutcome::Absent),
        ("unknown", Some(text("any")), MatchOutcome::Absent),
    ];
    for (name, claim, outcome) in cases {
        let mut asked = query(1, Mode::Match, &[name]);
        asked.claims = claim.map(|c| (field(name), c)).into_iter().collect();
        let answer = ask(memory(), asked).await;
        assert_eq!(answer.matches, [FieldMatch { field: field(name), outcome }], "{name}");
        assert!(answer.rows.iter().flatten().all(|d| matches!(d, Disclosure::Closed { .. })), "match opens nothing");
    }
}

#[tokio::test]
async fn claims_about_other_fields_are_not_compared() {
    let mut asked = query(1, Mode::Match, &["owner"]);
    asked.claims = vec![(field("owner"), text("欧阳修文")), (field("address"), text("云港市12号"))];
    asked.claims.push((field("salary"), Value::Integer(1)));
    let answer = ask(memory(), asked).await;
    assert_eq!(answer.matches.iter().map(|m| m.field.as_str()).collect::<Vec<_>>(), ["owner"]);
}

#[tokio::test]
async fn rows_end_at_the_cap_of_the_permit_and_tell_that_more_exist() {
    for (rows, cap, shown, truncated) in [(0, 2, 0, false), (2, 2, 2, false), (3, 2, 2, true), (5, 1, 1, true)] {
        let mut source = memory();
        source.records.insert(canonical(RESIDENT), (0..rows).map(|n| record(&format!("{n}"))).collect());
        let mut asked = query(1, Mode::Detail, &["owner"]);
        asked.max_rows = cap;
        let answer = ask(source, asked).await;
        assert_eq!((answer.rows.len(), answer.truncated), (shown, truncated), "{rows} rows, cap {cap}");
    }
}

/// The cap of one job is not another's, though one question asks for both.
#[tokio::test]
async fn jobs_of_one_batch_keep_their_own_caps() {
    let mut source = memory();
    source.records.insert(canonical(RESIDENT), (0..4).map(|n| record(&format!("{n}"))).collect());
    let (mut one, mut three) = (query(1, Mode::Detail, &["owner"]), query(2, Mode::Detail, &["owner"]));
    (one.max_rows, three.max_rows) = (1, 3);
    let done = run(source, vec![one.job(), three.job()]).await.unwrap();
    assert_eq!(done.iter().map(|d| open(d).rows.len()).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn hit_miss_and_failure_have_one_length_also_with_many_fields() {
    for width in [4, 12, 24, 60] {
        for mode in [Mode::Match, Mode::Detail] {
            let names: Vec<String> = (0..width).map(|n| format!("quite_a_long_field_name_{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let value = |n: &&str| (field(n), text("a value of some thirty characters"));
            let wide = |n: u8| {
                let mut asked = query(n, mode, &names);
                let template = dataset().fields[0].clone();
                asked.dataset.fields = names.iter().map(|n| Field { name: field(n), ..template.clone() }).collect();
                asked
            };
            let mut source = memory();
            source.records.insert(canonical(RESIDENT), vec![Record { values: names.iter().map(value).collect() }]);
            let (hit, mut miss, mut wrong) = (wide(1), wide(2), wide(3));
            (miss.subject, miss.committed) = (OTHER.into(), OTHER.into());
            wrong.committed = OTHER.into();
            let done = run(source, vec![hit.job(), miss.job(), wrong.job()]).await.unwrap();
            let lengths: Vec<usize> = done.iter().map(|d| d.sealed.len()).collect();
            assert!(lengths.windows(2).all(|l| l[0] == l[1]), "{width} {mode}: {lengths:?}");
            assert_eq!(done.iter().map(|d| open(d).rows.len()).collect::<Vec<_>>(), [1, 0, 0]);
            assert!(open(&done[2]).failure.is_some());
        }
    }
}

#[tokio::test]
async fn the_record_on_the_ledger_does_not_tell_a_miss() {
    let miss = |n| {
        let mut asked = query(n, Mode::Detail, &["owner"]);
        (asked.subject, asked.committed) = (OTHER.into(), OTHER.into());
        asked.job()
    };
    let done = run(memory(), vec![miss(1), miss(2)]).await.unwrap();
    let (first, second) = (open(&done[0]), open(&done[1]));
    assert_ne!(first.salt, second.salt);
    let known = Answer { salt: [0; 16], ..first };
    assert_ne!(known.fields_root(SUITE), done[0].completion.fields_root);
}

#[tokio::test]
async fn bad_jobs_do_not_harm_the_others() {
    let (mut wrong, mut foreign) = (query(1, Mode::Detail, &["owner"]), query(2, Mode::Detail, &["owner"]));
    wrong.tamper = true;
    foreign.consumer_key = covenant_suite::OpeningKey::from_bytes(SuiteId::Sm, &[7; 32]).unwrap().sealing_key().clone();
    let good = query(3, Mode::Detail, &["owner"]);
    let twice = query(3, Mode::Detail, &["owner"]);
    let jobs = vec![wrong.job(), foreign.job(), good.job(), twice.job()];
    let done = run(memory(), jobs).await.unwrap();
    let of = |n: u8| done.iter().filter(|d| d.intent == IntentId::from_parts(5, &[n; 10])).collect::<Vec<_>>();
    assert!(open(of(1)[0]).failure.is_some());
    assert_eq!(of(3).len(), 1, "one intent is answered once");
    assert_eq!(open(of(3)[0]).value(&field("owner")), Some(&text("欧阳修文")));
}

#[tokio::test]
async fn a_damaged_record_keeps_only_its_own_query_waiting() {
    let mut source = memory();
    source.damaged.insert(canonical(OTHER));
    let mut damaged = query(1, Mode::Detail, &["owner"]);
    (damaged.subject, damaged.committed) = (OTHER.into(), OTHER.into());
    let done = run(source, vec![damaged.job(), query(2, Mode::Detail, &["owner"]).job()]).await.unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(open(&done[0]).rows.len(), 1);
}

#[tokio::test]
async fn a_database_that_is_gone_answers_nobody() {
    let source = Memory { gone: true, ..memory() };
    let failed = run(source, vec![query(1, Mode::Detail, &["owner"]).job()]).await;
    assert!(matches!(failed, Err(RunError::Source { .. })));
}

#[test]
fn a_permit_is_checked_against_holder_intent_and_time() {
    let job = query(1, Mode::Detail, &["owner"]).job();
    drop(job);
    let intent = Intent {
        id: IntentId::from_parts(5, &[1; 10]),
        consumer: id("bank"),
        dataset: dataset_id(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Detail,
        fields: vec![field("owner")],
        authority: Authority::Legal { commitment: Commitment([1; 32]), case: None },
        input: Digest([1; 32]),
        lookup: None,
    };
    let check = |holder: &str, time_ms: u64, spoil: fn(&mut Permit)| {
        let mut permit = permit(&intent, vec![], 1);
        spoil(&mut permit);
        CheckedPermit::check(SUITE, &id(holder), time_ms, intent.clone(), permit).map(|c| c.intent())
    };
    assert_eq!(check("housing", 99, |_| {}), Ok(intent.id));
    assert!(matches!(check("tax", 10, |_| {}), Err(PermitError::OtherHolder { .. })));
    assert!(matches!(check("housing", 100, |_| {}), Err(PermitError::Expired { .. })));
    let spoil: [fn(&mut Permit); 6] = [
        |p| p.intent = IntentId::from_parts(6, &[1; 10]),
        |p| p.query = Digest::ZERO,
        |p| p.consumer = id("tax"),
        |p| p.dataset = DatasetId::new("cov:city/gov/housing/registry/loans").unwrap(),
        |p| p.mode = Mode::Match,
        |p| p.obligations.fields.push(field("address")),
    ];
    for spoil in spoil {
        assert!(matches!(check("housing", 10, spoil), Err(PermitError::OtherIntent { .. })));
    }
}
