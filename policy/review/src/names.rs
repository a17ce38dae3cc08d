//! Rules held against the catalogue.

use covenant_domain::{
    AutoRule, Class, Dataset, Effect, FieldName, GuardRule, Mode, Purpose, RuleBook, RuleObligations,
};

use crate::finding::{Finding, FindingCode, Severity};
use crate::pairs::modes;
use crate::space::Catalogue;

/// Names nobody has, modes and grades that meet nothing, demands that cannot be met.
pub(crate) fn findings(book: &RuleBook, catalogue: &Catalogue<'_>) -> Vec<Finding> {
    let names = Names { book, own: catalogue.own(book), catalogue };
    let guards = book.rules.iter().flat_map(|rule| names.guard_rule(rule));
    let links = book.roles.iter().filter(|l| !names.is_subject(&l.member)).map(|l| {
        let detail = format!("role link of `{}`: no member, class or role has this name", l.member);
        Finding::new(Severity::Warning, FindingCode::UnknownSubject, "roles", detail)
    });
    guards.chain(links).chain(book.auto.iter().flat_map(|rule| names.auto_rule(rule))).collect()
}

struct Names<'a> {
    book: &'a RuleBook,
    own: Vec<&'a Dataset>,
    catalogue: &'a Catalogue<'a>,
}

impl Names<'_> {
    fn guard_rule(&self, rule: &GuardRule) -> Vec<Finding> {
        let mut out = self.parties(&rule.name, &rule.subject, &rule.dataset);
        let datasets = self.datasets(&rule.dataset);
        if rule.purpose != "*" {
            out.extend(self.purpose(&rule.name, &rule.purpose));
        }
        out.extend(self.fields(&rule.name, &datasets, &rule.fields));
        out.extend(reaches_nothing(rule, &datasets));
        if rule.effect == Effect::Allow {
            out.extend(self.too_wide(rule));
        }
        if let Some(demanded) = &rule.obligations {
            out.extend(self.fields(&rule.name, &datasets, &demanded.masked));
            out.extend(demands(rule, demanded, &datasets));
        }
        out
    }

    fn auto_rule(&self, rule: &AutoRule) -> Vec<Finding> {
        let mut out = self.parties(&rule.name, &rule.subject, &rule.dataset);
        out.extend(rule.purposes.iter().filter_map(|p| self.purpose(&rule.name, p.as_str())));
        out.extend(self.fields(&rule.name, &self.datasets(&rule.dataset), &rule.fields));
        if rule.subject == "*" && rule.dataset == "*" && rule.fields.is_empty() {
            let detail = "approves requests of everybody for every field of every dataset";
            out.push(Finding::new(Severity::Warning, FindingCode::WideOpen, &rule.name, detail));
        }
        out
    }

    fn parties(&self, rule: &str, subject: &str, dataset: &str) -> Vec<Finding> {
        let unknown = |code, detail: String| Finding::new(Severity::Warning, code, rule, detail);
        let subject = (!self.is_subject(subject)).then(|| {
            let detail = format!("`{subject}` is no member, class or role of a link: the rule speaks of nobody");
            unknown(FindingCode::UnknownSubject, detail)
        });
        let dataset = self.datasets(dataset).is_empty().then(|| {
            let detail = format!("`{}` publishes no dataset `{dataset}`", self.book.holder);
            unknown(FindingCode::UnknownDataset, detail)
        });
        subject.into_iter().chain(dataset).collect()
    }

    fn datasets(&self, pattern: &str) -> Vec<&Dataset> {
        self.own.iter().copied().filter(|d| pattern == "*" || d.id.name() == pattern).collect()
    }

    fn is_subject(&self, name: &str) -> bool {
        let classes = [Class::Government, Class::Finance, Class::Regulator, Class::Notary];
        name == "*"
            || self.catalogue.members.iter().any(|m| m.id.as_str() == name)
            || classes.iter().any(|c| c.name() == name)
            || self.book.roles.iter().any(|l| l.role == name)
    }

    fn known(&self, code: &str) -> Option<&Purpose> {
        self.catalogue.purposes.iter().find(|p| p.code.as_str() == code)
    }

    fn purpose(&self, rule: &str, code: &str) -> Option<Finding> {
        let detail = format!("no purpose `{code}` is registered");
        self.known(code).is_none().then(|| Finding::new(Severity::Warning, FindingCode::UnknownPurpose, rule, detail))
    }

    fn fields(&self, rule: &str, datasets: &[&Dataset], fields: &[FieldName]) -> Vec<Finding> {
        let unknown = fields.iter().filter(|f| !datasets.iter().any(|d| d.field(f).is_some()));
        let finding = |field: &FieldName| {
            let detail = format!("no dataset it speaks about has a field `{field}`");
            Finding::new(Severity::Warning, FindingCode::UnknownField, rule, detail)
        };
        unknown.map(finding).collect()
    }

    fn too_wide(&self, rule: &GuardRule) -> Option<Finding> {
        let (purpose, subject) = (rule.purpose == "*", rule.subject == "*");
        if purpose && subject && rule.mode == "*" && rule.dataset == "*" && rule.fields.is_empty() {
            let detail = "allows everything to everybody for any purpose: grants alone would stand in the way";
            return Some(Finding::new(Severity::Warning, FindingCode::WideOpen, &rule.name, detail));
        }
        let served: Vec<Mode> = match self.known(&rule.purpose) {
            Some(purpose) => purpose.modes.clone(),
            None if purpose => self.catalogue.purposes.iter().flat_map(|p| p.modes.clone()).collect(),
            None => return None,
        };
        let beyond: Vec<&str> = modes(rule).into_iter().filter(|m| !served.contains(m)).map(Mode::name).collect();
        let detail = format!("allows `{}`, by which no purpose it names is served", beyond.join("`, `"));
        (!beyond.is_empty()).then(|| Finding::new(Severity::Note, FindingCode::WiderThanPurpose, &rule.name, detail))
    }
}

