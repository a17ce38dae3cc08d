//! What the node's worker keeps: sealed inputs and sealed answers.

use covenant_domain::IntentId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use crate::entity::{answer, input};
use crate::error::{Fault, StoreError};
use crate::record::{Input, StoredAnswer};
use crate::row::{Insert, insert, intent, member, signed, unsigned, whole};
use crate::store::Store;

/// Ids per reading statement, below the parameter limits of both databases.
const IDS: usize = 10_000;

const INPUT: Insert = Insert {
    table: "inputs",
    columns: &["intent", "consumer", "sealed", "received_ms", "checksum"],
    conflict: "ON CONFLICT DO NOTHING",
};
// INVARIANT I4: one permit, one run. The first answer stays, whatever is offered later.
const ANSWER: Insert = Insert {
    table: "answers",
    columns: &["intent", "consumer", "sealed", "completion", "submitted", "created_ms", "checksum"],
    conflict: "ON CONFLICT DO NOTHING",
};

impl Store {
    /// Keeps what members sent; of each member the first input of an intent stays. Whose intent it is, the ledger knows.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_inputs(&self, inputs: &[Input]) -> Result<(), StoreError> {
        self.write("keep inputs", |db| async move {
            let mut values = Vec::with_capacity(inputs.len() * 4);
            for input in inputs {
                values.extend::<[Value; 4]>([
                    input.intent.as_bytes().to_vec().into(),
                    input.consumer.as_str().into(),
                    input.sealed.clone().into(),
                    signed("arrival", input.received_ms)?.into(),
                ]);
            }
            insert(db.as_ref(), &INPUT, values).await
        })
        .await
    }

    /// The inputs of these intents that are there, in the order of their ids, of every member that sent one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inputs(&self, intents: &[IntentId]) -> Result<Vec<Input>, StoreError> {
        self.read("read inputs", async {
            let mut found = Vec::new();
            for ids in chunks(intents) {
                let query = input::Entity::find().filter(input::Column::Intent.is_in(ids));
                found.extend(query.order_by_asc(input::Column::Intent).all(self.reader()).await?);
            }
            found.into_iter().map(input_of).collect()
        })
        .await
    }

    /// Keeps answers; the first answer of an intent stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_answers(&self, answers: &[StoredAnswer]) -> Result<(), StoreError> {
        self.write("keep answers", |db| async move {
            let mut values = Vec::with_capacity(answers.len() * 6);
            for answer in answers {
                values.extend(answer_values(answer)?);
            }
            insert(db.as_ref(), &ANSWER, values).await
        })
        .await
    }

    /// The answers to these intents that are there, in the order of their ids.
    ///
    /// # Errors
    /// What the database says.
    pub async fn answers(&self, intents: &[IntentId]) -> Result<Vec<StoredAnswer>, StoreError> {
        self.read("read answers", async {
            let mut found = Vec::new();
            for ids in chunks(intents) {
                let query = answer::Entity::find().filter(answer::Column::Intent.is_in(ids));
                found.extend(query.order_by_asc(answer::Column::Intent).all(self.reader()).await?);
            }
            found.into_iter().map(answer_of).collect()
        })
        .await
    }

    /// Answers whose completion was not yet handed to the ledger, oldest first: what a restarted worker hands in again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn unsubmitted(&self) -> Result<Vec<StoredAnswer>, StoreError> {
        let query = answer::Entity::find().filter(answer::Column::Submitted.eq(false));
        let query = query.order_by_asc(answer::Column::CreatedMs).order_by_asc(answer::Column::Intent);
        self.read("read answers", async { query.all(self.reader()).await?.into_iter().map(answer_of).collect() }).await
    }

    /// Notes that the completions of these intents were handed to the ledger.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mark_submitted(&self, intents: &[IntentId]) -> Result<(), StoreError> {
        self.write("mark answers", |db| async move {
            for ids in chunks(intents) {
                let update = answer::Entity::update_many().col_expr(answer::Column::Submitted, true.into());
                update.filter(answer::Column::Intent.is_in(ids)).exec(db.as_ref()).await?;
            }
            Ok(())
        })
        .await
    }

    /// Deletes inputs and answers older than a time and counts them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prune_work(&self, before_ms: u64) -> Result<u64, StoreError> {
        self.write("prune inputs and answers", |db| async move {
            let before = signed("time", before_ms)?;
            let inputs =
                input::Entity::delete_many().filter(input::Column::ReceivedMs.lt(before)).exec(db.as_ref()).await?;
            let answers =
                answer::Entity::delete_many().filter(answer::Column::CreatedMs.lt(before)).exec(db.as_ref()).await?;
            Ok(inputs.rows_affected + answers.rows_affected)
        })
        .await
    }
}

/// The distinct ids in order, in portions that fit a statement.
fn chunks(intents: &[IntentId]) -> Vec<Vec<Vec<u8>>> {
    let mut ids: Vec<Vec<u8>> = intents.iter().map(|id| id.as_bytes().to_vec()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.chunks(IDS).map(<[Vec<u8>]>::to_vec).collect()
}

fn answer_values(answer: &StoredAnswer) -> Result<[Value; 6], Fault> {
    Ok([
        answer.intent.as_bytes().to_vec().into(),
        answer.consumer.as_str().into(),
        answer.sealed.clone().into(),
        answer.completion.clone().into(),
        answer.submitted.into(),
        signed("creation", answer.created_ms)?.into(),
    ])
}

fn input_of(found: input::Model) -> Result<Input, Fault> {
    let found = whole(found, &INPUT)?;
    Ok(Input {
        intent: intent("input", &found.intent)?,
        consumer: member("consumer", &found.consumer)?,
        sealed: found.sealed,
        received_ms: unsigned("arrival", found.received_ms)?,
    })
}

fn answer_of(found: answer::Model) -> Result<StoredAnswer, Fault> {
    let found = whole(found, &ANSWER)?;
    Ok(StoredAnswer {
        intent: intent("answer", &found.intent)?,
        consumer: member("consumer", &found.consumer)?,
        sealed: found.sealed,
        completion: found.completion,
        submitted: found.submitted,
        created_ms: unsigned("creation", found.created_ms)?,
    })
}
