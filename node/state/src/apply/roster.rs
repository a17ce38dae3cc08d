//! Members, their keys and the charter: what changes them. A change holds two heights later, so that the block between names
//! the next roster and is signed by the validators before it.

use std::sync::Arc;

use covenant_canon::{Label, SuiteId};
use covenant_domain::{
    CertificateRevoked, Equivocation, Freeze, MAX_WORDS, Member, MemberId, NewKeys, Role, Roster, RosterChange, Seat,
    Standing, possession,
};
use covenant_ledger::{Membership, check_equivocation, parse_keys};
use covenant_suite::{Signature, VerifyingKey};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};
use crate::objects::Kind;

/// Heights from a change to the first under the new roster.
const HEIGHTS: u64 = 2;

/// Most revoked certificates of a member that have not ended by themselves.
const MAX_REVOKED: usize = 64;

/// The roster that a change would make, checked.
pub(super) fn check(draft: &Draft<'_>, change: &RosterChange) -> Result<Membership, Rejection> {
    let mut next = draft.next_roster(HEIGHTS);
    let known = |id: &MemberId| {
        let seat = next.seat(id).filter(|seat| seat.standing != Standing::Removed);
        seat.cloned().ok_or_else(|| format!("`{id}` is not a member"))
    };
    let seat = match change {
        RosterChange::Admit { member, possession } => admitted(draft, &next, member, possession)?,
        RosterChange::Remove { member } => Seat { standing: Standing::Removed, ..known(member)? },
        RosterChange::Suspend { member } => stands(known(member)?, &[Standing::Active], Standing::Suspended)?,
        RosterChange::Reinstate { member } => {
            stands(known(member)?, &[Standing::Suspended, Standing::Frozen], Standing::Active)?
        }
        RosterChange::Lock { member } => {
            stands(known(member)?, &[Standing::Active, Standing::Suspended, Standing::Frozen], Standing::Locked)?
        }
        RosterChange::ReplaceKeys { keys } => {
            let seat = with_keys(draft, known(&keys.member)?, keys)?;
            // Whoever has replaced the key names its officer anew: the former one may have been lost with it.
            let standing = if seat.standing == Standing::Locked { Standing::Active } else { seat.standing };
            Seat { standing, officer_key: None, ..seat }
        }
        RosterChange::SetRoles { member, roles } => {
            let mut seat = known(member)?;
            seat.member.roles = sorted(roles)?;
            seat
        }
        RosterChange::Amend { charter } => {
            next.charter = charter.clone();
            return membership(draft, next);
        }
    };
    next.place(seat);
    membership(draft, next)
}

/// Puts a change in force.
pub(super) fn put(draft: &mut Draft<'_>, change: &RosterChange) -> Result<(), Rejection> {
    let next = check(draft, change)?;
    draft.put_membership(Arc::new(next));
    Ok(())
}

fn membership(draft: &Draft<'_>, next: Roster) -> Result<Membership, Rejection> {
    Membership::new(draft.base.suite(), next, Some(draft.newest_membership())).map_err(|e| in_words(&e))
}

/// An error with its causes.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(|e| format!(": {e}"));
    std::iter::once(error.to_string()).chain(causes).collect()
}

fn stands(seat: Seat, before: &[Standing], standing: Standing) -> Result<Seat, Rejection> {
    if before.contains(&seat.standing) {
        return Ok(Seat { standing, ..seat });
    }
    Err(format!("`{}` is {}: it cannot become {}", seat.member.id, seat.standing.name(), standing.name()))
}

fn sorted(roles: &[Role]) -> Result<Vec<Role>, Rejection> {
    let rising = roles.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if rising { Ok(roles.to_vec()) } else { Err("roles are sorted, each once".into()) }
}

fn admitted(draft: &Draft<'_>, next: &Roster, member: &Member, proof: &str) -> Result<Seat, Rejection> {
    if next.seat(&member.id).is_some() {
        return Err(format!("`{}` is or was a member: a former one is admitted under another id", member.id));
    }
    sorted(&member.roles)?;
    proven(draft, &member.id, &member.verifying_key, &member.sealing_key, proof)?;
    Ok(Seat { member: member.clone(), standing: Standing::Active, officer_key: None })
}

/// The owner of the new key has it: nobody is given somebody else's.
fn proven(draft: &Draft<'_>, member: &MemberId, verifying: &str, sealing: &str, proof: &str) -> Result<(), Rejection> {
    let suite = draft.base.suite();
    let digest = possession(suite, &draft.base.consortium(), member, verifying, sealing);
    if verified(suite, verifying, Label::NEW_KEYS, digest.as_bytes(), proof) {
        Ok(())
    } else {
        Err(format!("the new key of `{member}` does not sign for itself"))
    }
}

/// Whether a key given as text signed the message.
fn verified(suite: SuiteId, key: &str, label: Label, message: &[u8], signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (key.parse::<VerifyingKey>(), signature.parse::<Signature>()) else { return false };
    key.suite() == suite && key.prepare().is_ok_and(|key| key.verify(label, message, &signature).is_ok())
}

fn with_keys(draft: &Draft<'_>, mut seat: Seat, keys: &NewKeys) -> Result<Seat, Rejection> {
    if seat.member.verifying_key == keys.verifying_key {
        return Err(format!("`{}` has this key already", keys.member));
    }
    proven(draft, &keys.member, &keys.verifying_key, &keys.sealing_key, &keys.possession)?;
    (seat.member.verifying_key, seat.member.sealing_key) = (keys.verifying_key.clone(), keys.sealing_key.clone());
    parse_keys(draft.base.suite(), &seat.member).map_err(|e| in_words(&e))?;
    Ok(seat)
}

