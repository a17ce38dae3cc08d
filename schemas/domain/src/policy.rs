//! A holder's rule book: guard rules that its own domain evaluates before any grant counts.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{FieldName, Grade, MemberId, Mode, PurposeCode, RiskLevel};

/// Allow, or forbid; a forbid overrides every allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Allow.
    #[n(0)]
    Allow,
    /// Forbid.
    #[n(1)]
    Forbid,
}

/// One guard rule. `*` stands for any.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct GuardRule {
    /// Name of the rule, shown in explanations.
    #[n(0)]
    pub name: String,
    /// Member id, or a role of the hierarchy, for example `finance`.
    #[n(1)]
    pub subject: String,
    /// Short name of the dataset.
    #[n(2)]
    pub dataset: String,
    /// Mode.
    #[n(3)]
    pub mode: String,
    /// Purpose code.
    #[n(4)]
    pub purpose: String,
    /// First hour of the day (UTC+8) at which it applies, 0 to 23.
    #[n(5)]
    pub from_hour: u8,
    /// Hour at which it stops to apply, 1 to 24.
    #[n(6)]
    pub until_hour: u8,
    /// Allow or forbid.
    #[n(7)]
    pub effect: Effect,
    /// The ground it speaks about; any when absent.
    #[cbor(n(8), skip_if = "is_default")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub ground: Ground,
    /// The days on which it speaks; any when absent.
    #[cbor(n(9), skip_if = "is_default")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub days: DayKind,
    /// An allow speaks about datasets up to this grade, a forbid about those from it on; about all when absent.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// An allow speaks when all fields asked are among these, a forbid when any is: asking for more never opens a
    /// door. Empty for all.
    #[cbor(n(11), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldName>,
    /// What an allow demands of the answer. A forbid has none.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obligations: Option<RuleObligations>,
}

impl Default for GuardRule {
    /// Forbids everything: what is left out of a literal closes doors.
    fn default() -> Self {
        let any = || "*".to_owned();
        Self {
            name: "default".into(),
            subject: any(),
            dataset: any(),
            mode: any(),
            purpose: any(),
            from_hour: 0,
            until_hour: 24,
            effect: Effect::Forbid,
            ground: Ground::Any,
            days: DayKind::Any,
            grade: None,
            fields: Vec::new(),
            obligations: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The grounds a rule speaks about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Both.
    #[n(0)]
    #[default]
    #[serde(rename = "*", alias = "any")]
    Any,
    /// Queries under a consent.
    #[n(1)]
    Consent,
    /// Queries under the law alone.
    #[n(2)]
    Legal,
}

/// The days on which a rule speaks, by the calendar in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// All.
    #[n(0)]
    #[default]
    #[serde(rename = "*", alias = "any")]
    Any,
    /// Working days, make-up days included.
    #[n(1)]
    Working,
    /// Weekends and holidays.
    #[n(2)]
    Free,
}

/// Who is to be told of a query that a rule allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// The subject, through the authorisation service.
    #[n(0)]
    Subject,
    /// The holder's steward of the dataset.
    #[n(1)]
    Steward,
    /// The regulators.
    #[n(2)]
    Regulator,
}

/// What an allow rule demands of the answer. Of several rules that allow, the strictest demand of each kind holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RuleObligations {
    /// Fields whose values are masked, beside those that the dataset masks for everybody. A field for which the dataset
    /// gives no mask is withheld.
    #[cbor(n(0), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<FieldName>,
    /// Most records in the answer.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u32>,
    /// Most queries per grant in a minute.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Fewest subjects behind any figure. More than one rules out every mode about a single record.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_minimum: Option<u32>,
    /// The answer waits for the receipt whatever the grade.
    #[cbor(n(4), skip_if = "is_default")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub release_after_receipt: bool,
    /// Who is told.
    #[cbor(n(5), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
}

impl RuleObligations {
    /// Both demands at once: the strictest of each kind; lists sorted.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            masked: union(&self.masked, &other.masked),
            max_rows: strictest(self.max_rows, other.max_rows, u32::min),
            rate_per_minute: strictest(self.rate_per_minute, other.rate_per_minute, u32::min),
            k_minimum: strictest(self.k_minimum, other.k_minimum, u32::max),
            release_after_receipt: self.release_after_receipt || other.release_after_receipt,
            notify: union(&self.notify, &other.notify),
        }
    }
}

fn strictest(a: Option<u32>, b: Option<u32>, choose: fn(u32, u32) -> u32) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (one, other) => one.or(other),
    }
}

fn union<T: Ord + Clone>(a: &[T], b: &[T]) -> Vec<T> {
    let all: std::collections::BTreeSet<&T> = a.iter().chain(b).collect();
    all.into_iter().cloned().collect()
}

