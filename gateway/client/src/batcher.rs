//! Many callers, few signatures.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Client, ClientError, Question, Reply};

/// Batches under way at once.
const AT_ONCE: usize = 4;

type Job = (Question, oneshot::Sender<Result<Reply, ClientError>>);

/// Coalesces questions that come within a few milliseconds into one signed batch. Bounded: when batches are under way
/// and the queue is full, [`Batcher::ask`] waits. Cheap to clone; stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Batcher(mpsc::Sender<Job>);

impl Client {
    /// A batcher of at most `max` questions per batch that waits `linger` for more after the first. Needs a running tokio.
    pub fn batcher(&self, max: usize, linger: Duration) -> Batcher {
        let max = max.clamp(1, covenant_ledger::MAX_BATCH);
        let (sender, receiver) = mpsc::channel(2 * max);
        tokio::spawn(run(self.clone(), receiver, max, linger));
        Batcher(sender)
    }
}

impl Batcher {
    /// Asks as part of the next batch.
    ///
    /// # Errors
    /// As [`Client::ask`]; [`ClientError::Stopped`] when the runtime goes down.
    pub async fn ask(&self, question: Question) -> Result<Reply, ClientError> {
        let (sender, receiver) = oneshot::channel();
        self.0.send((question, sender)).await.map_err(|_| ClientError::Stopped)?;
        receiver.await.unwrap_or(Err(ClientError::Stopped))
    }
}

async fn run(client: Client, mut jobs: mpsc::Receiver<Job>, max: usize, linger: Duration) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(first) = jobs.recv().await {
        let batch = gather(first, &mut jobs, max, linger).await;
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let client = client.clone();
        tokio::spawn(async move {
            answer(&client, batch).await;
            drop(turn);
        });
    }
}

async fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>, max: usize, linger: Duration) -> Vec<Job> {
    let mut batch = vec![first];
    let more = async {
        while batch.len() < max {
            match jobs.recv().await {
                Some(job) => batch.push(job),
                None => return,
            }
        }
    };
    let _full_or_late = tokio::time::timeout(linger, more).await;
    batch
}

async fn answer(client: &Client, batch: Vec<Job>) {
    let (questions, senders): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    for (reply, sender) in client.ask_many(questions).await.into_iter().zip(senders) {
        // Whoever asked may have gone.
        let _gone = sender.send(reply);
    }
}
