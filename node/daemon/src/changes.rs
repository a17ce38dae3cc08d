//! Word that something about queries may have changed.

use std::time::Duration;

use tokio::sync::watch;

/// A counter that can be waited for. It is never zero.
pub(crate) struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::channel(1).0)
    }
}

impl Changes {
    /// Counts a change and wakes who waits.
    pub(crate) fn note(&self) {
        self.0.send_modify(|count| *count = count.checked_add(1).unwrap_or(1));
    }

    pub(crate) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// The count as soon as it is not `since`, after `wait` at the latest.
    pub(crate) async fn after(&self, since: u64, wait: Duration) -> u64 {
        let mut counts = self.0.subscribe();
        let other = counts.wait_for(|count| *count != since);
        match tokio::time::timeout(wait, other).await {
            Ok(Ok(count)) => *count,
            _ => self.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn what_was_missed_is_told_at_once_and_what_comes_wakes() {
        let changes = Arc::new(Changes::default());
        assert_eq!(changes.after(0, LONG).await, 1);
        assert_eq!(changes.after(1, Duration::ZERO).await, 1, "nothing changed");
        let waiting = tokio::spawn({
            let changes = changes.clone();
            async move { changes.after(1, LONG).await }
        });
        tokio::task::yield_now().await;
        changes.note();
        assert_eq!(waiting.await.unwrap(), 2);
        assert_eq!((changes.after(1, LONG).await, changes.count()), (2, 2));
    }
}
