//! Offline verification of one evidence bundle.

use std::time::Instant;

use covenant_client::{Ground, Question};
use covenant_domain::{DatasetId, FieldName, Mode, PurposeCode, Subject};
use covenant_ledger::verify_bundle;

use crate::figure::{Failure, Figure, percentile};
use crate::{limits, queries};

/// Verifies the bundle of a completed query, genesis checks and key parsing included.
pub(crate) async fn run() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let (consortium, city) = queries::consortium(dir.path()).await?;
    let bank = consortium.client("bank").await?;
    let company = city.companies.first().ok_or("no company")?;
    let question = Question {
        dataset: DatasetId::new("cov:yungang/gov/market-regulation/licensing/licences")?,
        purpose: PurposeCode::new("account-opening")?,
        mode: Mode::Detail,
        fields: vec![FieldName::new("status")?],
        subject: Subject::Company(company.code.clone()),
        ground: Ground::Legal { case: Some("1".into()) },
        claims: Vec::new(),
    };
    let reply = bank.ask(question).await?;
    while consortium.nodes.iter().any(|n| n.with_state(|s| s.open_queries().next().is_some())) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let bundle = bank.evidence(&reply.intent).await?;
    let mut samples = Vec::new();
    let mut signatures = 0;
    for _ in 0..200 {
        let started = Instant::now();
        let report = verify_bundle(&bundle, bank.trust());
        samples.push(started.elapsed().as_secs_f64() * 1e3);
        if report.outcome.as_deref() != Some("answered") {
            return Err(format!("{report:?}").into());
        }
        // Two member signatures and two certificates of at least three votes.
        signatures = 8;
    }
    let limit = limits::verification_ms()? * f64::from(signatures);
    consortium.stop().await;
    Ok(vec![Figure {
        name: "offline verification of one bundle, p99",
        value: percentile(&mut samples, 990),
        unit: "ms",
        goal: 50.0,
        limit: Some(limit),
        limit_is: "8 SM2 verifications",
    }])
}