/// Which access requests are approved without a person. A request of high risk never is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AutoRule {
    /// Name of the rule, recorded with the approval.
    #[n(0)]
    pub name: String,
    /// Member id, a role of the hierarchy, or `*`.
    #[n(1)]
    pub subject: String,
    /// Short name of the dataset, or `*`.
    #[n(2)]
    pub dataset: String,
    /// Purposes that may be asked for.
    #[n(3)]
    pub purposes: Vec<PurposeCode>,
    /// Modes that may be asked for.
    #[n(4)]
    pub modes: Vec<Mode>,
    /// Fields that may be asked for; empty for all.
    #[cbor(n(5), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldName>,
    /// Most queries in a day.
    #[n(6)]
    pub max_per_day: u64,
    /// Longest validity, in days.
    #[n(7)]
    pub max_valid_days: u32,
    /// Highest risk, `low` or `medium`.
    #[n(8)]
    pub highest_risk: RiskLevel,
}

/// `member` has `role`; roles may have roles.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RoleLink {
    /// Member id, class name or role.
    #[n(0)]
    pub member: String,
    /// The role it has.
    #[n(1)]
    pub role: String,
}

/// All guard rules of one holder, adopted as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RuleBook {
    /// Whose.
    #[n(0)]
    pub holder: MemberId,
    /// Revision, from 1.
    #[n(1)]
    pub revision: u32,
    /// Rules in their order.
    #[n(2)]
    pub rules: Vec<GuardRule>,
    /// Role hierarchy.
    #[n(3)]
    #[serde(default)]
    pub roles: Vec<RoleLink>,
    /// Access requests that need no person.
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auto: Vec<AutoRule>,
}

#[cfg(test)]
mod tests {
    use covenant_canon::{from_bytes, to_bytes};

    use super::*;

    /// A book as it was written before rules had attributes.
    #[derive(Encode)]
    #[cbor(map)]
    struct OldRule {
        #[n(0)]
        name: String,
        #[n(1)]
        subject: String,
        #[n(2)]
        dataset: String,
        #[n(3)]
        mode: String,
        #[n(4)]
        purpose: String,
        #[n(5)]
        from_hour: u8,
        #[n(6)]
        until_hour: u8,
        #[n(7)]
        effect: Effect,
    }

    #[test]
    fn a_rule_without_attributes_keeps_its_old_bytes_and_text() {
        let rule = GuardRule { name: "plain".into(), effect: Effect::Allow, ..GuardRule::default() };
        let any = || "*".to_owned();
        let old = OldRule {
            name: "plain".into(),
            subject: any(),
            dataset: any(),
            mode: any(),
            purpose: any(),
            from_hour: 0,
            until_hour: 24,
            effect: Effect::Allow,
        };
        assert_eq!(to_bytes(&rule), to_bytes(&old));
        assert_eq!(from_bytes::<GuardRule>(&to_bytes(&old)).unwrap(), rule);
        let book = RuleBook {
            holder: MemberId::new("tax").unwrap(),
            revision: 1,
            rules: vec![rule],
            roles: vec![],
            auto: vec![],
        };
        assert_eq!(to_bytes(&book)[0], 0xa4, "four keys, as before");
        assert_eq!(from_bytes::<RuleBook>(&to_bytes(&book)).unwrap(), book);
    }

    #[test]
    fn attributes_survive_bytes() {
        let field = |name: &str| FieldName::new(name).unwrap();
        let rule = GuardRule {
            ground: Ground::Legal,
            days: DayKind::Working,
            grade: Some(Grade::Important),
            fields: vec![field("income_fen")],
            obligations: Some(RuleObligations {
                masked: vec![field("income_fen")],
                max_rows: Some(1),
                rate_per_minute: Some(6),
                k_minimum: Some(5),
                release_after_receipt: true,
                notify: vec![Notify::Subject, Notify::Regulator],
            }),
            ..GuardRule::default()
        };
        assert_eq!(from_bytes::<GuardRule>(&to_bytes(&rule)).unwrap(), rule);
    }

    #[test]
    fn of_two_demands_the_strictest_holds_whatever_the_order() {
        let field = |name: &str| FieldName::new(name).unwrap();
        let one = RuleObligations {
            masked: vec![field("name")],
            max_rows: Some(5),
            rate_per_minute: Some(60),
            k_minimum: Some(3),
            release_after_receipt: false,
            notify: vec![Notify::Steward],
        };
        let other = RuleObligations {
            masked: vec![field("address")],
            max_rows: Some(1),
            rate_per_minute: None,
            k_minimum: Some(7),
            release_after_receipt: true,
            notify: vec![Notify::Subject, Notify::Steward],
        };
        let both = one.and(&other);
        assert_eq!(both, other.and(&one));
        assert_eq!((both.max_rows, both.rate_per_minute, both.k_minimum), (Some(1), Some(60), Some(7)));
        assert!(both.release_after_receipt);
        assert_eq!(both.masked, [field("address"), field("name")]);
        assert_eq!(both.notify, [Notify::Subject, Notify::Steward]);
    }
}
