//! A running city.

use std::path::Path;

use covenant_canon::SuiteId;
use covenant_demo::city::City;
use covenant_demo::{Consortium, Founding, MEMBERS, Settings, catalogue, import_city, publish_rules};
use covenant_ledger::{Charter, Genesis};

/// A running city of the given size in a folder, with its rules published if the ledger is new.
///
/// # Panics
/// When anything of it fails: these are tests.
pub async fn running_city(dir: &Path, suite: SuiteId, city: &City, adjust: impl FnOnce(&mut Settings)) -> Consortium {
    let founding = Founding::open_under(dir, catalogue::CONSORTIUM, suite, MEMBERS, catalogue::charter()).unwrap();
    let datasets = catalogue::datasets().unwrap();
    let (sources, _) = import_city(&founding, city, &datasets).await.unwrap();
    let mut settings = Settings::new(founding);
    settings.sources = sources;
    adjust(&mut settings);
    let consortium = Consortium::start(settings).await.unwrap();
    if consortium.nodes.iter().all(|n| n.tip().height == 0) {
        publish_rules(&consortium, &datasets, crate::now_ms()).await.unwrap();
    }
    consortium
}

/// Founds a consortium under another charter. Its digest is that of the document, so this is for before the first block.
///
/// # Panics
/// When the genesis cannot be written.
pub fn replace_charter(dir: &Path, suite: SuiteId, charter: Charter) {
    let founding = Founding::open(dir, catalogue::CONSORTIUM, suite, MEMBERS).unwrap();
    let genesis = Genesis { charter, ..(*founding.genesis).clone() };
    std::fs::write(founding.genesis_file(), serde_json::to_vec_pretty(&genesis).unwrap()).unwrap();
}
