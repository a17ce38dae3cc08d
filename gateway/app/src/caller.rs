//! Who calls.

use bytes::Bytes;
use covenant_api::{Code, FRESHNESS_MS, Problem, RequestSignature, SignedContent};
use covenant_domain::{Member, MemberId, Role};

use crate::Gateway;

/// A member that was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    id: MemberId,
    regulator: bool,
    trustee: bool,
    platform: bool,
}

impl Caller {
    /// Its id.
    pub fn id(&self) -> &MemberId {
        &self.id
    }

    /// Whether it may read what it is no party to.
    pub fn is_regulator(&self) -> bool {
        self.regulator
    }

    /// Whether it runs the sharing platform.
    pub fn is_platform(&self) -> bool {
        self.platform
    }

    /// Whether it holds a share of the escrow key.
    pub fn is_trustee(&self) -> bool {
        self.trustee
    }
}

impl From<&Member> for Caller {
    fn from(member: &Member) -> Self {
        let (regulator, trustee) = (member.has(Role::Regulator), member.has(Role::Trustee));
        Self { id: member.id.clone(), regulator, trustee, platform: member.has(Role::Platform) }
    }
}

/// A request as it came, before anything was checked.
#[derive(Debug, Clone)]
pub struct Incoming<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path and query as sent, or full gRPC method name.
    pub target: &'a str,
    /// Body as sent, or inner gRPC payload.
    pub body: Bytes,
    /// Its signature.
    pub signature: RequestSignature,
}

/// A value of a request whose caller was identified. Only [`Gateway::identify`] makes one.
#[derive(Debug, Clone)]
pub struct Authentic<T> {
    caller: Caller,
    value: T,
}

impl<T> Authentic<T> {
    /// Who sent it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What was sent.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Both.
    pub fn into_parts(self) -> (Caller, T) {
        (self.caller, self.value)
    }

    /// Reads something else out of the value.
    ///
    /// # Errors
    /// Whatever `read` fails with.
    pub fn read<U>(self, read: impl FnOnce(T) -> Result<U, Problem>) -> Result<Authentic<U>, Problem> {
        Ok(Authentic { value: read(self.value)?, caller: self.caller })
    }
}

impl Gateway {
    /// Identifies the caller of a request.
    ///
    /// The order of checks: member known, time within a minute of `now_ms`, signature, nonce, rate. A request that fails
    /// one of them costs its alleged author nothing.
    ///
    /// # Errors
    /// [`Problem`] with one of the codes `member-unknown`, `request-stale`, `signature-invalid`, `too-many-requests`,
    /// `nonce-replayed`.
    pub fn identify(&self, incoming: Incoming<'_>, now_ms: u64) -> Result<Authentic<Bytes>, Problem> {
        let Incoming { method, target, body, signature } = incoming;
        let membership = self.membership();
        let known = membership.keys(&signature.member).zip(membership.member(&signature.member));
        let Some((keys, member)) = known else {
            return Err(Problem::new(
                Code::MemberUnknown,
                format!("`{}` is not a member of consortium {}", signature.member, self.digest),
            ));
        };
        if signature.created_ms.abs_diff(now_ms) > FRESHNESS_MS {
            return Err(stale(&signature, now_ms));
        }
        let content = SignedContent { consortium: &self.digest, method, target, body: &body };
        signature.verify(&content, &keys.verifying).map_err(|_| {
            let detail = format!("signature of `{}` over {method} {} does not verify", member.id, path_of(target));
            Problem::new(Code::SignatureInvalid, detail)
        })?;
        // A replay by someone who listened must not use up the member's rate.
        self.replays.refuse_known(&member.id, &signature.nonce)?;
        self.limiter.take(&member.id, now_ms)?;
        self.replays.admit(&member.id, signature.nonce, signature.created_ms, now_ms)?;
        Ok(Authentic { caller: member.into(), value: body })
    }
}

fn stale(signature: &RequestSignature, now_ms: u64) -> Problem {
    let apart = signature.created_ms.abs_diff(now_ms) / 1000;
    let detail = format!(
        "the request was made {apart} s from the gateway's time, {} s are allowed: set the clock of `{}`",
        FRESHNESS_MS / 1000,
        signature.member
    );
    Problem::new(Code::RequestStale, detail)
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}
