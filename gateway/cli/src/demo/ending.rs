//! What the demo says at its end: figures, evidence, and how to go on.

use std::path::PathBuf;

use covenant_demo::{Consortium, Desk, PASSPHRASE};
use serde::Serialize;
use serde_json::json;

use crate::demo::Lang;
use crate::demo::bundles::Written;
use crate::demo::home::Home;
use crate::demo::teller::Step;
use crate::words::shell;

/// Who the printed settings are for.
const ACTOR: &str = "bank";

/// Figures and places at the end of the story.
#[derive(Debug, Serialize)]
pub(crate) struct Ending {
    members: usize,
    nodes: usize,
    blocks: u64,
    leaves: u64,
    rss_mb: u64,
    ready_ms: u128,
    story_ms: u128,
    dir: PathBuf,
    /// Whether the folder is there after the last line.
    kept: bool,
    gateway: String,
    authority: String,
    issuer: String,
    key: PathBuf,
    trust: PathBuf,
    evidence: Vec<Written>,
    verify: String,
}

impl Ending {
    /// Reads the figures.
    pub(crate) fn new(
        (consortium, desk): (&Consortium, &Desk),
        home: &Home,
        evidence: Vec<Written>,
        ready_ms: u128,
        story_ms: u128,
        kept: bool,
    ) -> Self {
        let tip = consortium.nodes.first().map(|n| n.tip());
        let (blocks, leaves) = tip.map_or((0, 0), |t| (t.height, t.leaves));
        let (dir, trust) = (home.path().to_owned(), consortium.founding.genesis_file());
        let folder = shell(&dir.join("evidence").display().to_string());
        Self {
            members: consortium.founding.genesis.members.len(),
            nodes: consortium.nodes.len(),
            blocks,
            leaves,
            rss_mb: rss_mb(),
            ready_ms,
            story_ms,
            kept,
            gateway: consortium.url(),
            authority: desk.url(),
            issuer: desk.issuer().to_owned(),
            key: consortium.founding.key_file(ACTOR),
            verify: format!("covenant verify {folder}/*.cov --trust {}", shell(&trust.display().to_string())),
            trust,
            dir,
            evidence,
        }
    }

    /// For programs.
    pub(crate) fn machine(&self, steps: &[Step], once: bool) -> serde_json::Value {
        json!({ "ended": once, "steps": steps, "summary": self })
    }

    /// For people.
    pub(crate) fn told(&self, lang: Lang, once: bool) -> String {
        let mut parts = vec![String::new(), self.figures(lang), self.proofs(lang)];
        if !once {
            parts.push(self.links(lang));
        }
        parts.join("\n")
    }

    fn figures(&self, lang: Lang) -> String {
        let Self { members, nodes, blocks, leaves, rss_mb, ready_ms, story_ms, .. } = self;
        let (ready, story) = (seconds(*ready_ms), seconds(*story_ms));
        match lang {
            Lang::En => format!(
                "✓ {members} members, {nodes} nodes, {blocks} blocks, {leaves} leaves; ready after {ready} s, story told after {story} s; {rss_mb} MB of memory"
            ),
            Lang::Zh => format!(
                "✓ {members} 个成员，{nodes} 个节点，{blocks} 个区块，{leaves} 条记录；就绪用时 {ready} 秒，全程 {story} 秒；内存 {rss_mb} MB"
            ),
        }
    }

    fn proofs(&self, lang: Lang) -> String {
        let head = match (lang, self.kept) {
            (Lang::En, true) => "Verify the evidence offline:",
            (Lang::Zh, true) => "离线验证证据：",
            (Lang::En, false) => {
                "The folder is removed now; with `--dir DIR` it stays, and its evidence verifies offline."
            }
            (Lang::Zh, false) => "临时目录随即删除；用 `--dir DIR` 可保留，并离线验证其中的证据。",
        };
        if self.kept { format!("\n{head}\n  {}", self.verify) } else { format!("\n{head}") }
    }

    fn links(&self, lang: Lang) -> String {
        let Self { gateway, authority, issuer, key, trust, .. } = self;
        let [page, consent, act, citizen, end] = match lang {
            Lang::En => [
                "The gateway runs:",
                "The authorisation service, and the identity provider that logs anybody in:",
                "Act as the bank in another terminal:",
                "Act as a citizen:",
                "Ctrl-C stops the consortium.",
            ],
            Lang::Zh => [
                "网关运行中：",
                "授权服务，以及一键登录的演示身份提供方：",
                "在另一终端以银行身份操作：",
                "以市民身份操作：",
                "按 Ctrl-C 停止。",
            ],
        };
        let [key, trust] = [key, trust].map(|p| shell(&p.display().to_string()));
        format!(
            "\n{page}\n  {gateway}/\n  {gateway}/openapi.json\n  {gateway}/v1/health\n\n{consent}\n  {authority}/v1/service\n  {issuer}\n\n{act}\n  export COVENANT_GATEWAY={gateway}\n  export COVENANT_KEY={key}\n  export COVENANT_TRUST={trust}\n  export COVENANT_PASSPHRASE={}\n  covenant status\n\n{citizen}\n  covenant my login --authority {authority} --demo-citizen 0 --token-file citizen.token\n  covenant my uses --authority {authority} --token-file citizen.token\n\n{end}",
            shell(PASSPHRASE)
        )
    }
}

fn seconds(ms: u128) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

/// Resident memory of this process; zero where the system does not tell.
fn rss_mb() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| resident_mb(&status))
}

fn resident_mb(status: &str) -> u64 {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().strip_suffix("kB")).and_then(|n| n.trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(kept: bool) -> Ending {
        Ending {
            members: 7,
            nodes: 4,
            blocks: 9,
            leaves: 40,
            rss_mb: 120,
            ready_ms: 2_345,
            story_ms: 3_000,
            dir: "/tmp/d".into(),
            kept,
            gateway: "http://127.0.0.1:8600".into(),
            authority: "http://127.0.0.1:8700".into(),
            issuer: "http://127.0.0.1:9000".into(),
            key: "/tmp/d/keys/bank.json".into(),
            trust: "/tmp/d/genesis.json".into(),
            evidence: vec![],
            verify: "covenant verify /tmp/d/evidence/*.cov --trust /tmp/d/genesis.json".into(),
        }
    }

    #[test]
    fn memory_is_read_from_the_system() {
        assert_eq!(resident_mb("Name:\tcovenant\nVmRSS:\t  204800 kB\n"), 200);
        assert_eq!(resident_mb("nothing"), 0);
    }

    #[test]
    fn whoever_goes_on_gets_links_and_settings() {
        let text = ending(true).told(Lang::En, false);
        for part in
            ["ready after 2.3 s", "/openapi.json", "COVENANT_PASSPHRASE='covenant demo passphrase'", "*.cov --trust"]
        {
            assert!(text.contains(part), "{text}");
        }
        let text = ending(false).told(Lang::Zh, true);
        assert!(!text.contains("export") && !text.contains("*.cov") && text.contains("--dir"), "{text}");
    }
}
