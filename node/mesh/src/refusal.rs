//! Why a connection is not wanted, in words that both ends understand.

use bytes::Bytes;
use covenant_canon::{CanonError, from_bytes, to_bytes};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::FrameError;

/// Longest text that is sent or shown.
const MOST_TEXT: usize = 200;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Kinds of refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
            /// One that this build does not know.
            Unknown,
        }

        impl RefusalCode {
            /// The name on the wire and in the command line.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown => "unknown",
                }
            }

            fn of(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    _ => Self::Unknown,
                }
            }
        }
    };
}

codes! {
    /// No version of the protocol that both understand.
    ProtocolVersion = "protocol_version",
    /// Another consortium.
    WrongGenesis = "wrong_genesis",
    /// No member, or one that may not connect.
    NotAdmitted = "not_admitted",
    /// The hello names somebody else than the certificate, or the certificate somebody else than was dialled.
    OtherMember = "other_member",
    /// The node met itself.
    Oneself = "self",
    /// There is a connection of this pair already.
    Duplicate = "duplicate",
    /// The hello cannot be read.
    Malformed = "malformed",
    /// A frame beyond the limit.
    FrameTooLong = "frame_too_long",
    /// A frame of an unknown kind, or at the wrong place.
    UnknownFrame = "unknown_frame",
    /// The node stops.
    Stopping = "stopping",
}

impl std::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<C> Encode<C> for RefusalCode {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RefusalCode {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.str().map(Self::of)
    }
}

/// Why a connection is not wanted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refusal {
    /// For programs.
    #[n(0)]
    pub code: RefusalCode,
    /// For people.
    #[n(1)]
    pub text: String,
}

impl Refusal {
    /// With printable text of bounded length.
    pub fn new(code: RefusalCode, text: &str) -> Self {
        let text = text.chars().filter(|c| !c.is_control()).take(MOST_TEXT).collect();
        Self { code, text }
    }

    /// The body of the frame.
    pub fn to_body(&self) -> Bytes {
        to_bytes(self).into()
    }

    /// Reads the body of the frame. A code that this build does not know is kept in the text.
    ///
    /// # Errors
    /// [`CanonError`] when it is none.
    pub fn from_body(body: &[u8]) -> Result<Self, CanonError> {
        #[derive(Encode, Decode)]
        #[cbor(map)]
        struct Told {
            #[n(0)]
            code: String,
            #[n(1)]
            text: String,
        }
        let told: Told = from_bytes(body)?;
        let code = RefusalCode::of(&told.code);
        let text = if code == RefusalCode::Unknown { format!("{}: {}", told.code, told.text) } else { told.text };
        Ok(Self::new(code, &text))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        let code = match error {
            FrameError::TooLong { .. } => RefusalCode::FrameTooLong,
            FrameError::Unknown(_) => RefusalCode::UnknownFrame,
        };
        Self::new(code, &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_peers_is_bounded_and_printable() {
        let told = Refusal { code: RefusalCode::NotAdmitted, text: "a\n\u{1b}[31m".to_owned() + &"x".repeat(900) };
        let read = Refusal::from_body(&told.to_body()).unwrap();
        assert_eq!(read.code, RefusalCode::NotAdmitted);
        assert_eq!(read.text.chars().count(), MOST_TEXT);
        assert!(!read.text.chars().any(char::is_control));
    }

    #[test]
    fn codes_of_later_builds_are_shown() {
        let body = [&[0xa2, 0x00, 0x64][..], b"moon", &[0x01, 0x64], b"full"].concat();
        let read = Refusal::from_body(&body).unwrap();
        assert_eq!((read.code, read.text.as_str()), (RefusalCode::Unknown, "moon: full"));
        assert!(Refusal::from_body(b"junk").is_err());
    }
}
