//! The role hierarchy of a rule book: no cycle, bounded depth, closed once.

use std::collections::{BTreeMap, BTreeSet};

use covenant_domain::{Member, RuleBook};

/// Longest chain of roles. Casbin silently stops looking at ten.
pub(super) const MAX_DEPTH: usize = 8;

type Links = BTreeMap<String, BTreeSet<String>>;

/// Why a hierarchy is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RoleFault {
    /// Roles that have each other, in their order.
    Cycle(Vec<String>),
    /// The role at the foot of a chain longer than [`MAX_DEPTH`].
    Deep(String),
}

/// Who has which roles, directly or through other roles.
#[derive(Debug)]
pub(super) struct Roles {
    links: Links,
    closed: Links,
}

impl Roles {
    /// Closes the hierarchy of a book; members have their class as a role.
    pub(super) fn close<'a>(book: &RuleBook, members: impl IntoIterator<Item = &'a Member>) -> Result<Self, RoleFault> {
        let mut links = Links::new();
        let classes = members.into_iter().map(|m| (m.id.as_str(), m.class.name())).filter(|(id, class)| id != class);
        for (member, role) in classes.chain(book.roles.iter().map(|l| (l.member.as_str(), l.role.as_str()))) {
            links.entry(member.to_owned()).or_default().insert(role.to_owned());
        }
        let order = upwards(&links)?;
        let mut closed = Links::new();
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        // From the roles nobody is above of down to the members.
        for name in order.iter().rev() {
            let above = links.get(name).into_iter().flatten();
            let mut all = BTreeSet::new();
            let mut depth = 0;
            for role in above {
                all.insert(role.clone());
                all.extend(closed.get(role).into_iter().flatten().cloned());
                depth = depth.max(depths.get(role.as_str()).map_or(1, |d| d + 1));
            }
            if depth > MAX_DEPTH {
                return Err(RoleFault::Deep(name.clone()));
            }
            depths.insert(name, depth);
            closed.insert(name.clone(), all);
        }
        Ok(Self { links, closed })
    }

    /// Whether `who` is, or has, the subject of a rule.
    pub(super) fn has(&self, who: &str, subject: &str) -> bool {
        subject == "*" || subject == who || self.closed.get(who).is_some_and(|roles| roles.contains(subject))
    }

    /// Every link, as given.
    pub(super) fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.links.iter().flat_map(|(from, to)| to.iter().map(move |to| (from.as_str(), to.as_str())))
    }
}

/// Every name, each before the roles it has.
fn upwards(links: &Links) -> Result<Vec<String>, RoleFault> {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for (from, to) in links {
        waiting.entry(from).or_default();
        to.iter().for_each(|role| *waiting.entry(role).or_default() += 1);
    }
    let mut ready: Vec<&str> = waiting.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
    let mut order = Vec::new();
    while let Some(name) = ready.pop() {
        waiting.remove(name);
        order.push(name.to_owned());
        for role in links.get(name).into_iter().flatten() {
            let Some(left) = waiting.get_mut(role.as_str()) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.push(role);
            }
        }
    }
    if waiting.is_empty() { Ok(order) } else { Err(RoleFault::Cycle(cycle(links, &waiting))) }
}

/// One cycle among the names that could not be put in order; its first name stands at the end again.
fn cycle(links: &Links, stuck: &BTreeMap<&str, usize>) -> Vec<String> {
    // Going up from any stuck name may end above the cycle; going down cannot: every stuck name has a stuck one below.
    let below = |name: &str| links.iter().find(|(from, to)| stuck.contains_key(from.as_str()) && to.contains(name));
    let mut path: Vec<String> = stuck.keys().take(1).map(|n| (*n).to_owned()).collect();
    while let Some((from, _)) = path.last().and_then(|name| below(name)) {
        let seen = path.iter().position(|name| name == from);
        path.push(from.clone());
        if let Some(first) = seen {
            path.drain(..first);
            break;
        }
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::{MemberId, RoleLink};

    fn close(links: &[(&str, &str)]) -> Result<Roles, RoleFault> {
        let link = |(member, role): &(&str, &str)| RoleLink { member: (*member).into(), role: (*role).into() };
        let roles = links.iter().map(link).collect();
        let book = RuleBook { holder: MemberId::new("tax").unwrap(), revision: 1, rules: vec![], roles, auto: vec![] };
        Roles::close(&book, [])
    }

    #[test]
    fn roles_are_inherited_upwards_only() {
        let roles = close(&[("bank", "finance"), ("finance", "licensed"), ("insurer", "finance")]).unwrap();
        assert!(roles.has("bank", "licensed") && roles.has("insurer", "finance") && roles.has("bank", "bank"));
        assert!(!roles.has("licensed", "bank") && !roles.has("bank", "insurer") && !roles.has("nobody", "finance"));
    }

    #[test]
    fn cycles_are_named_even_with_tails_on_both_sides() {
        let fault = close(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("x", "a")]).unwrap_err();
        let RoleFault::Cycle(names) = fault else { panic!("{fault:?}") };
        assert_eq!(names.first(), names.last());
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|n| n == "b" || n == "c"), "{names:?}");
        assert_eq!(close(&[("a", "a")]).unwrap_err(), RoleFault::Cycle(vec!["a".into(), "a".into()]));
    }

    #[test]
    fn chains_are_bounded() {
        let names: Vec<String> = (0..=MAX_DEPTH + 1).map(|i| format!("r{i}")).collect();
        let chain = |n: usize| -> Vec<(&str, &str)> {
            names.windows(2).take(n).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect()
        };
        assert!(close(&chain(MAX_DEPTH)).unwrap().has("r0", &names[MAX_DEPTH]));
        assert_eq!(close(&chain(MAX_DEPTH + 1)).unwrap_err(), RoleFault::Deep("r0".into()));
    }
}
