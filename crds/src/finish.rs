//! What the derives cannot say about a definition: descriptions of the kind and of its spec, the status before
//! the first look. The fields themselves are defined beside their types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use serde_json::json;

/// The description of every kind's `spec`; what the kind is stands at its root, where `kubectl explain` begins.
const SPEC: &str = "What is wanted. Launchway reads it and never changes it.";

/// The definition with what the derives cannot say.
pub(crate) fn finish(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()).for_each(finish_root);
    crd
}

fn finish_root(root: &mut JSONSchemaProps) {
    let Some(properties) = root.properties.as_mut() else { return };
    if let Some(spec) = properties.get_mut("spec") {
        root.description = spec.description.replace(SPEC.to_owned());
    }
    if let Some(status) = properties.get_mut("status") {
        status.nullable = None;
        // On `status` itself: an object without a status counts as finished to everything that reads kstatus.
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}
