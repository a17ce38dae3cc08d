//! The first frame of both ends, and what is thought of it.

use bytes::Bytes;
use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_domain::MemberId;
use minicbor::{Decode, Encode};

use crate::{Refusal, RefusalCode};

/// Version of the protocol that this build speaks.
pub const VERSION: u32 = 1;
/// Lowest version that it understands.
pub const LOWEST_VERSION: u32 = 1;

/// What both ends say first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Hello {
    /// Version that the sender speaks.
    #[n(0)]
    pub version: u32,
    /// Lowest that it understands.
    #[n(1)]
    pub lowest: u32,
    /// Its consortium: digest of the genesis.
    #[n(2)]
    pub genesis: Digest,
    /// Who it is.
    #[n(3)]
    pub member: MemberId,
}

/// The part of a hello that every version has.
#[derive(Decode)]
#[cbor(map)]
struct Versions {
    #[n(0)]
    version: u32,
    #[n(1)]
    lowest: u32,
}

impl Hello {
    /// What this build says.
    pub fn new(genesis: Digest, member: MemberId) -> Self {
        Self { version: VERSION, lowest: LOWEST_VERSION, genesis, member }
    }

    /// The body of the frame.
    pub fn to_body(&self) -> Bytes {
        to_bytes(self).into()
    }

    /// Reads a hello; one of a later version may hold more, as long as it understands this one.
    ///
    /// # Errors
    /// The refusal to answer with: `protocol_version` or `malformed`.
    pub fn from_body(body: &[u8]) -> Result<Self, Refusal> {
        let malformed = |detail: &dyn std::fmt::Display| {
            Refusal::new(RefusalCode::Malformed, &format!("the hello cannot be read: {detail}"))
        };
        let versions: Versions = minicbor::decode(body).map_err(|e| malformed(&e))?;
        if versions.version < LOWEST_VERSION || versions.lowest > VERSION {
            let text = format!(
                "version {} of the protocol was offered (and {} or later understood), {VERSION} is spoken here (and \
                 {LOWEST_VERSION} or later understood)",
                versions.version, versions.lowest
            );
            return Err(Refusal::new(RefusalCode::ProtocolVersion, &text));
        }
        if versions.version > VERSION {
            return minicbor::decode(body).map_err(|e| malformed(&e));
        }
        from_bytes(body).map_err(|e| malformed(&e))
    }

    /// Judges the peer's hello by our own and by the member whom its certificate names.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub(crate) fn judge(&self, theirs: &Self, certified: &MemberId) -> Result<(), Refusal> {
        if theirs.genesis != self.genesis {
            let text = format!("genesis `{}` here, `{}` there", self.genesis.short(), theirs.genesis.short());
            return Err(Refusal::new(RefusalCode::WrongGenesis, &text));
        }
        if *certified == self.member {
            let text = format!("this is `{certified}` itself: correct the address or the certificate");
            return Err(Refusal::new(RefusalCode::Oneself, &text));
        }
        if theirs.member != *certified {
            let text = format!("the hello names `{}`, the certificate `{certified}`", theirs.member);
            return Err(Refusal::new(RefusalCode::OtherMember, &text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello::new(Digest([7; 32]), MemberId::new("tax").unwrap())
    }

    #[test]
    fn bytes_are_fixed() {
        let mut expected = vec![0xa4, 0x00, 0x01, 0x01, 0x01, 0x02, 0x58, 0x20];
        expected.extend([7; 32]);
        expected.extend([0x03, 0x63, b't', b'a', b'x']);
        assert_eq!(hello().to_body(), expected);
        assert_eq!(Hello::from_body(&expected), Ok(hello()));
    }

    #[test]
    fn a_later_version_may_say_more_if_it_understands_ours() {
        let mut body = to_bytes(&Hello { version: 2, ..hello() });
        body[0] = 0xa5;
        body.extend([0x04, 0x18, 0x63]);
        assert_eq!(Hello::from_body(&body).unwrap().version, 2);
        body[4] = 2;
        assert_eq!(Hello::from_body(&body).unwrap_err().code, RefusalCode::ProtocolVersion);
        let same_version_with_more = [&[0xa5][..], &hello().to_body()[1..], &[0x04, 0x18, 0x63]].concat();
        assert_eq!(Hello::from_body(&same_version_with_more).unwrap_err().code, RefusalCode::Malformed);
    }

    #[test]
    fn each_fault_has_its_code() {
        let (ours, tax) = (Hello { member: MemberId::new("bank").unwrap(), ..hello() }, hello().member);
        assert_eq!(ours.judge(&hello(), &tax), Ok(()));
        let foreign = Hello { genesis: Digest::ZERO, ..hello() };
        assert_eq!(ours.judge(&foreign, &tax).unwrap_err().code, RefusalCode::WrongGenesis);
        assert_eq!(ours.judge(&ours, &tax).unwrap_err().code, RefusalCode::OtherMember);
        assert_eq!(ours.judge(&ours, &ours.member).unwrap_err().code, RefusalCode::Oneself);
    }
}
