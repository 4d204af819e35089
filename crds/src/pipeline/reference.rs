//! A name of another object.

use crate::name::ObjectName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Another object of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
pub struct LocalRef {
    /// The object's name.
    pub name: ObjectName,
}
