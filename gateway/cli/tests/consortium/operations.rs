//! What operators do, by the binary alone: govern, rotate, revoke, back up, lose and restore.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::house::{House, PLATFORM, REGULATOR, VALIDATORS, covenant, free, good, text, until};

const NEWCOMER: &str = "transport";

/// Ids of proposals that are open.
fn open(house: &House) -> Vec<String> {
    let proposals = good(&mut house.call("housing", &["proposal", "list"]));
    let all = proposals.as_array().unwrap().iter();
    let open = all.filter(|p| p["status"] == "open");
    open.map(|p| p["proposal"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Has all who vote agree to the one open proposal, which ends it before its time. `keys` are those that are not the first.
fn agree(house: &House, keys: &[(&str, &Path)]) {
    let id = open(house).pop().unwrap();
    let vote = ["proposal", "vote", &id, "yes"];
    for voter in ["credit-centre", "market-regulation", "tax", REGULATOR, PLATFORM] {
        match keys.iter().find(|(of, _)| *of == voter) {
            Some((_, key)) => good(&mut house.call_with(voter, key, &vote)),
            None => good(&mut house.call(voter, &vote)),
        };
    }
    assert!(open(house).is_empty(), "a vote that is certain ends");
}

fn seat(house: &House, member: &str) -> Value {
    let roster = good(&mut house.call("housing", &["member", "list"]));
    roster["seats"].as_array().unwrap().iter().find(|s| s["member"]["id"] == member).cloned().unwrap_or(Value::Null)
}

fn standing(house: &House, member: &str, wanted: &str) {
    until(&format!("{member} is {wanted}"), || (seat(house, member)["standing"] == wanted).then_some(()));
}

/// A member that was not there at the founding makes its own folder: keys, description, configuration.
fn newcomer(house: &House) -> (String, String) {
    let (home, other) = (house.home(NEWCOMER), house.home("housing"));
    for part in ["keys", "tls", "data"] {
        std::fs::create_dir_all(home.join(part)).unwrap();
    }
    std::fs::copy(other.join("genesis.json"), home.join("genesis.json")).unwrap();
    std::fs::copy(other.join("passphrase"), home.join("passphrase")).unwrap();
    let key = home.join("keys").join(format!("{NEWCOMER}.json"));
    let secret = home.join("passphrase");
    let with = ["--passphrase-file", text(&secret)];
    let new = ["keys", "new", "--member", NEWCOMER, "--suite", "sm", "--out", text(&key)];
    good(covenant(new).args(with));
    let trust = home.join("genesis.json");
    let proven = good(covenant(["keys", "prove", text(&key), "--trust", text(&trust)]).args(with));
    let member = json!({ "id": NEWCOMER, "names": { "zh": "交通局", "en": "Transport" }, "class": "government",
        "roles": ["holder", "validator"], "verifying_key": proven["verifying_key"], "sealing_key": proven["sealing_key"] });
    let file = home.join("member.json");
    std::fs::write(&file, member.to_string()).unwrap();
    let config = std::fs::read_to_string(other.join("node.toml")).unwrap();
    let mut config: toml::Table = toml::from_str(&config).unwrap();
    let mut addresses = config["addresses"].as_table().unwrap().clone();
    addresses.insert("housing".into(), config["listen"].clone());
    config.insert("addresses".into(), addresses.into());
    config.insert("member".into(), NEWCOMER.into());
    config.insert("handovers".into(), "handovers".into());
    config.insert("listen".into(), free().to_string().into());
    std::fs::write(home.join("node.toml"), toml::to_string(&config).unwrap()).unwrap();
    (text(&file).to_owned(), proven["possession"].as_str().unwrap().to_owned())
}

/// Serial number of a member's transport certificate.
fn serial(house: &House, member: &str) -> Value {
    let file = house.home(member).join("tls/node.pem");
    good(&mut covenant(["certificate", "show", text(&file)]))["serial"].clone()
}

#[test]
fn members_come_change_their_keys_are_frozen_and_leave() {
    let mut house = House::running(&VALIDATORS, &BTreeMap::new());
    house.own("housing", &["doctor"]);

    // A fifth validator.
    let (file, possession) = newcomer(&house);
    let why = ["--reason", "it holds vehicle records"];
    good(house.call("housing", &["member", "admit", &file, "--possession", &possession]).args(why));
    agree(&house, &[]);
    standing(&house, NEWCOMER, "active");
    let handovers = house.home(NEWCOMER).join("handovers");
    good(&mut house.call("housing", &["member", "handovers", "--out", text(&handovers)]));
    house.start(NEWCOMER);
    house.purpose("with-newcomer");
    until("the newcomer's node is sound", || {
        covenant(["doctor", "--config", text(&house.config(NEWCOMER))]).output().unwrap().status.success().then_some(())
    });

    // A key is rotated while its node runs, and then signs blocks.
    let rotated = house.home("tax").join("keys/tax-2.json");
    good(&mut house.call("tax", &["keys", "rotate", "--out", text(&rotated)]));
    let public = good(&mut covenant(["keys", "show", text(&rotated)]))["verifying_key"].clone();
    until("the new key holds", || (seat(&house, "tax")["member"]["verifying_key"] == public).then_some(()));
    for number in 0..6 {
        house.purpose(&format!("after-rotation-{number}"));
    }
    let old = house.call("tax", &["member", "list"]).output().unwrap();
    assert!(!old.status.success(), "the former key asks no more");
    good(&mut house.call_with("tax", &rotated, &["member", "list"]));

    // A certificate is revoked; the node takes another by itself.
    let (lost, before) = (house.home("housing").join("tls/node.pem"), serial(&house, "housing"));
    good(&mut house.call("housing", &["certificate", "revoke", text(&lost)]));
    until("another certificate", || (serial(&house, "housing") != before).then_some(()));
    house.purpose("after-revocation");

    // A regulator freezes alone, and lifts it; the record says so.
    good(&mut house.call(REGULATOR, &["member", "freeze", "market-regulation", "--reason", "a leak is looked into"]));
    standing(&house, "market-regulation", "frozen");
    let refused = house.call("market-regulation", &["member", "suspend", "tax", "--reason", "spite"]).output().unwrap();
    assert!(!refused.status.success());
    let told = String::from_utf8(refused.stdout).unwrap() + &String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("is frozen"), "{told}");
    good(&mut house.call(REGULATOR, &["member", "thaw", "market-regulation", "--reason", "there was none"]));
    standing(&house, "market-regulation", "active");

    // Out again.
    good(&mut house.call("housing", &["member", "remove", NEWCOMER, "--reason", "its records moved to another"]));
    let id = open(&house).pop().unwrap();
    let own =
        house.call(NEWCOMER, &["proposal", "vote", &id, "no", "--reason", "it would rather stay"]).output().unwrap();
    assert!(!own.status.success(), "nobody votes about itself");
    agree(&house, &[("tax", &rotated)]);
    standing(&house, NEWCOMER, "removed");
    house.purpose("without-newcomer");
    let everybody = [VALIDATORS.as_slice(), &[REGULATOR]].concat();
    house.assert_one_ledger(&everybody, &BTreeMap::new());
}

/// Sets whether a node only follows.
fn observe(config: &Path, observe: bool) {
    let mut file: toml::Table = toml::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    file.insert("observe".into(), observe.into());
    std::fs::write(config, toml::to_string(&file).unwrap()).unwrap();
}

fn wiped(house: &House, member: &str) {
    let data = house.home(member).join("data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir_all(&data).unwrap();
}

#[test]
fn lost_disks_come_back_from_backups_snapshots_and_blocks() {
    let mut house = House::running(&VALIDATORS, &BTreeMap::new());
    for number in 0..4 {
        house.purpose(&format!("first-{number}"));
    }

    // From a backup, which never votes with the old key.
    let backup = house.own("tax", &["backup"]);
    let kept = house.path().with_extension("backup");
    std::fs::copy(backup["path"].as_str().unwrap(), &kept).unwrap();
    house.purpose("after-backup");
    house.kill("tax");
    wiped(&house, "tax");
    let restored = house.own("tax", &["restore", "--backup", text(&kept)]);
    assert_eq!((&restored["votes"], &restored["height"]), (&json!(false), &backup["height"]));
    house.start("tax");
    house.purpose("with-backup");
    let everybody = [VALIDATORS.as_slice(), &[REGULATOR]].concat();
    house.level(&everybody);
    let rotated = house.home("tax").join("keys/tax-2.json");
    good(&mut house.call("tax", &["keys", "rotate", "--out", text(&rotated)]));
    let public = good(&mut covenant(["keys", "show", text(&rotated)]))["verifying_key"].clone();
    until("the new key holds", || (seat(&house, "tax")["member"]["verifying_key"] == public).then_some(()));
    house.stop("tax");
    house.start("tax");
    house.purpose("with-new-key");
    house.level(&everybody);

    // From anybody's snapshot.
    let snapshot = house.own("credit-centre", &["ledger", "snapshot"]);
    let kept = house.path().with_extension("snapshot");
    std::fs::copy(snapshot["path"].as_str().unwrap(), &kept).unwrap();
    let mut spoilt = std::fs::read(&kept).unwrap();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    let broken = house.path().with_extension("broken");
    std::fs::write(&broken, spoilt).unwrap();
    house.kill("market-regulation");
    wiped(&house, "market-regulation");
    let config = house.config("market-regulation");
    let refused = covenant(["restore", "--config", text(&config), "--snapshot", text(&broken)]).output().unwrap();
    assert!(!refused.status.success(), "a changed snapshot");
    wiped(&house, "market-regulation");
    house.own("market-regulation", &["restore", "--snapshot", text(&kept)]);
    observe(&config, true);
    house.start("market-regulation");
    house.purpose("with-snapshot");
    house.level(&everybody);
    house.stop("market-regulation");
    observe(&config, false);
    house.start("market-regulation");

    // Tables from blocks.
    let url = house.database("housing");
    let trust = house.home("housing").join("genesis.json");
    house.level(&everybody);
    house.stop("housing");
    good(&mut covenant(["ledger", "rebuild", "--write", "--store", &url, "--trust", text(&trust)]));
    house.start("housing");
    house.purpose("after-rebuild");
    let whole = ["credit-centre", "housing", "tax", REGULATOR];
    house.level(&everybody);
    house.stop("market-regulation");
    house.assert_one_ledger(&whole, &BTreeMap::new());
}
