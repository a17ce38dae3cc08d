use super::*;
use pulp::Arch;

/// Every kernel this processor can run.
fn all() -> Vec<Kernel> {
    let mut all = vec![Kernel(Arch::Scalar), Kernel::widest()];
    #[cfg(target_arch = "x86_64")]
    {
        all.extend(pulp::x86::V3::try_new().map(|simd| Kernel(Arch::V3(simd))));
        all.extend(pulp::x86::V4::try_new().map(|simd| Kernel(Arch::V4(simd))));
    }
    all
}

fn word(at: usize) -> u32 {
    u32::try_from(at).unwrap().wrapping_mul(0x9e37_79b9).rotate_left(9) ^ 0x5bd1_e995
}

fn byte(at: usize) -> u8 {
    word(at + 7).to_le_bytes()[3]
}

#[test]
fn scans_equal_the_triple_loop() {
    let shapes = [(1, 1), (3, 7), (8, 16), (9, 17), (13, 100), (17, 33), (8, 20_000), (5, (1 << 14) + 3)];
    for (rows, columns) in shapes {
        let band: Vec<u8> = (0..rows * columns).map(byte).collect();
        let queries: Vec<Vec<u32>> = (0..4).map(|q| (0..columns).map(|j| word(j * 5 + q)).collect()).collect();
        for count in 1..=4 {
            let queries: Vec<&[u32]> = queries[..count].iter().map(Vec::as_slice).collect();
            let mut naive: Vec<u32> = (0..rows * count).map(word).collect();
            let start = naive.clone();
            for i in 0..rows {
                for k in 0..count {
                    for j in 0..columns {
                        let product = u32::from(band[i * columns + j]).wrapping_mul(queries[k][j]);
                        naive[i * count + k] = naive[i * count + k].wrapping_add(product);
                    }
                }
            }
            for kernel in all() {
                let mut out = start.clone();
                kernel.scan(&band, columns, &queries, &mut out);
                assert_eq!(out, naive, "{kernel:?}, {rows} × {columns}, {count} queries");
            }
        }
    }
}

#[test]
fn products_masks_and_sums_equal_the_loops() {
    for length in [1, 2, 31, 256] {
        let panel: Vec<[u32; PANEL]> = (0..length).map(|j| std::array::from_fn(|w| word(j * PANEL + w))).collect();
        let cells: Vec<[u32; 8]> = (0..length).map(|j| std::array::from_fn(|r| u32::from(byte(j * 8 + r)))).collect();
        let secret: [u32; PANEL] = std::array::from_fn(|w| word(w + 999));
        for kernel in all() {
            let mut lines = [[3_u32; PANEL]; 8];
            kernel.product(&cells, &panel, &mut lines.each_mut().map(|line| line.as_mut_slice()));
            for (r, line) in lines.iter().enumerate() {
                for (w, got) in line.iter().enumerate() {
                    let terms = cells.iter().zip(&panel).map(|(cells, words)| cells[r].wrapping_mul(words[w]));
                    assert_eq!(*got, terms.fold(3, u32::wrapping_add), "{kernel:?}, {length}");
                }
            }
            let mut masked = vec![1; length];
            kernel.mask(&panel, &secret, &mut masked);
            for (got, words) in masked.iter().zip(&panel) {
                assert_eq!(
                    *got,
                    words.iter().zip(&secret).fold(1_u32, |sum, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)))
                );
            }
            let sums = kernel.sum(&panel);
            assert!((0..PANEL).all(|w| sums[w] == panel.iter().fold(0_u32, |sum, words| sum.wrapping_add(words[w]))));
        }
    }
}
