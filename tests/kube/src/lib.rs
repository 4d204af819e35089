//! Kubernetes without a cluster: a small store, and the real API server on loopback.

pub mod conformance;
pub mod real;
pub mod store;
