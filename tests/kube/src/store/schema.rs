//! The structural schema of a CRD as far as it changes objects: pruning and defaults.
//! It validates nothing: neither types nor limits nor CEL rules; the real API server does.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::{Map, Value};

/// What becomes of members that the schema does not name.
#[derive(Debug, Clone)]
enum Others {
    Drop,
    Keep,
    Follow(Box<Schema>),
}

/// One node of a structural schema.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    properties: BTreeMap<String, Schema>,
    others: Others,
    items: Option<Box<Schema>>,
    default: Option<Value>,
    nullable: bool,
    embedded: bool,
}

impl Schema {
    /// The schema of a whole object. `apiVersion`, `kind` and `metadata` are left alone by it.
    pub(super) fn of(props: &JSONSchemaProps) -> Schema {
        let mut schema = Schema::node(props);
        for own in ["apiVersion", "kind", "metadata"] {
            schema.properties.remove(own);
        }
        schema.embedded = true;
        schema
    }

    fn node(props: &JSONSchemaProps) -> Schema {
        let properties = props.properties.iter().flatten().map(|(name, p)| (name.clone(), Schema::node(p)));
        let items = match &props.items {
            Some(JSONSchemaPropsOrArray::Schema(one)) => Some(Box::new(Schema::node(one))),
            Some(JSONSchemaPropsOrArray::Schemas(_)) | None => None,
        };
        Schema {
            properties: properties.collect(),
            others: others(props),
            items,
            default: props.default.as_ref().map(|json| json.0.clone()),
            nullable: props.nullable == Some(true),
            embedded: props.x_kubernetes_embedded_resource == Some(true),
        }
    }

    /// Drops what the schema does not know, then fills in what it has a default for.
    pub(super) fn settle(&self, value: &mut Value) {
        match value {
            Value::Object(map) => self.settle_map(map),
            Value::Array(list) => {
                if let Some(schema) = &self.items {
                    list.iter_mut().for_each(|item| schema.settle(item));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn settle_map(&self, map: &mut Map<String, Value>) {
        if matches!(self.others, Others::Drop) {
            map.retain(|name, _| self.properties.contains_key(name) || self.is_own(name));
        }
        for (name, schema) in &self.properties {
            let filled = map.get(name).is_some_and(|value| !value.is_null() || schema.nullable);
            if let (false, Some(default)) = (filled, &schema.default) {
                map.insert(name.clone(), default.clone());
            }
        }
        for (name, value) in map.iter_mut() {
            match (self.properties.get(name), &self.others) {
                (Some(schema), _) => schema.settle(value),
                (None, Others::Follow(schema)) if !self.is_own(name) => schema.settle(value),
                (None, Others::Follow(_) | Others::Drop | Others::Keep) => {}
            }
        }
    }

    fn is_own(&self, name: &str) -> bool {
        self.embedded && matches!(name, "apiVersion" | "kind" | "metadata")
    }
}

fn others(props: &JSONSchemaProps) -> Others {
    if props.x_kubernetes_preserve_unknown_fields == Some(true) {
        return Others::Keep;
    }
    match &props.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(schema)) => Others::Follow(Box::new(Schema::node(schema))),
        Some(JSONSchemaPropsOrBool::Bool(true)) => Others::Keep,
        Some(JSONSchemaPropsOrBool::Bool(false)) | None => Others::Drop,
    }
}
