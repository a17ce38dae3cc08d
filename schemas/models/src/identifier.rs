//! Identifiers of electronic licences (GB/T 36904-2018).
//!
//! `root . type . issuer . serial . version . check`: the root `1.2.156.3005.2`, the type of the licence (18-character
//! credit code of who administers the type, then three of its own), the issuing authority's credit code, a serial of
//! letters and digits, a version of three digits, and one check character by ISO 7064 MOD 37,36 over the letters and
//! digits between root and check. This is our reading of the standard; its text is not part of this repository.

use covenant_domain::CreditCode;

/// The root of all identifiers.
const ROOT: &str = "1.2.156.3005.2.";
/// ISO 7064, alphanumeric.
const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Longest serial.
const MAX_SERIAL: usize = 32;

/// Why a text is no identifier. Carries no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierFault {
    /// Another beginning.
    Root,
    /// Not five parts after the root.
    Parts,
    /// A part of the wrong length or with a character that its place does not allow.
    Part(&'static str),
    /// The issuing authority's credit code does not hold.
    Issuer,
    /// The check character does not agree.
    Check,
}

impl std::fmt::Display for IdentifierFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => write!(f, "an identifier of an electronic licence begins with `{ROOT}`"),
            Self::Parts => f.write_str("after its root it has five parts: type, issuer, serial, version, check"),
            Self::Part(part) => write!(f, "its {part} has a wrong length or character"),
            Self::Issuer => f.write_str("the credit code of its issuer does not hold"),
            Self::Check => f.write_str("its check character is wrong: compare it with the document"),
        }
    }
}

/// An identifier that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceIdentifier(String);

impl LicenceIdentifier {
    /// Parses and checks an identifier.
    ///
    /// # Errors
    /// [`IdentifierFault`] naming the first part that does not hold.
    pub fn new(text: &str) -> Result<Self, IdentifierFault> {
        let rest = text.strip_prefix(ROOT).ok_or(IdentifierFault::Root)?;
        let parts: Vec<&str> = rest.split('.').collect();
        let [kind, issuer, serial, version, check] = parts.as_slice() else { return Err(IdentifierFault::Parts) };
        check_parts(kind, issuer, serial, version)?;
        let mut expected = [0; 4];
        let expected = mod_37_36(&format!("{kind}{issuer}{serial}{version}")).encode_utf8(&mut expected);
        if expected == *check { Ok(Self(text.to_owned())) } else { Err(IdentifierFault::Check) }
    }

    /// The identifier of these parts, with its check character.
    ///
    /// # Errors
    /// As [`LicenceIdentifier::new`].
    pub fn from_parts(kind: &str, issuer: &str, serial: &str, version: u16) -> Result<Self, IdentifierFault> {
        let version = format!("{version:03}");
        let check = mod_37_36(&format!("{kind}{issuer}{serial}{version}"));
        Self::new(&format!("{ROOT}{kind}.{issuer}.{serial}.{version}.{check}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_parts(kind: &str, issuer: &str, serial: &str, version: &str) -> Result<(), IdentifierFault> {
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| ALPHABET.contains(c));
    let own = |text: &str| text.len() == 21 && plain(text);
    if !own(kind) || kind.get(..18).is_none_or(|code| CreditCode::new(code).is_err()) {
        return Err(IdentifierFault::Part("type"));
    }
    if CreditCode::new(issuer).is_err() || !plain(issuer) {
        return Err(IdentifierFault::Issuer);
    }
    if !plain(serial) || serial.len() > MAX_SERIAL {
        return Err(IdentifierFault::Part("serial"));
    }
    let digits = version.len() == 3 && version.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(()) } else { Err(IdentifierFault::Part("version")) }
}

/// ISO 7064 hybrid system MOD 37,36: `P ← 36`; for each character `P ← ((P + a) mod 36, or 36) · 2 mod 37`; the check
/// character `c` satisfies `P + c ≡ 1 (mod 36)`.
fn mod_37_36(body: &str) -> char {
    let values = body.chars().filter_map(|c| ALPHABET.find(c));
    let product = values.fold(36, |product, value| {
        let sum = (product + value) % 36;
        (if sum == 0 { 36 } else { sum }) * 2 % 37
    });
    ALPHABET.chars().nth((37 - product % 36) % 36).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &str = "11100000000013338W";

    fn made() -> LicenceIdentifier {
        let authority = CreditCode::from_body("11320700014308888").unwrap();
        LicenceIdentifier::from_parts(&kind(), authority.expose(), "320700000000001", 1).unwrap()
    }

    fn kind() -> String {
        format!("{}001", CreditCode::from_body(&AUTHORITY[..17]).unwrap().expose())
    }

    #[test]
    fn the_check_character_is_that_of_iso_7064() {
        // The example of the standard's annex for this system: ISO 7064, `A12425GABC1234002` gives `M`.
        assert_eq!(mod_37_36("A12425GABC1234002"), 'M');
    }

    #[test]
    fn every_single_alteration_and_transposition_is_noticed() {
        let text = made().as_str().to_owned();
        assert!(LicenceIdentifier::new(&text).is_ok());
        for (at, c) in text.char_indices().skip(ROOT.len()) {
            for other in ALPHABET.chars().filter(|o| *o != c && c != '.') {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(LicenceIdentifier::new(&changed).is_err(), "{changed}");
            }
        }
    }

    #[test]
    fn each_part_is_named() {
        let text = made().as_str().to_owned();
        let issuer = CreditCode::from_body("11320700014308888").unwrap();
        let of = |kind: &str, issuer: &str, serial: &str| LicenceIdentifier::from_parts(kind, issuer, serial, 1);
        assert_eq!(LicenceIdentifier::new(&text[2..]), Err(IdentifierFault::Root));
        assert_eq!(LicenceIdentifier::new(&format!("{text}.1")), Err(IdentifierFault::Parts));
        assert_eq!(of("X", issuer.expose(), "1"), Err(IdentifierFault::Part("type")));
        assert_eq!(of(&kind(), "91110000000000000X", "1"), Err(IdentifierFault::Issuer));
        assert_eq!(of(&kind(), issuer.expose(), "a"), Err(IdentifierFault::Part("serial")));
        assert_eq!(of(&kind(), issuer.expose(), &"1".repeat(33)), Err(IdentifierFault::Part("serial")));
        let version = text.replace(".001.", ".01.");
        assert_eq!(LicenceIdentifier::new(&version), Err(IdentifierFault::Part("version")));
    }
}
