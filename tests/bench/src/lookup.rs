//! Private lookup: an epoch's set-up, and whole lookups through the gateway, four validators and the holder.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use covenant_app::Rate;
use covenant_canon::SuiteId;
use covenant_client::{BuildView, Client, Ground, LookupQuestion, QueryState};
use covenant_demo::{Consortium, Founding, MEMBERS, Settings, catalogue, counter_sign, publish, publish_rules};
use covenant_domain::{
    Body, Dataset, DatasetId, Effect, Field, FieldKind, FieldName, Grade, Grant, GrantId, GuardRule, MemberId, Mode,
    Names, Purpose, PurposeCode, Quota, Record, Subject, SubjectKind, Value,
};
use covenant_source::{Source, SourceError, SubjectPage, synthetic_subject};

use crate::figure::{Failure, Figure, percentile};

/// Characters of text in each record, so that a sealed row has about 256 bytes.
const TEXT: usize = 200;
pub(crate) const DATASET: &str = "cov:yungang/gov/credit-centre/scoring/bench";
/// Lookups one after another.
const LOOKUPS: usize = 200;
/// Consumers at once, and for how long.
const WORKERS: usize = 16;
const SECONDS: u64 = 15;
/// The line that departments far out have, in bytes a second.
pub(crate) const THIN_LINE: f64 = 2e6 / 8.0;

pub(crate) fn figure(name: &'static str, value: f64, unit: &'static str, goal: f64) -> Figure {
    Figure { name, value, unit, goal, limit: None, limit_is: "" }
}

/// Synthetic residents, each with one record of text.
struct Made {
    id: DatasetId,
    keys: Vec<String>,
    rows: HashMap<String, u64>,
}

impl Made {
    fn new(id: DatasetId, rows: u64) -> Self {
        let number = |row| synthetic_subject(SubjectKind::Resident, row).canonical();
        let rows: HashMap<String, u64> = (1..=rows).map(|row| (number(row), row)).collect();
        let mut keys: Vec<String> = rows.keys().cloned().collect();
        keys.sort();
        Self { id, keys, rows }
    }
}

fn text(row: u64) -> String {
    format!("{row:0>width$}", width = TEXT)
}

#[async_trait]
impl Source for Made {
    fn dataset(&self) -> &DatasetId {
        &self.id
    }

    async fn find(&self, subjects: &[Subject], _limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        let name = |text| FieldName::new(text).map_err(|_| SourceError::Stopped);
        let record = |s: &Subject| {
            let row = self.rows.get(&s.canonical());
            row.map(|row| Ok(Record { values: vec![(name("note")?, Value::Text(text(*row)))] })).into_iter().collect()
        };
        subjects.iter().map(record).collect()
    }

    async fn subjects(&self, after: Option<&str>, limit: u32) -> Result<SubjectPage, SourceError> {
        let start = after.map_or(0, |after| self.keys.partition_point(|k| k.as_str() <= after));
        let page: Vec<&String> = self.keys.iter().skip(start).take(limit as usize).collect();
        let next = page.last().filter(|_| page.len() == limit as usize).map(|k| (*k).clone());
        let subjects = page.iter().map(|k| Subject::parse(k)).collect::<Result<_, _>>();
        Ok(SubjectPage { subjects: subjects.map_err(|_| SourceError::Stopped)?, next })
    }
}

/// A consortium whose credit centre holds so many made-up records.
async fn founded(dir: &std::path::Path, rows: u64) -> Result<Consortium, Failure> {
    let founding = Founding::open(dir, catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS)?;
    let holder = MemberId::new("credit-centre")?;
    let made: Arc<dyn Source> = Arc::new(Made::new(DatasetId::new(DATASET)?, rows));
    let mut settings = Settings::new(founding);
    settings.sources.insert(holder.clone(), vec![made]);
    settings.rate = Rate { per_second: 100_000, burst: 100_000 };
    let consortium = Consortium::start(settings).await?;
    let now_ms = covenant_daemon::Clock::now_ms(&covenant_daemon::SystemClock);
    publish_rules(&consortium, &catalogue::datasets()?, now_ms).await?;
    let purpose = Purpose {
        code: PurposeCode::new("bench")?,
        names: Names::new("测试", "Bench"),
        legal_basis: "none".into(),
        needs_consent: false,
        needs_case: true,
        modes: vec![Mode::Lookup],
        retention_days: 1,
        needs_record: None,
    };
    publish(&consortium, "regulator", vec![Body::PurposeRegistered(purpose)]).await?;
    let mut book = catalogue::rule_books()?.into_iter().find(|b| b.holder == holder).ok_or("no rule book")?;
    book.revision = 2;
    book.rules.push(GuardRule {
        name: "bench".into(),
        subject: "licensed".into(),
        dataset: "bench".into(),
        mode: "lookup".into(),
        purpose: "bench".into(),
        from_hour: 0,
        until_hour: 24,
        effect: Effect::Allow,
        ..GuardRule::default()
    });
    let grant = Grant {
        id: GrantId::from_parts(now_ms, &[9; 10]),
        holder: holder.clone(),
        consumer: MemberId::new("bank")?,
        dataset: DatasetId::new(DATASET)?,
        purpose: PurposeCode::new("bench")?,
        modes: vec![Mode::Lookup],
        fields: vec![FieldName::new("note")?],
        quota: Quota { limit: 1_000_000, window_ms: 86_400_000 },
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
        data_life_days: 1,
        max_rows: 1,
        supersedes: None,
    };
    let signed = counter_sign(&consortium.founding, grant)?;
    let bodies = vec![Body::DatasetPublished(described(holder)?), Body::PolicyAdopted(book), Body::GrantIssued(signed)];
    publish(&consortium, "credit-centre", bodies).await?;
    let regulator = consortium.client("regulator").await?;
    let trustees: Vec<MemberId> =
        ["audit-office", "court", "regulator"].into_iter().map(MemberId::new).collect::<Result<_, _>>()?;
    let number = regulator.call_ceremony(2, trustees.clone()).await?;
    let mut clients = Vec::new();
    for trustee in &trustees {
        clients.push(consortium.client(trustee.as_str()).await?);
    }
    let joined = clients.iter().map(|client| client.join_ceremony(number, Duration::from_secs(60)));
    futures::future::try_join_all(joined).await?;
    Ok(consortium)
}

