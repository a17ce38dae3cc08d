//! Handshakes and records of both profiles, in memory and on one thread: `cargo run -p covenant-tls --example speed`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_canon::Label;
use covenant_domain::MemberId;
use covenant_suite::{SigningKey, VerifyingKey, suite};
use covenant_tls::{Credentials, Directory, Profile, Request, client_config, server_config};
use rustls::{ClientConfig, ClientConnection, ConnectionCommon, ServerConfig, ServerConnection};

const NOW_MS: u64 = 1_795_564_800_000;
const RECORD: usize = 16 * 1024;

struct One(VerifyingKey);

impl Directory for One {
    fn authorities(&self, _member: &MemberId) -> Vec<VerifyingKey> {
        vec![self.0.clone()]
    }

    fn is_revoked(&self, _member: &MemberId, _serial: &[u8]) -> bool {
        false
    }
}

fn main() {
    for profile in [Profile::Standard, Profile::ShangMi] {
        let key = suite(profile.suite()).generate_signing_key(&mut ChaCha20Rng::from_seed([1; 32]));
        let (server, client) = configs(profile, &key);
        let (count, time) = repeat(|| drop(handshake(&server, &client)));
        let each = time / count;
        println!("{profile}: {:.0} mutual handshakes/s, {each:?} of both ends each", 1.0 / each.as_secs_f64());
        println!("{profile}: {:.0} MB/s sealed and opened, records of 16 KiB", throughput(&server, &client));
        let signature = suite(profile.suite()).sign(&key, Label::VOTE, b"speed").unwrap();
        let (count, time) = repeat(|| {
            let signature = suite(profile.suite()).sign(&key, Label::VOTE, b"speed").unwrap();
            suite(profile.suite()).verify(key.verifying_key(), Label::VOTE, b"speed", &signature).unwrap();
        });
        println!("{profile}: {:?} per signature and verification of `{}`", time / count, signature.suite());
    }
}

/// Runs for about a second.
fn repeat(mut step: impl FnMut()) -> (u32, Duration) {
    step();
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(1) {
        step();
        count += 1;
    }
    (count, begun.elapsed())
}

fn configs(profile: Profile, key: &SigningKey) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let member = MemberId::new("housing").unwrap();
    let request = Request {
        member: member.clone(),
        consortium: "harbour".to_owned(),
        dns_names: vec![],
        addresses: vec![],
        not_before_ms: NOW_MS,
        not_after_ms: NOW_MS,
    };
    let own = Credentials::issue(key, &request).unwrap();
    let directory = Arc::new(One(key.verifying_key().clone()));
    let server = server_config(profile, &own, directory.clone(), Arc::new(|| NOW_MS), &[]).unwrap();
    let client = client_config(profile, Some(&own), directory, Some(member), Arc::new(|| NOW_MS), &[]).unwrap();
    (server, client)
}

fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> (ServerConnection, ClientConnection) {
    let host = "housing.covenant.internal".try_into().unwrap();
    let mut client = ClientConnection::new(client.clone(), host).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    (server, client)
}

fn carry<F, T>(from: &mut ConnectionCommon<F>, to: &mut ConnectionCommon<T>) {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() {
        to.read_tls(&mut wire).unwrap();
        to.process_new_packets().unwrap();
    }
}

fn throughput(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> f64 {
    let (mut server, mut client) = handshake(server, client);
    let (block, mut received) = (vec![7; RECORD], vec![0; RECORD]);
    let (count, time) = repeat(|| {
        client.writer().write_all(&block).unwrap();
        carry(&mut client, &mut server);
        server.reader().read_exact(&mut received).unwrap();
    });
    f64::from(count) * block.len() as f64 / 1e6 / time.as_secs_f64()
}
