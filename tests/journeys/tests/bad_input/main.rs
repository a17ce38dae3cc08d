//! What callers may do wrong, over the real gateway: each has its code or reason, none brings data, denials are on the
//! ledger.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod batches;
mod grounds;
mod requests;

use std::sync::Arc;

use covenant_canon::SuiteId;
use covenant_client::{Client, Ground, Question};
use covenant_demo::Consortium;
use covenant_demo::city::City;
use covenant_domain::{Mode, PurposeCode, Subject};
use covenant_journeys::{Raw, dataset, fields, running_city};

/// A city with a bank that asks, in good faith or not.
pub(crate) struct World {
    _dir: tempfile::TempDir,
    pub(crate) city: City,
    pub(crate) consortium: Consortium,
    pub(crate) bank: Client,
    /// The bank's keys without the bank's manners.
    pub(crate) raw: Raw,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let (dir, city) = (tempfile::tempdir().unwrap(), City::generate(seed, 300, 60));
        let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
        let bank = consortium.client("bank").await.unwrap();
        let identity = Arc::new(consortium.founding.identity("bank").unwrap());
        let raw = Raw::new(&consortium.url(), consortium.founding.genesis.digest(), identity);
        Self { _dir: dir, city, consortium, bank, raw }
    }

    /// A raw caller with another member's keys.
    pub(crate) fn caller(&self, member: &str) -> Raw {
        let identity = Arc::new(self.consortium.founding.identity(member).unwrap());
        Raw::new(&self.consortium.url(), self.raw.consortium, identity)
    }

    /// A question that is answered: a company's licence for the opening of an account.
    pub(crate) fn licence(&self, case: Option<&str>) -> Question {
        Question {
            dataset: dataset("market-regulation/licensing/licences"),
            purpose: PurposeCode::new("account-opening").unwrap(),
            mode: Mode::Detail,
            fields: fields(&["company_name", "status"]),
            subject: Subject::Company(self.city.companies[0].code.clone()),
            ground: Ground::Legal { case: case.map(str::to_owned) },
            claims: Vec::new(),
        }
    }

    pub(crate) async fn leaves(&self) -> u64 {
        self.bank.tip().await.unwrap().leaves
    }

    pub(crate) async fn close(self) {
        covenant_journeys::settled(&self.consortium.nodes).await;
        self.consortium.nodes[0].rebuild().await.unwrap();
        self.consortium.stop().await;
    }
}
