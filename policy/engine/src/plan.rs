//! Advice before a query: the least revealing mode that serves the purpose.

use covenant_canon::Digest;
use covenant_domain::{Authority, DatasetId, FieldName, Intent, IntentId, MemberId, Mode, PurposeCode, Reason};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::weigh;
use crate::facts::{Facts, Moment};

/// What the consumer needs to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Whether values it already has are right.
    #[n(0)]
    Verify,
    /// The values.
    #[n(1)]
    Read,
    /// The licence itself.
    #[n(2)]
    Document,
}

impl Need {
    fn modes(self) -> &'static [Mode] {
        match self {
            Self::Verify => &[Mode::Match, Mode::Detail],
            Self::Read => &[Mode::Lookup, Mode::Detail],
            Self::Document => &[Mode::Submit],
        }
    }
}

/// A query that is being considered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wish {
    /// Who would ask.
    #[n(0)]
    pub consumer: MemberId,
    /// About what.
    #[n(1)]
    pub dataset: DatasetId,
    /// Why.
    #[n(2)]
    pub purpose: PurposeCode,
    /// Which fields.
    #[n(3)]
    pub fields: Vec<FieldName>,
    /// To learn what.
    #[n(4)]
    pub need: Need,
    /// On what ground.
    #[n(5)]
    pub authority: Authority,
}

/// Advice. Not a promise: `decide` rules at its own height.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Plan {
    /// The mode to use, if one would be permitted now.
    #[n(0)]
    pub mode: Option<Mode>,
    /// Why each less revealing mode, or all modes, would be refused.
    #[n(1)]
    pub refused: Vec<(Mode, Vec<Reason>)>,
}

/// Plans a query with the same rule book that [`decide`](crate::decide) reads.
pub fn plan(facts: &impl Facts, wish: &Wish, moment: &Moment) -> Plan {
    let mut refused = Vec::new();
    for mode in wish.need.modes() {
        let intent = trial(wish, *mode, moment);
        // A claim is proven when the question is asked; advice is about everything else.
        let decision = weigh(facts, &intent, Digest::ZERO, moment, Vec::new()).decision;
        if decision.permit().is_some() {
            return Plan { mode: Some(*mode), refused };
        }
        refused.push((*mode, decision.reasons));
    }
    Plan { mode: None, refused }
}

fn trial(wish: &Wish, mode: Mode, moment: &Moment) -> Intent {
    let mut fields = wish.fields.clone();
    fields.sort();
    fields.dedup();
    Intent {
        id: IntentId::from_parts(moment.time_ms, &[0; 10]),
        consumer: wish.consumer.clone(),
        dataset: wish.dataset.clone(),
        purpose: wish.purpose.clone(),
        mode,
        fields,
        authority: wish.authority.clone(),
        input: Digest::ZERO,
        lookup: None,
    }
}
