//! Benches: each prints a figure, its physical limit on this machine and the ratio between them.
//!
//! `cargo run --release -p covenant-bench -- all` or the name of one: `queries`, `latency`, `entries`, `decide`,
//! `verify`, `import`, `scan` (private retrieval and proofs), `lookup` (whole lookups; `COVENANT_BENCH_ROWS`), `cluster` (processes;
//! it needs `cargo build --release -p covenant-cli` before). With `--json FILE` the figures are also written down.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]

mod cluster;
mod decide;
mod entries;
mod figure;
mod import;
mod limits;
mod lookup;
mod queries;
mod scan;
mod verify;

use figure::{Failure, Figure};

const NAMES: [&str; 9] = ["queries", "latency", "entries", "decide", "verify", "import", "scan", "lookup", "cluster"];

fn main() -> std::process::ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let json = args.iter().position(|a| a == "--json").map(|i| {
        let file = args.get(i + 1).cloned();
        args.drain(i..(i + 2).min(args.len()));
        file
    });
    if args.is_empty() || args.iter().any(|a| a == "all") {
        args = NAMES.map(str::to_owned).to_vec();
    }
    match run(&args, json.flatten().as_deref()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench failed: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(names: &[String], json: Option<&str>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut figures: Vec<Figure> = Vec::new();
    for name in names {
        let new = match name.as_str() {
            "queries" => runtime.block_on(queries::throughput())?,
            "latency" => runtime.block_on(queries::latency())?,
            "entries" => runtime.block_on(entries::run())?,
            "decide" => decide::run()?,
            "verify" => runtime.block_on(verify::run())?,
            "scan" => scan::run()?,
            "lookup" => runtime.block_on(lookup::whole())?,
            "cluster" => runtime.block_on(cluster::run())?,
            "import" => runtime.block_on(import::run())?,
            other => return Err(format!("no bench `{other}`: use {}", NAMES.join(", ")).into()),
        };
        for figure in &new {
            println!("{figure}");
        }
        figures.extend(new);
    }
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}
