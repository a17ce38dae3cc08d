//! Private retrieval against the machine's own reading, and the proofs of a lookup against their curve operations.

use std::ops::ControlFlow;
use std::time::Instant;

use covenant_canon::{Digest, Label};
use covenant_pir::{Hint, Matrix, Params, Prepared, PublicMatrix, Query, Seed};
use covenant_sigma::{Context, EscrowKey, Opening, SecretScalar, Subjects, commit, prove_claim, verify_claim};
use rand::Rng;

use crate::figure::{Failure, Figure, percentile};
use crate::lookup::{DATASET, THIN_LINE, figure};

/// Bytes of a row.
const ROW_BYTES: u32 = 256;

/// The scan of tables of 1e5 and 1e6 rows, the hint and the client's work.
pub(crate) fn run() -> Result<Vec<Figure>, Failure> {
    let mut out = Vec::new();
    let names = ["lookup: answer at 1e5 rows", "lookup: answer at 1e6 rows"];
    for ((rows, goal_ms), name) in [(100_000_u64, 1.5), (1_000_000, 12.0)].into_iter().zip(names) {
        let params = Params::for_table(rows, ROW_BYTES)?;
        let mut bytes = vec![0; usize::try_from(params.matrix_bytes())?];
        rand::rng().fill_bytes(&mut bytes);
        let matrix = Matrix::from_bytes(params, bytes)?;
        let public = PublicMatrix::expand(&params, &Seed([7; 32]));
        let prepared = || Prepared::new(&params, &public, &mut rand::rng());
        let queries: Vec<Query> =
            (0..4).map(|i| Ok(prepared()?.query(i)?.0)).collect::<Result<_, covenant_pir::PirError>>()?;
        let mut answers = Vec::new();
        let mut reads = Vec::new();
        for i in 0..40 {
            let started = Instant::now();
            let _answer = matrix.answer(queries.get(i % 4..i % 4 + 1).unwrap_or_default())?;
            answers.push(started.elapsed().as_secs_f64() * 1e3);
            let started = Instant::now();
            std::hint::black_box(read_all(matrix.bytes()));
            reads.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let best_read = percentile(&mut reads, 0);
        let answer = percentile(&mut answers, 500);
        out.push(Figure {
            name,
            value: answer,
            unit: "ms",
            goal: goal_ms,
            limit: Some(best_read),
            limit_is: "two threads reading the matrix, best of 40",
        });
        if rows == 1_000_000 {
            let started = Instant::now();
            matrix.answer(&queries)?;
            out.push(figure(
                "lookup: answer at 1e6 rows, each of four at once",
                started.elapsed().as_secs_f64() * 250.0,
                "ms",
                12.0,
            ));
            let started = Instant::now();
            let hint = Hint::build(&matrix, &public, &|_, _| ControlFlow::Continue(()))?;
            let products = params.matrix_bytes() as f64 * 1024.0;
            let rate = products / started.elapsed().as_secs_f64() / 1e9 / 2.0;
            out.push(figure("lookup: hint, products per core", rate, "G/s", 5.0));
            let started = Instant::now();
            let (query, pending) = prepared()?.query(77)?;
            let scanned = Instant::now();
            let answer = matrix.answer(&[query])?.pop().ok_or("no answer")?;
            let answer_ms = scanned.elapsed().as_secs_f64() * 1e3;
            let row = pending.open(&answer, &hint.view())?;
            if *row != matrix.row(77)? {
                return Err("a wrong row".into());
            }
            let client = started.elapsed().as_secs_f64() * 1e3 - answer_ms;
            out.push(figure("lookup: client's work at 1e6 rows", client.max(0.0), "ms", 20.0));
            let wire = (params.query_bytes() + params.answer_bytes()) as f64;
            out.push(figure("lookup: bytes both ways at 1e6 rows", wire / 1e3, "KB", 200.0));
            out.push(figure("lookup: the same on a 2 Mb/s line", wire / THIN_LINE, "s", 1.0));
            out.push(figure("lookup: hint at 1e6 rows", params.hint_bytes() as f64 / 1e6, "MB", 80.0));
            out.push(figure(
                "lookup: hint on a 2 Mb/s line, once a day",
                params.hint_bytes() as f64 / THIN_LINE,
                "s",
                600.0,
            ));
        }
    }
    out.extend(proofs()?);
    Ok(out)
}

/// Reads everything with two threads, eight streams each.
fn read_all(bytes: &[u8]) -> u64 {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let sum = |part: &[u8]| {
        let streams: Vec<_> = part.chunks(part.len() / 8 + 1).map(|s| s.as_chunks::<64>().0).collect();
        let mut sums = [0_u64; 8];
        for i in 0..streams.first().map_or(0, |s| s.len()) {
            for stream in &streams {
                if let Some(line) = stream.get(i) {
                    for (sum, word) in sums.iter_mut().zip(line.as_chunks::<8>().0) {
                        *sum = sum.wrapping_add(u64::from_le_bytes(*word));
                    }
                }
            }
        }
        sums.iter().fold(0_u64, |a, b| a.wrapping_add(*b))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(move || sum(second));
        sum(first).wrapping_add(other.join().unwrap_or_default())
    })
}

/// The consumer's claim and the holder's evaluation.
fn proofs() -> Result<Vec<Figure>, Failure> {
    const TIMES: u32 = 200;
    let mut rng = rand::rng();
    let id = "resident:11010519491231002X";
    let opening = Opening::from_wide(&[3; 64]);
    let commitment = commit(id, &opening);
    let escrow = EscrowKey::from(SecretScalar::random(&mut rng).public());
    let context = Context {
        protocol: Label::PROTOCOL_LOOKUP,
        version: 1,
        consortium: Digest([1; 32]),
        intent: [2; 16],
        holder: "credit-centre".into(),
        consumer: "bank".into(),
        dataset: DATASET.into(),
        epoch: 1,
        policy: Digest([4; 32]),
    };
    let started = Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(prove_claim(&context, &commitment, id, &opening, &escrow, &mut rng)?);
    }
    let prove = started.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES);
    let (claim, _) = prove_claim(&context, &commitment, id, &opening, &escrow, &mut rng)?;
    let started = Instant::now();
    for _ in 0..TIMES {
        verify_claim(&context, &commitment, &escrow, &claim)?;
    }
    let verify = started.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES);
    let key = covenant_oprf::EpochKey::generate(&mut rng);
    let started = Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(covenant_oprf::evaluate(&key, &context, &claim.blinded, &mut rng)?);
    }
    let evaluate = started.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES);
    let started = Instant::now();
    let scalar = SecretScalar::random(&mut rng);
    for _ in 0..TIMES {
        std::hint::black_box(Subjects::point(id) * scalar.expose());
    }
    let multiply = started.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES);
    let limited = |name, value, goal, times: f64| Figure {
        name,
        value,
        unit: "ms",
        goal,
        limit: Some(multiply * times),
        limit_is: "its curve multiplications, hashing to the curve included",
    };
    Ok(vec![
        limited("lookup: claim, proving", prove, 0.4, 6.0),
        limited("lookup: claim, verifying", verify, 0.25, 3.0),
        limited("lookup: evaluation with proof", evaluate, 0.4, 3.0),
        figure("lookup: bytes of a claim's proof", claim.proof.len() as f64, "B", 200.0),
    ])
}