fn described(holder: MemberId) -> Result<Dataset, Failure> {
    let name = FieldName::new("note")?;
    let note =
        Field { personal: true, ..Field::new(name, Names::new("备注", "Note"), FieldKind::Text, &[Mode::Lookup]) };
    let plain = Dataset::new(DatasetId::new(DATASET)?, holder, Names::new("测试", "Bench"), vec![note]);
    Ok(Dataset { duty_basis: "bench".into(), grade: Grade::Core, ..plain })
}

async fn one(client: &Client, row: u64) -> Result<f64, Failure> {
    let question = LookupQuestion {
        dataset: DatasetId::new(DATASET)?,
        purpose: PurposeCode::new("bench")?,
        subject: synthetic_subject(SubjectKind::Resident, row),
        ground: Ground::Legal { case: Some("BENCH-1".into()) },
    };
    let started = Instant::now();
    let found = client.look_up(question).await?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    let value = found.answer.as_ref().and_then(|a| a.value(&FieldName::new("note").ok()?).cloned());
    match value {
        Some(Value::Text(got)) if got == text(row) && found.state == QueryState::Answered => Ok(took),
        _ => Err(format!("a wrong answer: {:?} {:?}", found.state, found.reasons).into()),
    }
}

/// Set-up of an epoch and whole lookups. Rows: `COVENANT_BENCH_ROWS`, a million unless set.
pub(crate) async fn whole() -> Result<Vec<Figure>, Failure> {
    let rows: u64 = std::env::var("COVENANT_BENCH_ROWS").ok().and_then(|t| t.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir()?;
    let consortium = founded(dir.path(), rows).await?;
    let id = DatasetId::new(DATASET)?;
    let holder = consortium.client("credit-centre").await?;
    let started = Instant::now();
    holder.build_epoch(&id, 1).await?;
    loop {
        match holder.build_state(&id).await? {
            BuildView::Done { .. } => break,
            BuildView::Failed { reason } => return Err(reason.into()),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    let built = started.elapsed().as_secs_f64();
    let bank = consortium.client("bank").await?;
    let started = Instant::now();
    bank.prepare_lookups(&id).await?;
    let fetched = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let naive = consortium.client("regulator").await?.mirror_epoch(&id).await?;
    let downloaded = started.elapsed().as_secs_f64();
    let mut samples = Vec::new();
    for i in 0..LOOKUPS as u64 {
        samples.push(one(&bank, 1 + i * 4_999 % rows).await?);
    }
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let started = Instant::now();
    let workers = (0..WORKERS as u64).map(|worker| {
        let bank = bank.clone();
        tokio::spawn(async move {
            let mut count = 0_u64;
            while Instant::now() < until {
                one(&bank, 1 + (worker * 7_919 + count * 104_729) % rows).await?;
                count += 1;
            }
            Ok::<u64, Failure>(count)
        })
    });
    let mut count = 0;
    for worker in workers.collect::<Vec<_>>() {
        count += worker.await??;
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    consortium.stop().await;
    let setup_goal = if rows > 100_000 { 90.0 } else { 10.0 };
    let naive_line = naive as f64 / THIN_LINE;
    Ok(vec![
        figure("lookup: epoch set-up", built, "s", setup_goal),
        figure("lookup: fetching hint and locator, once", fetched, "s", 10.0),
        figure("lookup: whole, median", percentile(&mut samples, 500), "ms", 150.0),
        figure("lookup: whole, p99", percentile(&mut samples, 990), "ms", 150.0),
        figure("lookup: sustained", rate, "/s", 40.0),
        figure("beside it: downloading every sealed row", downloaded, "s", 60.0),
        figure("beside it: the same on a 2 Mb/s line", naive_line, "s", 3_600.0),
    ])
}
