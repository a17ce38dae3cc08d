//! The law of the house as data. docs/ARCHITECTURE.md says the same in words.

/// Floor of every room. A room depends on lower floors only.
pub const FLOORS: &[(&str, u8)] = &[
    ("canon", 0),
    ("domain", 0),
    ("suite", 0),
    ("models", 1),
    ("engine", 1),
    ("ledger", 1),
    ("sigma", 1),
    ("oprf", 1),
    ("pir", 1),
    ("review", 2),
    ("state", 2),
    ("api", 3),
    ("app", 3),
    ("wire", 3),
    ("store", 4),
    ("consensus", 4),
    ("mesh", 4),
    ("source", 4),
    ("worker", 4),
    ("daemon", 4),
    ("server", 4),
    ("client", 4),
    ("tls", 4),
    ("authority", 4),
    ("demo", 5),
    ("cli", 5),
];

/// Arrows within a floor that are allowed.
pub const SAME_FLOOR: &[(&str, &str)] = &[
    ("domain", "canon"),
    ("suite", "canon"),
    ("oprf", "sigma"),
    ("worker", "source"),
    ("daemon", "store"),
    ("daemon", "consensus"),
    ("daemon", "source"),
    ("daemon", "worker"),
    ("daemon", "mesh"),
    ("client", "tls"),
    ("daemon", "tls"),
    ("app", "api"),
    ("wire", "api"),
    ("authority", "client"),
    ("cli", "demo"),
];

/// Rooms of tests: they may depend on everything, nothing depends on them.
pub const TESTS: &[&str] = &["tidy", "journeys", "bench"];

/// The highest pure floor: no runtime, clock, file, socket or randomness of its own.
pub const PURE: u8 = 2;

/// Outside crates that no room of a pure floor names, but for its tests.
pub const IMPURE: &[&str] = &[
    "axum",
    "getrandom",
    "hyper",
    "hyper-util",
    "rand",
    "reqwest",
    "sea-orm",
    "sea-orm-migration",
    "sqlx",
    "tokio",
    "tokio-stream",
    "tokio-util",
    "tonic",
    "tower",
    "tower-http",
];

/// Words that no source of a pure floor holds outside its tests.
pub const IMPURE_WORDS: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "Zoned::now",
    "Timestamp::now",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "rand::rng(",
    "thread_rng",
    "OsRng",
    "SysRng",
];

/// Outside crates by the start of their name, and the only rooms that name them, in tests too.
pub const NAMED_ONLY_BY: &[(&str, &[&str])] = &[
    ("sea-orm", &["store", "source", "authority"]),
    ("prost", &["wire"]),
    ("tonic-prost", &["wire"]),
    ("protox", &["wire"]),
    ("axum", &["server", "authority"]),
    ("openidconnect", &["authority"]),
    ("arc-malachitebft", &["consensus"]),
    ("ractor", &["consensus"]),
    ("tfhe", &[]),
];

/// Crates that serve as an oracle in the tests of one room and nowhere else.
pub const ORACLES: &[(&str, &str)] = &[("sm-crypto", "suite")];

/// The one version of the curve crate that all of `privacy/` agrees on.
pub const CURVE: (&str, &str) = ("curve25519-dalek", "4.1.3");

/// Lines that a source file may have at most.
pub const MOST_LINES: usize = 800;
/// Lines above which a source file must stand in `tests/tidy/long_files.txt`, a list that may only shrink.
pub const MANY_LINES: usize = 400;

/// Invariants whose feature is not built; their row may name the later issue instead of a test.
pub const NOT_BUILT: &[&str] = &["I14"];

/// Floor of a room.
pub fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}
