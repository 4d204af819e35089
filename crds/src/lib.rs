//! The Kubernetes API of Launchway: what users write and read. Nothing is decided here.
//!
//! One file a kind. A name's form (pattern, length) stands once, in [`name`]; relations between fields are CEL rules
//! beside the struct they bind, each with a message that names the remedy. Every field's doc comment is what
//! `kubectl explain` prints.
// kube's attribute takes one printcolumn after another, each with the same member names.
#![allow(clippy::duplicated_attributes)]

pub mod account;
pub mod aws;
pub mod condition;
mod finish;
pub mod log_request;
pub mod name;
pub mod pipeline;
pub mod release;
pub mod service;
pub mod start;

pub use account::AwsAccount;
pub use log_request::LogRequest;
pub use pipeline::Pipeline;
pub use release::Release;
pub use service::Service;

/// The one list of all kinds: calls the macro of that name with their types, in the order in which they are to be applied.
#[macro_export]
macro_rules! kinds {
    ($call:ident) => {
        $call! { AwsAccount, Pipeline, Release, Service, LogRequest }
    };
}

/// The API group of every kind.
pub const GROUP: &str = "launchway.dev";
/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";
/// The label on a Release that names its Pipeline, for people who select by labels: `kubectl get lwr -l …`.
pub const PIPELINE_LABEL: &str = "launchway.dev/pipeline";
/// The finalizer that Services and Releases carry while something in AWS must be ended before they may go.
pub const FINALIZER: &str = "launchway.dev/aws";

/// The CustomResourceDefinitions of all kinds.
pub fn all() -> Vec<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> {
    use kube::CustomResourceExt;
    macro_rules! definitions {
        ($($kind:ident),*) => { [$($kind::crd()),*] };
    }
    kinds!(definitions).into_iter().map(finish::finish).collect()
}
