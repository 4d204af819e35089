//! What the derives cannot say about a definition: descriptions of the kind and of its spec, the status before
//! the first look, what a rule found. The fields themselves are defined beside their types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::json;

/// The description of every kind's `spec`; what the kind is stands at its root, where `kubectl explain` begins.
const SPEC: &str = "What is wanted. Launchway reads it and never changes it.";

/// A rule over a list: before its message the item is named that does not keep it.
struct Culprit {
    /// The rule's message.
    message: &'static str,
    /// The list.
    list: &'static str,
    /// How many items it may have.
    most: usize,
    /// Whether the item `$it` does not keep the rule, in CEL.
    wrong: &'static str,
    /// What the item is called, in CEL.
    called: &'static str,
}

/// The rules whose item can be named within what the API server lets rules cost.
const CULPRITS: [Culprit; 4] = [
    Culprit {
        message: "each load balancer names a container of the task definition and one of its ports",
        list: "self.service.loadBalancers",
        most: 5,
        wrong: "has($it.containerName) && has($it.containerPort) && !self.taskDefinition.containerDefinitions.exists(c, c.name == $it.containerName && has(c.portMappings) && c.portMappings.exists(p, has(p.containerPortRange) || (has(p.containerPort) && p.containerPort == $it.containerPort)))",
        called: "'loadBalancers[$at], ' + $it.containerName",
    },
    Culprit {
        message: "with networkMode awsvpc or host hostPort is the containerPort: remove it",
        list: "self.containerDefinitions",
        most: 10,
        wrong: "has($it.portMappings) && $it.portMappings.exists(p, has(p.hostPort) && p.hostPort != 0 && has(p.containerPort) && p.hostPort != p.containerPort)",
        called: "$it.name",
    },
    Culprit {
        message: "all imageFrom of a Service name the same pipeline and stage: one stage decides what the task runs",
        list: "self.containerDefinitions",
        most: 10,
        wrong: "has($it.imageFrom) && self.containerDefinitions.exists(d, has(d.imageFrom) && (d.imageFrom.pipeline != $it.imageFrom.pipeline || d.imageFrom.stage != $it.imageFrom.stage))",
        called: "$it.name + ' from ' + $it.imageFrom.pipeline + '/' + $it.imageFrom.stage",
    },
    Culprit {
        message: "a stage lists a Service once: take the second one out",
        list: "self.targets",
        most: 10,
        wrong: "has($it.service) && !self.targets.exists_one(x, has(x.service) && x.service == $it.service)",
        called: "$it.service",
    },
];

impl Culprit {
    /// The message with the first item that is wrong. Item by item: the API server knows how long a member of the spec may
    /// be, but not how long one of a list that was made of it.
    fn expression(&self) -> String {
        let of = |text: &str, at: usize| {
            text.replace("$it", &format!("{}[{at}]", self.list)).replace("$at", &at.to_string())
        };
        let (list, message) = (self.list, self.message);
        (0..self.most).rev().fold(format!("'{message}'"), |rest, at| {
            let (wrong, called) = (of(self.wrong, at), of(self.called, at));
            format!("size({list}) > {at} && {wrong} ? {called} + ': {message}' : {rest}")
        })
    }
}

/// The definition with what the derives cannot say.
pub(crate) fn finish(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()).for_each(finish_root);
    crd
}

fn finish_root(root: &mut JSONSchemaProps) {
    finish_each(root);
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

/// A schema and all within it.
fn finish_each(schema: &mut JSONSchemaProps) {
    without_null(schema);
    // A bound says it once; a format that is not met would stop the rules as well.
    if schema.maximum.is_some() {
        schema.format = None;
    }
    for rule in schema.x_kubernetes_validations.iter_mut().flatten() {
        let culprit = CULPRITS.iter().find(|culprit| rule.message.as_deref() == Some(culprit.message));
        rule.message_expression = culprit.map(Culprit::expression);
    }
    schema.properties.iter_mut().flatten().for_each(|(_, field)| finish_each(field));
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &mut schema.items {
        finish_each(item);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &mut schema.additional_properties {
        finish_each(value);
    }
}

/// Takes `null` out of the words to choose from: it is none of AWS's, and people are told the words when they write another
/// one. An API server that applies a manifest still asks whether a null is among them, so that they stand one level
/// below, where it does not, and in the description for `kubectl explain`.
fn without_null(schema: &mut JSONSchemaProps) {
    let Some(words) = schema.enum_.take_if(|words| words.iter().any(|word| word.0.is_null())) else { return };
    let words: Vec<JSON> = words.into_iter().filter(|word| !word.0.is_null()).collect();
    let told: Vec<&str> = words.iter().filter_map(|word| word.0.as_str()).collect();
    let description = schema.description.get_or_insert_default();
    description.push_str(&format!(" One of: `{}`.", told.join("`, `")));
    schema.all_of = Some(vec![JSONSchemaProps { enum_: Some(words), ..JSONSchemaProps::default() }]);
}
