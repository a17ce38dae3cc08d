//! Personal numbers in free text: what must never stand on the ledger, found before it does.
//!
//! The scanner reads text as people do: full-width digits, Chinese numerals, zero-width characters, spaces and dashes
//! hide nothing. It knows numbers by their form and check digits only; a name, an address or a number spelled with
//! dots passes. It returns where and what, never the text.

mod entry;

pub use entry::personal;

use unicode_normalization::UnicodeNormalization as _;

use crate::{CreditCode, ResidentNumber};

/// What a text seems to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonalKind {
    /// A resident number of 18 characters (GB 11643), check digit included.
    ResidentNumber,
    /// A resident number of the first generation, 15 digits.
    OldResidentNumber,
    /// A mobile number.
    MobileNumber,
    /// A bank card number, Luhn digit included.
    BankCard,
    /// An e-mail address.
    EmailAddress,
    /// A passport number.
    PassportNumber,
}

impl PersonalKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ResidentNumber | Self::OldResidentNumber => "a resident number",
            Self::MobileNumber => "a mobile number",
            Self::BankCard => "a bank card number",
            Self::EmailAddress => "an e-mail address",
            Self::PassportNumber => "a passport number",
        }
    }
}

/// Something personal in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub kind: PersonalKind,
    /// Where it begins, in characters of the text in normal form NFKC, counted from 1.
    pub position: usize,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "what reads as {} from character {} on", self.kind.words(), self.position)
    }
}

/// The first personal number or address in a text, the surest kinds first.
pub fn scan(text: &str) -> Option<Found> {
    let text = Text::read(text);
    let runs = runs(&text);
    let in_runs = |f: fn(&Text, &[Digit]) -> Hit| runs.iter().find_map(|run| f(&text, run));
    let found = in_runs(resident).or_else(|| in_runs(by_length)).or_else(|| email(&text)).or_else(|| passport(&text));
    found.map(|(kind, at)| Found { kind, position: text.positions.get(at).map_or(0, |p| p + 1) })
}

/// What was found, and where among the characters read.
type Hit = Option<(PersonalKind, usize)>;

/// A text in normal form, without the characters nobody sees.
struct Text {
    chars: Vec<char>,
    /// Place of each in the normal form.
    positions: Vec<usize>,
    /// Whether each belongs to a digest, key or UUID.
    machine: Vec<bool>,
}

impl Text {
    fn read(text: &str) -> Self {
        let seen = text.nfkc().enumerate().filter(|(_, c)| !is_invisible(*c));
        let (positions, chars): (Vec<usize>, Vec<char>) = seen.unzip();
        let machine = machine_made(&chars);
        Self { chars, positions, machine }
    }

    fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    fn is_machine(&self, index: usize) -> bool {
        self.machine.get(index).copied().unwrap_or(false)
    }

    /// Whether the characters around a span let it stand for itself.
    fn stands_alone(&self, first: usize, last: usize) -> bool {
        let alphanumeric =
            |index: Option<usize>| index.and_then(|i| self.at(i)).is_some_and(|c| c.is_ascii_alphanumeric());
        !alphanumeric(first.checked_sub(1)) && !alphanumeric(last.checked_add(1))
    }

