//! ChalametPIR (keyword retrieval, 3-wise fuse filter) on rows of 256 bytes, to be read beside `covenant-bench scan lookup`.
//!
//! `cargo run --release --manifest-path tests/bench/peers/chalametpir/Cargo.toml -- 16` for 2^16 rows. A workspace of its
//! own: it pins another `rand` than the house may have in its lock file.

use std::collections::HashMap;
use std::time::Instant;

use chalametpir_client::Client;
use chalametpir_server::{SEED_BYTE_LEN, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log: u32 = std::env::args().nth(1).map_or(Ok(14), |text| text.parse())?;
    let rows: Vec<([u8; 16], [u8; 256])> = (0..1_u128 << log)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes(), [i.to_le_bytes()[0]; 256]))
        .collect();
    let db: HashMap<&[u8], &[u8]> = rows.iter().map(|(k, v)| (k.as_slice(), v.as_slice())).collect();
    let seed = [7; SEED_BYTE_LEN];
    let started = Instant::now();
    let failed = |e| format!("{e:?}");
    let (server, hint, filter) = Server::setup::<3>(&seed, db).map_err(failed)?;
    println!("2^{log} rows: set-up {:.1} s, hint {} bytes", started.elapsed().as_secs_f64(), hint.len());
    let started = Instant::now();
    let mut client = Client::setup(&seed, &hint, &filter).map_err(failed)?;
    println!("client set-up {:.3} s", started.elapsed().as_secs_f64());
    let (mut asked, mut answered, mut opened, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), (0, 0));
    for (key, value) in rows.iter().step_by(rows.len() / 10).take(10) {
        let started = Instant::now();
        let query = client.query(key).map_err(failed)?;
        asked.push(started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        let response = server.respond(&query).map_err(failed)?;
        answered.push(started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        let found = client.process_response(key, &response).map_err(failed)?;
        opened.push(started.elapsed().as_secs_f64() * 1e3);
        bytes = (query.len(), response.len());
        if found != value {
            return Err("a wrong row".into());
        }
    }
    let median = |samples: &mut Vec<f64>| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    println!("query {:.1} ms, answer {:.2} ms, open {:.2} ms", median(&mut asked), median(&mut answered), median(&mut opened));
    println!("query {} bytes, answer {} bytes", bytes.0, bytes.1);
    Ok(())
}
