//! Who could see what, once a grant is there.

use covenant_domain::{DatasetId, DayKind, FieldName, Ground, MemberId, Mode, PurposeCode};
use covenant_engine::{Guard, GuardVerdict};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::space::{Route, Space, joined};

/// One way on which fields can be reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Reach {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// Its fields.
    #[n(1)]
    pub fields: Vec<FieldName>,
    /// Who could.
    #[n(2)]
    pub member: MemberId,
    /// For what.
    #[n(3)]
    pub purpose: PurposeCode,
    /// How.
    #[n(4)]
    pub mode: Mode,
    /// On which ground.
    #[n(5)]
    pub ground: Ground,
    /// On which days.
    #[n(6)]
    pub days: DayKind,
    /// In which hours, from and until.
    #[n(7)]
    pub hours: Vec<(u8, u8)>,
}

/// The ways that a guard opens, of all that the space has.
pub(crate) fn reach(guard: &Guard, space: &Space, routes: &[Route<'_>]) -> Vec<Reach> {
    routes.iter().filter_map(|route| open(guard, space, route)).collect()
}

fn open(guard: &Guard, space: &Space, route: &Route<'_>) -> Option<Reach> {
    let allowed = |hour: u8| matches!(guard.ask(&route.question(hour)), GuardVerdict::Allows { .. });
    let bands: Vec<(u8, u8)> = space.bands.iter().copied().filter(|(from, _)| allowed(*from)).collect();
    (!bands.is_empty()).then(|| Reach {
        dataset: route.dataset.id.clone(),
        fields: route.fields.clone(),
        member: route.member.id.clone(),
        purpose: route.purpose.code.clone(),
        mode: route.mode,
        ground: route.ground,
        days: route.days,
        hours: joined(&bands),
    })
}
