//! One id type per noun.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, too long, or with characters outside the allowed set.
    #[error("`{text}` is not a {noun}: use 1 to {max} characters of {alphabet}")]
    Name {
        /// What was offered.
        text: String,
        /// The kind of id.
        noun: &'static str,
        /// Longest accepted text.
        max: usize,
        /// The accepted characters, in words.
        alphabet: &'static str,
    },
    /// Not of the form `cov:{consortium}/{class}/{org}/{subsystem}/{dataset}`.
    #[error("`{text}` is not a dataset id: expected `cov:consortium/class/org/subsystem/dataset`")]
    Dataset {
        /// What was offered.
        text: String,
    },
    /// Not a UUID.
    #[error("`{text}` is not a {noun}: expected a UUID such as `0197f3c2-...`")]
    Uuid {
        /// What was offered.
        text: String,
        /// The kind of id.
        noun: &'static str,
    },
}

fn lower_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
}

fn check_name(text: &str, noun: &'static str, max: usize) -> Result<(), IdError> {
    if !text.is_empty() && text.len() <= max && text.bytes().all(lower_name) {
        return Ok(());
    }
    let mut shown: String = text.chars().take(80).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Err(IdError::Name { text: shown, noun, max, alphabet: "`a-z`, `0-9`, `-` and `_`" })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Parses the id.
            ///
            /// # Errors
            /// [`IdError`] when the text has another form.
            pub fn new(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> Result<(), IdError> = $check;
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::new(d.str()?).map_err(decode::Error::custom)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A version 7 id (RFC 9562) of the given time, from ten random bytes.
            pub fn from_parts(time_ms: u64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(time_ms, random).into_uuid())
            }

            /// Milliseconds since 1970 that a version 7 id carries; zero for other versions.
            pub fn time_ms(&self) -> u64 {
                if self.0.get_version_num() != 7 {
                    return 0;
                }
                (self.0.as_u128() >> 80) as u64
            }

            /// The sixteen bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self).map_err(|_| IdError::Uuid { text: text.chars().take(80).collect(), noun: $noun })
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Uuid::from_slice(d.bytes()?).map(Self).map_err(decode::Error::custom)
            }
        }
    };
}

text_id!(
    /// A member organisation, for example `housing`.
    MemberId, "member id", |t| check_name(t, "member id", 40)
);
text_id!(
    /// A registered purpose, for example `mortgage-review`.
    PurposeCode, "purpose code", |t| check_name(t, "purpose code", 40)
);
text_id!(
    /// A field of a dataset, for example `overdue_count`.
    FieldName, "field name", |t| check_name(t, "field name", 60)
);
text_id!(
    /// A dataset: `cov:{consortium}/{class}/{org}/{subsystem}/{dataset}`.
    DatasetId, "dataset id", check_dataset
);
uuid_id!(
    /// A query, from its intent to its evidence bundle. Retrying with the same id is safe.
    IntentId, "intent id"
);
uuid_id!(
    /// A grant between a holder and a consumer.
    GrantId, "grant id"
);
uuid_id!(
    /// An authorisation artefact: a consent, or a legal authority.
    ConsentId, "consent id"
);

uuid_id!(
    /// An access request.
    RequestId, "request id"
);
uuid_id!(
    /// A delegation.
    DelegationId, "delegation id"
);
uuid_id!(
    /// A proposal to be voted on.
    ProposalId, "proposal id"
);
uuid_id!(
    /// A dispute about a record.
    DisputeId, "dispute id"
);

uuid_id!(
    /// A change of a right in a register.
    RightId, "right change id"
);

fn check_dataset(text: &str) -> Result<(), IdError> {
    let wrong = || IdError::Dataset { text: text.chars().take(160).collect() };
    let rest = text.strip_prefix("cov:").ok_or_else(wrong)?;
    let mut parts = 0;
    for part in rest.split('/') {
        check_name(part, "dataset id part", 40).map_err(|_| wrong())?;
        parts += 1;
    }
    if parts == 5 { Ok(()) } else { Err(wrong()) }
}

impl DatasetId {
    fn part(&self, index: usize) -> &str {
        self.0.trim_start_matches("cov:").split('/').nth(index).unwrap_or_default()
    }

    /// The consortium's short name.
    pub fn consortium(&self) -> &str {
        self.part(0)
    }

    /// The organisation that holds the dataset.
    pub fn org(&self) -> &str {
        self.part(2)
    }

    /// The dataset's own short name.
    pub fn name(&self) -> &str {
        self.part(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dataset_ids_have_five_parts() {
        let id = DatasetId::new("cov:city/gov/housing/registry/homes").unwrap();
        assert_eq!((id.consortium(), id.org(), id.name()), ("city", "housing", "homes"));
        for bad in ["cov:city/gov/housing/homes", "city/gov/housing/registry/homes", "cov:a/b/c/d/E", "cov:a/b//d/e"] {
            assert!(DatasetId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!(MemberId::new("market-regulation").is_ok());
        let error = MemberId::new("住建局").unwrap_err().to_string();
        assert!(error.contains("住建局") && error.contains("a-z"), "{error}");
        assert!(MemberId::new(&"a".repeat(41)).is_err());
        assert!(MemberId::new("").is_err());
    }

    #[test]
    fn version_7_ids_carry_their_time() {
        let id = IntentId::from_parts(1_795_000_000_123, &[7; 10]);
        assert_eq!(id.time_ms(), 1_795_000_000_123);
        assert_eq!(id.to_string().parse::<IntentId>().unwrap(), id);
        assert!("nonsense".parse::<IntentId>().is_err());
    }
}
