//! Errors of a query: the discrete Gaussian over the integers with σ = 6.4, by inversion of a table.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of randomness for one error: 16 for the magnitude, one for the sign.
const DRAW: usize = 17;

/// `Pr(|e| ≤ k)` in units of 2⁻¹²⁸ for `k = 0, 1, …`, each rounded up, where `Pr(e = k) ∝ exp(−k²/(2·6.4²))`.
///
/// INVARIANT: rounding up only makes magnitudes smaller, so the bound of `Params::failure_bits`, which holds for the
/// exact distribution, holds for this one. The two are closer than 2⁻¹²⁰ for each error.
const AT_MOST: [u128; 84] = [
    0x0ff52b4064a1f25829df05b2074b38de,
    0x2f7c60a73fd7d18826e8b6edf22a1267,
    0x4de15b3adda5de9dc9e7ac0c5abebaf3,
    0x6a799fecc5149eef0170dc0f9c5f8cdd,
    0x84ba5c80f0e2593c36c416d37911d31f,
    0x9c3fd98e6afdaf5f31b3771667cdbcd4,
    0xb0d0b93423b946aa10ad199998bd5228,
    0xc25d070e855a757634ac28652078ee1e,
    0xd0f9ae4b2490f23ed96d22f15341e2ff,
    0xdcd9536a8bf79cc3dc520c76a7c55648,
    0xe643c2b8ef9964cf41be68f878ca74a6,
    0xed8d2178b2b4bc365892af05eb091a84,
    0xf30ddfa949d92127eb9c24494d93e193,
    0xf71c1bc6a8d9fb0bc6f2555a3ce068cf,
    0xfa06d38c8efbeab09124365887787488,
    0xfc12ed48cfb3cf24b89ea989dca9fde7,
    0xfd79e80f7da63ddf9444ec7b65d41240,
    0xfe69db71062586002f90fca6a4cfb4c9,
    0xff0660b4e9f723664936d24f121eb709,
    0xff6a039e19247fe62a640866e067e326,
    0xffa7e8f42ad7bced00881f079528b3a6,
    0xffcd6ef1c645c4181f6a5ff5a4411ed6,
    0xffe3a1f98533f958a2b9c35d23147f7d,
    0xfff0730a41da5dd47002b5de5a2afe59,
    0xfff7aba82bcfb231a7db009b81eb0e7d,
    0xfffba41563f3b3375abb089b35e17ae8,
    0xfffdc577a82fd26564035705d22a8d06,
    0xfffee30bc5a8f0a93e610e514375fffc,
    0xffff74f9faff9335ba6bac6e9c2a4761,
    0xffffbdbf955dc9f7ae25549b834a2edb,
    0xffffe129a302737c1cb36c108be55725,
    0xfffff1fb3360804dedc671490fa9d994,
    0xfffff9c6a44fff1d1181c7f720303974,
    0xfffffd4d2317515f3f4848282dde22ed,
    0xfffffedb78be786de3bee18c776d8d2b,
    0xffffff870b5bba0419a939f3be1132a6,
    0xffffffcf29a52628f0f78ecc001de740,
    0xffffffecbeda851db62128934730f76b,
    0xfffffff896734c9a69e75b580af22852,
    0xfffffffd36bef16a28adcff6946de4d7,
    0xfffffffefa3bc3e8618773e8c002e973,
    0xffffffffa233c849cc8779329b8a1e7e,
    0xffffffffdf2f6ca5dcf813540b3bde91,
    0xfffffffff4cab4579f0e2a8e81e8941f,
    0xfffffffffc433282a1365a3192c13f9f,
    0xfffffffffec882e5e3726744d13404ea,
    0xffffffffff9d0076255eab216f182dc1,
    0xffffffffffe1489a56a4688526ac1046,
    0xfffffffffff6b23495924f0db369875e,
    0xfffffffffffd3fb94065a0922a2bfd10,
    0xffffffffffff34b5378b60bac3056ac0,
    0xffffffffffffc6b7613b374bffd71da1,
    0xfffffffffffff03e410aea52e7350c0f,
    0xfffffffffffffbc4e66fa698f99beab6,
    0xfffffffffffffee41ce192868cff2805,
    0xffffffffffffffb75de0868768c14ee3,
    0xffffffffffffffeddc3233320a896461,
    0xfffffffffffffffb93ec3aa65b16fb73,
    0xfffffffffffffffef29cac9cecdf3a12,
    0xffffffffffffffffc16db2121d240df5,
    0xfffffffffffffffff1d05243ed3f1168,
    0xfffffffffffffffffcdc4ff1a6e3d1f3,
    0xffffffffffffffffff526610f37c412c,
    0xffffffffffffffffffdb65f750aa4d35,
    0xfffffffffffffffffff877b9a90c5885,
    0xfffffffffffffffffffe7cad4e079142,
    0xffffffffffffffffffffb41035cdef99,
    0xfffffffffffffffffffff17804140a1f,
    0xfffffffffffffffffffffd4933694903,
    0xffffffffffffffffffffff8156b8228c,
    0xffffffffffffffffffffffe9769469db,
    0xfffffffffffffffffffffffc160f00a4,
    0xffffffffffffffffffffffff562bc1d6,
    0xffffffffffffffffffffffffe3e782a5,
    0xfffffffffffffffffffffffffb76a725,
    0xffffffffffffffffffffffffff48fae4,
    0xffffffffffffffffffffffffffe3d977,
    0xfffffffffffffffffffffffffffbc628,
    0xffffffffffffffffffffffffffff617e,
    0xffffffffffffffffffffffffffffe956,
    0xfffffffffffffffffffffffffffffcd7,
    0xffffffffffffffffffffffffffffff92,
    0xfffffffffffffffffffffffffffffff2,
    0xffffffffffffffffffffffffffffffff,
];

