//! The ledger replica in SQLite or PostgreSQL
