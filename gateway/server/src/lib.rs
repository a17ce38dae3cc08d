//! REST and gRPC on one port
