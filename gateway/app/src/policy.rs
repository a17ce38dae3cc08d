//! Rule books, tried before they are adopted.

use covenant_api::{Code, MAX_SIMULATED, Problem, SimulateRequest};
use covenant_domain::Simulation;

use crate::problem::{of_port, reserved};
use crate::{Authentic, Gateway};

impl Gateway {
    /// What past queries would have been told under a rule book: for its holder and regulators, since it tells of
    /// other members' queries.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`, `parameter-invalid`, `policy-invalid`, and `busy` when other replays run.
    pub async fn simulate(&self, call: Authentic<SimulateRequest>) -> Result<Simulation, Problem> {
        let (caller, SimulateRequest { book, last }) = call.into_parts();
        if caller.id() != &book.holder && !caller.is_regulator() {
            return Err(reserved(&caller, "the rule book of", &book.holder, "its holder and regulators"));
        }
        if !(1..=MAX_SIMULATED).contains(&last) {
            let detail = format!("field `last`: 1 to {MAX_SIMULATED} queries, not {last}");
            return Err(Problem::new(Code::ParameterInvalid, detail));
        }
        let _turn = self.executions.try_acquire().map_err(|_| {
            Problem::new(Code::Busy, "the ledger is being replayed for others: try again shortly").retry_after(5)
        })?;
        self.consortium.simulate(&book, last).await.map_err(of_port)
    }
}
