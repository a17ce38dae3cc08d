//! Whole-system journeys: one per user story, each on a whole consortium in this process.

use std::path::Path;

use covenant_canon::SuiteId;
use covenant_demo::city::City;
use covenant_demo::{Consortium, Founding, MEMBERS, Settings, catalogue, import_city, publish_rules};

/// A running city of the given size in a folder, with its rules published if the ledger is new.
///
/// # Panics
/// When anything of it fails: these are tests.
#[expect(clippy::unwrap_used, reason = "test support: a failure here is the test's failure")]
pub async fn running_city(dir: &Path, suite: SuiteId, city: &City, adjust: impl FnOnce(&mut Settings)) -> Consortium {
    let founding = Founding::open(dir, catalogue::CONSORTIUM, suite, MEMBERS).unwrap();
    let datasets = catalogue::datasets().unwrap();
    let (sources, _) = import_city(&founding, city, &datasets).await.unwrap();
    let mut settings = Settings::new(founding);
    settings.sources = sources;
    adjust(&mut settings);
    let consortium = Consortium::start(settings).await.unwrap();
    if consortium.nodes.iter().all(|n| n.tip().height == 0) {
        let now_ms = covenant_daemon::Clock::now_ms(&covenant_daemon::SystemClock);
        publish_rules(&consortium, &datasets, now_ms).await.unwrap();
    }
    consortium
}
