//! The authorisation service as its people meet it: one process serves, a bank and a citizen type.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail anywhere")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use covenant_demo::city::City;
use covenant_demo::{Consortium, Founding, MEMBERS, PASSPHRASE, Settings, catalogue, publish_rules};
use covenant_domain::{Body, Notice, PurposeCode};
use covenant_suite::SuiteId;
use serde_json::Value;

const ZH: &str = "银行将查询您的征信摘要。";
const EN: &str = "The bank will look at your credit summary.";

/// Ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

struct Desk {
    dir: PathBuf,
    gateway: String,
    authority: String,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn covenant() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
    for name in ["GATEWAY", "KEY", "TRUST", "AUTHORITY", "TOKEN_FILE", "LOG"] {
        command.env_remove(format!("COVENANT_{name}"));
    }
    command.env("COVENANT_PASSPHRASE", PASSPHRASE);
    command
}

impl Desk {
    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// A member's command.
    fn member(&self, member: &str, args: &[&str]) -> Command {
        let mut command = covenant();
        command.args(["--json", "--gateway", &self.gateway, "--trust", &self.file("genesis.json")]);
        command.args(["--key", &self.file(&format!("keys/{member}.json"))]);
        command.args(args);
        command
    }

    /// A citizen's command, ended, with its document.
    fn my(&self, args: &[&str]) -> (Option<i32>, Value) {
        let mut command = covenant();
        command.args(["--json", "my", "--authority", &self.authority, "--token-file", &self.file("token")]);
        document(&command.args(args).output().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.dir.join(name), text).unwrap();
        self.file(name)
    }
}

fn document(output: &Output) -> (Option<i32>, Value) {
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let shown = || String::from_utf8_lossy(text).into_owned();
    (output.status.code(), serde_json::from_slice(text).unwrap_or_else(|_| shown().into()))
}

async fn consortium(dir: &Path) -> Consortium {
    let founding = Founding::open(dir, catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS).unwrap();
    let consortium = Consortium::start(Settings::new(founding)).await.unwrap();
    let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    publish_rules(&consortium, &catalogue::datasets().unwrap(), now_ms).await.unwrap();
    consortium
}

fn configuration(desk: &Desk, port: u16, citizen: &str) -> String {
    let (provider, listen) = (free_port(), port);
    let (zh, en) = (desk.write("zh.txt", ZH), desk.write("en.txt", EN));
    let text = format!(
        r#"
        listen = "127.0.0.1:{listen}"
        database = "sqlite://{database}"
        [oidc]
        issuer = "http://127.0.0.1:{provider}"
        client_id = "authorisation"
        redirect_url = "http://127.0.0.1:{listen}/v1/login/callback"
        [[notice]]
        purpose = "mortgage-review"
        version = 1
        zh = "{zh}"
        en = "{en}"
        [provider]
        demo = true
        listen = "127.0.0.1:{provider}"
        client_id = "authorisation"
        redirect_urls = []
        citizens = [{{ name = "Zhang", resident_number = "{citizen}" }}]
        "#,
        database = desk.file("authority.db"),
    );
    desk.write("authority.toml", &text)
}

fn terms(now_ms: u64) -> String {
    format!(
        r#"{{ "purpose": "mortgage-review", "modes": ["match"], "max_uses": 2, "data_life_days": 30,
        "scopes": [{{ "dataset": "cov:yungang/gov/credit-centre/scoring/credit", "fields": ["defaulted"] }}],
        "valid_from_ms": {now_ms}, "valid_until_ms": {} }}"#,
        now_ms + 86_400_000
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_asks_and_a_citizen_decides_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let consortium = consortium(dir.path()).await;
    let number = City::generate(1, 40, 8).residents[0].number.expose().to_owned();
    let port = free_port();
    let authority = format!("http://127.0.0.1:{port}");
    let desk = Desk { dir: dir.path().to_owned(), gateway: consortium.url(), authority };
    let config = configuration(&desk, port, &number);
    let (zh, en) = (desk.file("zh.txt"), desk.file("en.txt"));
    let digest = desk.member("authorisation", &["authority", "notice-digest", "--zh", &zh, "--en", &en]);
    let (_, digest) = document(&{ digest }.output().unwrap());
    let purpose = PurposeCode::new("mortgage-review").unwrap();
    let notice = Notice { purpose, version: 1, text: digest["digest"].as_str().unwrap().parse().unwrap() };
    let regulator = consortium.client("regulator").await.unwrap();
    assert_eq!(regulator.publish(vec![Body::NoticeRegistered(notice)]).await.unwrap()[0].rejected, None);
    let mut serving = desk.member("authorisation", &["authority", "run", "--config", &config]);
    let _served = Served(serving.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    while !there() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::task::spawn_blocking(move || walk(&desk, &number)).await.unwrap();
    consortium.stop().await;
}

fn walk(desk: &Desk, number: &str) {
    let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let (terms, subject) =
        (desk.write("terms.json", &terms(now_ms)), desk.write("subject", &format!("resident:{number}\n")));
    let (ticket, authority) = (desk.file("ticket.json"), desk.authority.clone());
    let ask = [
        "consent",
        "request",
        "--terms",
        &terms,
        "--subject-file",
        &subject,
        "--out",
        &ticket,
        "--authority",
        &authority,
    ];
    let (status, asked) = document(&desk.member("bank", &ask).output().unwrap());
    assert_eq!((status, asked["state"].as_str()), (Some(4), Some("requested")), "{asked}");
    let id = asked["id"].as_str().unwrap();
    assert_eq!(desk.my(&["requests"]).0, Some(2), "nobody has logged in");
    let (status, who) = desk.my(&["login", "--demo-citizen", "0"]);
    assert_eq!((status, who["minor"].as_bool()), (Some(0), Some(false)), "{who}");
    let (_, waiting) = desk.my(&["requests"]);
    assert_eq!((waiting[0]["id"].as_str(), waiting[0]["notice"]["en"].as_str()), (Some(id), Some(EN)));
    assert_eq!(desk.my(&["approve", id]).0, Some(2), "the notice was not read");
    let read = waiting[0]["notice"]["digest"].as_str().unwrap();
    let (status, given) = desk.my(&["approve", id, "--notice", read]);
    assert_eq!(status, Some(0), "{given}");
    let consent = given["consent"].as_str().unwrap();
    let fetch = ["consent", "fetch", id, "--out", &ticket, "--authority", &authority, "--wait", "5"];
    let (status, fetched) = document(&desk.member("bank", &fetch).output().unwrap());
    assert_eq!((status, fetched["state"].as_str()), (Some(0), Some("issued")), "{fetched}");
    let written = std::fs::read_to_string(&ticket).unwrap();
    assert!(written.contains(consent) && !written.contains(number));
    let (status, again) = desk.my(&["approve", id, "--notice", read]);
    assert_eq!(status, Some(2), "{again}");
    assert_eq!(desk.my(&["uses"]), (Some(0), Value::Array(vec![])));
    assert_eq!(desk.my(&["pause", consent]).0, Some(0));
    assert_eq!(desk.my(&["consents"]).1[0]["status"], "paused");
    assert_eq!(desk.my(&["resume", consent]).0, Some(0));
    assert_eq!(desk.my(&["revoke", consent]).0, Some(0));
    let (status, refused) = desk.my(&["resume", consent]);
    assert_eq!(status, Some(1), "what is revoked stays so: {refused}");
    let withdraw = ["consent", "withdraw", id, "--authority", &authority];
    assert_eq!(document(&desk.member("bank", &withdraw).output().unwrap()).0, Some(1), "it is decided");
}
