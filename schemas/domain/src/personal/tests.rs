use proptest::prelude::*;

use super::*;
use crate::{Body, IntentId, Voided};

fn kind(text: &str) -> Option<PersonalKind> {
    scan(text).map(|found| found.kind)
}

#[test]
fn numbers_are_found_however_they_are_written() {
    use PersonalKind::*;
    let texts = [
        (ResidentNumber, "11010519491231002X"),
        (ResidentNumber, "案件当事人11010519491231002x，已核实"),
        (ResidentNumber, "110105 19491231 002X"),
        (ResidentNumber, "110105-1949-1231-002-X"),
        (ResidentNumber, "１１０１０５１９４９１２３１００２Ｘ"),
        (ResidentNumber, "1101\u{200b}0519491\u{feff}231002X"),
        (ResidentNumber, "一一〇一〇五一九四九一二三一〇〇二X"),
        (ResidentNumber, "no99110105194912310021zz no11010519491231002Xzz"),
        (ResidentNumber, "① 1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X"),
        (OldResidentNumber, "old: 110105491231002."),
        (MobileNumber, "13812345678"),
        (MobileNumber, "电话：138 1234 5678"),
        (MobileNumber, "+86 138-1234-5678"),
        (MobileNumber, "8613812345678"),
        (MobileNumber, "１３８—１２３４—５６７８"),
        (MobileNumber, "tel13812345678x"),
        (BankCard, "4111 1111 1111 1111"),
        (BankCard, "卡号6222021234567890128"),
        (EmailAddress, "write to zhang.san@example.com."),
        (EmailAddress, "zhang＠example．cn"),
        (EmailAddress, "zhang @ example.cn"),
        (PassportNumber, "passport E12345678"),
        (PassportNumber, "EA 123 4567"),
        (PassportNumber, "护照G12345678号"),
    ];
    let missed: Vec<_> = texts.into_iter().filter(|(expected, text)| kind(text) != Some(*expected)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn what_only_looks_like_a_number_of_a_person_passes() {
    let texts = [
        "",
        "2026-10-01 2026-10-02 2026-10-03 2026-10-04",
        "from 1764055200000 until 1764141600000 ms",
        "1764055200000000000",
        "（2026）沪01民初12345号",
        "京公经立字〔2026〕12345号",
        "91310000MA1FL0XX15",
        "911100001000013428",
        "unit 110105001001GB00001F00010001",
        "cov:yungang/gov/market-regulation/licensing/licences",
        "at most 14 000 000 000 fen",
        "192.168.101.11:7000",
        "11010519491231002",
        "110105194912310021 is one digit off",
        "12345678901",
        "4111 1111 1111 1112",
        "@covenant 1.2.3",
        "GB11643-1999 and GB/T 20546",
        "E1234567 or e123456789",
        "网络安全法第二十一条、二〇二六年十一月二十五日",
        "0192f3c4-1381-7234-8678-138123456789",
    ];
    let wrong: Vec<_> = texts.into_iter().filter_map(|text| kind(text).map(|kind| (text, kind))).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_place_is_told_and_the_number_is_not() {
    let found = scan("当事人：１３８１２３４５６７８").unwrap();
    assert_eq!(found.position, 5);
    assert_eq!(found.to_string(), "what reads as a mobile number from character 5 on");
    assert!(!format!("{found:?}").contains("138"));
}

#[test]
fn an_entry_is_read_for_its_texts() {
    let voided = |reason: &str| {
        let reason = reason.to_owned();
        Body::Voided(Voided {
            intent: IntentId::from_parts(1, &[1; 10]),
            permit: covenant_canon::Digest([0x13; 32]),
            reason,
        })
    };
    assert_eq!(personal(&voided("table is being rebuilt")), None);
    assert_eq!(personal(&voided("call 138 1234 5678")).map(|f| f.kind), Some(PersonalKind::MobileNumber));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn ids_digests_and_points_pass(bytes: [u8; 32], time_ms in 1_700_000_000_000_u64..1_900_000_000_000) {
        let digest = hex::encode(bytes);
        let random: [u8; 10] = std::array::from_fn(|i| bytes[i]);
        let id = IntentId::from_parts(time_ms, &random).to_string();
        for text in [digest.clone(), format!("entry {digest} of {id}"), id, format!("sm:{digest}{digest}")] {
            prop_assert_eq!(scan(&text), None, "{}", text);
        }
    }

    #[test]
    fn every_resident_number_is_found_between_any_words(
        region in prop::sample::select(vec!["110105", "310101", "440305", "542301"]),
        year in 1930u32..2020,
        month in 1u32..=12,
        day in 1u32..=28,
        order in 0u32..1000,
        before in "[^0-9〇一二三四五六七八九零]{0,6}",
        after in "[^0-9〇一二三四五六七八九零xX]{0,6}",
        gaps in prop::collection::vec(prop::sample::select(vec!["", " ", "-", "　"]), 18),
    ) {
        let body = format!("{region}{year:04}{month:02}{day:02}{order:03}");
        let number = (0..=10u8).map(|c| format!("{body}{}", if c == 10 { 'X' } else { char::from(b'0' + c) }))
            .find(|n| ResidentNumber::new(n).is_ok()).unwrap();
        let spread: String = number.chars().zip(&gaps).map(|(c, gap)| format!("{c}{gap}")).collect();
        let text = format!("{before}{spread}{after}");
        prop_assert!(scan(&text).is_some());
    }

    #[test]
    fn any_text_is_read_without_harm(text in ".{0,60}") {
        let _ = scan(&text);
    }
}
