//! Health, by doing the real thing.

use covenant_api::{Code, HealthReport, NodeReport, Problem};

use crate::Gateway;
use crate::port::NodeHealth;
use crate::problem::of_port;

/// How long a report is served again, in milliseconds.
const KEPT_MS: u64 = 1_000;

impl Gateway {
    /// Lets every node sign, verify and read back. Public, so the report is kept for a second, and whoever asks while one
    /// is being made waits for it.
    ///
    /// # Errors
    /// [`Problem`] `unhealthy` when no node is sound.
    pub async fn health(&self, now_ms: u64) -> Result<HealthReport, Problem> {
        let mut kept = self.health.lock().await;
        let report = match &*kept {
            Some((made_ms, report)) if now_ms.abs_diff(*made_ms) < KEPT_MS => report.clone(),
            _ => {
                let nodes = self.consortium.health().await.map_err(of_port)?;
                let report = report(nodes);
                *kept = Some((now_ms, report.clone()));
                report
            }
        };
        if report.nodes.iter().any(|n| n.sound) { Ok(report) } else { Err(unhealthy(&report)) }
    }
}

fn report(nodes: Vec<NodeHealth>) -> HealthReport {
    let node = |NodeHealth { member, height, backlog, sound, fault }| NodeReport {
        member,
        height,
        backlog: backlog as u64,
        sound,
        fault,
    };
    HealthReport { all_sound: nodes.iter().all(|n| n.sound), nodes: nodes.into_iter().map(node).collect() }
}

fn unhealthy(report: &HealthReport) -> Problem {
    let faults: Vec<_> =
        report.nodes.iter().filter_map(|n| Some(format!("`{}`: {}", n.member, n.fault.as_ref()?))).collect();
    let detail = if faults.is_empty() { "no node answered".to_owned() } else { faults.join("; ") };
    Problem::new(Code::Unhealthy, detail).retry_after(5)
}
