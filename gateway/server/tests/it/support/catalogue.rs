//! A catalogue in memory, with one right.

use covenant_app::port::{Catalogue, PublishedDataset};
use covenant_canon::Digest;
use covenant_domain::*;

use super::{HOMES, field, id};

pub fn homes() -> Dataset {
    let one = |name: &str, kind| Field {
        personal: true,
        mask: Some(Mask::Keep { first: 1, last: 0 }),
        ..Field::new(field(name), Names::new(name, name), kind, &Mode::ALL)
    };
    let fields = vec![one("area_cm2", FieldKind::Integer), one("owner", FieldKind::Text)];
    let plain = Dataset::new(DatasetId::new(HOMES).unwrap(), id("housing"), Names::new("房屋", "homes"), fields);
    Dataset { duty_basis: "law".into(), ..plain }
}

/// Homes, and 24 smaller ones of which one is archived.
pub fn catalogue() -> Catalogue {
    let small = |n: u32| {
        let id = DatasetId::new(&format!("cov:city/gov/housing/registry/small-{n:02}")).unwrap();
        let status = DatasetStatus { archived: n == 7, ..DatasetStatus::default() };
        (Dataset { id, names: Names::new("小房屋", "small homes"), grade: Grade::Core, ..homes() }, status)
    };
    let mut datasets = vec![(homes(), DatasetStatus::default())];
    datasets.extend((0..24).map(small));
    Catalogue { mark: 1, datasets }
}

pub fn versions(of: &DatasetId) -> Vec<PublishedDataset> {
    let one = |revision: u32| PublishedDataset {
        dataset: Dataset { revision, ..homes() },
        entry: Digest([revision as u8; 32]),
        leaf: u64::from(revision),
        height: 3,
        time_ms: 4,
    };
    if of.as_str() == HOMES { vec![one(1), one(2)] } else { vec![] }
}

pub fn right() -> RightState {
    let change = RightChange {
        id: RightId::from_parts(1, &[1; 10]),
        dataset: DatasetId::new(HOMES).unwrap(),
        kind: RightKind::Registration,
        record: Digest([9; 32]),
        follows: None,
    };
    let signers = vec![id("housing"), id("trustee")];
    RightState { change, signed: vec![id("housing")], signers, effective_ms: 0, followed_by: None }
}
