//! OpenSSL as the other end and as a reader of our certificates.
//!
//! Handshakes: the OpenSSL 4 inside the wheels of Python's `cryptography`, in a virtual environment below the target
//! folder. Certificates: the `openssl` command, 3.0 or later.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use covenant_suite::SigningKey;
use covenant_tls::{Credentials, Existing, Identity, Profile, Request, authority_certificate, peer_member};
use der::pem::LineEnding;
use rustls::{CommonState, HandshakeKind};
use support::{BOTH, DAY, World, ledger_key, member, request};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const WHEELS: [&str; 2] = ["pyopenssl==26.4.0", "cryptography==50.0.2"];
const BLOCK: usize = 40_000;

fn skipped(test: &str, why: &str) {
    assert_ne!(std::env::var("COVENANT_REQUIRE_ALL").as_deref(), Ok("1"), "SKIPPED {test}: {why}");
    eprintln!("SKIPPED {test}: {why}");
}

/// A Python with an OpenSSL that knows RFC 8998, made once.
fn python(test: &str) -> Option<&'static Path> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match MADE.get_or_init(make_python) {
        Ok(path) => Some(path),
        Err(why) => {
            skipped(test, why);
            None
        }
    }
}

fn make_python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pyopenssl-26.4.0");
    let python = folder.join("bin/python");
    let works = || {
        let script = "from OpenSSL import SSL; SSL.Context(SSL.TLS_METHOD).set_tls13_ciphersuites(b'TLS_SM4_GCM_SM3')";
        run(Command::new(&python).args(["-c", script]))
    };
    if works().is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(WHEELS))?;
        works()?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(printed) } else { Err(format!("{command:?}: {printed}")) }
}

/// OpenSSL knows no other time than the machine's.
fn today(name: &str) -> Request {
    let mut request = request(name);
    (request.not_before_ms, request.not_after_ms) = (machine_ms() - DAY, machine_ms() + 30 * DAY);
    request
}

fn machine_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

fn put_authority(path: &Path, key: &SigningKey, name: &str) {
    let mut request = today(name);
    (request.not_before_ms, request.not_after_ms) = (machine_ms() - 2 * DAY, machine_ms() + 300 * DAY);
    let der = authority_certificate(key, &request).unwrap();
    std::fs::write(path, der::pem::encode_string("CERTIFICATE", LineEnding::LF, &der).unwrap()).unwrap();
}

/// The bank, played by Python, which trusts the housing's ledger key.
struct Peer {
    folder: TempDir,
    profile: Profile,
}

impl Peer {
    fn new(world: &World, trusted: &SigningKey) -> Self {
        let groups = if world.profile == Profile::ShangMi { "curveSM2" } else { "X25519" };
        Self::with_groups(world, trusted, groups)
    }

    /// The first group is the one that it sends a share of.
    fn with_groups(world: &World, trusted: &SigningKey, groups: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name| folder.path().join(name);
        let bank = Credentials::issue(&world.bank, &today("bank")).unwrap();
        bank.save(&path("cert.pem"), &path("key.pem"), Existing::Keep).unwrap();
        put_authority(&path("peer.pem"), trusted, "housing");
        let schemes = match world.profile {
            Profile::Standard => "ecdsa_secp256r1_sha256:ed25519",
            Profile::ShangMi => "sm2sig_sm3",
        };
        let text = format!(
            "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nGroups = {groups}\n\
             SignatureAlgorithms = {schemes}\n"
        );
        std::fs::write(path("openssl.cnf"), text).unwrap();
        Self { folder, profile: world.profile }
    }

    fn suite(&self) -> &'static str {
        match self.profile {
            Profile::Standard => "TLS_AES_256_GCM_SHA384",
            Profile::ShangMi => "TLS_SM4_GCM_SM3",
        }
    }

    fn start(&self, python: &Path, role: &str, port: Option<u16>) -> Started {
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl/peer.py"))
            .arg(role)
            .arg(self.folder.path())
            .arg(self.suite())
            .args(port.map(|port| port.to_string()))
            .env("OPENSSL_CONF", self.folder.path().join("openssl.cnf"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Started(BufReader::new(child.stdout.take().unwrap()), child)
    }

    /// What the peer printed after a good exchange.
    fn told(&self, printed: &str) {
        let group = if self.profile == Profile::ShangMi { "curveSM2" } else { "X25519" };
        for part in [self.suite(), "TLSv1.3", group, "housing", "OpenSSL 4"] {
            assert!(printed.to_lowercase().contains(&part.to_lowercase()), "no {part} in {printed}");
        }
    }
}

struct Started(BufReader<ChildStdout>, Child);

impl Started {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.1.kill();
        let _ = self.1.wait();
    }
}

async fn send_and_compare(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let block: Vec<u8> = (0..BLOCK).map(|at| (at * 13) as u8).collect();
    stream.write_all(&block).await.unwrap();
    stream.flush().await.unwrap();
    let mut echoed = vec![0; BLOCK];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed, block);
}

async fn echo(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut block = vec![0; BLOCK];
    stream.read_exact(&mut block).await.unwrap();
    stream.write_all(&block).await.unwrap();
    stream.flush().await.unwrap();
}

fn knows_the_bank(connection: &CommonState) {
    assert_eq!(peer_member(connection), Ok(member("bank")));
}

