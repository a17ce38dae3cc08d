//! `covenant gateway`: mediates queries between members and nodes, as a process of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use covenant_app::Nodes;
use covenant_app::port::NodePort;
use covenant_daemon::service::{CONFIG_FORMAT, Dialer, Home, HomeFiles, ServiceError, TlsFiles, read_toml};
use covenant_domain::MemberId;
use covenant_server::{ServerConfig, Tls, serve};
use covenant_tls::{Profile, gateway_config};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::signals;

/// Which gateway.
#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// Its configuration, as `covenant init` writes it
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Configuration of a gateway, `gateway.toml`. Paths are relative to the file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayFile {
    format: u32,
    /// The member that runs it; it has the role `platform`.
    member: MemberId,
    genesis: PathBuf,
    keys: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase_file: Option<PathBuf>,
    /// Where members connect.
    listen: SocketAddr,
    /// Whether to serve members without TLS: behind a proxy on this machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handovers: Option<PathBuf>,
    tls: TlsFiles,
    /// Addresses of members' nodes, `host:port`.
    nodes: BTreeMap<MemberId, String>,
}

impl GatewayFile {
    /// A configuration beside the member's keys.
    pub(crate) fn new(member: MemberId, listen: SocketAddr, tls: TlsFiles, nodes: BTreeMap<MemberId, String>) -> Self {
        Self {
            format: CONFIG_FORMAT,
            member,
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            passphrase_file: Some("passphrase".into()),
            listen,
            plain: false,
            handovers: None,
            tls,
            nodes,
        }
    }

    fn read(path: &Path) -> Result<Self, ServiceError> {
        let mut file: Self = read_toml(path)?;
        let wrong = |reason: String| ServiceError::Config { path: path.to_owned(), reason };
        if file.format != CONFIG_FORMAT {
            return Err(wrong(format!("it has format {}, this build reads {CONFIG_FORMAT}", file.format)));
        }
        if file.nodes.is_empty() {
            return Err(wrong("it names no node under `[nodes]`".into()));
        }
        if file.plain && !file.listen.ip().is_loopback() {
            return Err(wrong(format!("without TLS it may listen on this machine only, not on `{}`", file.listen)));
        }
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        let place = |p: &mut PathBuf| *p = base.join(&*p);
        [&mut file.genesis, &mut file.keys, &mut file.tls.certificate, &mut file.tls.key].into_iter().for_each(place);
        [&mut file.passphrase_file, &mut file.handovers].into_iter().flatten().for_each(place);
        Ok(file)
    }

    fn home(&self) -> HomeFiles<'_> {
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

/// Runs the command until the process is told to end.
pub(crate) async fn run(context: &Context, args: &GatewayArgs) -> Result<Document, CliError> {
    let file = GatewayFile::read(&args.config)?;
    let home = Home::open(file.home())?;
    home.certificates.renew()?;
    let guarded = home.guarded()?;
    let Home { genesis, circle, certificates, .. } = home;
    let certificates = Arc::new(certificates);
    let nodes = file.nodes.iter().map(|(member, address)| {
        let node = Dialer::new(guarded.clone(), member.clone(), address.clone()).node();
        (member.clone(), Arc::new(node) as Arc<dyn NodePort>)
    });
    let consortium = Nodes::new(genesis.clone(), nodes.collect());
    let mut config = ServerConfig::at(file.listen);
    if !file.plain {
        let clock = Arc::new(covenant_daemon::service::now_ms as fn() -> u64);
        config.tls = Some(Tls(gateway_config(
            Profile::from(genesis.suite),
            &certificates.current,
            clock,
            &[b"h2", b"http/1.1"],
        )?));
    }
    let watch = circle.clone();
    config.on_trust = Some(Arc::new(move |trust| watch.follow(trust)));
    let renewing = tokio::spawn(certificates.keep());
    let running = serve(config, Arc::new(consortium), signals::stop()).await?;
    let url = running.base_url();
    context.printer.note(&format!("gateway of `{}` at {url}", file.member));
    running.wait().await;
    renewing.abort();
    Ok(Document::new("stopped", &json!({ "url": url })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_reads_back_and_its_faults_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.toml");
        let tls = TlsFiles { certificate: "a".into(), key: "b".into() };
        let nodes = BTreeMap::from([(MemberId::new("tax").unwrap(), "127.0.0.1:7401".to_owned())]);
        let member = MemberId::new("platform").unwrap();
        let file = GatewayFile::new(member, "0.0.0.0:8600".parse().unwrap(), tls, nodes);
        let write = |file: &GatewayFile| std::fs::write(&path, toml::to_string(file).unwrap()).unwrap();
        write(&file);
        assert_eq!(GatewayFile::read(&path).unwrap().keys, dir.path().join("keys"));
        for (bad, words) in [
            (GatewayFile { format: 9, ..file.clone() }, "format 9"),
            (GatewayFile { nodes: BTreeMap::new(), ..file.clone() }, "names no node"),
            (GatewayFile { plain: true, ..file.clone() }, "without TLS"),
        ] {
            write(&bad);
            let error = GatewayFile::read(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
