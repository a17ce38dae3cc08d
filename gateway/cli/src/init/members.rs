//! The parameters of a consortium to be: `members.toml`.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use covenant_domain::{Charter, Class, MemberId, Role, VoteRule};
use covenant_suite::SuiteId;
use serde::Deserialize;

use crate::error::CliError;
use crate::files;

/// Version of the format.
const FORMAT: u32 = 1;

/// Default votes: two thirds, a day for objections.
const VOTE: VoteRule = VoteRule { quorum_percent: 67, objection_ms: 24 * 3_600_000 };

/// A consortium on paper.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembersFile {
    format: u32,
    /// Its short name.
    pub(crate) consortium: String,
    /// `sm` or `intl`.
    #[serde(default = "sm")]
    pub(crate) suite: SuiteId,
    /// Its rules; votes of two thirds with a day for objections unless given.
    #[serde(default)]
    pub(crate) charter: Option<Charter>,
    /// Its members.
    #[serde(rename = "member")]
    pub(crate) members: Vec<MemberLine>,
}

fn sm() -> SuiteId {
    SuiteId::Sm
}

/// One member.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberLine {
    /// Its id.
    pub(crate) id: MemberId,
    /// Its name in Chinese.
    pub(crate) zh: String,
    /// Its name in English.
    pub(crate) en: String,
    /// What kind of organisation it is.
    pub(crate) class: Class,
    /// What it may do.
    pub(crate) roles: Vec<Role>,
    /// Where its node listens; absent where it runs none.
    #[serde(default)]
    pub(crate) listen: Option<SocketAddr>,
    /// How others reach its node, `host:port`; as it listens unless given.
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// Database of its node; a SQLite file in its folder unless given.
    #[serde(default)]
    pub(crate) store: Option<String>,
    /// Where its gateway listens; absent where it runs none.
    #[serde(default)]
    pub(crate) gateway: Option<SocketAddr>,
    /// Further DNS names in its certificates.
    #[serde(default)]
    pub(crate) dns: Vec<String>,
    /// Its own public keys, where it has made them itself: `covenant keys show`. No key is made for it then.
    #[serde(default)]
    pub(crate) verifying_key: Option<String>,
    #[serde(default)]
    pub(crate) sealing_key: Option<String>,
}

impl MembersFile {
    /// Reads and checks the parameters.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let file: Self = files::read_value(path, "a list of members")?;
        file.check().map_err(|reason| files::content(path, "a list of members", reason))?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("it has format {}, this build reads {FORMAT}", self.format));
        }
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.consortium.is_empty() || self.consortium.len() > 32 || !self.consortium.bytes().all(lower) {
            return Err("a consortium's name is 1 to 32 of `a-z`, `0-9` and `-`".into());
        }
        let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for member in &self.members {
            let MemberLine { id, listen, address, verifying_key, sealing_key, .. } = member;
            if !ids.insert(id) {
                return Err(format!("member `{id}` is listed twice"));
            }
            if member.has(Role::Validator) && listen.is_none() {
                return Err(format!("validator `{id}` has no `listen`: say where its node listens"));
            }
            if let Some(listen) = listen
                && (listen.port() == 0 || (listen.ip().is_unspecified() && address.is_none()))
            {
                return Err(format!(
                    "`{id}` listens on `{listen}`: name a port, and an `address` that others can reach"
                ));
            }
            if let Some(address) = member.reached_at()
                && !addresses.insert(address.clone())
            {
                return Err(format!("two nodes are reached at `{address}`, one of them that of `{id}`"));
            }
            if verifying_key.is_some() != sealing_key.is_some() {
                return Err(format!("`{id}` gives one of its public keys: give both, or none"));
            }
        }
        match self.members.iter().filter(|m| m.has(Role::Validator)).count() {
            0 => Err("nobody is a validator: give that role to four members or more".into()),
            _ => Ok(()),
        }
    }

    /// The rules.
    pub(crate) fn charter(&self) -> Charter {
        let usual = || Charter { policy_vote: Some(VOTE), member_vote: Some(VOTE), ..Charter::default() };
        self.charter.clone().unwrap_or_else(usual)
    }

    /// How many validators may fail in any way.
    pub(crate) fn tolerated(&self) -> usize {
        self.members.iter().filter(|m| m.has(Role::Validator)).count().saturating_sub(1) / 3
    }
}

impl MemberLine {
    /// Whether it has the role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// How others reach its node.
    pub(crate) fn reached_at(&self) -> Option<String> {
        let listen = self.listen?;
        Some(self.address.clone().unwrap_or_else(|| listen.to_string()))
    }

    /// IP addresses for its certificates.
    pub(crate) fn ips(&self) -> Vec<IpAddr> {
        let host =
            |address: &String| address.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']).to_owned());
        let reached = self.reached_at().as_ref().and_then(host).and_then(|h| h.parse().ok());
        let listening = [self.listen, self.gateway].into_iter().flatten().map(|a| a.ip());
        let all: BTreeSet<IpAddr> = reached.into_iter().chain(listening).filter(|ip| !ip.is_unspecified()).collect();
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
format = 1
consortium = "city"
suite = "intl"
[[member]]
id = "housing"
zh = "住建"
en = "Housing"
class = "government"
roles = ["validator", "holder"]
listen = "127.0.0.1:7401"
[[member]]
id = "bank"
zh = "银行"
en = "Bank"
class = "finance"
roles = ["consumer"]
"#;

    fn read(text: &str) -> Result<MembersFile, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("members.toml");
        std::fs::write(&path, text).unwrap();
        MembersFile::read(&path).map_err(|e| e.causes().join(": "))
    }

    #[test]
    fn a_good_list_is_read() {
        let file = read(GOOD).unwrap();
        assert_eq!((file.members.len(), file.tolerated()), (2, 0));
        assert_eq!(file.members[0].reached_at().unwrap(), "127.0.0.1:7401");
        assert_eq!(file.charter().member_vote, Some(VOTE));
    }

    #[test]
    fn what_could_not_run_is_named() {
        let cases = [
            (GOOD.replace("format = 1", "format = 2"), "format 2"),
            (GOOD.replace("\"city\"", "\"City hall\""), "name is 1 to 32"),
            (GOOD.replace("id = \"bank\"", "id = \"housing\""), "listed twice"),
            (GOOD.replace("listen = \"127.0.0.1:7401\"\n", ""), "has no `listen`"),
            (GOOD.replace("127.0.0.1:7401", "0.0.0.0:7401"), "address"),
            (GOOD.replace("\"validator\", ", ""), "nobody is a validator"),
            (GOOD.replace("suite = \"intl\"", "suit = \"intl\""), "suit"),
            (GOOD.replace("roles = [\"consumer\"]", "roles = [\"consumer\"]\nverifying_key = \"x\""), "give both"),
            (
                GOOD.replace("roles = [\"consumer\"]", "roles = [\"consumer\"]\nlisten = \"127.0.0.1:7401\""),
                "two nodes",
            ),
        ];
        for (text, words) in cases {
            let error = read(&text).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
