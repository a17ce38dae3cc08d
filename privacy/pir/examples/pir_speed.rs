//! Speed of private retrieval on this machine: `cargo run --release -p covenant-pir --example pir_speed [-- --large]`.
//!
//! Random rows of 256 bytes, 10⁵ and 10⁶ of them, with `--large` also 10⁷. Two threads. The reading speed is measured in
//! the same run, over the same matrix, between the answers: an answer cannot be faster than that.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing, reason = "a report for people")]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use covenant_pir::{Hint, Locator, Matrix, Params, Prepared, PublicMatrix, Query, Seed};
use rayon::prelude::*;

const ROW_BYTES: u32 = 256;
const THREADS: usize = 2;
const ROUNDS: usize = 15;
/// A thin line, 2 Mb/s.
const LINE: f64 = 250_000.0;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("first use of the pool");
    let large = std::env::args().any(|argument| argument == "--large");
    for records in [100_000, 1_000_000].into_iter().chain(large.then_some(10_000_000)) {
        report(records);
    }
}

fn report(records: u64) {
    let params = Params::for_table(records, ROW_BYTES).expect("a shape within bounds");
    println!(
        "\n{records} rows of {ROW_BYTES} bytes: {} x {}, 2^-{}",
        params.height(),
        params.columns(),
        params.failure_bits()
    );
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut row = [0; ROW_BYTES as usize];
    let rows = (0..records).map(|_| {
        rng.fill_bytes(&mut row);
        row
    });
    let (matrix, took) = timed(|| Matrix::build(params, rows).expect("rows of the right length"));
    println!("  matrix            {:8.1} ms with drawing its rows", ms(took));
    let (public, took) = timed(|| PublicMatrix::expand(&params, &Seed([2; 32])));
    println!("  public matrix     {:8.1} ms", ms(took));
    let (hint, took) = timed(|| Hint::build(&matrix, &public, &|_, _| ControlFlow::Continue(())).expect("a hint"));
    let products = (params.matrix_bytes() * 1024) as f64;
    let rate = products / took.as_secs_f64() / THREADS as f64 / 1e9;
    println!("  hint              {:8.1} ms, {rate:.1} Gmac/s per core", ms(took));

    let mut draw = ChaCha20Rng::from_seed([3; 32]);
    let (prepared, took) = timed(|| Prepared::new(&params, &public, &mut draw).expect("same columns"));
    println!("  client prepare    {:8.2} ms", ms(took));
    let index = records / 3;
    let ((query, pending), took) = timed(|| prepared.query(index).expect("a row in range"));
    println!("  client query      {:8.2} ms", ms(took));
    answers(&matrix, &query, &public);
    let answer = matrix.answer(std::slice::from_ref(&query)).expect("an answer").remove(0);
    let (opened, took) = timed(|| pending.open(&answer, &hint.view()).expect("a row"));
    assert_eq!(*opened, matrix.row(index).expect("a row in range"), "the row that was asked for");
    println!("  client open       {:8.2} ms", ms(took));
    let locator = locate(records);
    for (name, bytes) in [
        ("query", query.to_bytes().len()),
        ("answer", answer.to_bytes().len()),
        ("hint", hint.bytes().len()),
        ("locator", locator.to_bytes().len()),
    ] {
        println!("  {name:<10} {bytes:>12} bytes, {:8.2} s at 2 Mb/s", bytes as f64 / LINE);
    }
    amend(hint, matrix, &public);
}

/// Reading, one query and four, in turns, so that all meet the same machine.
fn answers(matrix: &Matrix, query: &Query, public: &PublicMatrix) {
    let mut draw = ChaCha20Rng::from_seed([4; 32]);
    let mut four = vec![query.clone()];
    for index in 0..3 {
        let prepared = Prepared::new(matrix.params(), public, &mut draw).expect("same columns");
        four.push(prepared.query(index).expect("a row in range").0);
    }
    let one = std::slice::from_ref(query);
    let (mut reads, mut ones, mut fours) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for streams in [1, 8] {
            reads.push(timed(|| black_box(read(matrix.bytes(), streams))).1);
        }
        ones.push(timed(|| black_box(matrix.answer(one).expect("an answer"))).1);
        fours.push(timed(|| black_box(matrix.answer(&four).expect("answers"))).1);
    }
    for times in [&mut reads, &mut ones, &mut fours] {
        times.sort_unstable();
    }
    let (best, median) = (reads.first().copied().unwrap_or_default(), |times: &[Duration]| times[times.len() / 2]);
    let speed = matrix.bytes().len() as f64 / best.as_secs_f64() / 1e9;
    println!(
        "  plain read        {:8.2} ms best, {:.2} ms median, {speed:.1} GB/s by {THREADS} threads",
        ms(best),
        ms(median(&reads))
    );
    let (one, four) = (median(&ones), median(&fours));
    let ratio = 100.0 * best.as_secs_f64() / one.as_secs_f64();
    println!(
        "  answer            {:8.2} ms median, {:.2} ms best, {ratio:.0} % of the best plain read",
        ms(one),
        ms(ones[0])
    );
    println!("  four answers      {:8.2} ms median, {:.2} ms each", ms(four), ms(four) / 4.0);
}

/// Sum of all bytes as 64-bit words, compiled for the widest instruction set, the better of two ways to read: in one
/// stream for each thread, or in eight, which keeps more loads under way.
fn read(bytes: &[u8], streams: usize) -> u64 {
    let task = |bytes: &[u8]| pulp::Arch::new().dispatch(|| sum(bytes, streams));
    bytes.par_chunks(1 << 20).map(task).reduce(|| 0, u64::wrapping_add)
}

#[inline(always)]
fn sum(bytes: &[u8], streams: usize) -> u64 {
    let mut sums = [0_u64; 32];
    let stripe = (bytes.len() / streams).max(256);
    for at in (0..stripe).step_by(256) {
        for stripe in bytes.chunks(stripe) {
            let Some(chunk) = stripe.get(at..).and_then(|rest| rest.first_chunk::<256>()) else { continue };
            for (sum, word) in sums.iter_mut().zip(chunk.as_chunks().0) {
                *sum = sum.wrapping_add(u64::from_le_bytes(*word));
            }
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

fn locate(records: u64) -> Locator {
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let mut tags = vec![[0; 16]; usize::try_from(records).expect("a small table")];
    tags.iter_mut().for_each(|tag| rng.fill_bytes(tag));
    let (locator, took) = timed(|| Locator::build(&tags, &Seed([6; 32])).expect("different tags"));
    println!("  locator           {:8.1} ms", ms(took));
    locator
}

fn amend(mut hint: Hint, mut matrix: Matrix, public: &PublicMatrix) {
    let step = matrix.params().records() / 1000;
    let changes: Vec<_> = (0..1000).map(|change| (change * step, [7; ROW_BYTES as usize])).collect();
    let ((), took) = timed(|| hint.amend(&mut matrix, public, &changes).expect("rows in range"));
    println!("  amend 1000 rows   {:8.1} ms", ms(took));
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
