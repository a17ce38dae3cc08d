//! Files in and out, with limits and with the file named when something is wrong.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use covenant_ledger::Genesis;

use crate::error::CliError;

/// Longest file that is read whole, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Reads a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |source| CliError::File { action: "read", path: path.to_owned(), source };
    let mut bytes = Zeroizing::new(Vec::new());
    if is_stdin(path) {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        File::open(path).and_then(|f| f.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(content(path, "a file of this kind", format!("longer than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

/// Reads one line of text that must not be left lying about: a passphrase, a subject.
pub(crate) fn read_secret_line(path: &Path, what: &'static str) -> Result<Zeroizing<String>, CliError> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| content(path, what, "not UTF-8 text"))?;
    let line = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
    match line {
        "" => Err(content(path, what, "empty")),
        many if many.contains('\n') => Err(content(path, what, "more than one line")),
        line => Ok(Zeroizing::new(line.to_owned())),
    }
}

/// Reads a file of text.
pub(crate) fn read_text(path: &Path, what: &'static str) -> Result<String, CliError> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| content(path, what, "not UTF-8 text"))?;
    Ok(text.to_owned())
}

/// Reads a value from TOML when the name ends so, from JSON otherwise.
pub(crate) fn read_value<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, CliError> {
    let bytes = read(path)?;
    let wrong = |reason: String| content(path, what, reason);
    if is_toml(path) {
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("not UTF-8 text".into()))?;
        toml::from_str(text).map_err(|e| wrong(e.to_string()))
    } else {
        serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))
    }
}

/// Reads the trust root; whether it holds is for its reader to check.
pub(crate) fn read_genesis(path: &Path) -> Result<Genesis, CliError> {
    read_value(path, "a genesis document")
}

/// Writes a new file, readable by its owner alone when `private`. An existing file is never overwritten.
pub(crate) fn write_new(path: &Path, bytes: &[u8], private: bool) -> Result<(), CliError> {
    let failed = |source| CliError::File { action: "write", path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if private {
        owner_only(&mut options);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Makes a folder and those above it.
pub(crate) fn make_dir(path: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(path).map_err(|source| CliError::File { action: "make", path: path.to_owned(), source })
}

/// A file that holds something else than it should.
pub(crate) fn content(path: &Path, what: &'static str, reason: impl Into<String>) -> CliError {
    CliError::Content { path: path.to_owned(), what, reason: reason.into() }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn owner_only(_options: &mut OpenOptions) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("line");
        let line = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_secret_line(&path, "a passphrase").map(|l| l.to_string())
        };
        assert_eq!(line(" two words \r\n").unwrap(), " two words ");
        assert!(line("\n").unwrap_err().to_string().contains("empty"));
        assert!(line("a\nb").unwrap_err().to_string().contains("more than one line"));
    }

    #[test]
    fn nothing_is_overwritten_and_the_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        write_new(&path, b"a", true).unwrap();
        let error = write_new(&path, b"b", true).unwrap_err();
        assert!(error.causes().join(" ").contains("new"), "{error}");
        let missing = read(&dir.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
    }
}
