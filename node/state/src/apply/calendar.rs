//! The calendar, the tariff and notice texts: what a regulator sets for all.

use covenant_domain::{Calendar, MemberId, Notice, Role, Tariff};
use covenant_engine::Facts;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A regulator adopts the next calendar. Clocks that run keep the end they were given.
pub(super) fn adopted(draft: &mut Draft<'_>, author: &MemberId, calendar: &Calendar) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    calendar.check().map_err(|e| e.to_string())?;
    let next = draft.calendar().revision + 1;
    if calendar.revision != next {
        return Err(format!("the calendar is at revision {}, the next is {next}", next - 1));
    }
    draft.put(Key::Calendar, Object::Calendar(calendar.clone()));
    Ok(())
}

/// A regulator adopts the next tariff. Points follow from counters when they are asked for, by the tariff in force.
pub(super) fn tariff(draft: &mut Draft<'_>, author: &MemberId, tariff: &Tariff) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    let next = draft.tariff_revision() + 1;
    if tariff.revision != next {
        return Err(format!("the tariff is at revision {}, the next is {next}", next - 1));
    }
    if !tariff.points.is_sorted_by(|(a, _), (b, _)| a < b) || tariff.points.iter().any(|(_, points)| *points > 1_000) {
        return Err("points are sorted by mode, each mode once, at most 1000".into());
    }
    draft.put(Key::Tariff, Object::Tariff(tariff.clone()));
    Ok(())
}

/// A regulator registers the next version of a purpose's notice text.
pub(super) fn notice(draft: &mut Draft<'_>, author: &MemberId, notice: &Notice) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    if draft.purpose(&notice.purpose).is_none() {
        return Err(format!("no purpose `{}` is registered", notice.purpose));
    }
    let next = draft.notice(&notice.purpose).map_or(1, |n| n.version + 1);
    if notice.version != next {
        return Err(format!("the notice of `{}` is at version {}, the next is {next}", notice.purpose, next - 1));
    }
    draft.put(Key::Notice(notice.purpose.clone()), Object::Notice(notice.clone()));
    Ok(())
}