/// A member takes a new key by itself, with the one it has.
pub(super) fn rotated(draft: &mut Draft<'_>, author: &MemberId, keys: &NewKeys) -> Result<(), Rejection> {
    let seat = own_seat(draft, author, &keys.member)?;
    let mut next = draft.next_roster(HEIGHTS);
    next.place(with_keys(draft, seat, keys)?);
    let next = membership(draft, next)?;
    draft.put_membership(Arc::new(next));
    Ok(())
}

/// A member says of itself that its key is lost or leaked.
pub(super) fn locked(draft: &mut Draft<'_>, author: &MemberId, member: &MemberId) -> Result<(), Rejection> {
    own_seat(draft, author, member)?;
    put(draft, &RosterChange::Lock { member: member.clone() })
}

fn own_seat(draft: &Draft<'_>, author: &MemberId, member: &MemberId) -> Result<Seat, Rejection> {
    if author != member {
        return Err(format!("keys of `{member}` are not `{author}`'s: propose it"));
    }
    let next = draft.next_roster(HEIGHTS);
    next.seat(member).cloned().ok_or_else(|| format!("`{member}` is not a member"))
}

/// A regulator freezes or thaws.
pub(super) fn frozen(draft: &mut Draft<'_>, author: &MemberId, freeze: &Freeze) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    let Freeze { member, frozen, reason } = freeze;
    if reason.trim().is_empty() || reason.chars().count() > MAX_WORDS {
        return Err(format!("freezing or thawing `{member}` needs a reason of 1 to {MAX_WORDS} characters"));
    }
    if author == member {
        return Err(format!("`{author}` does not freeze itself"));
    }
    let mut next = draft.next_roster(HEIGHTS);
    let seat = next.seat(member).cloned().ok_or_else(|| format!("`{member}` is not a member"))?;
    let seat = if *frozen {
        stands(seat, &[Standing::Active], Standing::Frozen)?
    } else {
        stands(seat, &[Standing::Frozen], Standing::Active)?
    };
    next.place(seat);
    let next = membership(draft, next)?;
    draft.put_membership(Arc::new(next));
    Ok(())
}

/// A member names the officer whose second signature its acts of administration need.
pub(super) fn officer(draft: &mut Draft<'_>, author: &MemberId, key: Option<&String>) -> Result<(), Rejection> {
    let mut seat = own_seat(draft, author, author)?;
    if let Some(text) = key {
        let usable = text.parse::<VerifyingKey>().is_ok_and(|k| k.suite() == draft.base.suite() && k.prepare().is_ok());
        if !usable || text == &seat.member.verifying_key {
            return Err("an officer's key is one of the consortium's suite, and not the member's own".into());
        }
    }
    seat.officer_key = key.cloned();
    let mut next = draft.next_roster(HEIGHTS);
    next.place(seat);
    let next = membership(draft, next)?;
    draft.put_membership(Arc::new(next));
    Ok(())
}

/// Whether the member's officer signed.
pub(super) fn officer_signed(draft: &Draft<'_>, officer_key: &str, message: &[u8], signature: &str) -> bool {
    verified(draft.base.suite(), officer_key, Label::COUNTERSIGNED, message, signature)
}

/// A member revokes a transport certificate of its own.
pub(super) fn revoked(draft: &mut Draft<'_>, author: &MemberId, one: &CertificateRevoked) -> Result<(), Rejection> {
    let CertificateRevoked { serial, not_after_ms } = one;
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if serial.is_empty() || serial.len() > 40 || !serial.len().is_multiple_of(2) || !serial.bytes().all(hex) {
        return Err("a serial number is 1 to 20 bytes in lower-case hex".into());
    }
    if *not_after_ms <= draft.moment.time_ms {
        return Err(format!("certificate {serial} has ended by itself"));
    }
    let own = |o: &&Object| matches!(o, Object::Revoked(r) if &r.member == author);
    let key = Key::Revoked { member: author.clone(), serial: serial.clone() };
    if draft.object(&key).is_none() && draft.all(Kind::Revoked).filter(own).count() >= MAX_REVOKED {
        return Err(format!("`{author}` has {MAX_REVOKED} revoked certificates: rotate its keys instead"));
    }
    let revoked =
        crate::object::Revoked { member: author.clone(), serial: serial.clone(), not_after_ms: *not_after_ms };
    draft.put(key, Object::Revoked(revoked));
    Ok(())
}

/// A validator shows that another contradicted itself. What follows is for those who vote.
pub(super) fn shown(draft: &mut Draft<'_>, author: &MemberId, shown: &Equivocation) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Validator)?;
    let Equivocation { validator, height, .. } = shown;
    let key = Key::Equivocation { validator: validator.clone(), height: *height };
    if draft.object(&key).is_some() {
        return Err(format!("that `{validator}` contradicted itself at height {height} is on record"));
    }
    if *height > draft.moment.height {
        return Err(format!("height {height} is not reached"));
    }
    let then = draft.base.trust().at(*height);
    let keys = then.keys(validator).filter(|_| then.validators().get(validator).is_some());
    let keys = keys.ok_or_else(|| format!("`{validator}` was no validator at height {height}"))?;
    check_equivocation(shown, &draft.base.consortium(), keys)?;
    draft.put(key, Object::Equivocation(Box::new(shown.clone())));
    Ok(())
}
