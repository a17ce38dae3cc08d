//! Consumer SDK
