//! AWS's own requests, as users write them: [`TaskDefinition`] is ECS's RegisterTaskDefinition and [`EcsService`] its
//! CreateService, member by member, in AWS's names, nesting and words. Nothing of this is decided here.
//!
//! A member is one line: its type says its bounds. What is absent is not sent. The members that AWS has and that are
//! not here, and why, stand in `docs/services.md`, which a test holds to the model of AWS's SDK.

mod build;
mod connect;
mod container;
mod deployment;
mod image;
mod service;
mod shape;
mod task;

pub use build::*;
pub use connect::*;
pub use container::*;
pub use deployment::*;
pub use image::*;
pub use service::*;
pub use shape::{Count, List, Named, Percent, Port, Size, Texts, Whole};
pub use task::*;
