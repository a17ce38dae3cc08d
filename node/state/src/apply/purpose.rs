//! Purposes.

use covenant_domain::{MemberId, Purpose, Role};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A regulator registers or replaces a purpose.
pub(super) fn registered(draft: &mut Draft<'_>, author: &MemberId, purpose: &Purpose) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    draft.put(Key::Purpose(purpose.code.clone()), Object::Purpose(purpose.clone()));
    Ok(())
}
