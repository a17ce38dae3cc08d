//! The configuration of a node process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use covenant_domain::MemberId;
use serde::{Deserialize, Serialize};

use super::ServiceError;
use super::home::HomeFiles;

/// Version of the format of configuration files.
pub const CONFIG_FORMAT: u32 = 1;

/// Where a transport certificate and its key lie; the node makes and renews them itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// PEM.
    pub certificate: PathBuf,
    /// PEM, readable by its owner alone.
    pub key: PathBuf,
}

/// A dataset that the department answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Description of the dataset, TOML or JSON, as it is published.
    pub dataset: PathBuf,
    /// The vault that it was imported into, `sqlite://records.db` or `postgres://user@host/database`; or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// the database of the live table, with
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// its mapping file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PathBuf>,
}

/// Configuration of one node, `node.toml`. Paths are relative to the file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Version of this format, 1.
    pub format: u32,
    /// Whose node it is.
    pub member: MemberId,
    /// The founding document.
    pub genesis: PathBuf,
    /// Folder of the member's key files, `*.json`: the one in force, and the next while keys are rotated.
    pub keys: PathBuf,
    /// File with the passphrase of the key files; without it COVENANT_PASSPHRASE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
    /// Database of the replica, `sqlite://node.db` or `postgres://user@host/database`.
    pub store: String,
    /// Folder of the engine's log, of epochs and of backups.
    pub data: PathBuf,
    /// Where other members' nodes and gateways connect.
    pub listen: SocketAddr,
    /// Only follow, though the member may be a validator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observe: bool,
    /// Handovers that lead to a newer roster than the genesis names, for a replica that has to catch up with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handovers: Option<PathBuf>,
    /// Folder of archives of old blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archives: Option<PathBuf>,
    /// Largest table of private lookup kept in memory, MiB.
    #[serde(default = "epoch_memory_mib")]
    pub epoch_memory_mib: u64,
    /// Transport certificate.
    pub tls: TlsFiles,
    /// Addresses of other members' nodes, `host:port`.
    #[serde(default)]
    pub addresses: BTreeMap<MemberId, String>,
    /// The department's datasets.
    #[serde(default, rename = "source", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceFile>,
}

fn epoch_memory_mib() -> u64 {
    4_096
}

impl NodeFile {
    /// Reads a configuration and makes its paths absolute.
    ///
    /// # Errors
    /// [`ServiceError::Config`] naming file and fault.
    pub fn read(path: &Path) -> Result<Self, ServiceError> {
        let mut file: Self = read_toml(path)?;
        if file.format != CONFIG_FORMAT {
            let reason = format!("it has format {}, this build reads {CONFIG_FORMAT}", file.format);
            return Err(ServiceError::Config { path: path.to_owned(), reason });
        }
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        let place = |p: &mut PathBuf| *p = base.join(&*p);
        [&mut file.genesis, &mut file.keys, &mut file.data, &mut file.tls.certificate, &mut file.tls.key]
            .into_iter()
            .for_each(place);
        let maybe = [&mut file.passphrase_file, &mut file.handovers, &mut file.archives];
        maybe.into_iter().flatten().for_each(place);
        file.store = database(base, &file.store);
        for source in &mut file.sources {
            place(&mut source.dataset);
            source.mapping.iter_mut().for_each(place);
            [&mut source.vault, &mut source.live].into_iter().flatten().for_each(|url| *url = database(base, url));
        }
        Ok(file)
    }

    /// Where the member's trust root, keys and certificate lie.
    pub fn home(&self) -> HomeFiles<'_> {
        HomeFiles {
            member: &self.member,
            genesis: &self.genesis,
            handovers: self.handovers.as_ref(),
            keys: &self.keys,
            passphrase_file: self.passphrase_file.as_deref(),
            tls: self.tls.clone(),
        }
    }
}

/// Reads a TOML file.
///
/// # Errors
/// [`ServiceError::Config`] naming file and fault.
pub fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ServiceError> {
    let wrong = |reason: String| ServiceError::Config { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    toml::from_str(&text).map_err(|e| wrong(e.to_string().trim_end().replace('\n', " ")))
}

/// The url of a database whose SQLite file may be relative.
pub fn database(base: &Path, url: &str) -> String {
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.starts_with('/') && !path.starts_with(':') => {
            format!("sqlite://{}", base.join(path).display())
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> NodeFile {
        NodeFile {
            format: CONFIG_FORMAT,
            member: MemberId::new("tax").unwrap(),
            genesis: "../genesis.json".into(),
            keys: "keys".into(),
            passphrase_file: Some("passphrase".into()),
            store: "sqlite://node.db".into(),
            data: "data".into(),
            listen: "127.0.0.1:7401".parse().unwrap(),
            observe: false,
            handovers: None,
            archives: None,
            epoch_memory_mib: 64,
            tls: TlsFiles { certificate: "tls/node.pem".into(), key: "tls/node.key".into() },
            addresses: BTreeMap::from([(MemberId::new("bank").unwrap(), "bank:7401".to_owned())]),
            sources: vec![SourceFile {
                dataset: "homes.toml".into(),
                vault: Some("sqlite://records.db".into()),
                live: None,
                mapping: None,
            }],
        }
    }

    #[test]
    fn a_file_reads_back_with_its_paths_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(&path, toml::to_string(&file()).unwrap()).unwrap();
        let read = NodeFile::read(&path).unwrap();
        assert_eq!(read.genesis, dir.path().join("../genesis.json"));
        assert_eq!(read.store, format!("sqlite://{}/node.db", dir.path().display()));
        assert_eq!(read.sources[0].vault, Some(format!("sqlite://{}/records.db", dir.path().display())));
        assert_eq!((read.member, read.addresses), (file().member, file().addresses));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let later = toml::to_string(&NodeFile { format: 2, ..file() }).unwrap();
        let typo = toml::to_string(&file()).unwrap().replace("observe", "observes") + "\nlisten_on = 1\n";
        for (text, words) in [(later.as_str(), "format 2"), (typo.as_str(), "unknown field"), ("member = 1", "member")]
        {
            std::fs::write(&path, text).unwrap();
            let error = NodeFile::read(&path).unwrap_err().to_string();
            assert!(error.contains("node.toml") && error.contains(words), "{error}");
        }
        assert!(NodeFile::read(&dir.path().join("none.toml")).is_err());
    }

    #[test]
    fn only_relative_files_are_moved() {
        let base = Path::new("/etc/covenant");
        for url in ["sqlite::memory:", "sqlite:///var/x.db", "postgres://u@h/d"] {
            assert_eq!(database(base, url), url);
        }
        assert_eq!(database(base, "sqlite://x.db"), "sqlite:///etc/covenant/x.db");
    }
}
