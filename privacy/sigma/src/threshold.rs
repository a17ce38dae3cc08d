//! The regulators' key: made by all, held by none, used by any `t` of `n` on a case.
//!
//! - FROST key generation over the ledger: from [`FirstRound::start`] to [`KeyShare`] and [`GroupKey`];
//! - partial openings of an escrow, each with a proof, and their combination: [`partial_open`], [`combine`].
//!
//! *Protects* a subject from any `t − 1` members together. *Does not* protect it from `t` of them, does not say who may
//! open when (the ledger's case does), and does not re-share: a lost member means a new key for new escrows.
//!
//! Source: Komlo and Goldberg, FROST, figure 1, by `frost-ristretto255`; escrow as in protocols.md section 2, step 2.

mod dkg;
mod opening;

use covenant_canon::{from_bytes, to_bytes};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::{Element, EscrowKey, SecretScalar};

pub use dkg::{FirstRound, Outgoing, SecondRound};
pub use opening::{PartialOpening, combine, partial_open, verify_partial};

/// Most members of a committee.
pub const MAX_MEMBERS: u16 = 32;

/// Failure of the regulators' key. A member at fault is named by its number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Not `2 ≤ threshold ≤ members ≤ 32`.
    #[error("threshold of {threshold} among {members} members is not between 2 and {MAX_MEMBERS}")]
    Committee {
        /// Threshold that was asked for.
        threshold: u16,
        /// Number of members that was asked for.
        members: u16,
    },
    /// A number that no member has.
    #[error("there is no member {member}")]
    Member {
        /// The number.
        member: u16,
    },
    /// The member sent nothing in this round.
    #[error("nothing from member {member} in this round")]
    Missing {
        /// The silent member.
        member: u16,
    },
    /// The member's package is malformed, of another committee, or not what the member committed to.
    #[error("package of member {member} was refused")]
    Package {
        /// The member at fault.
        member: u16,
    },
    /// The member's partial opening is not that of its share, this escrow and this case.
    #[error("partial opening of member {member} was refused")]
    Partial {
        /// The member at fault.
        member: u16,
    },
    /// Two partial openings of one member.
    #[error("member {member} appears twice")]
    Duplicate {
        /// The member.
        member: u16,
    },
    /// Fewer members than the threshold.
    #[error("{have} partial openings where {need} are needed")]
    TooFew {
        /// Partial openings at hand.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// Bytes that are no escrow.
    #[error("escrow is not a pair of canonical ristretto255 elements")]
    Escrow,
    /// Bytes that are no share or group key, or a group key whose shares do not belong together.
    #[error("not a key of a committee")]
    Key,
    /// Key generation ended in a degenerate key; it happens with negligible probability.
    #[error("key generation failed")]
    Failed,
}

impl ThresholdError {
    /// The member at fault, where one is named.
    pub fn culprit(&self) -> Option<u16> {
        match self {
            Self::Package { member }
            | Self::Missing { member }
            | Self::Partial { member }
            | Self::Duplicate { member } => Some(*member),
            _ => None,
        }
    }
}

/// How many members there are, numbered from 1, and how many open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committee {
    threshold: u16,
    members: u16,
}

impl Committee {
    /// A committee of `members`, of which `threshold` open.
    ///
    /// # Errors
    /// [`ThresholdError::Committee`] unless `2 ≤ threshold ≤ members ≤ 32`.
    pub fn new(threshold: u16, members: u16) -> Result<Self, ThresholdError> {
        if threshold < 2 || threshold > members || members > MAX_MEMBERS {
            return Err(ThresholdError::Committee { threshold, members });
        }
        Ok(Self { threshold, members })
    }

    /// How many open.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// How many there are.
    pub fn members(&self) -> u16 {
        self.members
    }

    fn demand(&self, member: u16) -> Result<(), ThresholdError> {
        if (1..=self.members).contains(&member) { Ok(()) } else { Err(ThresholdError::Member { member }) }
    }
}

/// One member's share `sᵢ` of the key; secret.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyShare {
    index: u16,
    secret: SecretScalar,
}

