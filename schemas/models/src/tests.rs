//! Every model makes a dataset that may be published, and every rule is broken once.

use std::collections::BTreeSet;

use covenant_domain::{DatasetId, FieldKind, FieldName, MemberId, Record, Value};

use super::*;

fn record(values: &[(&str, Value)]) -> Record {
    Record { values: values.iter().map(|(n, v)| (FieldName::new(n).unwrap(), v.clone())).collect() }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn date(text: &str) -> Value {
    Value::Date(text.into())
}

fn faults(code: &str, values: &[(&str, Value)]) -> Vec<String> {
    model(code).unwrap().check_record(&record(values)).iter().map(ToString::to_string).collect()
}

#[test]
fn every_model_makes_a_dataset_that_may_be_published() {
    let codes: Vec<_> = MODELS.iter().map(|m| m.code).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    for model in MODELS {
        let id = DatasetId::new(&format!("cov:city/gov/office/records/{}", model.code)).unwrap();
        let dataset = model.dataset(id, MemberId::new("office").unwrap()).unwrap();
        dataset.check().unwrap();
        assert_eq!(model.departures(&dataset), Vec::<String>::new(), "{}", model.code);
        assert_eq!(dataset.about.unwrap().model.as_deref().and_then(super::model), Some(model));
        let names: BTreeSet<_> = model.fields.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), model.fields.len(), "{} names a field twice", model.code);
        for rule in model.cross {
            let (Cross::InOrder(a, b)
            | Cross::AtMost(a, b)
            | Cross::ShareOf(a, b)
            | Cross::Together(a, b)
            | Cross::OnlyIf(a, b)) = rule;
            assert!(names.contains(a) && names.contains(b), "{rule:?}");
        }
        for field in model.fields {
            let kind = match field.rule {
                Rule::Any => field.kind,
                Rule::Range(least, most) => {
                    assert!(least <= most);
                    FieldKind::Integer
                }
                _ => FieldKind::Text,
            };
            assert_eq!(kind, field.kind, "{} {}", model.code, field.name);
        }
    }
}

#[test]
fn code_lists_have_distinct_codes_and_both_names() {
    let lists = [&BLACKLIST_TYPES, &BUSINESS_STATUS, &LICENCE_STATUS, &HOLDER_KINDS, &RIGHT_KINDS, &FIVE_CLASSES];
    for list in lists {
        let codes: BTreeSet<_> = list.entries.iter().map(|e| e.code).collect();
        assert_eq!(codes.len(), list.entries.len(), "{}", list.code);
        assert!(list.entries.iter().all(|e| !e.zh.is_empty() && e.en.is_ascii()), "{}", list.code);
    }
    assert!(BLACKLIST_TYPES.entries.len() > 20);
    assert_eq!(BLACKLIST_TYPES.entry("B01").map(|e| e.zh), Some("失信被执行人"));
    assert_eq!(BLACKLIST_TYPES.entry("Z99"), None);
}

#[test]
fn departures_are_told_by_field() {
    let model = model("tax-summary").unwrap();
    let id = DatasetId::new("cov:city/gov/tax/levy/income").unwrap();
    let mut dataset = model.dataset(id, MemberId::new("tax").unwrap()).unwrap();
    dataset.fields.retain(|f| f.name.as_str() != "paid_fen" && f.name.as_str() != "tax_year");
    dataset.fields[0].kind = FieldKind::Text;
    dataset.fields[1].name = FieldName::new("other_fen").unwrap();
    dataset.subject = covenant_domain::SubjectKind::Company;
    let told = model.departures(&dataset).join("\n");
    for part in
        ["keyed by company", "`income_fen` has another", "no field `other_fen`", "lacks the required field `paid_fen`"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("tax_year"), "optional fields may be left out: {told}");
}

