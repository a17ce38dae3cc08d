//! Epochs of private lookup: for everybody, but the rows themselves, and built by their holder alone.

use covenant_api::{
    BuildRequest, BuildView, Code, EpochDocument, EpochPart, EscrowKey, FileChunk, FileQuery, MAX_CHUNK_BYTES,
    MAX_EPOCH_DAYS, Problem,
};
use covenant_domain::DatasetId;

use crate::caller::Caller;
use crate::port::{BuildState, EpochView, EscrowView};
use crate::problem::{internal, of_port, reserved};
use crate::{Authentic, Gateway};

impl Gateway {
    /// The public side of a dataset's private lookup.
    ///
    /// # Errors
    /// [`Problem`] `epoch-unknown`.
    pub async fn epoch(&self, _call: Authentic<()>, dataset: &DatasetId) -> Result<EpochDocument, Problem> {
        let found = self.consortium.epoch(dataset).await.map_err(of_port)?;
        let unknown =
            || Problem::new(Code::EpochUnknown, format!("dataset `{dataset}` has no epoch: use another mode"));
        found.map(document).ok_or_else(unknown)
    }

    /// A chunk of a file of an epoch, so that a broken download goes on where it ended.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party` for a matrix that is not the caller's to see, `parameter-invalid` for an offset behind
    /// the end or a length out of bounds, `epoch-file-unknown`.
    pub async fn epoch_file(
        &self,
        call: Authentic<()>,
        part: EpochPart,
        query: &FileQuery,
    ) -> Result<FileChunk, Problem> {
        let FileQuery { dataset, epoch, overlay, offset, length } = query;
        if part.is_matrix() && !may_see_rows(call.caller(), dataset) {
            return Err(reserved(call.caller(), "matrix of dataset", dataset, "its holder, regulators and trustees"));
        }
        if !(1..=MAX_CHUNK_BYTES).contains(length) {
            return Err(invalid(format!("`length` is {length}: ask for 1 to {MAX_CHUNK_BYTES} bytes")));
        }
        let found = self.consortium.epoch_file(dataset, *epoch, *overlay, part, *offset, *length).await;
        let Some(chunk) = found.map_err(of_port)? else {
            let detail =
                format!("`{part}` of epoch {epoch}, overlay {overlay}, of dataset `{dataset}` is not kept here");
            return Err(Problem::new(Code::EpochFileUnknown, detail));
        };
        if *offset > chunk.total {
            return Err(invalid(format!("`offset` is {offset}, the file ends at {}", chunk.total)));
        }
        if chunk.fits(*offset, *length) { Ok(chunk) } else { Err(internal("chunk of another length than asked")) }
    }

    /// Starts to build the next epoch, or the next overlay, at the caller's own node.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party` for another's dataset, `parameter-invalid` for days out of bounds.
    pub async fn build_epoch(&self, call: Authentic<BuildRequest>) -> Result<(), Problem> {
        let (caller, BuildRequest { dataset, days, overlay }) = call.into_parts();
        if !holds(&caller, &dataset) {
            return Err(reserved(&caller, "building of dataset", &dataset, "its holder"));
        }
        let started = match (overlay, days) {
            (true, None) => self.consortium.build_overlay(&dataset).await,
            (false, Some(days)) if (1..=MAX_EPOCH_DAYS).contains(&days) => {
                self.consortium.build_epoch(&dataset, days).await
            }
            (true, Some(_)) => return Err(invalid("an overlay ends with its epoch: leave `days` out")),
            (false, _) => return Err(invalid(format!("an epoch is open for 1 to {MAX_EPOCH_DAYS} `days`"))),
        };
        started.map_err(of_port)
    }

    /// How the newest build of a dataset stands, for its holder and regulators.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`.
    pub async fn build_state(&self, call: Authentic<()>, dataset: &DatasetId) -> Result<BuildView, Problem> {
        let caller = call.caller();
        if !holds(caller, dataset) && !caller.is_regulator() {
            return Err(reserved(caller, "building of dataset", dataset, "its holder and regulators"));
        }
        self.consortium.build_state(dataset).await.map(build).map_err(of_port)
    }
}

/// INVARIANT the holder is the organisation that the dataset id names; the ledger accepts no other.
fn holds(caller: &Caller, dataset: &DatasetId) -> bool {
    dataset.org() == caller.id().as_str()
}

fn may_see_rows(caller: &Caller, dataset: &DatasetId) -> bool {
    holds(caller, dataset) || caller.is_regulator() || caller.is_trustee()
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::ParameterInvalid, detail)
}

fn document(view: EpochView) -> EpochDocument {
    let EpochView { state, policy, escrow } = view;
    EpochDocument { state, policy, escrow: escrow.map(|EscrowView { ceremony, key }| EscrowKey { ceremony, key }) }
}

fn build(state: BuildState) -> BuildView {
    match state {
        BuildState::Idle => BuildView::Idle,
        BuildState::Running { step, done, total } => BuildView::Running { step, done, total },
        BuildState::Done { epoch } => BuildView::Done { epoch },
        BuildState::Failed { reason } => BuildView::Failed { reason },
    }
}
