//! The only code that names an AWS SDK: how each operation is sent, and what its answers and errors mean in our words.
//! When it is sent is decided elsewhere.

pub(crate) mod agent;
mod archive;
mod arn;
mod assume;
mod call;
pub(crate) mod clients;
mod codebuild;
pub(crate) mod codecommit;
mod codes;
mod credentials;
mod dates;
mod ecr;
mod ecs;
pub(crate) mod failure;
pub(crate) mod fault;
pub(crate) mod fence;
pub(crate) mod guesses;
mod json;
pub(crate) mod logs;
mod s3;
mod sts;
mod words;
