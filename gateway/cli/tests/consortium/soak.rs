//! Faults of real processes, those of a seed. `covenant soak` itself checks after each that the nodes have one chain, that
//! every acknowledged entry is in it once, and that receipts verify; it ends badly where they do not.

use std::collections::BTreeMap;

use crate::house::{House, REGULATOR, VALIDATORS, covenant, good, turn, until};
use crate::postgres::Server as Postgres;

fn soak(faults: &str, store: Option<&str>) {
    let mut command = covenant(["soak", "--seed", "7", "--only", faults]);
    if let Some(store) = store {
        command.args(["--store", store]);
    }
    let told = good(&mut command);
    let rounds = told["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), faults.split(',').count());
    for round in rounds {
        assert!(round["entries"].as_u64().unwrap() > 0, "nothing was checked: {round}");
    }
    assert!(told["acknowledged"].as_u64().unwrap() >= 100 * rounds.len() as u64);
}

#[test]
fn killed_nodes_come_back() {
    let _turn = turn();
    soak("kill-one,kill-all,wipe", None);
}

#[test]
fn cut_slow_and_frozen_networks_heal() {
    let _turn = turn();
    soak("halves,cut-one,lossy,hang,freeze", None);
}

#[test]
fn killed_nodes_come_back_on_postgresql() {
    let Some(server) = Postgres::start("killed_nodes_come_back_on_postgresql") else { return };
    let _turn = turn();
    let urls: Vec<String> = (0..4).map(|n| server.database(&format!("node_{n}"))).collect();
    soak("kill-one,kill-all,cut-one", Some(&urls[0].replace("node_0", "{}")));
}

#[test]
fn postgresql_restarts_under_a_node() {
    let name = "postgresql_restarts_under_a_node";
    let (Some(one), Some(others)) = (Postgres::start(name), Postgres::start(name)) else { return };
    let url = |id: &'static str| {
        let server = if id == "tax" { &one } else { &others };
        (id, server.database(&id.replace('-', "_")))
    };
    let stores: BTreeMap<&str, String> = VALIDATORS.into_iter().map(url).collect();
    let mut house = House::running(&VALIDATORS, &stores);
    house.purpose("before");
    one.stop();
    for number in 0..5 {
        house.purpose(&format!("meanwhile-{number}"));
    }
    one.restart();
    // A node that cannot store what is decided ends; whoever supervises it starts it again, as here.
    until("the node is level again", || {
        if house.has_ended("tax") {
            house.start("tax");
        }
        let status = house.status();
        let nodes = status["health"]["nodes"].as_array()?;
        nodes.iter().all(|n| n["sound"] == true).then_some(())
    });
    house.purpose("after");
    let everybody = [VALIDATORS.as_slice(), &[REGULATOR]].concat();
    house.assert_one_ledger(&everybody, &stores);
}
