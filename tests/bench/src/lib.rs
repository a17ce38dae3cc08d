//! Benches with their physical limits
