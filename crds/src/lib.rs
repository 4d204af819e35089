//! The Kubernetes API of Launchway: what users write and read.
