//! A member's key files and transport certificate in a process that runs unattended.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use covenant_domain::MemberId;
use covenant_ledger::Membership;
use covenant_suite::{KeyFile, MAX_KEY_FILE, OpeningKey, SigningKey};
use covenant_tls::{Credentials, Existing, Request, Rotating};
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::config::TlsFiles;
use super::directory::Circle;
use super::{ServiceError, now_ms};
use crate::keyring::Keyring;

/// Days that a renewed certificate is valid.
const DAYS: u64 = 90;
const DAY_MS: u64 = 24 * 3_600_000;
/// Certificates begin that long before they are made, for clocks that differ.
const BACKDATED_MS: u64 = 3_600_000;
/// How often a process looks whether its certificate is to be renewed.
const LOOK: Duration = Duration::from_secs(3_600);

/// The passphrase of unattended processes, from a file that others cannot read, or from COVENANT_PASSPHRASE.
///
/// # Errors
/// [`ServiceError::Secret`].
pub fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, ServiceError> {
    let Some(path) = file else {
        return match std::env::var("COVENANT_PASSPHRASE") {
            Ok(text) if !text.is_empty() => Ok(Zeroizing::new(text)),
            _ => Err(ServiceError::Passphrase),
        };
    };
    let text = Zeroizing::new(read_private(path, 4_096)?);
    let text = std::str::from_utf8(&text).map_err(|e| secret(path, e.to_string()))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn secret(path: &Path, reason: String) -> ServiceError {
    ServiceError::Secret { path: path.to_owned(), reason }
}

/// Reads a file that nobody else may read.
fn read_private(path: &Path, most: usize) -> Result<Vec<u8>, ServiceError> {
    let bytes = std::fs::read(path).map_err(|e| secret(path, e.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(|e| secret(path, e.to_string()))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let reason = format!("mode {mode:03o} lets others read it: run `chmod 600` on it, and consider it known");
            return Err(secret(path, reason));
        }
    }
    if bytes.len() > most { Err(secret(path, "too long".into())) } else { Ok(bytes) }
}

/// Keys of one file.
struct Pair {
    signing: SigningKey,
    opening: OpeningKey,
}

/// Opens every key file of a folder.
fn open_all(member: &MemberId, folder: &Path, passphrase: &str) -> Result<Vec<Pair>, ServiceError> {
    let listed = std::fs::read_dir(folder).map_err(|e| secret(folder, e.to_string()))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|f| Some(f.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let mut pairs = Vec::new();
    for path in paths {
        let bytes = Zeroizing::new(read_private(&path, MAX_KEY_FILE)?);
        let file = KeyFile::from_json(&bytes).map_err(|e| secret(&path, e.to_string()))?;
        if file.member() != member.as_str() {
            return Err(secret(&path, format!("it holds keys of `{}`, not of `{member}`", file.member())));
        }
        let keys = file.open(passphrase).map_err(|e| secret(&path, e.to_string()))?;
        pairs.push(Pair { signing: keys.signing, opening: keys.opening });
    }
    if pairs.is_empty() { Err(secret(folder, "no key file `*.json` is in it".into())) } else { Ok(pairs) }
}

/// A member's keys as its processes use them.
pub struct Secrets {
    /// Signing keys.
    pub keyring: Arc<Keyring>,
    /// Opens what is sealed to the member.
    pub opening: Arc<OpeningKey>,
}

impl Secrets {
    /// Opens the key files of a folder. The opening key is the one that the roster names, else the first.
    ///
    /// # Errors
    /// [`ServiceError::Secret`] naming the file.
    pub fn open(
        member: &MemberId,
        folder: &Path,
        passphrase: Zeroizing<String>,
        membership: &Membership,
    ) -> Result<Self, ServiceError> {
        let pairs = open_all(member, folder, &passphrase)?;
        let named = membership.roster().seat(member).map(|seat| seat.member.sealing_key.clone());
        let (mut signing, mut opening) = (Vec::new(), Vec::new());
        for Pair { signing: one, opening: other } in pairs {
            signing.push(one);
            opening.push(other);
        }
        let fits = |key: &OpeningKey| Some(key.sealing_key().to_string()) == named;
        let at = opening.iter().position(fits).unwrap_or_default();
        let opening = opening.into_iter().nth(at).ok_or_else(|| secret(folder, "no key".into()))?;
        let (who, folder) = (member.clone(), folder.to_owned());
        let search = Arc::new(move || {
            let found = open_all(&who, &folder, &passphrase);
            let found = found.inspect_err(|error| tracing::warn!(%error, "key files cannot be looked through"));
            found.unwrap_or_default().into_iter().map(|pair| pair.signing).collect()
        });
        Ok(Self { keyring: Arc::new(Keyring::searching(member.clone(), signing, search)), opening: Arc::new(opening) })
    }
}

/// Issues a certificate and writes it, with a key of its own. `names` are addresses, and names in the DNS.
fn issue(
    authority: &SigningKey,
    member: &MemberId,
    consortium: &str,
    (addresses, dns_names): (Vec<String>, Vec<String>),
    files: &TlsFiles,
    existing: Existing,
) -> Result<Credentials, ServiceError> {
    let now_ms = now_ms();
    let request = Request {
        member: member.clone(),
        consortium: consortium.to_owned(),
        dns_names,
        addresses: addresses.iter().filter_map(|a| a.parse().ok()).collect(),
        not_before_ms: now_ms.saturating_sub(BACKDATED_MS),
        not_after_ms: now_ms.saturating_add(DAYS * DAY_MS),
    };
    let fresh = Credentials::issue(authority, &request)?;
    fresh.save(&files.certificate, &files.key, existing)?;
    Ok(fresh)
}

/// Loads a transport certificate and keeps it fresh: it is renewed in the last third of its life, and when the member's
/// ledger key has changed.
pub struct Certificates {
    files: TlsFiles,
    keyring: Arc<Keyring>,
    circle: Arc<Circle>,
    shown: Mutex<CertificateDer<'static>>,
    /// What handshakes show.
    pub current: Rotating,
}

impl Certificates {
    /// Loads what lies there; where there is neither certificate nor key, a first one is issued.
    ///
    /// # Errors
    /// [`ServiceError::Tls`]; [`ServiceError::Config`] when it is another member's or another consortium's, or when there is
    /// none and the member's key is not the one that the ledger names.
    pub fn load(files: TlsFiles, keyring: Arc<Keyring>, circle: Arc<Circle>) -> Result<Self, ServiceError> {
        let wrong = |reason| ServiceError::Config { path: files.certificate.clone(), reason };
        if !files.certificate.exists() && !files.key.exists() {
            let key = keyring.key_of(&circle.latest()).ok_or_else(|| {
                let member = keyring.member();
                wrong(format!("there is none yet, and no key here is the one that the ledger names for `{member}`"))
            })?;
            issue(&key, keyring.member(), circle.name(), (Vec::new(), Vec::new()), &files, Existing::Keep)?;
        }
        let loaded = Credentials::load(&files.certificate, &files.key)?;
        let (current, shown) = (Rotating::new(&loaded), Mutex::new(loaded.certificate().clone()));
        let (own, found) = (keyring.member(), current.info().member);
        if &found != own {
            return Err(wrong(format!("the transport certificate names `{found}`, the configuration `{own}`")));
        }
        let (of, here) = (current.info().consortium, circle.name());
        if of != here {
            return Err(wrong(format!(
                "the transport certificate is of consortium `{of}`, the genesis founds `{here}`"
            )));
        }
        Ok(Self { files, keyring, circle, shown, current })
    }

    /// Whether it is in the last third of its life, or does not hold any more: the ledger names another key.
    fn is_due(&self, now_ms: u64) -> bool {
        let info = self.current.info();
        let life = info.not_after_ms.saturating_sub(info.not_before_ms);
        let shown = self.shown.lock().clone();
        let holds = covenant_tls::check(info.profile, &shown, &*self.circle, now_ms, Some(&info.member)).is_ok();
        !holds || now_ms.saturating_add(life / 3) >= info.not_after_ms
    }

    /// Renews the certificate where that is due.
    ///
    /// # Errors
    /// [`ServiceError::Tls`].
    pub fn renew(&self) -> Result<bool, ServiceError> {
        if self.is_due(now_ms()) { self.issue_now() } else { Ok(false) }
    }

    /// Renews the certificate; false when the ledger names a key that is not here.
    ///
    /// # Errors
    /// [`ServiceError::Tls`].
    pub fn issue_now(&self) -> Result<bool, ServiceError> {
        let info = self.current.info();
        let Some(key) = self.keyring.key_of(&self.circle.latest()) else { return Ok(false) };
        // The first name is the member's own, which every certificate has.
        let names = info.names.iter().skip(1).cloned().partition(|name| name.parse::<IpAddr>().is_ok());
        let fresh = issue(&key, &info.member, &info.consortium, names, &self.files, Existing::Replace)?;
        self.current.replace(&fresh)?;
        *self.shown.lock() = fresh.certificate().clone();
        tracing::info!(member = %info.member, "the transport certificate was renewed");
        Ok(true)
    }

    /// Renews when due, for ever.
    pub async fn keep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            ticks.tick().await;
            if let Err(error) = self.renew() {
                tracing::error!(%error, "the transport certificate cannot be renewed");
            }
        }
    }
}
