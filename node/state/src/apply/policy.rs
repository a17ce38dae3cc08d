//! Rule books.

use std::sync::Arc;

use covenant_domain::{Effect, MemberId, Role, RuleBook};
use covenant_engine::Guard;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A holder adopts the next revision of its rule book by itself. Where the charter wants a vote, it may so forbid more
/// than before and nothing else: closing a door cannot wait for others.
pub(super) fn adopted(draft: &mut Draft<'_>, author: &MemberId, book: &RuleBook) -> Result<(), Rejection> {
    if draft.base.charter().policy_vote.is_some() && !draft.policy(author).is_some_and(|old| only_tightens(old, book)) {
        return Err(format!("the rule book of `{}` is voted on: propose it", book.holder));
    }
    put_next(draft, author, book)
}

/// Whether a rule book adds rules that forbid, and changes nothing else.
fn only_tightens(old: &RuleBook, new: &RuleBook) -> bool {
    let kept = RuleBook {
        revision: old.revision,
        rules: new.rules.iter().filter(|r| old.rules.contains(r)).cloned().collect(),
        ..new.clone()
    };
    let added = new.rules.iter().filter(|r| !old.rules.contains(r));
    &kept == old && added.into_iter().all(|r| r.effect == Effect::Forbid)
}

/// What must be true of a rule book before it comes into force. One that does not compile never does: it would turn
/// every later question into an error.
pub(super) fn check_next(draft: &Draft<'_>, author: &MemberId, book: &RuleBook) -> Result<Guard, Rejection> {
    demand_role(draft, author, Role::Holder)?;
    if &book.holder != author {
        return Err(format!("the rule book of `{}` is not `{author}`'s to adopt", book.holder));
    }
    let next = draft.policy(author).map_or(1, |b| b.revision + 1);
    if book.revision != next {
        return Err(format!("the rule book of `{author}` is at revision {}, the next is {next}", next - 1));
    }
    Guard::compile(draft.base.suite(), book, draft.base.membership().roster().members()).map_err(|e| e.to_string())
}

/// Puts the next rule book in force.
pub(super) fn put_next(draft: &mut Draft<'_>, author: &MemberId, book: &RuleBook) -> Result<(), Rejection> {
    let guard = check_next(draft, author, book)?;
    draft.guards.insert(author.clone(), Arc::new(guard));
    draft.put(Key::Policy(author.clone()), Object::Policy(book.clone()));
    Ok(())
}