impl KeyShare {
    /// The member's number.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The member's number and secret, for an encrypted file.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 34]> {
        let mut out = Zeroizing::new([0; 34]);
        let (index, secret) = out.split_at_mut(2);
        index.copy_from_slice(&self.index.to_be_bytes());
        secret.copy_from_slice(Zeroizing::new(self.secret.to_bytes()).as_slice());
        out
    }

    /// Reads the bytes of [`KeyShare::to_bytes`]. The caller clears its own copy.
    ///
    /// # Errors
    /// [`ThresholdError::Key`] for a number that no member has, and for a scalar that is zero or not reduced.
    pub fn from_bytes(bytes: &[u8; 34]) -> Result<Self, ThresholdError> {
        let (index, secret) = bytes.split_first_chunk::<2>().ok_or(ThresholdError::Key)?;
        let index = u16::from_be_bytes(*index);
        if !(1..=MAX_MEMBERS).contains(&index) {
            return Err(ThresholdError::Key);
        }
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret).map_err(|_| ThresholdError::Key)?);
        SecretScalar::from_bytes(&secret).map(|secret| Self { index, secret }).map_err(|_| ThresholdError::Key)
    }
}

/// The public side of the key. INVARIANT the shares `Vᵢ = sᵢ·G` lie on one polynomial of degree `t − 1` whose value at
/// zero is `Y`, so that any `t` members open to the same point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKey {
    committee: Committee,
    y: EscrowKey,
    /// `Vᵢ` of member `i` at position `i − 1`.
    shares: Vec<Element>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct GroupKeyWire {
    #[n(0)]
    threshold: u16,
    #[n(1)]
    y: ByteArray<32>,
    #[n(2)]
    shares: Vec<ByteArray<32>>,
}

impl GroupKey {
    /// Longest encoding that is looked at: 35 bytes an element and the frame.
    const MAX_ENCODING: usize = 64 + 35 * MAX_MEMBERS as usize;

    /// The key that subjects are escrowed under.
    pub fn escrow_key(&self) -> &EscrowKey {
        &self.y
    }

    /// Who made it.
    pub fn committee(&self) -> Committee {
        self.committee
    }

    /// The public half of a member's share.
    pub fn share(&self, index: u16) -> Option<&Element> {
        self.shares.get(usize::from(index.checked_sub(1)?))
    }

    /// Whether the share is one of this key.
    pub fn owns(&self, share: &KeyShare) -> bool {
        self.share(share.index) == Some(&share.secret.public())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&GroupKeyWire {
            threshold: self.committee.threshold,
            y: self.y.to_bytes().into(),
            shares: self.shares.iter().map(|v| v.to_bytes().into()).collect(),
        })
    }

    /// Parses canonical bytes and checks the invariant.
    ///
    /// # Errors
    /// [`ThresholdError::Key`], whatever is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ThresholdError> {
        if bytes.len() > Self::MAX_ENCODING {
            return Err(ThresholdError::Key);
        }
        let wire: GroupKeyWire = from_bytes(bytes).map_err(|_| ThresholdError::Key)?;
        let members = u16::try_from(wire.shares.len()).map_err(|_| ThresholdError::Key)?;
        let committee = Committee::new(wire.threshold, members).map_err(|_| ThresholdError::Key)?;
        let shares = wire.shares.iter().map(|v| Element::from_bytes(v)).collect::<Result<_, _>>();
        let y = Element::from_bytes(&wire.y).map_err(|_| ThresholdError::Key)?;
        Self::new(committee, y, shares.map_err(|_| ThresholdError::Key)?)
    }

    fn new(committee: Committee, y: Element, shares: Vec<Element>) -> Result<Self, ThresholdError> {
        let first: Vec<u16> = (1..=committee.threshold).collect();
        let points: Vec<RistrettoPoint> = shares.iter().take(first.len()).map(|v| *v.point()).collect();
        let at = |x: u16| RistrettoPoint::vartime_multiscalar_mul(lagrange(&first, x), &points);
        let rest = (1..).zip(&shares).skip(first.len());
        let agree = at(0) == *y.point() && rest.into_iter().all(|(x, v)| at(x) == *v.point());
        if !agree || shares.len() != usize::from(committee.members) {
            return Err(ThresholdError::Key);
        }
        Ok(Self { committee, y: y.into(), shares })
    }
}

/// `λᵢ = Π_{j≠i} (x − j)/(i − j)` for distinct members: the weights of their values in the value at `x`.
fn lagrange(members: &[u16], x: u16) -> Vec<Scalar> {
    let x = Scalar::from(x);
    let weight = |i: &u16| {
        let others = members.iter().filter(|j| *j != i).map(|j| Scalar::from(*j));
        let (numerator, denominator) =
            others.fold((Scalar::ONE, Scalar::ONE), |(n, d), j| (n * (x - j), d * (Scalar::from(*i) - j)));
        numerator * denominator.invert()
    };
    members.iter().map(weight).collect()
}
