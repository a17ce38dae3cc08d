//! Rule books.

use std::sync::Arc;

use covenant_domain::{MemberId, Role, RuleBook};
use covenant_engine::Guard;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A holder adopts the next revision of its rule book. One that does not compile never comes into force: it would turn
/// every later question into an error.
pub(super) fn adopted(draft: &mut Draft<'_>, author: &MemberId, book: &RuleBook) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Holder)?;
    if &book.holder != author {
        return Err(format!("the rule book of `{}` is not `{author}`'s to adopt", book.holder));
    }
    let next = draft.policy(author).map_or(1, |b| b.revision + 1);
    if book.revision != next {
        return Err(format!("the rule book of `{author}` is at revision {}, the next is {next}", next - 1));
    }
    let guard = Guard::compile(draft.base.suite(), book, draft.base.members()).map_err(|e| e.to_string())?;
    draft.guards.insert(author.clone(), Arc::new(guard));
    draft.put(Key::Policy(author.clone()), Object::Policy(book.clone()));
    Ok(())
}