/// `count` independent errors as words modulo 2³². Reads the whole table for each, so that its time tells nothing.
pub(crate) fn errors(count: usize, rng: &mut impl CryptoRng) -> Zeroizing<Vec<u32>> {
    let mut errors = Zeroizing::new(vec![0; count]);
    let mut draw = Zeroizing::new([0_u8; DRAW * 64]);
    for errors in errors.chunks_mut(64) {
        rng.fill_bytes(&mut *draw);
        for (error, draw) in errors.iter_mut().zip(draw.as_chunks::<DRAW>().0) {
            *error = from_draw(draw);
        }
    }
    errors
}

fn from_draw(draw: &[u8; DRAW]) -> u32 {
    let [magnitude @ .., sign] = draw;
    let drawn = u128::from_le_bytes(*magnitude);
    let size = AT_MOST.iter().fold(0_u32, |size, at_most| size + u32::from(drawn >= *at_most));
    // Two's complement when the sign bit is set, without a branch.
    let minus = u32::from(sign & 1).wrapping_neg();
    (size ^ minus).wrapping_sub(minus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha20Rng;
    use chacha20::rand_core::SeedableRng;

    #[test]
    fn table_is_the_gaussian() {
        let density = |k: usize| (-(k as f64).powi(2) / (2.0 * 6.4 * 6.4)).exp();
        let total = 1.0 + 2.0 * (1..200).map(density).sum::<f64>();
        let mut below = 0.0;
        for (k, at_most) in AT_MOST.iter().enumerate() {
            below += if k == 0 { 1.0 } else { 2.0 } * density(k) / total;
            assert!((*at_most as f64 / 2.0_f64.powi(128) - below).abs() < 1e-14, "entry {k}");
        }
        assert!(AT_MOST.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn mean_variance_and_tail() {
        let count = 400_000;
        let errors = errors(count, &mut ChaCha20Rng::from_seed([5; 32]));
        let values: Vec<f64> = errors.iter().map(|error| f64::from(error.cast_signed())).collect();
        let mean = values.iter().sum::<f64>() / count as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
        // Five standard errors of each estimate.
        assert!(mean.abs() < 5.0 * 6.4 / (count as f64).sqrt(), "mean {mean}");
        assert!((variance - 40.96).abs() < 5.0 * 40.96 * (2.0 / count as f64).sqrt(), "variance {variance}");
        assert!(values.iter().all(|value| value.abs() <= 84.0));
        let positive = values.iter().filter(|value| **value > 0.0).count() as f64;
        let negative = values.iter().filter(|value| **value < 0.0).count() as f64;
        assert!((positive - negative).abs() < 5.0 * (count as f64).sqrt());
    }

    #[test]
    fn ends_of_the_table() {
        assert_eq!(from_draw(&[0; DRAW]), 0);
        assert_eq!(from_draw(&[0xff; DRAW]), 84_u32.wrapping_neg());
        let mut draw = [0xff; DRAW];
        draw[16] = 0;
        assert_eq!(from_draw(&draw), 84);
    }
}
