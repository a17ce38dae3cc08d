//! What both ends say first.

use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_domain::MemberId;
use minicbor::{Decode, Encode};

/// Version of the protocol of frames that this build speaks.
pub const PROTOCOL: u32 = 1;

/// The first words of an end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Hello {
    /// Newest version it speaks.
    #[n(0)]
    pub(crate) version: u32,
    /// Oldest version it speaks.
    #[n(1)]
    pub(crate) oldest: u32,
    /// Digest of its genesis.
    #[n(2)]
    pub(crate) consortium: Digest,
    /// Who it says it is.
    #[n(3)]
    pub(crate) member: MemberId,
}

/// Why an end does not go on. The code is stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Refusal {
    #[n(0)]
    pub(crate) code: String,
    #[n(1)]
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(code: &str, text: String) -> Self {
        Self { code: code.to_owned(), text }
    }

    /// What a peer sent as its refusal, cut to what may be shown.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let tame = |text: String, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect();
        match from_bytes::<Self>(bytes) {
            Ok(Self { code, text }) => Self { code: tame(code, 40), text: tame(text, 300) },
            Err(_) => Self::new("refused", "it did not say why".into()),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl Hello {
    pub(crate) fn new(member: MemberId, consortium: Digest) -> Self {
        Self { version: PROTOCOL, oldest: PROTOCOL, consortium, member }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Reads and judges the other end's words, of whom TLS says that it is `peer`.
    pub(crate) fn judge(&self, theirs: &[u8], peer: &MemberId, admitted: bool) -> Result<(), Refusal> {
        let Ok(theirs) = from_bytes::<Self>(theirs) else {
            return Err(Refusal::new("protocol_version", format!("no greeting of version {PROTOCOL}")));
        };
        let Self { version, oldest, consortium, member } = theirs;
        if version < self.oldest || oldest > self.version {
            let text =
                format!("one end speaks version {oldest} to {version}, the other {} to {}", self.oldest, self.version);
            return Err(Refusal::new("protocol_version", text));
        }
        if consortium != self.consortium {
            let text = format!("one end has genesis {}, the other {}", consortium.short(), self.consortium.short());
            return Err(Refusal::new("wrong_genesis", text));
        }
        if &member != peer {
            return Err(Refusal::new("other_member", format!("a node of `{peer}` says it is `{member}`")));
        }
        if member == self.member {
            return Err(Refusal::new("self", format!("both ends are nodes of `{member}`: stop one of them")));
        }
        if !admitted {
            return Err(Refusal::new("not_admitted", format!("`{member}` is no member whose node may connect")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_code() {
        let (a, b) = (MemberId::new("a").unwrap(), MemberId::new("b").unwrap());
        let own = Hello::new(a.clone(), Digest([1; 32]));
        let theirs = Hello::new(b.clone(), Digest([1; 32]));
        let code =
            |hello: &Hello, peer: &MemberId, admitted| own.judge(&hello.bytes(), peer, admitted).map_err(|r| r.code);
        assert_eq!(code(&theirs, &b, true), Ok(()));
        assert_eq!(code(&theirs, &b, false), Err("not_admitted".into()));
        assert_eq!(code(&theirs, &a, true), Err("other_member".into()));
        assert_eq!(code(&own, &a, true), Err("self".into()));
        let later = Hello { version: 3, oldest: 2, ..theirs.clone() };
        assert_eq!(code(&later, &b, true), Err("protocol_version".into()));
        let both = Hello { version: 3, oldest: 1, ..theirs.clone() };
        assert_eq!(code(&both, &b, true), Ok(()), "versions that overlap");
        let foreign = Hello { consortium: Digest([2; 32]), ..theirs };
        assert_eq!(code(&foreign, &b, true), Err("wrong_genesis".into()));
        assert_eq!(own.judge(b"", &b, true).unwrap_err().code, "protocol_version");
    }

    #[test]
    fn a_refusal_is_shown_without_what_could_spoil_a_terminal() {
        let nasty = Refusal::new("x\u{1b}[2J", "y\n".repeat(400));
        let read = Refusal::read(&to_bytes(&nasty));
        assert_eq!(read.code, "x[2J");
        assert!(read.text.chars().count() == 300 && !read.text.contains('\n'));
        assert_eq!(Refusal::read(b"\xff").code, "refused");
    }
}
