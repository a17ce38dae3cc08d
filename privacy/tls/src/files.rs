//! PEM files (RFC 7468), and who may read them.

use std::fs::{File, OpenOptions, rename};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use der::pem::{self, LineEnding};
use zeroize::Zeroizing;

use crate::TlsError;

/// Longest file that is read.
const MAX_FILE: u64 = 64 * 1024;

/// What to do with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to write.
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// A pair of files is written both or not at all, as far as what stands there decides.
pub(crate) fn demand_absent(existing: Existing, paths: &[&Path]) -> Result<(), TlsError> {
    let taken = paths.iter().find(|path| existing == Existing::Keep && path.symlink_metadata().is_ok());
    taken.map_or(Ok(()), |path| Err(TlsError::Exists(path.display().to_string())))
}

pub(crate) fn read_pem(path: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    decode(path, label, File::open(path).map_err(|error| failed(path, error))?)
}

/// Looks at the permissions of the opened file, so that it cannot be changed for another in between.
pub(crate) fn read_secret_pem(path: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let mode = file.metadata().map_err(|error| failed(path, error))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TlsError::Exposed { path: path.display().to_string(), mode });
    }
    decode(path, label, file)
}

fn decode(path: &Path, label: &str, file: File) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_FILE).unwrap_or_default()));
    file.take(MAX_FILE).read_to_end(&mut text).map_err(|error| failed(path, error))?;
    let no_pem = || failed(path, format!("not one PEM block `{label}`"));
    let (found, bytes) = pem::decode_vec(&text).map_err(|_| no_pem())?;
    let bytes = Zeroizing::new(bytes);
    if found == label { Ok(bytes) } else { Err(no_pem()) }
}

pub(crate) fn write_pem(
    path: &Path,
    label: &'static str,
    der: &[u8],
    mode: u32,
    existing: Existing,
) -> Result<(), TlsError> {
    let text = Zeroizing::new(pem::encode_string(label, LineEnding::LF, der).map_err(|error| failed(path, error))?);
    match existing {
        Existing::Keep => write_new(path, text.as_bytes(), mode),
        Existing::Replace => {
            let beside = beside(path);
            // What an interrupted replacement left.
            let _ = std::fs::remove_file(&beside);
            write_new(&beside, text.as_bytes(), mode)?;
            rename(&beside, path).map_err(|error| failed(path, error))
        }
    }
}

fn write_new(path: &Path, text: &[u8], mode: u32) -> Result<(), TlsError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => TlsError::Exists(path.display().to_string()),
        _ => failed(path, error),
    })?;
    file.write_all(text).and_then(|()| file.sync_all()).map_err(|error| failed(path, error))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn failed(path: &Path, reason: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.display().to_string(), reason: reason.to_string() }
}

/// Writes a certificate alone, as PEM: an authority's, for programs that are to trust it.
///
/// # Errors
/// [`TlsError::Exists`] when a file is there and is to be kept, [`TlsError::File`].
pub fn save_certificate(
    certificate: &rustls::pki_types::CertificateDer<'_>,
    path: &Path,
    existing: Existing,
) -> Result<(), TlsError> {
    write_pem(path, "CERTIFICATE", certificate, 0o644, existing)
}

/// What a transport certificate in PEM says. Nothing of it is verified.
///
/// # Errors
/// [`TlsError::Malformed`].
pub fn inspect_pem(text: &str) -> Result<crate::CertificateInfo, TlsError> {
    match pem::decode_vec(text.as_bytes()) {
        Ok(("CERTIFICATE", der)) => crate::inspect(&der.into()),
        _ => Err(TlsError::malformed("not one PEM block `CERTIFICATE`")),
    }
}
