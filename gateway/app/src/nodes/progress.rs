//! Where queries stand, asked anew only when a node that matters says that something changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covenant_domain::{IntentId, MemberId};
use futures::future::{join_all, pending, select_all};
use tokio::time::Instant;

use super::{Nodes, miscounted};
use crate::port::{NodePort, PortError, Progress, QueryStanding, Released};

/// Nodes with the number of changes that was known before they were asked.
type Seen = BTreeMap<MemberId, (Arc<dyn NodePort>, u64)>;

impl Nodes {
    /// Where queries stand once all are final, and at the deadline at the latest.
    pub(super) async fn progress_until(
        &self,
        intents: &[IntentId],
        deadline: Instant,
    ) -> Result<Vec<Progress>, PortError> {
        let mut out = vec![Progress::Unknown; intents.len()];
        loop {
            // Counted before asking: what changes meanwhile ends the wait at once.
            let seen = self.seen();
            let concerned = self.look(intents, &mut out).await?;
            if out.iter().all(Progress::is_final) || !changed(&seen, &concerned, deadline).await {
                return Ok(out);
            }
        }
    }

    fn seen(&self) -> Seen {
        self.nodes.read().iter().map(|(member, node)| (member.clone(), (node.clone(), node.changes()))).collect()
    }

    /// Asks again about what is not final; gives the nodes at which more may happen.
    async fn look(&self, intents: &[IntentId], out: &mut [Progress]) -> Result<BTreeSet<MemberId>, PortError> {
        let open: Vec<usize> = out.iter().enumerate().filter(|(_, p)| !p.is_final()).map(|(at, _)| at).collect();
        let asked: Vec<IntentId> = open.iter().filter_map(|at| intents.get(*at).copied()).collect();
        let (home, standings) = self.standings(&asked).await?;
        let mut permitted: BTreeMap<MemberId, Vec<(usize, IntentId)>> = BTreeMap::new();
        for ((at, intent), standing) in open.into_iter().zip(asked).zip(standings) {
            let progress = match standing {
                QueryStanding::Unknown => Progress::Unknown,
                QueryStanding::Waiting => Progress::Received,
                QueryStanding::Refused { reasons, .. } => Progress::Refused { reasons },
                QueryStanding::Lapsed { .. } => Progress::Lapsed,
                QueryStanding::Voided { reason, .. } => Progress::Voided { reason },
                QueryStanding::Permitted { holder, .. } => {
                    permitted.entry(holder).or_default().push((at, intent));
                    Progress::Permitted
                }
            };
            if let Some(slot) = out.get_mut(at) {
                *slot = progress;
            }
        }
        let released = join_all(permitted.iter().map(|(holder, asked)| self.released(holder, asked))).await;
        for (at, answer) in released.into_iter().flatten() {
            if let Some(slot) = out.get_mut(at) {
                *slot = Progress::Answered { sealed: answer.sealed, receipted: answer.receipted };
            }
        }
        Ok(permitted.into_keys().chain([home]).collect())
    }

    /// Answers that may leave. Those of a holder that is away wait for it: its queries are permitted all the same.
    async fn released(&self, holder: &MemberId, asked: &[(usize, IntentId)]) -> Vec<(usize, Released)> {
        let (mut out, mut rest) = (Vec::new(), asked);
        while !rest.is_empty() {
            let intents: Vec<IntentId> = rest.iter().map(|(_, intent)| *intent).collect();
            let answers = self.at(holder, |node| node.releases(intents.clone())).await.and_then(|answers| {
                let found = answers.len();
                (1..=rest.len())
                    .contains(&found)
                    .then_some(answers)
                    .ok_or_else(|| miscounted(holder, found, rest.len()))
            });
            let answers = match answers {
                Ok(answers) => answers,
                Err(error) => {
                    tracing::debug!(%holder, %error, "answers wait for their holder");
                    break;
                }
            };
            let (now, later) = rest.split_at(answers.len());
            out.extend(now.iter().zip(answers).filter_map(|((at, _), answer)| Some((*at, answer?))));
            rest = later;
        }
        out
    }
}

/// Waits until one of the nodes concerned says that something changed; false at the deadline.
async fn changed(seen: &Seen, concerned: &BTreeSet<MemberId>, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    let waits = concerned.iter().filter_map(|member| seen.get(member)).map(|(node, since)| {
        Box::pin(async move {
            match node.changed(*since, left).await {
                Ok(now) if now != *since => {}
                // A node that cannot tell wakes nobody; the deadline does.
                _ => pending().await,
            }
        })
    });
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        tokio::time::sleep_until(deadline).await;
        return false;
    }
    tokio::time::timeout_at(deadline, select_all(waits)).await.is_ok()
}