    /// The ASCII word that holds a character.
    fn word(&self, index: usize) -> String {
        let inside = |i: &usize| self.at(*i).is_some_and(|c| c.is_ascii_alphanumeric());
        let first = (0..=index).rev().take_while(inside).last().unwrap_or(index);
        (first..).take_while(inside).filter_map(|i| self.at(i)).collect()
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '·' | '・' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// A decimal digit, Chinese numerals included.
fn digit(c: char) -> Option<u8> {
    let chinese = "〇一二三四五六七八九";
    let place = || chinese.chars().position(|d| d == c).and_then(|p| u8::try_from(p).ok());
    match c {
        '0'..='9' => u8::try_from(u32::from(c) - u32::from('0')).ok(),
        '零' => Some(0),
        _ => place(),
    }
}

/// Marks UUIDs and words of 32 or more hexadecimal digits.
fn machine_made(chars: &[char]) -> Vec<bool> {
    let mut out = Vec::with_capacity(chars.len());
    while let Some(c) = chars.get(out.len()) {
        let rest = chars.get(out.len()..).unwrap_or_default();
        let word = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let length = rest.iter().take_while(|c| word(c)).count().max(1);
        let made = word(c) && is_machine_made(rest.get(..length).unwrap_or_default());
        out.extend(std::iter::repeat_n(made, length));
    }
    out
}

fn is_machine_made(word: &[char]) -> bool {
    let hex = |part: &[char]| part.iter().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<&[char]> = word.split(|c| *c == '-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    let uuid = lengths == [8, 4, 4, 4, 12] && parts.iter().all(|p| hex(p));
    uuid || parts.iter().any(|p| p.len() >= 32 && hex(p))
}

/// One digit of a run.
#[derive(Debug, Clone, Copy)]
struct Digit {
    value: u8,
    at: usize,
    /// Whether a separator, or nothing, stands before it.
    opens: bool,
    /// Whether a separator, or nothing, stands after it.
    closes: bool,
}

/// Digits that stand together, separators of at most three characters left out.
fn runs(text: &Text) -> Vec<Vec<Digit>> {
    let mut out: Vec<Vec<Digit>> = Vec::new();
    for (at, c) in text.chars.iter().enumerate() {
        let Some(value) = digit(*c) else { continue };
        let new = Digit { value, at, opens: true, closes: true };
        let last = out.last().and_then(|run| run.last()).map(|d| d.at);
        let between = last.and_then(|last| text.chars.get(last + 1..at));
        match (between, out.last_mut()) {
            (Some(gap), Some(run)) if gap.len() <= 3 && gap.iter().all(|c| is_separator(*c)) => {
                let opens = !gap.is_empty();
                if let Some(before) = run.last_mut() {
                    before.closes = opens;
                }
                run.push(Digit { opens, ..new });
            }
            _ => out.push(vec![new]),
        }
    }
    out
}

/// Its check digit, date and region make it sure: it is found anywhere in a run, whatever stands around it.
fn resident(text: &Text, run: &[Digit]) -> Hit {
    let found = (0..run.len()).find_map(|start| {
        let body = run.get(start..start + 17)?;
        let (first, last) = (body.first()?.at, body.last()?.at);
        let check = match run.get(start + 17) {
            Some(next) => char::from(b'0' + next.value),
            None => (last + 1..last + 4).map_while(|i| text.at(i)).find(|c| !is_separator(*c))?,
        };
        let number: String = body.iter().map(|d| char::from(b'0' + d.value)).chain([check]).collect();
        let company = text.stands_alone(first, last + 1) && CreditCode::new(&text.word(first)).is_ok();
        (ResidentNumber::new(&number).is_ok() && !company).then_some(first)
    });
    found.map(|at| (PersonalKind::ResidentNumber, at))
}

/// Numbers known by their length: they begin and end where a group of digits does.
fn by_length(text: &Text, run: &[Digit]) -> Hit {
    if run.first().is_some_and(|d| text.is_machine(d.at)) {
        return None;
    }
    let starts = run.iter().enumerate().filter(|(_, d)| d.opens).map(|(i, _)| i);
    starts.into_iter().find_map(|start| {
        let at = run.get(start)?.at;
        let lengths = [11, 13, 15, 16, 17, 18, 19];
        lengths.into_iter().find_map(|length| {
            let span = run.get(start..start + length).filter(|s| s.last().is_some_and(|d| d.closes))?;
            let kind = kind_of(text, span)?;
            Some((kind, at))
        })
    })
}

fn kind_of(text: &Text, span: &[Digit]) -> Option<PersonalKind> {
    let digits: Vec<u8> = span.iter().map(|d| d.value).collect();
    let (first, last) = (span.first()?.at, span.last()?.at);
    let whole = span.iter().skip(1).all(|d| !d.opens);
    let thousands = span.iter().skip(1).filter(|d| d.opens).count() > 1 && groups(span).iter().skip(1).all(|g| *g == 3);
    match digits.as_slice() {
        [1, 3..=9, ..] if digits.len() == 11 && !thousands => Some(PersonalKind::MobileNumber),
        [8, 6, 1, 3..=9, ..] if digits.len() == 13 && !thousands => Some(PersonalKind::MobileNumber),
        _ if digits.len() == 15 && whole && text.stands_alone(first, last) && is_old_resident(&digits) => {
            Some(PersonalKind::OldResidentNumber)
        }
        _ if (16..=19).contains(&digits.len()) && is_card(&digits) && !thousands => Some(PersonalKind::BankCard),
        _ => None,
    }
}

/// Lengths of the groups of digits.
fn groups(span: &[Digit]) -> Vec<usize> {
    span.iter().fold(Vec::new(), |mut out, digit| {
        match out.last_mut() {
            Some(length) if !digit.opens => *length += 1,
            _ => out.push(1),
        }
        out
    })
}

/// Region, and a birth date in the last century, as the 18 digits would have it.
fn is_old_resident(digits: &[u8]) -> bool {
    let text = |part: &[u8]| part.iter().map(|d| char::from(b'0' + d)).collect::<String>();
    let (region, rest) = digits.split_at(6.min(digits.len()));
    (0..=10).any(|check| {
        let check = if check == 10 { 'X' } else { char::from(b'0' + check) };
        ResidentNumber::new(&format!("{}19{}{check}", text(region), text(rest))).is_ok()
    })
}

/// An issuer's prefix (GB/T 20546, ISO/IEC 7812) and the Luhn digit.
fn is_card(digits: &[u8]) -> bool {
    let issued = matches!(digits, [6, 0 | 2 | 5, ..] | [4, ..] | [5, 1..=5, ..] | [3, 5, ..] | [9, 5, 5, 8, ..]);
    let luhn: u32 = digits.iter().rev().enumerate().map(|(i, d)| luhn_part(i, *d)).sum();
    issued && luhn.is_multiple_of(10)
}

fn luhn_part(place: usize, digit: u8) -> u32 {
    let doubled = u32::from(digit) * if place.is_multiple_of(2) { 1 } else { 2 };
    doubled / 10 + doubled % 10
}

/// `local@host.tld`, spaces around the sign left out.
fn email(text: &Text) -> Hit {
    let signs = text.chars.iter().enumerate().filter(|(_, c)| **c == '@').map(|(i, _)| i);
    signs.into_iter().find_map(|sign| {
        let local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
        let before = (0..sign).rev().skip_while(|i| text.at(*i).is_some_and(char::is_whitespace));
        let first = before.take_while(|i| text.at(*i).is_some_and(local)).last()?;
        let after = (sign + 1..).skip_while(|i| text.at(*i).is_some_and(char::is_whitespace));
        let host: String =
            after.map_while(|i| text.at(i).filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))).collect();
        let (name, top) = host.trim_end_matches(['.', '-']).rsplit_once('.')?;
        let good = !name.is_empty() && top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
        good.then_some((PersonalKind::EmailAddress, first))
    })
}

/// `E` or `G` with eight digits, or `E` and a letter with seven, alone.
fn passport(text: &Text) -> Hit {
    let found = (0..text.chars.len()).find(|start| is_passport(text, *start));
    found.map(|at| (PersonalKind::PassportNumber, at))
}

fn is_passport(text: &Text, start: usize) -> bool {
    if !text.at(start).is_some_and(|c| matches!(c.to_ascii_uppercase(), 'E' | 'G')) || text.is_machine(start) {
        return false;
    }
    let second = text.at(start + 1).filter(char::is_ascii_alphabetic);
    let wanted = if second.is_some() { 7 } else { 8 };
    let (mut at, mut digits) = (start + 1 + usize::from(second.is_some()), 0);
    while digits < wanted {
        match text.at(at) {
            Some(c) if digit(c).is_some() => digits += 1,
            Some(c) if is_separator(c) => {}
            _ => return false,
        }
        at += 1;
    }
    text.stands_alone(start, at - 1)
}

#[cfg(test)]
mod tests;
