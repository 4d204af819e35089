//! What registers a task definition, and what creates or changes a service: AWS's own requests, as JSON. A member that is
//! absent is not sent.

use serde_json::{Map, Value};

/// The members of a request or of an answer of AWS's, as JSON.
pub type Members = Map<String, Value>;

/// What registers a task definition.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterRequest {
    /// The family, which is in the body too.
    pub family: String,
    /// RegisterTaskDefinition's request, whole.
    pub body: Members,
}

/// What creates a service.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateServiceRequest {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
    /// CreateService's request, whole.
    pub body: Members,
}

/// What changes a service. A member that is absent is not sent, and so not changed.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateServiceRequest {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
    /// The members of UpdateService's request beside those that name the service.
    pub body: Members,
}
