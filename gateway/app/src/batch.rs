//! A member's signed batch at the door.

use covenant_api::{Base64Bytes, Code, Problem};
use covenant_canon::from_bytes;
use covenant_ledger::{CheckedBatch, SignedBatch};

use crate::Gateway;
use crate::caller::Caller;
use crate::problem::{foreign_author, of_batch};

impl Gateway {
    /// Decodes a batch and checks that it is the caller's own and signed by it.
    pub(crate) fn own_batch(&self, caller: &Caller, bytes: &Base64Bytes) -> Result<CheckedBatch, Problem> {
        let batch: SignedBatch =
            from_bytes(&bytes.0).map_err(|e| Problem::new(Code::BatchMalformed, format!("`batch`: {e}")))?;
        if &batch.author != caller.id() {
            return Err(foreign_author(caller, &batch.author));
        }
        let membership = self.membership();
        let keys = membership.keys(caller.id()).ok_or_else(|| crate::problem::internal("caller without keys"))?;
        batch.check(&self.digest, &keys.verifying).map_err(|e| of_batch(&e))
    }
}
