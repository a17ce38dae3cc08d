//! The finite space of questions that a rule book can tell apart.

use std::collections::BTreeSet;

use covenant_domain::{Dataset, DayKind, FieldName, Ground, Member, Mode, Purpose, Role, RuleBook};
use covenant_engine::GuardQuestion;

/// Most questions that one review or comparison asks.
pub(crate) const MAX_QUESTIONS: u64 = 200_000;

/// What is known of the consortium when a book is reviewed.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue<'a> {
    /// Datasets in force; only the holder's own matter.
    pub datasets: &'a [Dataset],
    /// Purposes.
    pub purposes: &'a [Purpose],
    /// Members.
    pub members: &'a [Member],
}

impl<'a> Catalogue<'a> {
    /// The holder's datasets.
    pub(crate) fn own(&self, book: &RuleBook) -> Vec<&'a Dataset> {
        self.datasets.iter().filter(|d| d.holder == book.holder).collect()
    }
}

/// A question without its hour: hours are asked band by band and told together.
pub(crate) struct Route<'a> {
    pub(crate) member: &'a Member,
    pub(crate) dataset: &'a Dataset,
    pub(crate) purpose: &'a Purpose,
    pub(crate) mode: Mode,
    /// Fields between which the books make no difference, one of which is asked.
    pub(crate) fields: Vec<FieldName>,
    pub(crate) days: DayKind,
    pub(crate) ground: Ground,
}

impl Route<'_> {
    pub(crate) fn question(&self, hour: u8) -> GuardQuestion {
        GuardQuestion {
            consumer: self.member.id.clone(),
            dataset: self.dataset.id.name().to_owned(),
            mode: self.mode,
            purpose: self.purpose.code.clone(),
            hour,
            working_day: self.days != DayKind::Free,
            legal: self.ground == Ground::Legal,
            grade: self.dataset.grade,
            fields: self.fields.first().cloned().into_iter().collect(),
        }
    }
}

/// Hours, days, grounds and fields that these books can tell apart.
pub(crate) struct Space {
    /// Bands of hours between the bounds of rules.
    pub(crate) bands: Vec<(u8, u8)>,
    days: Vec<DayKind>,
    grounds: Vec<Ground>,
    named: BTreeSet<FieldName>,
}

impl Space {
    /// The space of one or more books together.
    pub(crate) fn of(books: &[&RuleBook]) -> Self {
        let rules = || books.iter().flat_map(|b| &b.rules);
        let bounds = rules().flat_map(|r| [r.from_hour, r.until_hour]).chain([0, 24]).filter(|h| *h <= 24);
        let bounds: Vec<u8> = bounds.collect::<BTreeSet<u8>>().into_iter().collect();
        let bands = bounds.iter().zip(bounds.iter().skip(1)).map(|(from, until)| (*from, *until)).collect();
        let by_days = rules().any(|r| r.days != DayKind::Any);
        let by_ground = rules().any(|r| r.ground != Ground::Any);
        Self {
            bands,
            days: if by_days { vec![DayKind::Working, DayKind::Free] } else { vec![DayKind::Any] },
            grounds: if by_ground { vec![Ground::Consent, Ground::Legal] } else { vec![Ground::Any] },
            // Demands differ by field too: a mask is a demand.
            named: rules().flat_map(|r| &r.fields).cloned().collect(),
        }
    }

    /// Every route of the holder's datasets, and whether the cap left some out.
    pub(crate) fn routes<'a>(&self, holder: &RuleBook, catalogue: &Catalogue<'a>) -> (Vec<Route<'a>>, bool) {
        let most = usize::try_from(MAX_QUESTIONS).unwrap_or(usize::MAX) / self.bands.len().max(1);
        let mut out = Vec::new();
        let consumers = || catalogue.members.iter().filter(|m| m.has(Role::Consumer));
        for dataset in catalogue.own(holder) {
            for (purpose, mode) in catalogue.purposes.iter().flat_map(|p| p.modes.iter().map(move |m| (p, *m))) {
                for (fields, member) in self.fields(dataset, mode).iter().flat_map(|f| consumers().map(move |m| (f, m)))
                {
                    for (days, ground) in self.days.iter().flat_map(|d| self.grounds.iter().map(move |g| (*d, *g))) {
                        if out.len() >= most {
                            return (out, true);
                        }
                        let fields = fields.clone();
                        out.push(Route { member, dataset, purpose, mode, fields, days, ground });
                    }
                }
            }
        }
        (out, false)
    }

    /// Fields open to a mode, those that no rule names together.
    fn fields(&self, dataset: &Dataset, mode: Mode) -> Vec<Vec<FieldName>> {
        let open = dataset.fields.iter().filter(|f| f.modes.contains(&mode)).map(|f| f.name.clone());
        let (named, rest): (Vec<_>, Vec<_>) = open.partition(|f| self.named.contains(f));
        let mut out: Vec<Vec<FieldName>> = named.into_iter().map(|f| vec![f]).collect();
        out.extend((!rest.is_empty()).then_some(rest));
        out
    }
}

/// Joins bands that touch.
pub(crate) fn joined(bands: &[(u8, u8)]) -> Vec<(u8, u8)> {
    bands.iter().fold(Vec::new(), |mut out: Vec<(u8, u8)>, (from, until)| {
        match out.last_mut() {
            Some(last) if last.1 == *from => last.1 = *until,
            _ => out.push((*from, *until)),
        }
        out
    })
}