fn reaches_nothing(rule: &GuardRule, datasets: &[&Dataset]) -> Vec<Finding> {
    let mut out = Vec::new();
    let open = |mode: &Mode| datasets.iter().any(|d| d.fields.iter().any(|f| f.modes.contains(mode)));
    if !datasets.is_empty() && !modes(rule).iter().any(open) {
        let detail = format!("no field of the datasets it speaks about is open to `{}`", rule.mode);
        out.push(Finding::new(Severity::Warning, FindingCode::IdleMode, &rule.name, detail));
    }
    let bounded = |d: &&Dataset| match rule.effect {
        Effect::Allow => rule.grade.is_none_or(|most| d.grade <= most),
        Effect::Forbid => rule.grade.is_none_or(|least| d.grade >= least),
    };
    if !datasets.is_empty() && !datasets.iter().any(bounded) {
        let detail = "the grade of every dataset it speaks about lies beyond its bound";
        out.push(Finding::new(Severity::Warning, FindingCode::IdleGrade, &rule.name, detail));
    }
    out
}

fn demands(rule: &GuardRule, demanded: &RuleObligations, datasets: &[&Dataset]) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut add = |severity, code, detail: String| out.push(Finding::new(severity, code, &rule.name, detail));
    // Every mode there is tells of one record.
    if demanded.k_minimum.is_some_and(|k| k > 1) {
        let detail = "demands groups, and every mode it speaks about is about one record: it never permits";
        add(Severity::Warning, FindingCode::GroupUnmet, detail.into());
    }
    let bare = |field: &&FieldName| datasets.iter().any(|d| d.field(field).is_some_and(|f| f.mask.is_none()));
    let unmasked: Vec<&str> = demanded.masked.iter().filter(bare).map(FieldName::as_str).collect();
    if !unmasked.is_empty() {
        let detail = format!("masks `{}`, for which a dataset gives no mask: withheld", unmasked.join("`, `"));
        add(Severity::Note, FindingCode::MaskMissing, detail);
    }
    let looked_up = modes(rule).contains(&Mode::Lookup) && datasets.iter().any(|d| lookup_fails(d, demanded));
    if looked_up {
        let detail = "rows of private lookups carry what it masks, or more records: lookups will be refused";
        add(Severity::Note, FindingCode::LookupUnmet, detail.into());
    }
    out
}

fn lookup_fails(dataset: &Dataset, demanded: &RuleObligations) -> bool {
    let open = |name: &&FieldName| dataset.field(name).is_some_and(|f| f.modes.contains(&Mode::Lookup));
    let bare = |name: &FieldName| dataset.field(name).is_some_and(|f| f.mask.is_none());
    let looked_up = dataset.fields.iter().any(|f| f.modes.contains(&Mode::Lookup));
    demanded.masked.iter().filter(open).any(bare)
        || (looked_up && demanded.max_rows.is_some_and(|most| most < dataset.max_rows))
}
