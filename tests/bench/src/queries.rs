//! Audited `match` queries through the gateway, four validators, both ledger entries and sealing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use covenant_app::Rate;
use covenant_canon::SuiteId;
use covenant_client::{Client, Ground, Question};
use covenant_demo::city::{City, Company};
use covenant_demo::{Consortium, Founding, MEMBERS, Settings, catalogue, import_city, publish_rules};
use covenant_domain::{DatasetId, FieldName, MatchOutcome, Mode, PurposeCode, Subject, Value};

use crate::figure::{Failure, Figure, percentile};
use crate::limits;

const COMPANIES: usize = 3_000;
const WORKERS: usize = 4;
const BATCH: usize = 384;
const SECONDS: u64 = 20;

/// A city's consortium with its rules.
pub(crate) async fn consortium(dir: &std::path::Path) -> Result<(Consortium, City), Failure> {
    let city = City::generate(1, 2_000, COMPANIES);
    let founding = Founding::open(dir, catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS)?;
    let datasets = catalogue::datasets()?;
    let (sources, _) = import_city(&founding, &city, &datasets).await?;
    let mut settings = Settings::new(founding);
    settings.sources = sources;
    settings.rate = Rate { per_second: 100_000, burst: 100_000 };
    let consortium = Consortium::start(settings).await?;
    let now_ms = covenant_daemon::Clock::now_ms(&covenant_daemon::SystemClock);
    publish_rules(&consortium, &datasets, now_ms).await?;
    Ok((consortium, city))
}

fn question(company: &Company) -> Result<Question, Failure> {
    let address = FieldName::new("address")?;
    Ok(Question {
        dataset: DatasetId::new("cov:yungang/gov/housing/registry/premises")?,
        purpose: PurposeCode::new("address-verification")?,
        mode: Mode::Match,
        fields: vec![address.clone()],
        subject: Subject::Company(company.code.clone()),
        ground: Ground::Legal { case: None },
        claims: vec![(address, Value::Text(company.address.clone()))],
    })
}

async fn work(client: Client, city: Arc<City>, worker: usize, until: Instant) -> Result<u64, Failure> {
    let (mut next, mut answered) = (worker * 700, 0);
    while Instant::now() < until {
        let companies: Vec<&Company> = (0..BATCH).filter_map(|i| city.companies.get((next + i) % COMPANIES)).collect();
        next += BATCH;
        let questions = companies.iter().map(|c| question(c)).collect::<Result<Vec<_>, _>>()?;
        for (reply, company) in client.ask_many(questions).await.into_iter().zip(companies) {
            let reply = reply?;
            let outcome = reply.answer.as_ref().and_then(|a| a.matches.first()).map(|m| m.outcome);
            let expected = if company.moved { MatchOutcome::Different } else { MatchOutcome::Equal };
            if outcome != Some(expected) {
                return Err(format!("a wrong answer: {outcome:?}, {:?}, {:?}", reply.state, reply.reasons).into());
            }
            answered += 1;
        }
    }
    Ok(answered)
}

/// Sustained rate in a closed loop, until the last completion is final.
pub(crate) async fn throughput() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let (consortium, city) = consortium(dir.path()).await?;
    let city = Arc::new(city);
    let started = Instant::now();
    let until = started + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for worker in 0..WORKERS {
        let client = consortium.client("market-regulation").await?;
        tasks.push(tokio::spawn(work(client, city.clone(), worker, until)));
    }
    let mut answered = 0;
    for task in tasks {
        answered += task.await??;
    }
    while consortium.nodes.iter().any(|n| n.with_state(|s| s.open_queries().next().is_some())) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = answered as f64 / started.elapsed().as_secs_f64();
    consortium.stop().await;
    // Three leaves per query: intent, decision, completion; about 250 bytes each.
    let limit = limits::rows_per_second(250).await? / 3.0;
    Ok(vec![Figure {
        name: "audited match queries, sustained",
        value: rate,
        unit: "queries/s",
        goal: 1_000.0,
        limit: Some(limit),
        limit_is: "SQL rows of 3 leaves on 4 replicas, synced",
    }])
}

/// Latency at half the required load, each query on its own, coalesced by the SDK.
pub(crate) async fn latency() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let (consortium, city) = consortium(dir.path()).await?;
    let batcher = consortium.client("market-regulation").await?.batcher(512, Duration::from_millis(4));
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    let mut tasks = Vec::new();
    for i in 0..(500 * SECONDS as usize) {
        ticks.tick().await;
        let Some(company) = city.companies.get(i % COMPANIES) else { continue };
        let (question, batcher, started) = (question(company)?, batcher.clone(), Instant::now());
        tasks.push(tokio::spawn(async move {
            let reply = batcher.ask(question).await?;
            let took = started.elapsed().as_secs_f64() * 1e3;
            reply.answer.map(|_| took).ok_or_else(|| Failure::from(format!("no answer: {:?}", reply.reasons)))
        }));
    }
    let mut samples = Vec::new();
    for task in tasks {
        samples.push(task.await??);
    }
    consortium.stop().await;
    let median = percentile(&mut samples, 500);
    let limit = limits::fsync_ms()? * 3.0 + limits::verification_ms()? * 12.0;
    let figure = |name, value, goal| Figure {
        name,
        value,
        unit: "ms",
        goal,
        limit: Some(limit),
        limit_is: "3 fsyncs and 12 SM2 verifications",
    };
    Ok(vec![
        figure("match query at 500/s, median", median, 100.0),
        figure("match query at 500/s, p99", percentile(&mut samples, 990), 100.0),
    ])
}
