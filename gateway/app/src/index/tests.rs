//! Search finds what a plain look at every text finds.

use covenant_domain::{DatasetId, Description, Field, FieldKind, FieldName, MemberId, Mode};

use super::*;

fn dataset(n: usize) -> (Dataset, DatasetStatus) {
    let kinds = [("不动产登记", "Homes register"), ("营业执照", "Business licences"), ("征信摘要", "Credit summary")];
    let (zh, en) = kinds[n % kinds.len()];
    let names = Names::new(&format!("{zh}（第{n}号）"), &format!("{en} {n}"));
    let id = DatasetId::new(&format!("cov:city/gov/office/registry/set-{n}")).unwrap();
    let name = FieldName::new("area_cm2").unwrap();
    let field = Field::new(name, Names::new("面积", "Floor area"), FieldKind::Integer, &[Mode::Match]);
    let about = Description {
        keywords: vec![Names::new("产权", "ownership")],
        summary: Some(Names::new("登记簿全文", "Ｆｕｌｌ text of the register")),
        ..Description::default()
    };
    let plain = Dataset::new(id, MemberId::new("office").unwrap(), names, vec![field]);
    (Dataset { about: n.is_multiple_of(2).then_some(about), ..plain }, DatasetStatus::default())
}

fn index(size: usize) -> Index {
    Index::build(Catalogue { mark: 7, datasets: (0..size).map(dataset).collect() })
}

fn found(index: &Index, q: &str) -> Vec<(String, u32)> {
    index.find(&words(q)).iter().map(|(i, score)| (i.dataset.names.en.clone(), *score)).collect()
}

#[test]
fn words_are_found_in_either_language_whatever_their_case_and_width() {
    let index = index(3);
    for q in ["不动产", "HOMES", "ｈｏｍｅｓ", "动产登", "homes 面积", "号 homes"] {
        let names: Vec<_> = found(&index, q).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Homes register 0"], "{q}");
    }
    assert_eq!(found(&index, "full text").len(), 2, "full width is folded in texts too");
    assert_eq!(found(&index, "homes credit").len(), 0, "all words must match");
    assert_eq!(found(&index, "registerhomes").len(), 0, "a word does not run over two texts");
    assert_eq!(found(&index, "").len(), 3);
}

#[test]
fn titles_weigh_more_than_keywords_fields_and_abstracts() {
    let index = index(1);
    for (q, score) in [("homes", 8), ("ownership", 4), ("area_cm2", 2), ("full", 1), ("register", 9), ("homes full", 9)]
    {
        assert_eq!(found(&index, q), [("Homes register 0".to_owned(), score)], "{q}");
    }
}

#[test]
fn ten_thousand_datasets_are_searched_by_looking_at_few() {
    let index = index(10_000);
    assert_eq!((index.items().len(), index.mark()), (10_000, Some(7)));
    for q in ["9999", "第123号", "征信 第99", "credit summary 77", "x", "9"] {
        let words = words(q);
        let expected: Vec<_> =
            index.items().iter().filter_map(|i| Some((i.dataset.id.clone(), i.score(&words)?))).collect();
        let found: Vec<_> = index.find(&words).iter().map(|(i, score)| (i.dataset.id.clone(), *score)).collect();
        assert_eq!(found, expected, "{q}");
    }
    assert!(index.candidates("9999").len() < 400, "{}", index.candidates("9999").len());
    assert!(index.candidates("第1234号").len() < 1_500);
}
