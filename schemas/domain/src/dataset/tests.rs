//! What a dataset must be.

use covenant_canon::{from_bytes, to_bytes};

use super::*;

fn homes() -> Dataset {
    let field = |name: &str, kind| {
        Field::new(FieldName::new(name).unwrap(), Names::new(name, name), kind, &[Mode::Match, Mode::Detail])
    };
    let area = Field { unit: Some("cm2".into()), ..field("area_cm2", FieldKind::Integer) };
    let about = Description {
        summary: Some(Names::new("住宅登记", "Register of homes")),
        keywords: vec![Names::new("不动产", "real estate")],
        themes: vec![Theme::Gove, Theme::Regi],
        temporal: Some(Period { from: "1998-01-01".parse().unwrap(), until: None }),
        quality: Some(Quality {
            completeness_permille: 990,
            accuracy_permille: 1_000,
            timeliness_permille: 0,
            measured_on: "2026-01-31".parse().unwrap(),
            records: 1_200_000,
        }),
        ..Description::default()
    };
    let id = DatasetId::new("cov:city/gov/housing/registry/homes").unwrap();
    let (names, fields) = (Names::new("住宅", "Homes"), vec![area, field("owner", FieldKind::Text)]);
    let cosigners = vec![MemberId::new("archive").unwrap(), MemberId::new("tax").unwrap()];
    let holder = MemberId::new("housing").unwrap();
    Dataset { cosigners, about: Some(about), ..Dataset::new(id, holder, names, fields) }
}

#[test]
fn a_full_description_holds_and_is_read_back() {
    let dataset = homes();
    dataset.check().unwrap();
    assert_eq!(from_bytes::<Dataset>(&to_bytes(&dataset)).unwrap(), dataset);
    assert_eq!(dataset.modes(), [Mode::Match, Mode::Detail]);
    let signers: Vec<_> = dataset.signers().iter().map(ToString::to_string).collect();
    assert_eq!(signers, ["archive", "housing", "tax"]);
}

type Spoil = fn(&mut Dataset);

/// Each clause broken once, with a word of what is said about it.
const SPOILT: [(&str, Spoil); 29] = [
    ("no fields", |d| d.fields.clear()),
    ("10000 fields", |d| d.fields = vec![d.fields[1].clone(); 10_000]),
    ("up to 0 records", |d| d.max_rows = 0),
    ("up to 101 records", |d| d.max_rows = 101),
    ("twice", |d| d.fields.push(d.fields[0].clone())),
    ("names a mode twice", |d| d.fields[0].modes.push(Mode::Match)),
    ("an amount needs its unit", |d| d.fields[0].unit = None),
    ("its name says `cm2`", |d| d.fields[0].unit = Some("m2".into())),
    ("only integers have a unit", |d| d.fields[1].unit = Some("fen".into())),
    ("mask of field `owner`", |d| d.fields[1].mask = Some(Mask::Year)),
    ("mask of field `area_cm2`", |d| d.fields[0].mask = Some(Mask::Floor { step: 0 })),
    ("personal and not masked", |d| {
        d.grade = Grade::General;
        d.fields[1].personal = true;
    }),
    ("has level L3", |d| {
        d.grade = Grade::General;
        d.fields[1].level = Some(Level::L3);
    }),
    ("not shared at all", |d| d.sharing = Sharing::Refused),
    ("`max`, which are for integers", |d| d.fields[1].bound = Some(Bound { max: Some(1), ..Bound::default() })),
    ("`max_chars`, which is for texts", |d| d.fields[0].bound = Some(Bound { max_chars: Some(1), ..Bound::default() })),
    ("allows no value", |d| d.fields[0].bound = Some(Bound { min: Some(2), max: Some(1), max_chars: None })),
    ("1 to 64 bits", |d| d.fields[0].score = Some(ScoreHint::Number { bits: 65 })),
    ("each above the one before", |d| d.fields[0].score = Some(ScoreHint::Bins { edges: vec![1, 1] })),
    ("is for integers", |d| d.fields[1].score = Some(ScoreHint::Number { bits: 8 })),
    ("is for yes or no", |d| d.fields[0].score = Some(ScoreHint::Flag)),
    ("signs anyway", |d| d.cosigners = vec![d.holder.clone()]),
    ("not sorted and distinct", |d| d.cosigners.reverse()),
    ("are 9, at most 8", |d| d.cosigners = (1..10).map(|n| MemberId::new(&format!("m{n}")).unwrap()).collect()),
    ("the abstract of dataset", |d| about(d).summary = Some(Names::new("", "x"))),
    ("are more than 32", |d| about(d).keywords = vec![Names::new("词", "word"); 33]),
    ("repeat one", |d| about(d).themes = vec![Theme::Econ, Theme::Econ]),
    ("round them", |d| about(d).quality.as_mut().unwrap().records = 1_234),
    ("ends before it begins", |d| {
        about(d).temporal.as_mut().unwrap().until = Some("1997-12-31".parse().unwrap());
    }),
];

fn about(dataset: &mut Dataset) -> &mut Description {
    dataset.about.as_mut().unwrap()
}

#[test]
fn each_clause_is_checked() {
    for (says, spoil) in SPOILT {
        let mut dataset = homes();
        spoil(&mut dataset);
        let error = dataset.check().expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_masked_personal_field_may_be_general() {
    let mut dataset = homes();
    dataset.grade = Grade::General;
    dataset.fields[1].personal = true;
    dataset.fields[1].mask = Some(Mask::Keep { first: 1, last: 0 });
    dataset.check().unwrap();
}

#[test]
fn stages_follow_from_time_and_from_who_suspended() {
    let member = |name| MemberId::new(name).unwrap();
    let mut status = DatasetStatus::default();
    assert_eq!(status.stage(u64::MAX), DatasetStage::Published);
    status.deprecated = Some(Deprecation { until_ms: 10, successor: None });
    assert_eq!((status.stage(9), status.stage(10)), (DatasetStage::Deprecated, DatasetStage::Archived));
    status.suspended_by = vec![member("housing")];
    assert_eq!((status.stage(9), status.stage(10)), (DatasetStage::Suspended, DatasetStage::Archived));
    status = DatasetStatus { archived: true, ..DatasetStatus::default() };
    assert_eq!(status.stage(0), DatasetStage::Archived);
}

#[test]
fn counts_are_rounded_to_two_digits() {
    for (exact, rounded) in
        [(0, 0), (9, 9), (99, 99), (100, 100), (199, 190), (12_345, 12_000), (u64::MAX, 18 * 10u64.pow(18))]
    {
        assert_eq!(Quality::rounded(exact), rounded);
    }
}
