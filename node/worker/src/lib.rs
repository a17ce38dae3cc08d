//! Runs a query mode for a permit beside the data
