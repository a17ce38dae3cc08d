//! `covenant init`: from a list of members to one folder each, ready to run.

mod members;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use clap::Args;
use covenant_client::save_identity;
use covenant_daemon::service::{CONFIG_FORMAT, NodeFile, TlsFiles};
use covenant_domain::{Member, MemberId, Names, Role};
use covenant_ledger::Genesis;
use covenant_suite::{KeyPairSet, SigningKey};
use covenant_tls::{Credentials, Existing, Request, authority_certificate, save_certificate};
use rand::Rng as _;
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::gateway::GatewayFile;
use crate::{files, words};
use members::{MemberLine, MembersFile};

/// Days that a transport certificate made here is valid; nodes renew theirs by themselves.
pub(crate) const CERTIFICATE_DAYS: u64 = 90;
const DAY_MS: u64 = 24 * 3_600_000;
/// How long before now certificates begin, for clocks that differ.
const BACKDATED_MS: u64 = 3_600_000;

/// What to found, and where.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The members and what they run, TOML; see docs/consortium.md
    #[arg(long, value_name = "FILE")]
    members: PathBuf,
    /// A new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command. Nothing is left behind when it fails.
pub(crate) fn run(_context: &Context, args: &InitArgs) -> Result<Document, CliError> {
    let file = MembersFile::read(&args.members)?;
    let genesis = found_new(&file, &args.out)?;
    Ok(told(&file, &genesis, &args.out))
}

/// Founds a consortium in a new folder.
pub(crate) fn found_in(members: &Path, out: &Path) -> Result<Genesis, CliError> {
    found_new(&MembersFile::read(members)?, out)
}

fn found_new(file: &MembersFile, out: &Path) -> Result<Genesis, CliError> {
    if out.exists() {
        let path = out.display();
        return Err(CliError::usage(format!("`{path}` exists already: name a new folder, keys are never overwritten")));
    }
    let draft = out.with_extension("unfinished");
    let founded = found(file, &draft);
    if founded.is_err() {
        // What failed is told; a folder that cannot be removed is told by the next attempt.
        let _left = std::fs::remove_dir_all(&draft);
    }
    let genesis = founded?;
    let failed = |source| CliError::File { action: "write", path: out.to_owned(), source };
    std::fs::rename(&draft, out).map_err(failed)?;
    Ok(genesis)
}

/// Where a member's transport certificate lies.
pub(crate) fn tls_files(home: &Path, name: &str) -> TlsFiles {
    let TlsFiles { certificate, key } = tls(name);
    TlsFiles { certificate: home.join(certificate), key: home.join(key) }
}

fn found(file: &MembersFile, dir: &Path) -> Result<Genesis, CliError> {
    files::make_dir(dir)?;
    let mut secrets = BTreeMap::new();
    let mut list = Vec::new();
    for line in &file.members {
        let keys = line.verifying_key.is_none().then(|| KeyPairSet::generate(file.suite, &mut rand::rng()));
        let public = |made: fn(&KeyPairSet) -> String, given: &Option<String>| {
            keys.as_ref().map(made).or_else(|| given.clone()).unwrap_or_default()
        };
        let mut roles = line.roles.clone();
        roles.sort();
        roles.dedup();
        list.push(Member {
            id: line.id.clone(),
            names: Names::new(&line.zh, &line.en),
            class: line.class,
            roles,
            verifying_key: public(|k| k.signing.verifying_key().to_string(), &line.verifying_key),
            sealing_key: public(|k| k.opening.sealing_key().to_string(), &line.sealing_key),
        });
        secrets.insert(&line.id, keys);
    }
    list.sort_by(|a, b| a.id.cmp(&b.id));
    let (consortium, charter) = (file.consortium.clone(), file.charter());
    let created_ms = words::now_ms();
    let genesis = Genesis { version: 1, consortium, suite: file.suite, created_ms, members: list, charter };
    genesis.check()?;
    let text = serde_json::to_vec_pretty(&genesis).map_err(|e| CliError::usage(e.to_string()))?;
    files::write_new(&dir.join("genesis.json"), &text, false)?;
    for line in &file.members {
        let keys = secrets.get(&line.id).and_then(Option::as_ref);
        member_folder(file, &genesis, line, keys, &dir.join(line.id.as_str()), &text)?;
    }
    Ok(genesis)
}

