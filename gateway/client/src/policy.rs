//! Rule books.

use covenant_api::SimulateRequest;
use covenant_domain::{RuleBook, Simulation};

use crate::{Client, ClientError};

impl Client {
    /// What the newest `last` queries to a holder's datasets would have been told under a rule book of that holder. A
    /// node executes the ledger again for it.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-a-party` unless the book is the caller's or the caller a regulator,
    /// `policy-invalid` when the book does not hold.
    pub async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, ClientError> {
        let request = SimulateRequest { book: book.clone(), last };
        self.again(|| self.0.link.simulate(request.clone())).await
    }
}
