//! Rule books.

use covenant_api::SimulateRequest;
use covenant_canon::to_bytes;

use crate::error::canonical;
use crate::{WireError, v1};

impl From<SimulateRequest> for v1::SimulateRequest {
    fn from(it: SimulateRequest) -> Self {
        Self { book: to_bytes(&it.book), last: it.last }
    }
}

impl TryFrom<v1::SimulateRequest> for SimulateRequest {
    type Error = WireError;
    fn try_from(it: v1::SimulateRequest) -> Result<Self, WireError> {
        Ok(Self { book: canonical("book", &it.book)?, last: it.last })
    }
}
