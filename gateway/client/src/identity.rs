//! A member's keys in this process, and their file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use covenant_domain::MemberId;
use covenant_suite::{KdfCost, KeyFile, KeyPairSet, MAX_KEY_FILE, OpeningKey, SigningKey, SuiteError, SuiteId};
use zeroize::Zeroizing;

use crate::ClientError;

/// Who this process acts for. Silent in `Debug`; the keys are cleared on drop.
#[derive(Debug)]
pub struct Identity {
    /// The member.
    pub member: MemberId,
    /// Signs its entries and requests.
    pub signing: SigningKey,
    /// Opens what is sealed to it.
    pub opening: Arc<OpeningKey>,
}

impl Identity {
    /// A member with its keys.
    pub fn new(member: MemberId, keys: KeyPairSet) -> Self {
        Self { member, signing: keys.signing, opening: Arc::new(keys.opening) }
    }

    /// A member with fresh keys.
    pub fn generate(member: MemberId, suite: SuiteId) -> Self {
        Self::new(member, KeyPairSet::generate(suite, &mut rand::rng()))
    }
}

/// Reads a key file and opens it.
///
/// # Errors
/// [`ClientError::File`] when the file cannot be read or others than its owner may read it, [`ClientError::Crypto`] for
/// a wrong passphrase.
pub fn load_identity(path: impl AsRef<Path>, passphrase: &str) -> Result<Identity, ClientError> {
    let path = path.as_ref();
    let wrong = |reason: String| ClientError::File { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|e| wrong(e.to_string()))?;
    check_private(&file).map_err(wrong)?;
    let mut json = Zeroizing::new(Vec::new());
    file.take(MAX_KEY_FILE as u64 + 1).read_to_end(&mut json).map_err(|e| wrong(e.to_string()))?;
    let file = KeyFile::from_json(&json).map_err(|e| wrong(e.to_string()))?;
    let member = MemberId::new(file.member()).map_err(|e| wrong(e.to_string()))?;
    Ok(Identity::new(member, file.open(passphrase).map_err(ClientError::crypto("opening the key file"))?))
}

/// Writes a new key file that only its owner may read. An existing file is never overwritten.
///
/// # Errors
/// [`ClientError::File`] or [`ClientError::Crypto`].
pub fn save_identity(
    path: impl AsRef<Path>,
    member: &MemberId,
    keys: &KeyPairSet,
    passphrase: &str,
) -> Result<(), ClientError> {
    save_identity_at_cost(path, member, keys, passphrase, KdfCost::DEFAULT)
}

/// As [`save_identity`], at another cost of guessing the passphrase.
///
/// # Errors
/// As [`save_identity`].
pub fn save_identity_at_cost(
    path: impl AsRef<Path>,
    member: &MemberId,
    keys: &KeyPairSet,
    passphrase: &str,
    cost: KdfCost,
) -> Result<(), ClientError> {
    let path = path.as_ref();
    let file = seal(member, keys, passphrase, cost).map_err(ClientError::crypto("sealing the key file"))?;
    let write = || -> std::io::Result<()> {
        let mut out = create_private(path)?;
        out.write_all(file.to_json().as_bytes())?;
        out.sync_all()
    };
    write().map_err(|e| ClientError::File { path: path.to_owned(), reason: e.to_string() })
}

fn seal(member: &MemberId, keys: &KeyPairSet, passphrase: &str, cost: KdfCost) -> Result<KeyFile, SuiteError> {
    KeyFile::seal(passphrase, member.as_str(), now_ms(), keys, cost, &mut rand::rng())
}

/// The open file is checked, not its path, so that nobody swaps it in between.
#[cfg(unix)]
fn check_private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|e| e.to_string())?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!("mode {mode:03o} lets others read a secret: run `chmod 600` on it, and consider the keys known"))
}

#[cfg(not(unix))]
fn check_private(_file: &File) -> Result<(), String> {
    Ok(())
}

fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Milliseconds since 1970 by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_file_and_stay_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bank.key");
        let member = MemberId::new("bank").unwrap();
        let keys = KeyPairSet::generate(SuiteId::Sm, &mut rand::rng());
        let save = || save_identity_at_cost(&path, &member, &keys, "open sesame", KdfCost::MINIMUM);
        save().unwrap();
        assert!(save().is_err(), "never overwritten");
        let loaded = load_identity(&path, "open sesame").unwrap();
        assert_eq!((&loaded.member, &loaded.signing), (&member, &keys.signing));
        assert!(matches!(load_identity(&path, "wrong"), Err(ClientError::Crypto { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let error = load_identity(&path, "open sesame").unwrap_err().to_string();
            assert!(error.contains("640") && error.contains("chmod 600"), "{error}");
        }
    }
}
