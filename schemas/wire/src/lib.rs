//! Protobuf messages and conversions
