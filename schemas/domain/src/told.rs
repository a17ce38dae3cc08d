//! Who is told of a permit beside its parties.

use crate::{MemberId, Notify, Permit};

/// Whom a permit is to be told beside its parties. The subject sees every use by its consent.
pub(crate) fn told(permit: &Permit) -> Vec<String> {
    let whom = permit.obligations.notify.iter().filter_map(|notify| match notify {
        Notify::Steward => Some(told_to(Some(&permit.holder))),
        Notify::Regulator => Some(told_to(None)),
        Notify::Subject => None,
    });
    whom.collect()
}

/// How the index names those who are told of a permit: a holder's stewards, or the regulators.
pub fn told_to(holder: Option<&MemberId>) -> String {
    holder.map_or_else(|| "told regulators".to_owned(), |holder| format!("told {holder}"))
}
