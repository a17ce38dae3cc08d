//! Use cases of the gateway over ports