/// Clock and housing of today.
fn world_of_today(profile: Profile) -> (World, Credentials) {
    let world = World::new(profile);
    world.set_now(machine_ms());
    let housing = Credentials::issue(&world.housing, &today("housing")).unwrap();
    (world, housing)
}

#[tokio::test]
async fn our_client_meets_an_openssl_server() {
    let Some(python) = python("openssl::our_client_meets_an_openssl_server") else { return };
    for profile in BOTH {
        let (world, housing) = world_of_today(profile);
        let peer = Peer::new(&world, &world.housing);
        let mut started = peer.start(python, "server", None);
        let port: u16 = started.line().parse().unwrap();
        let config = world.client(Some(&housing), Some("bank"));
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let host = "bank.covenant.internal".try_into().unwrap();
        let mut stream = TlsConnector::from(config).connect(host, socket).await.unwrap();
        knows_the_bank(stream.get_ref().1);
        send_and_compare(&mut stream).await;
        echo(&mut stream).await;
        peer.told(&started.line());
    }
}

#[tokio::test]
async fn an_openssl_client_meets_our_server() {
    let Some(python) = python("openssl::an_openssl_client_meets_our_server") else { return };
    // With the last it offers curveSM2 without a share and hears a HelloRetryRequest.
    for (profile, groups) in
        [(Profile::Standard, "X25519"), (Profile::ShangMi, "curveSM2"), (Profile::ShangMi, "X25519:curveSM2")]
    {
        let (world, housing) = world_of_today(profile);
        let peer = Peer::with_groups(&world, &world.housing, groups);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut started = peer.start(python, "client", Some(listener.local_addr().unwrap().port()));
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(world.server(&housing)).accept(socket).await.unwrap();
        knows_the_bank(stream.get_ref().1);
        let retried = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
        assert_eq!(retried, groups == "X25519:curveSM2");
        echo(&mut stream).await;
        send_and_compare(&mut stream).await;
        peer.told(&started.line());
    }
}

/// Trusting one authority is trusting that one.
#[tokio::test]
async fn an_openssl_client_refuses_what_another_key_signed() {
    let Some(python) = python("openssl::an_openssl_client_refuses_what_another_key_signed") else { return };
    for profile in BOTH {
        let (world, housing) = world_of_today(profile);
        let peer = Peer::new(&world, &ledger_key(profile, 66));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut started = peer.start(python, "client", Some(listener.local_addr().unwrap().port()));
        let (socket, _) = listener.accept().await.unwrap();
        let config = world.server(&housing as &dyn Identity);
        assert!(TlsAcceptor::from(config).accept(socket).await.is_err());
        let printed = started.line();
        assert!(printed.contains("certificate verify failed"), "{printed}");
    }
}

/// The words of `openssl verify` for SM2: 3.0 does not know the default id by itself.
fn id_option(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Standard => &[],
        Profile::ShangMi => &["-vfyopt", "distid:1234567812345678"],
    }
}

#[test]
fn the_openssl_command_verifies_our_certificates() {
    if run(Command::new("openssl").arg("version")).is_err() {
        return skipped("openssl::the_openssl_command_verifies_our_certificates", "no `openssl` command");
    }
    for profile in BOTH {
        let (world, housing) = world_of_today(profile);
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        housing.save(&path("c"), &path("k"), Existing::Keep).unwrap();
        put_authority(&path("ca"), &world.housing, "housing");
        put_authority(&path("other"), &world.bank, "housing");
        let verify = |authority: &str, host: &str| {
            let mut command = Command::new("openssl");
            command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host, "-CAfile"]);
            command.arg(path(authority)).args(id_option(profile)).arg(path("c"));
            run(&mut command)
        };
        for host in ["housing.covenant.internal", "housing.example.org", "localhost"] {
            verify("ca", host).unwrap();
        }
        verify("ca", "bank.covenant.internal").unwrap_err();
        verify("other", "localhost").unwrap_err();
        let text = run(Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(path("c"))).unwrap();
        for part in ["Digital Signature", "TLS Web Server Authentication, TLS Web Client", "IP Address:127.0.0.1"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        run(Command::new("openssl").args(["pkey", "-noout", "-in"]).arg(path("k"))).unwrap();
    }
}

/// The constraint in an authority certificate: it is believed about its own names only.
#[test]
fn the_openssl_command_refuses_names_that_the_authority_may_not_give() {
    if run(Command::new("openssl").arg("version")).is_err() {
        let test = "openssl::the_openssl_command_refuses_names_that_the_authority_may_not_give";
        return skipped(test, "no `openssl` command");
    }
    for profile in BOTH {
        let (world, _) = world_of_today(profile);
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        put_authority(&path("ca"), &world.housing, "housing");
        let changes: [fn(&mut Request); 3] = [
            |request| request.dns_names.push("www.example.com".to_owned()),
            |request| request.addresses.push([127, 0, 0, 2].into()),
            |request| request.addresses.push([9; 16].into()),
        ];
        for change in changes {
            let mut request = today("housing");
            change(&mut request);
            let more = Credentials::issue(&world.housing, &request).unwrap();
            more.save(&path("c"), &path("k"), Existing::Replace).unwrap();
            let mut command = Command::new("openssl");
            command.args(["verify", "-CAfile"]).arg(path("ca")).args(id_option(profile)).arg(path("c"));
            let printed = run(&mut command).unwrap_err();
            assert!(printed.contains("permitted subtree violation"), "{printed}");
        }
    }
}
