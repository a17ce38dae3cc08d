//! The city in the departments' vaults.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use covenant_demo::city::City;
use covenant_demo::{Founding, import_city};
use covenant_domain::{Dataset, MemberId};
use covenant_source::Source;
use serde::{Deserialize, Serialize};

use crate::demo::home::Home;
use crate::demo::teller::Teller;
use crate::error::CliError;
use crate::files;

/// Which city; equal figures give equal cities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Citizens {
    /// Seed of everything.
    pub(crate) seed: u64,
    /// People.
    pub(crate) residents: usize,
    /// Companies.
    pub(crate) companies: usize,
}

type Sources = BTreeMap<MemberId, Vec<Arc<dyn Source>>>;

/// Makes the city and brings it into the vaults, unless they hold it already.
pub(crate) async fn settle(
    citizens: Citizens,
    founding: &Founding,
    datasets: &[Dataset],
    home: &Home,
    teller: &mut Teller,
) -> Result<(City, Sources), CliError> {
    teller.open("生成合成城市并导入各部门数据", "A synthetic city is made and imported by each department");
    citizens.check(home)?;
    let began = Instant::now();
    let Citizens { seed, residents, companies } = citizens;
    let city = City::generate(seed, residents, companies);
    teller.say(
        began,
        format!("{residents} 名居民，{companies} 家企业"),
        format!("{residents} residents, {companies} companies"),
    );
    let began = Instant::now();
    let (sources, imported) = import_city(founding, &city, datasets).await?;
    let (rows, tables): (u64, usize) = (imported.values().sum(), imported.len());
    teller.say(began, format!("{tables} 张表共 {rows} 行导入"), format!("{rows} rows of {tables} tables imported"));
    Ok((city, sources))
}

impl Citizens {
    /// A folder keeps the city it was filled with: the story would not fit another.
    fn check(self, home: &Home) -> Result<(), CliError> {
        let path = home.path().join("city.json");
        if !path.exists() {
            let json = serde_json::to_vec_pretty(&self).map_err(|e| files::content(&path, "a city", e.to_string()))?;
            return files::write_new(&path, &json, false);
        }
        let held: Self = files::read_value(&path, "a city")?;
        if held == self {
            return Ok(());
        }
        let Self { seed, residents, companies } = held;
        Err(CliError::usage(format!(
            "`{}` holds another city: use `--seed {seed} --residents {residents} --companies {companies}`, or another `--dir`",
            home.path().display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_city() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(Some(dir.path())).unwrap();
        let city = Citizens { seed: 1, residents: 20, companies: 3 };
        city.check(&home).unwrap();
        city.check(&home).unwrap();
        let error = Citizens { seed: 2, ..city }.check(&home).unwrap_err().to_string();
        assert!(error.contains("--seed 1 --residents 20 --companies 3"), "{error}");
    }
}