fn home() -> Vec<(&'static str, Value)> {
    vec![
        ("owner_name", text("张三")),
        ("address", text("云港市海滨路1号")),
        ("unit_number", text("320700200001GB00001F00000001")),
        ("certificate", text("苏(2020)云港市不动产权第0000001号")),
        ("area_cm2", Value::Integer(900_000)),
        ("share_percent", Value::Integer(60)),
        ("all_shares", text("60/40")),
        ("registered_on", date("2020-01-31")),
        ("ends_on", date("2090-01-31")),
        ("mortgagee", text("云港银行")),
        ("mortgage_fen", Value::Integer(1)),
        ("seized", Value::Boolean(true)),
        ("seized_by", text("云港法院")),
        ("seized_on", date("2024-01-31")),
    ]
}

fn with(mut values: Vec<(&'static str, Value)>, name: &str, value: Value) -> Vec<(&'static str, Value)> {
    values.iter_mut().find(|(n, _)| *n == name).unwrap().1 = value;
    values
}

#[test]
fn each_rule_of_a_home_is_checked() {
    assert_eq!(faults("real-estate-right", &home()), Vec::<String>::new());
    let table: [(&str, Value, &str); 12] = [
        ("owner_name", Value::Absent, "is required"),
        ("owner_name", text(&"长".repeat(101)), "longer than 100"),
        ("owner_name", Value::Integer(1), "another type"),
        ("unit_number", text("320700200001GB00001F0000000"), "28 characters"),
        ("area_cm2", Value::Integer(0), "not between 1"),
        ("share_percent", Value::Integer(50), "none of the shares"),
        ("all_shares", text("60/41"), "adds up to 101"),
        ("all_shares", text("60/forty"), "no list of percentages"),
        ("ends_on", date("2019-12-31"), "lies before `registered_on`"),
        ("mortgagee", Value::Absent, "no value although `mortgage_fen`"),
        ("mortgage_fen", Value::Absent, "no value although `mortgagee`"),
        ("seized", Value::Boolean(false), "although `seized` is no"),
    ];
    for (name, value, says) in table {
        let told = faults("real-estate-right", &with(home(), name, value));
        assert!(told.iter().any(|t| t.contains(says)), "{name}: {told:?}");
    }
}

#[test]
fn codes_and_amounts_of_a_credit_record_are_checked() {
    let good = vec![
        ("overdue_24m", Value::Integer(3)),
        ("overdue_90d", Value::Integer(1)),
        ("loan_class", text("normal")),
        ("blacklist_code", text("A01")),
        ("blacklisted_on", date("2024-02-29")),
        ("delisted_on", Value::Absent),
    ];
    assert_eq!(faults("credit-record", &good), Vec::<String>::new());
    for (name, value, says) in [
        ("blacklist_code", text("A99"), "no code of list `blacklist-types`"),
        ("loan_class", text("bad"), "no code of list `five-classes`"),
        ("overdue_90d", Value::Integer(4), "more than `overdue_24m`"),
        ("overdue_24m", Value::Integer(-1), "not between 0"),
        ("delisted_on", date("2024-02-28"), "lies before `blacklisted_on`"),
        ("blacklisted_on", Value::Absent, "no value although `blacklist_code`"),
    ] {
        let told = faults("credit-record", &with(good.clone(), name, value));
        assert!(told.iter().any(|t| t.contains(says)), "{name}: {told:?}");
    }
}

#[test]
fn identifiers_are_checked_and_never_repeated() {
    for (code, name, value) in [
        ("business-licence", "credit_code", "91320700MA00000010"),
        ("electronic-licence", "licence_id", "1.2.156.3005.2.x"),
        ("electronic-licence", "issuer_code", "12345"),
        ("provident-fund", "employer_code", "12345"),
        ("real-estate-right", "unit_number", "12345"),
    ] {
        let told = faults(code, &[(name, text(value))]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(name) && !told[0].contains(value), "{told:?}");
    }
    let late = [("issued_on", date("2026-01-02")), ("expires_on", date("2026-01-01"))];
    assert_eq!(faults("business-licence", &late).len(), 1);
    let tax = [("income_fen", Value::Integer(1)), ("paid_fen", Value::Integer(2))];
    assert!(faults("tax-summary", &tax)[0].contains("more than `income_fen`"));
}