/// One member's folder: it can be moved to another machine as it is.
fn member_folder(
    file: &MembersFile,
    genesis: &Genesis,
    line: &MemberLine,
    keys: Option<&KeyPairSet>,
    dir: &Path,
    text: &[u8],
) -> Result<(), CliError> {
    for part in ["keys", "tls", "data"] {
        files::make_dir(&dir.join(part))?;
    }
    files::write_new(&dir.join("genesis.json"), text, false)?;
    if let Some(keys) = keys {
        let mut random = [0; 24];
        rand::rng().fill_bytes(&mut random);
        let passphrase = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
        files::write_new(&dir.join("passphrase"), passphrase.as_bytes(), true)?;
        save_identity(dir.join("keys").join(format!("{}.json", line.id)), &line.id, keys, &passphrase)?;
        certificates(genesis, line, &keys.signing, dir)?;
    }
    if let Some(listen) = line.listen {
        let node = NodeFile {
            format: CONFIG_FORMAT,
            member: line.id.clone(),
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            passphrase_file: Some("passphrase".into()),
            store: line.store.clone().unwrap_or_else(|| "sqlite://data/node.db".into()),
            data: "data".into(),
            listen,
            observe: false,
            handovers: None,
            archives: Some("data/archives".into()),
            epoch_memory_mib: 4_096,
            tls: tls("node"),
            addresses: addresses(file, Some(&line.id)),
            sources: Vec::new(),
        };
        write_toml(&dir.join("node.toml"), &node)?;
    }
    if let Some(listen) = line.gateway {
        let gateway = GatewayFile::new(line.id.clone(), listen, tls("node"), addresses(file, None));
        write_toml(&dir.join("gateway.toml"), &gateway)?;
    }
    Ok(())
}

fn write_toml(path: &Path, value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = toml::to_string(value).map_err(|e| CliError::usage(e.to_string()))?;
    files::write_new(path, text.as_bytes(), false)
}

fn tls(name: &str) -> TlsFiles {
    TlsFiles { certificate: format!("tls/{name}.pem").into(), key: format!("tls/{name}.key").into() }
}

fn addresses(file: &MembersFile, without: Option<&MemberId>) -> BTreeMap<MemberId, String> {
    let others = file.members.iter().filter(|m| Some(&m.id) != without);
    others.filter_map(|m| Some((m.id.clone(), m.reached_at()?))).collect()
}

fn certificates(genesis: &Genesis, line: &MemberLine, authority: &SigningKey, dir: &Path) -> Result<(), CliError> {
    let now_ms = words::now_ms();
    let request = Request {
        member: line.id.clone(),
        consortium: genesis.consortium.clone(),
        dns_names: line.dns.clone(),
        addresses: line.ips(),
        not_before_ms: now_ms.saturating_sub(BACKDATED_MS),
        not_after_ms: now_ms.saturating_add(CERTIFICATE_DAYS * DAY_MS),
    };
    let credentials = Credentials::issue(authority, &request)?;
    credentials.save(&dir.join("tls/node.pem"), &dir.join("tls/node.key"), Existing::Keep)?;
    let ten_years = Request { not_after_ms: now_ms.saturating_add(3_650 * DAY_MS), ..request };
    let own = authority_certificate(authority, &ten_years)?;
    Ok(save_certificate(&own, &dir.join("tls/authority.pem"), Existing::Keep)?)
}

fn told(file: &MembersFile, genesis: &Genesis, out: &Path) -> Document {
    let validators: Vec<&MemberLine> = file.members.iter().filter(|m| m.has(Role::Validator)).collect();
    let mut human = format!(
        "consortium `{}`, suite {}, {} members, {} validators: {} of them may fail in any way\n",
        genesis.consortium,
        genesis.suite,
        file.members.len(),
        validators.len(),
        file.tolerated(),
    );
    if file.tolerated() == 0 {
        human += "no validator may fail or lie: take four or more\n";
    }
    human += &format!(
        "genesis {}\nhand every member its folder below `{}`, and this digest by another way; then, on each machine:\n",
        genesis.digest(),
        out.display(),
    );
    for line in &file.members {
        for (runs, what) in [(line.listen.is_some(), "node"), (line.gateway.is_some(), "gateway")] {
            if runs {
                human += &format!("  covenant {what} --config {}/{what}.toml\n", out.join(line.id.as_str()).display());
            }
        }
    }
    let members: Vec<&MemberId> = file.members.iter().map(|m| &m.id).collect();
    let machine = json!({ "consortium": genesis.consortium, "genesis": genesis.digest(), "members": members,
        "tolerated": file.tolerated(), "dir": out });
    Document::new(human.trim_end(), &machine)
}
