//! Values as people read them.

use jiff::Timestamp;
use serde::Serialize;

/// The JSON name of a plain enum, for example `grant-missing`.
pub(crate) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Names with commas between.
pub(crate) fn list<T: std::fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|v| v.to_string()).collect::<Vec<_>>().join(", ")
}

/// Milliseconds since 1970 as a time in UTC.
pub(crate) fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| format!("{ms} ms"), |t| t.to_string())
}

/// Milliseconds since 1970 by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// Text that cannot steer a terminal: control characters become a sign.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// ✓ or ✗.
pub(crate) fn mark(holds: bool) -> char {
    if holds { '✓' } else { '✗' }
}

/// A path or word as a POSIX shell takes it.
pub(crate) fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enums_times_and_shell_words() {
        assert_eq!(name(&covenant_domain::ReasonCode::GrantMissing), "grant-missing");
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(u64::MAX), format!("{} ms", u64::MAX));
        assert_eq!(shell("/tmp/a b"), "'/tmp/a b'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell("/tmp/a.json"), "/tmp/a.json");
    }

    #[test]
    fn nobody_steers_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
