//! Inputs on their way to holders.

use std::collections::BTreeMap;

use covenant_canon::from_bytes;
use covenant_domain::{Body, DatasetId, Entry, IntentId, MemberId};
use covenant_ledger::SignedBatch;
use futures::future::try_join_all;
use minicbor::bytes::ByteVec;

use super::Nodes;
use crate::port::{PortError, SealedInput};

/// Sealed bytes that one delivery holds at most, unless a single input is longer.
const DELIVERY_BYTES: usize = 2 * 1024 * 1024;

impl Nodes {
    /// Delivers inputs to the holders of the datasets that their intents name. Without its input a permitted query could
    /// only lapse: better to fail before anything is debited.
    pub(super) async fn deliver(&self, batch: &SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        let routed = self.route(batch, inputs).await?;
        let holders = routed.into_iter().map(|(holder, inputs)| async move {
            for inputs in deliveries(inputs) {
                self.at(&holder, |node| node.deliver(batch.author.clone(), inputs.clone())).await?;
            }
            Ok::<(), PortError>(())
        });
        try_join_all(holders).await.map(drop)
    }

    /// Groups inputs by holder. An unknown dataset is refused by the ledger with its reason; there is nobody to deliver to.
    async fn route(
        &self,
        batch: &SignedBatch,
        inputs: Vec<SealedInput>,
    ) -> Result<BTreeMap<MemberId, Vec<SealedInput>>, PortError> {
        if inputs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let datasets = datasets_of(batch);
        let mut by_dataset: BTreeMap<DatasetId, Vec<SealedInput>> = BTreeMap::new();
        for input in inputs {
            let Some(dataset) = datasets.get(&input.intent) else {
                let reason = format!("input for intent {} has no intent in the batch", input.intent);
                return Err(PortError::refused("input-without-intent", reason));
            };
            by_dataset.entry(dataset.clone()).or_default().push(input);
        }
        let holders = self.holders(by_dataset.keys().cloned().collect()).await?;
        let mut routed: BTreeMap<MemberId, Vec<SealedInput>> = BTreeMap::new();
        for (holder, inputs) in holders.into_iter().zip(by_dataset.into_values()) {
            if let Some(holder) = holder {
                routed.entry(holder).or_default().extend(inputs);
            }
        }
        Ok(routed)
    }
}

fn datasets_of(batch: &SignedBatch) -> BTreeMap<IntentId, DatasetId> {
    let intent = |bytes: &ByteVec| match from_bytes::<Entry>(bytes) {
        Ok(Entry { body: Body::Intent(intent), .. }) => Some((intent.id, intent.dataset)),
        _ => None,
    };
    batch.entries.iter().filter_map(intent).collect()
}

/// Splits inputs into groups that fit into a message.
fn deliveries(inputs: Vec<SealedInput>) -> Vec<Vec<SealedInput>> {
    let mut groups: Vec<Vec<SealedInput>> = Vec::new();
    let mut bytes = 0;
    for input in inputs {
        bytes += input.sealed.len();
        match groups.last_mut() {
            Some(group) if bytes <= DELIVERY_BYTES => group.push(input),
            _ => {
                bytes = input.sealed.len();
                groups.push(vec![input]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_small_complete_and_in_order() {
        let input = |n: u8, length: usize| SealedInput {
            intent: IntentId::from_parts(u64::from(n), &[n; 10]),
            sealed: vec![n; length],
        };
        let lengths = [10, DELIVERY_BYTES - 10, 1, 2 * DELIVERY_BYTES, 5, 5];
        let inputs: Vec<_> = (0..).zip(lengths).map(|(n, length)| input(n, length)).collect();
        let groups = deliveries(inputs.clone());
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 2]);
        assert_eq!(groups.concat(), inputs);
        assert!(deliveries(Vec::new()).is_empty());
    }
}
