//! The words for what is out there, and for what is asked of it: facts that `cloud` reads, requests that it sends.
//! No SDK type, no decision.

pub mod builds;
pub mod images;
pub mod requests;
pub mod services;
pub mod statuses;

pub use builds::*;
pub use images::*;
pub use requests::*;
pub use services::*;
pub use statuses::*;
