//! Ceremonies in which trustees make the escrow key. The ledger orders and shows what each has sent; whether it holds, each
//! trustee checks for itself, and one that does not hold ends the ceremony by name.

use covenant_canon::Label;
use covenant_domain::{
    Ceremony, CeremonyCall, CeremonyStatus, CeremonyStep, Contribution, MAX_TRUSTEES, MemberId, Package, Point, Role,
    SealedShare, attested,
};
use covenant_sigma::threshold::GroupKey;
use covenant_suite::Signature;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{EscrowInForce, Key, Object};

/// Longest package of a step, in bytes.
const MAX_PACKAGE: usize = 16 * 1024;
/// Longest reason, in characters.
const MAX_REASON: usize = 200;

/// A regulator calls a ceremony. One that is under way is void from here on.
pub(super) fn called(draft: &mut Draft<'_>, author: &MemberId, call: &CeremonyCall) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Regulator)?;
    let (number, count) = (call.number, call.trustees.len());
    let next = (1..).find(|n| draft.ceremony(*n).is_none()).unwrap_or(u32::MAX);
    if number != next {
        return Err(format!("the next ceremony is {next}, not {number}"));
    }
    if call.trustees.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return Err(format!("trustees of ceremony {number} must be sorted and distinct"));
    }
    let majority = usize::from(call.threshold) * 2 > count;
    if !(2..=MAX_TRUSTEES).contains(&count) || usize::from(call.threshold) > count || call.threshold < 2 || !majority {
        return Err(format!(
            "ceremony {number} needs 2 to {MAX_TRUSTEES} trustees and a threshold of at least 2 and more than half of them"
        ));
    }
    for trustee in &call.trustees {
        demand_role(draft, trustee, Role::Trustee)?;
    }
    if let Some(former) = number.checked_sub(1).and_then(|n| draft.ceremony(n)).cloned()
        && former.status == CeremonyStatus::Open
    {
        let fault = Some((author.clone(), format!("ceremony {number} was called before it was finished")));
        put(draft, Ceremony { status: CeremonyStatus::Failed, fault, ..former });
    }
    let contributions = vec![Contribution::default(); count];
    let (group, key, fault) = (None, None, None);
    let status = CeremonyStatus::Open;
    put(draft, Ceremony { call: call.clone(), caller: author.clone(), status, contributions, group, key, fault });
    Ok(())
}

/// A trustee's step.
pub(super) fn stepped(
    draft: &mut Draft<'_>,
    author: &MemberId,
    number: u32,
    step: &CeremonyStep,
) -> Result<(), Rejection> {
    let Some(ceremony) = draft.ceremony(number) else { return Err(format!("there is no ceremony {number}")) };
    let mut ceremony = ceremony.clone();
    let Some(place) = ceremony.call.trustees.iter().position(|t| t == author) else {
        return Err(format!("`{author}` is no trustee of ceremony {number}"));
    };
    if ceremony.status != CeremonyStatus::Open {
        return Err(format!("ceremony {number} is over"));
    }
    match step {
        CeremonyStep::Committed { package } => committed(&mut ceremony, place, package)?,
        CeremonyStep::Shared { shares } => shared(&mut ceremony, place, shares)?,
        CeremonyStep::Confirmed { group, key, attestation } => {
            check_attestation(draft, author, number, (group, key), attestation)?;
            confirmed(&mut ceremony, place, attestation, group, *key)?;
        }
        CeremonyStep::Failed { accused, reason } => failed(&mut ceremony, author, accused, reason)?,
    }
    if let (CeremonyStatus::Finished, Some(key)) = (ceremony.status, ceremony.key) {
        draft.put(Key::Escrow, Object::Escrow(EscrowInForce { ceremony: number, key }));
    }
    put(draft, ceremony);
    Ok(())
}

fn check_attestation(
    draft: &Draft<'_>,
    author: &MemberId,
    number: u32,
    (group, key): (&Package, &Point),
    attestation: &str,
) -> Result<(), Rejection> {
    let wrong = || format!("attestation of `{author}` for ceremony {number} does not verify");
    let signature: Signature = attestation.parse().map_err(|_| wrong())?;
    let digest = attested(draft.base.suite(), &draft.base.consortium(), number, group, key);
    let keys = draft.base.keys(author).ok_or_else(wrong)?;
    keys.verifying.verify(Label::ESCROW_GROUP, digest.as_bytes(), &signature).map_err(|_| wrong())
}

