//! Cases in which escrows of lookups are opened. The ledger shows who asked, who helped and what came of it, never about
//! whom: trustees seal their parts to the regulator of the case.

use covenant_domain::{Case, CaseItem, CaseNumber, CaseOpened, CaseResult, CaseShare, CeremonyStatus, MemberId, Role};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// Most lookups in one case.
const MAX_INTENTS: usize = 64;
/// Longest sealed part, in bytes.
const MAX_SEALED: usize = 4096;

/// A regulator opens a case. Whether its lookups exist and whose they are, each trustee sees from their evidence.
pub(super) fn opened(draft: &mut Draft<'_>, author: &MemberId, opened: &CaseOpened) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    let number = &opened.case;
    if draft.case(number).is_some() {
        return Err(format!("case `{number}` exists already"));
    }
    let mut distinct = opened.intents.clone();
    distinct.sort();
    distinct.dedup();
    if !(1..=MAX_INTENTS).contains(&opened.intents.len()) || distinct.len() != opened.intents.len() {
        return Err(format!("case `{number}` must name 1 to {MAX_INTENTS} lookups, each once"));
    }
    let item = |intent: &covenant_domain::IntentId| CaseItem { intent: *intent, shares: Vec::new(), outcome: None };
    let case = Case {
        number: number.clone(),
        regulator: author.clone(),
        order: opened.order,
        opened_ms: draft.moment.time_ms,
        items: opened.intents.iter().map(item).collect(),
    };
    draft.put(Key::Case(number.clone()), Object::Case(case));
    Ok(())
}

/// A trustee gives its part for one lookup.
pub(super) fn shared(draft: &mut Draft<'_>, author: &MemberId, share: &CaseShare) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Trustee)?;
    let finished = |n: u32| draft.ceremony(n).filter(|c| c.status == CeremonyStatus::Finished);
    let mut ceremonies = (1..).map_while(|n| draft.ceremony(n).map(|_| n)).filter_map(finished);
    if !ceremonies.any(|c| c.call.trustees.contains(author)) {
        return Err(format!("`{author}` holds no share of an escrow key"));
    }
    if !(1..=MAX_SEALED).contains(&share.sealed.0.len()) {
        return Err(format!("a part of {} bytes: 1 to {MAX_SEALED} are allowed", share.sealed.0.len()));
    }
    let mut case = known(draft, &share.case)?.clone();
    let item = item(&mut case, &share.intent)?;
    if item.shares.iter().any(|(trustee, _)| trustee == author) {
        return Err(format!("`{author}` has given its part for lookup {} already", share.intent));
    }
    item.shares.push((author.clone(), share.sealed.clone()));
    draft.put(Key::Case(share.case.clone()), Object::Case(case));
    Ok(())
}

/// The regulator records what an opening showed.
pub(super) fn concluded(draft: &mut Draft<'_>, author: &MemberId, result: &CaseResult) -> Result<(), Rejection> {
    let mut case = known(draft, &result.case)?.clone();
    if &case.regulator != author {
        return Err(format!("case `{}` is `{}`'s, not `{author}`'s", case.number, case.regulator));
    }
    let item = item(&mut case, &result.intent)?;
    // A result without enough parts is a claim out of thin air. Two is the least threshold a key may have.
    if item.shares.len() < 2 {
        return Err(format!("too few trustees have given their part for lookup {}", result.intent));
    }
    if item.outcome.is_some() {
        return Err(format!("lookup {} of case `{}` is concluded already", result.intent, result.case));
    }
    item.outcome = Some(result.outcome);
    draft.put(Key::Case(result.case.clone()), Object::Case(case));
    Ok(())
}

fn known<'a>(draft: &'a Draft<'_>, number: &CaseNumber) -> Result<&'a Case, Rejection> {
    draft.case(number).ok_or_else(|| format!("there is no case `{number}`"))
}

fn item<'a>(case: &'a mut Case, intent: &covenant_domain::IntentId) -> Result<&'a mut CaseItem, Rejection> {
    let number = case.number.clone();
    let found = case.items.iter_mut().find(|i| &i.intent == intent);
    found.ok_or_else(|| format!("case `{number}` is not about lookup {intent}"))
}
