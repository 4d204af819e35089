//! The two front doors: a connector for SDK clients in the same process, and a port on loopback. Neither knows what is behind.

pub mod connector;
pub mod port;

pub use connector::Connector;
pub use port::{Open, serve};
