use super::*;
use covenant_canon::{from_bytes, to_bytes};
use jiff::civil::date;
use proptest::prelude::*;

const PERSON: &str = "11010519491231002X";
const FIRM: &str = "91350100M000100Y43";
const HOME: &str = "320799001002GB00003F00010502";

fn altered(text: &str, at: usize, with: char) -> String {
    text.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect()
}

#[test]
fn published_examples() {
    assert_eq!(ResidentNumber::new("11010519491231002x").unwrap().expose(), PERSON);
    assert_eq!(ResidentNumber::from_parts(110_105, date(1949, 12, 31), 2).unwrap().expose(), PERSON);
    assert!(ResidentNumber::new("440524188001010014").is_ok());
    assert_eq!(CreditCode::from_body("91350100M000100Y4").unwrap().expose(), FIRM);
    assert!(CreditCode::new(FIRM).is_ok() && UnitNumber::new(HOME).is_ok());
}

#[test]
fn errors_name_the_check_and_not_the_number() {
    use SubjectError as E;
    let resident = |text: &str| ResidentNumber::new(text).unwrap_err();
    assert_eq!(resident("1101"), E::Length { noun: RESIDENT, expected: 18, found: 4 });
    assert_eq!(resident("1101O519491231002X"), E::Character { noun: RESIDENT, position: 5 });
    assert_eq!(resident("１10105194912310021"), E::Character { noun: RESIDENT, position: 1 });
    assert_eq!(resident("99010519491331002X"), E::Date);
    assert_eq!(resident("19010519491231002X"), E::Region { noun: RESIDENT, position: 1 });
    assert_eq!(resident("110105190002290021"), E::Date);
    assert_eq!(resident("110105194912310021"), E::CheckDigit { noun: RESIDENT, length: 18 });
    let firm = CreditCode::new("91350100M000100I43").unwrap_err();
    assert_eq!(firm, E::Character { noun: COMPANY, position: 16 });
    assert_eq!(CreditCode::new("91010100M000100Y43").unwrap_err(), E::Region { noun: COMPANY, position: 3 });
    let unit = UnitNumber::new("320799001002GI00003F00010502").unwrap_err();
    assert_eq!(unit, E::Character { noun: UNIT, position: 14 });
    assert!(ResidentNumber::from_parts(1, date(1949, 12, 31), 2).is_err());
    assert!(ResidentNumber::from_parts(110_105, date(1949, 12, 31), 1000).is_err());
    assert!(ResidentNumber::from_parts(110_105, date(-5, 1, 1), 2).is_err());
}

#[test]
fn debug_prints_the_kind_only() {
    let subject = Subject::parse(PERSON).unwrap();
    assert_eq!(format!("{subject:?}"), "Subject(resident:..)");
    assert_eq!(format!("{:?}", CreditCode::new(FIRM).unwrap()), "CreditCode(..)");
    let broken = Subject::parse("11010519491231003X").unwrap_err();
    assert!(!format!("{broken} {broken:?}").contains("1949"));
}

#[test]
fn every_kind_round_trips() {
    for (text, kind) in [(PERSON, "resident"), (FIRM, "company"), (HOME, "unit")] {
        let subject = Subject::parse(text).unwrap();
        assert_eq!(subject.canonical(), format!("{kind}:{text}"));
        assert_eq!(subject.canonical().parse::<Subject>().unwrap(), subject);
        assert_eq!(Subject::of_kind(subject.kind(), text).unwrap(), subject);
        assert_eq!(from_bytes::<Subject>(&to_bytes(&subject)).unwrap(), subject);
    }
    assert_eq!(Subject::parse("person:1").unwrap_err(), SubjectError::Kind);
    for bad in [PERSON, "resident:11010519491231002x", "company:1"] {
        assert!(from_bytes::<Subject>(&to_bytes(&bad.to_owned())).is_err(), "{bad}");
    }
}

#[test]
fn a_number_of_two_kinds_needs_its_prefix() {
    let mut both = (0..1000).filter_map(|sequence| {
        let number = ResidentNumber::from_parts(513_221, date(1980, 5, 6), sequence).ok()?;
        CreditCode::new(number.expose()).ok()
    });
    let code = both.next().unwrap();
    assert_eq!(Subject::parse(code.expose()).unwrap_err(), SubjectError::Ambiguous);
    assert!(Subject::parse(&format!("resident:{}", code.expose())).is_ok());
}

#[test]
fn single_alterations_are_rejected() {
    for at in 0..18 {
        for with in CREDIT_ALPHABET.chars() {
            assert_eq!(ResidentNumber::new(&altered(PERSON, at, with)).is_ok(), PERSON.chars().nth(at) == Some(with));
            assert_eq!(CreditCode::new(&altered(FIRM, at, with)).is_ok(), FIRM.chars().nth(at) == Some(with));
        }
    }
}

proptest! {
    #[test]
    fn alterations_and_transpositions_are_rejected(
        region in 110_000_u32..160_000, days in 0_i32..80_000, sequence in 0_u16..1000, at in 0_usize..17, with in 0_u8..10,
    ) {
        use jiff::ToSpan;
        let number = ResidentNumber::from_parts(region, date(1900, 1, 1) + days.days(), sequence).unwrap();
        let text = number.expose().to_owned();
        let changed = altered(&text, at, char::from(b'0' + with));
        prop_assert_eq!(ResidentNumber::new(&changed).is_ok(), changed == text);
        let mut swapped: Vec<char> = text.chars().collect();
        swapped.swap(at, at + 1);
        let swapped: String = swapped.into_iter().collect();
        prop_assert_eq!(ResidentNumber::new(&swapped).is_ok(), swapped == text);
    }

    #[test]
    fn credit_codes_detect_one_wrong_character(
        body in "9[1-3]32[0-9]{4}[0-9A-HJ-NP-RTUWXY]{9}", at in 0_usize..18, with in 0_usize..31,
    ) {
        let code = CreditCode::from_body(&body).unwrap();
        let changed = altered(code.expose(), at, CREDIT_ALPHABET.chars().nth(with).unwrap());
        prop_assert_eq!(CreditCode::new(&changed).is_ok(), changed == code.expose());
    }

    #[test]
    fn parsing_never_panics(text: String) {
        let _any = Subject::parse(&text);
    }
}
