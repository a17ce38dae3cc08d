//! Grants.

use covenant_api::{GrantStatusView, Problem};

use crate::port::GrantView;
use crate::problem::of_port;
use crate::{Authentic, Gateway};

impl Gateway {
    /// Grants of which the caller is holder or consumer; all of them for a regulator.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn grants(&self, call: Authentic<()>) -> Result<Vec<GrantStatusView>, Problem> {
        let grants = self.consortium.grants(call.caller().id()).await.map_err(of_port)?;
        Ok(grants.into_iter().map(view).collect())
    }
}

fn view(grant: GrantView) -> GrantStatusView {
    let GrantView { state, used_in_window } = grant;
    GrantStatusView { state, used_in_window }
}