fn put(draft: &mut Draft<'_>, ceremony: Ceremony) {
    draft.put(Key::Ceremony(ceremony.call.number), Object::Ceremony(ceremony));
}

fn own(ceremony: &mut Ceremony, place: usize) -> Result<&mut Contribution, Rejection> {
    let number = ceremony.call.number;
    ceremony.contributions.get_mut(place).ok_or_else(|| format!("ceremony {number} has no place {place}"))
}

fn small(package: &Package) -> Result<(), Rejection> {
    match package.0.len() {
        1..=MAX_PACKAGE => Ok(()),
        length => Err(format!("a package of {length} bytes: 1 to {MAX_PACKAGE} are allowed")),
    }
}

fn committed(ceremony: &mut Ceremony, place: usize, package: &Package) -> Result<(), Rejection> {
    small(package)?;
    let own = own(ceremony, place)?;
    if own.package.is_some() {
        return Err("this trustee has committed already".into());
    }
    own.package = Some(package.clone());
    Ok(())
}

fn shared(ceremony: &mut Ceremony, place: usize, shares: &[SealedShare]) -> Result<(), Rejection> {
    if ceremony.contributions.iter().any(|c| c.package.is_none()) {
        return Err("not all trustees have committed yet".into());
    }
    let others = ceremony.call.trustees.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, t)| t);
    if !others.eq(shares.iter().map(|s| &s.to)) {
        return Err("shares must be for all other trustees, in the order of the list".into());
    }
    shares.iter().try_for_each(|s| small(&s.sealed))?;
    let own = own(ceremony, place)?;
    if !own.shares.is_empty() {
        return Err("this trustee has shared already".into());
    }
    own.shares = shares.to_vec();
    Ok(())
}

fn confirmed(
    ceremony: &mut Ceremony,
    place: usize,
    attestation: &str,
    group: &Package,
    key: Point,
) -> Result<(), Rejection> {
    small(group)?;
    if ceremony.contributions.iter().any(|c| c.shares.is_empty()) {
        return Err("not all trustees have shared yet".into());
    }
    check_group(&ceremony.call, group, key)?;
    match (&ceremony.group, &ceremony.key) {
        (Some(known), Some(known_key)) if known != group || known_key != &key => {
            return Err("another trustee has confirmed another key: find out who is at fault".into());
        }
        (Some(_), _) => {}
        (None, _) => (ceremony.group, ceremony.key) = (Some(group.clone()), Some(key)),
    }
    let own = own(ceremony, place)?;
    if own.attestation.is_some() {
        return Err("this trustee has confirmed already".into());
    }
    own.attestation = Some(attestation.to_owned());
    if ceremony.contributions.iter().all(|c| c.attestation.is_some()) {
        ceremony.status = CeremonyStatus::Finished;
    }
    Ok(())
}

/// A key that is not the group's, or a group of another committee, would lock every escrow made under it.
fn check_group(call: &CeremonyCall, group: &Package, key: Point) -> Result<(), Rejection> {
    let group = GroupKey::from_bytes(&group.0).map_err(|_| "the group is no key of a committee".to_owned())?;
    if group.escrow_key().to_bytes() != key.0 {
        return Err("the key is not the group's".into());
    }
    let committee = group.committee();
    if (committee.threshold(), usize::from(committee.members())) != (call.threshold, call.trustees.len()) {
        return Err("the group is of another committee".into());
    }
    Ok(())
}

fn failed(ceremony: &mut Ceremony, author: &MemberId, accused: &MemberId, reason: &str) -> Result<(), Rejection> {
    if !ceremony.call.trustees.contains(accused) {
        return Err(format!("`{accused}` is no trustee of ceremony {}", ceremony.call.number));
    }
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    ceremony.status = CeremonyStatus::Failed;
    ceremony.fault = Some((accused.clone(), format!("{author}: {reason}")));
    Ok(())
}
