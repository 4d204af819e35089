//! What the derives cannot say about a definition: descriptions of the kind, absent instead of null, the status before the
//! first look. The fields themselves are defined beside their types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
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
    forbid_null(root);
    let Some(properties) = root.properties.as_mut() else { return };
    if let Some(spec) = properties.get_mut("spec") {
        root.description = spec.description.replace(SPEC.to_owned());
    }
    if let Some(status) = properties.get_mut("status") {
        // On `status` itself: an object without a status counts as finished to everything that reads kstatus.
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}

/// Takes `nullable` away everywhere. The API server then drops a `null`, as a template leaves it behind, and the field is
/// absent; where null is allowed it stays, and `has()` in a rule says that the field is there.
fn forbid_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.properties.iter_mut().flat_map(|all| all.values_mut()).for_each(forbid_null);
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => forbid_null(items),
        Some(JSONSchemaPropsOrArray::Schemas(all)) => all.iter_mut().for_each(forbid_null),
        None => {}
    }
    match &mut schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => forbid_null(values),
        Some(JSONSchemaPropsOrBool::Bool(_)) | None => {}
    }
}
