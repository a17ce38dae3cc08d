//! Draws questions and knows what must become of them.

use std::collections::BTreeSet;

use covenant_api::QueryState;
use covenant_client::authorise::{ConsentTicket, Terms};
use covenant_client::{Client, Ground, Identity, Question, Reply};
use covenant_demo::Founding;
use covenant_domain::{
    Answer, ConsentScope, Disclosure, FieldMatch, FieldName, MatchOutcome, MemberId, Mode, PurposeCode, ReasonCode,
    Subject, Value,
};
use covenant_journeys::{Desk, Dice, codes, now_ms};
use covenant_source::synthetic_subject;

use crate::founding::PURPOSES;
use crate::table::Table;

/// Index of the table that needs consent.
const CREDIT: usize = 2;
const CONSENTS: usize = 90;
const USES: u32 = 4;
const HOUR_MS: u64 = 3_600_000;

/// What everybody may see of a question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    pub(crate) table: usize,
    pub(crate) mode: Mode,
    pub(crate) fields: Vec<FieldName>,
}

/// What must become of a question.
#[derive(Debug)]
pub(crate) enum Expect {
    Refused(BTreeSet<ReasonCode>),
    Matched {
        row: Option<usize>,
        matches: Vec<FieldMatch>,
    },
    Detailed {
        row: Option<usize>,
        fields: Vec<FieldName>,
    },
    /// Permitted, but the subject is not the one of the consent.
    OtherPerson,
}

impl Expect {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Matched { row: None, .. } | Self::Detailed { row: None, .. } => "no record",
            Self::Matched { .. } => "matched",
            Self::Detailed { .. } => "detailed",
            Self::OtherPerson => "other person",
        }
    }

    pub(crate) fn check(&self, n: usize, table: &Table, reply: &Reply) {
        if let Self::Refused(want) = self {
            let got: BTreeSet<ReasonCode> = codes(reply).into_iter().collect();
            assert!(reply.state == QueryState::Refused && &got == want, "{n}: {want:?}, got {reply:?}");
            assert!(reply.answer.is_none() && reply.sealed.is_none(), "{n}: data came with a refusal");
            return;
        }
        assert_eq!(reply.state, QueryState::Answered, "{n}: {self:?} {:?}", reply.reasons);
        let answer = reply.answer.as_ref().unwrap();
        let failure = matches!(self, Self::OtherPerson).then(|| "subject does not open the commitment".to_owned());
        assert_eq!(answer.failure, failure, "{n}");
        match self {
            Self::Matched { row, matches } => {
                assert_eq!(&answer.matches, matches, "{n}: row {row:?}");
                released(n, table, answer, *row, &[]);
            }
            Self::Detailed { row, fields } => {
                assert!(answer.matches.is_empty(), "{n}");
                released(n, table, answer, *row, fields);
            }
            _ => assert!(answer.matches.is_empty() && answer.rows.is_empty(), "{n}: {answer:?}"),
        }
    }
}

/// Exactly the fields asked are open and as the file says; all others are closed.
fn released(n: usize, table: &Table, answer: &Answer, row: Option<usize>, open: &[FieldName]) {
    let Some(row) = row else { return assert!(answer.rows.is_empty(), "{n}") };
    assert!(answer.rows.len() == 1 && !answer.truncated, "{n}");
    assert!(answer.rows[0].iter().map(Disclosure::field).eq(table.dataset.fields.iter().map(|f| &f.name)), "{n}");
    for disclosure in &answer.rows[0] {
        match disclosure {
            Disclosure::Open { field, value, .. } => {
                let plain = table.value(row, field);
                assert!(open.contains(field), "{n}: `{field}` was not asked");
                assert!(value == &plain, "{n}: `{field}` of row {row}: `{}`, `{}`", value.to_text(), plain.to_text());
            }
            Disclosure::Closed { field, .. } => assert!(!open.contains(field), "{n}: `{field}` stayed closed"),
        }
    }
}

/// A consent with the uses the ledger must have counted.
struct Held {
    ticket: ConsentTicket,
    number: usize,
    used: u32,
}

pub(crate) struct Asker<'a> {
    tables: &'a [Table],
    lender: Identity,
    dice: Dice,
    held: Vec<Held>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(founding: &Founding, tables: &'a [Table], dice: Dice) -> Self {
        Self { tables, lender: founding.identity("lender").unwrap(), dice, held: Vec::new() }
    }

    /// Persons with and without a record consent to the review of a loan.
    pub(crate) async fn collect_consents(&mut self, service: Client, lender: &Client) {
        let table = &self.tables[CREDIT];
        let numbers: Vec<usize> = (0..CONSENTS).map(|_| self.dice.below(table.cells.len() + 2_000)).collect();
        let terms = Terms {
            consumer: MemberId::new("lender").unwrap(),
            purpose: PurposeCode::new(PURPOSES[CREDIT]).unwrap(),
            scopes: vec![ConsentScope { dataset: table.dataset.id.clone(), fields: table.granted() }],
            modes: vec![Mode::Match, Mode::Detail],
            valid_from_ms: now_ms() - HOUR_MS,
            valid_until_ms: now_ms() + HOUR_MS,
            max_uses: USES,
            data_life_days: 30,
        };
        let wanted = numbers.iter().map(|n| (subject(table, *n), terms.clone())).collect();
        let tickets = Desk::new(service, lender).issue(wanted).await;
        let held = |(ticket, number)| Held { ticket, number, used: 0 };
        self.held = tickets.into_iter().zip(numbers).map(held).collect();
    }

    /// A question, and what must become of it if it is decided after all that were drawn before.
    pub(crate) fn question(&mut self) -> (Question, (Expect, Shape)) {
        let index = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2][self.dice.below(10)];
        let table = &self.tables[index];
        let mode = if self.dice.once_in(2) { Mode::Match } else { Mode::Detail };
        let mut faults = BTreeSet::new();
        let fields = self.fields(table, index, &mut faults);
        let beyond = if self.dice.once_in(8) { 2_000 } else { 0 };
        let drawn = match beyond {
            0 => self.dice.below(table.cells.len()),
            _ => table.cells.len() + self.dice.below(beyond),
        };
        let (number, ground, other) = self.ground(index, drawn, &mut faults);
        let row = Some(number).filter(|n| *n < table.cells.len());
        let claims = if mode == Mode::Match { self.claims(table, row, &fields) } else { Vec::new() };
        let expect = match (faults.is_empty(), other, mode) {
            (false, ..) => Expect::Refused(faults),
            (_, true, _) => Expect::OtherPerson,
            (.., Mode::Match) => Expect::Matched { row, matches: matched(table, row, &fields, &claims) },
            _ => Expect::Detailed { row, fields: fields.clone() },
        };
        let purpose = PurposeCode::new(PURPOSES[index]).unwrap();
        let (dataset, subject) = (table.dataset.id.clone(), subject(table, number));
        let shape = Shape { table: index, mode, fields: fields.clone() };
        let mut shuffled = fields;
        shuffled.reverse();
        let question = Question { dataset, purpose, mode, fields: shuffled, subject, ground, claims };
        (question, (expect, shape))
    }

    /// One to five granted fields, now and then one that is not granted or does not exist; sorted as the ledger wants.
    fn fields(&mut self, table: &Table, index: usize, faults: &mut BTreeSet<ReasonCode>) -> Vec<FieldName> {
        let count = 1 + self.dice.below(5);
        let mut fields = self.dice.some(&table.granted(), count);
        let (foreign, unknown) = (self.dice.once_in(12), self.dice.once_in(40));
        if foreign {
            fields.extend(self.dice.some(&table.withheld(), 1));
        }
        if unknown {
            fields.push(FieldName::new("no_such_field").unwrap());
            faults.insert(ReasonCode::FieldUnknown);
        }
        if foreign || unknown {
            faults.insert(ReasonCode::FieldNotGranted);
        }
        // A consent covers no more than was granted; without one there is nothing to be out of.
        if (foreign || unknown) && index == CREDIT {
            faults.insert(ReasonCode::ConsentOutOfScope);
        }
        fields.sort();
        fields
    }

    /// On what ground, about which number, and whether the consent is somebody else's.
    fn ground(&mut self, index: usize, number: usize, faults: &mut BTreeSet<ReasonCode>) -> (usize, Ground, bool) {
        if index != CREDIT {
            let case = (!self.dice.once_in(12)).then(|| format!("2026-{number}"));
            if index == 0 && case.is_none() {
                faults.insert(ReasonCode::CaseRequired);
            }
            return (number, Ground::Legal { case }, false);
        }
        if self.dice.once_in(6) {
            faults.remove(&ReasonCode::ConsentOutOfScope);
            faults.insert(ReasonCode::ConsentRequired);
            return (number, Ground::Legal { case: None }, false);
        }
        let chosen = self.dice.below(self.held.len());
        let other = self.dice.once_in(8) && number != self.held[chosen].number;
        let held = &mut self.held[chosen];
        if held.used == USES {
            faults.insert(ReasonCode::ConsentExhausted);
        }
        if faults.is_empty() {
            held.used += 1;
        }
        let opening = held.ticket.open(&self.lender).unwrap();
        let ground =
            Ground::Consent { id: held.ticket.consent.id, commitment: held.ticket.consent.commitment, opening };
        (if other { number } else { held.number }, ground, other)
    }

    /// Right values, wrong ones, and some left out.
    fn claims(&mut self, table: &Table, row: Option<usize>, fields: &[FieldName]) -> Vec<(FieldName, Value)> {
        let mut claims = Vec::new();
        for field in fields.iter().filter(|f| table.dataset.field(f).is_some()) {
            let plain = row.map_or(Value::Absent, |row| table.value(row, field));
            match self.dice.below(12) {
                0 => {}
                1..6 => claims.push((field.clone(), wrong(plain))),
                _ => claims.push((field.clone(), written_otherwise(plain))),
            }
        }
        claims
    }
}

fn subject(table: &Table, number: usize) -> Subject {
    synthetic_subject(table.dataset.subject, number as u64 + 1)
}

fn wrong(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(format!("{text} II")),
        Value::Integer(number) => Value::Integer(number + 1),
        Value::Boolean(flag) => Value::Boolean(!flag),
        Value::Date(_) => Value::Date("1970-01-01".into()),
        _ => Value::Text("anything".into()),
    }
}

/// The same text with white space that means nothing.
fn written_otherwise(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(format!(" {}\u{3000}", text.replace(' ', "  "))),
        same => same,
    }
}

fn matched(table: &Table, row: Option<usize>, fields: &[FieldName], claims: &[(FieldName, Value)]) -> Vec<FieldMatch> {
    let outcome = |field: &FieldName| {
        let claim = claims.iter().find(|(f, _)| f == field).map(|(_, v)| v);
        match (claim, row.map_or(Value::Absent, |row| table.value(row, field))) {
            (_, Value::Absent) | (None, _) => MatchOutcome::Absent,
            (Some(Value::Text(claim)), Value::Text(plain)) => {
                let folded = claim.split_whitespace().collect::<Vec<_>>().join(" ");
                if folded == plain { MatchOutcome::Equal } else { MatchOutcome::Different }
            }
            (Some(claim), plain) if *claim == plain => MatchOutcome::Equal,
            _ => MatchOutcome::Different,
        }
    };
    fields.iter().map(|f| FieldMatch { field: f.clone(), outcome: outcome(f) }).collect()
}
