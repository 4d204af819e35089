//! The members of a Service in AWS's own words: what the CRD has of RegisterTaskDefinition and CreateService, what AWS has
//! beside that and why it is left out, and what a difference in each needs. A test holds all of it to the SDK's model.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use launchway_crds::Service;
use launchway_plan::service::canonical::ORDERED;
use launchway_plan::service::members::{Class, Compared, MEMBERS, TAGS};
use launchway_test_aws::model::{Shape, input};
use serde_json::Value;

/// A member of AWS's that a spec cannot name.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// The request.
    pub request: Request,
    /// The path in it.
    pub path: &'static str,
    /// Why.
    pub why: &'static str,
}

/// A request of ECS that a spec holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `spec.taskDefinition`.
    RegisterTaskDefinition,
    /// `spec.service`.
    CreateService,
}

impl Request {
    /// Both.
    pub const ALL: [Self; 2] = [Self::RegisterTaskDefinition, Self::CreateService];

    /// The operation's name.
    pub fn operation(self) -> &'static str {
        match self {
            Self::RegisterTaskDefinition => "RegisterTaskDefinition",
            Self::CreateService => "CreateService",
        }
    }

    /// Where it stands in a spec.
    pub fn field(self) -> &'static str {
        match self {
            Self::RegisterTaskDefinition => "taskDefinition",
            Self::CreateService => "service",
        }
    }
}

const fn left_out(request: Request, path: &'static str, why: &'static str) -> LeftOut {
    LeftOut { request, path, why }
}

/// Every member of the SDK's model that a spec cannot name.
pub const LEFT_OUT: [LeftOut; 5] = [
    left_out(Request::CreateService, "cluster", "Said by `spec.cluster`."),
    left_out(Request::CreateService, "serviceName", "Said by `spec.name`."),
    left_out(Request::CreateService, "taskDefinition", "Launchway registers it."),
    left_out(
        Request::CreateService,
        "clientToken",
        "Launchway makes it, so that a repeated call creates nothing twice.",
    ),
    left_out(
        Request::CreateService,
        "deploymentConfiguration.lifecycleHooks[].hookDetails",
        "It takes any JSON, and an object that nests deeply enough could not be read back by anybody. Configure the function itself.",
    ),
];

/// Members that AWS documents and that the SDK in use does not have.
pub const NOT_IN_SDK: [(&str, &str); 1] = [(
    "trustedExecutionConfiguration",
    "RegisterTaskDefinition has it in AWS's documentation; it is added when the SDK brings it, which a test notices.",
)];

/// Members of a spec that are Launchway's own.
pub const OURS: [&str; 4] = [
    "containerDefinitions[].imageFrom",
    "containerDefinitions[].imageFrom.pipeline",
    "containerDefinitions[].imageFrom.stage",
    "containerDefinitions[].imageFrom.image",
];

/// What the CRD has of a request: each member by its path, with its schema.
pub fn of_crd(request: Request) -> BTreeMap<String, Value> {
    let crd = serde_json::to_value(launchway_crds::all().into_iter().find(is_service)).unwrap_or_default();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let mut paths = BTreeMap::new();
    walk("", &schema[request.field()], &mut paths);
    paths
}

fn is_service(
    crd: &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
) -> bool {
    crd.spec.names.kind == <Service as kube::Resource>::kind(&())
}

fn walk(before: &str, schema: &Value, paths: &mut BTreeMap<String, Value>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        paths.insert(path.clone(), member.clone());
        walk(&path, member, paths);
    }
    if schema["items"].is_object() {
        walk(&format!("{before}[]"), &schema["items"], paths);
    }
}

/// The table of `docs/services.md`: every member of both requests.
pub fn table() -> String {
    let mut text = "| member of `spec.service` | a difference | how it is compared |\n| --- | --- | --- |\n".to_owned();
    for member in MEMBERS.iter().chain([&TAGS]) {
        let _ = writeln!(text, "| `{}` | {} | {} |", member.name, needs(member.class), compared(member.compared));
    }
    text.push_str("\n| member of `spec.taskDefinition` | a difference | how it is compared |\n| --- | --- | --- |\n");
    for (path, shape) in input(Request::RegisterTaskDefinition.operation()).paths() {
        let _ = writeln!(text, "| `{path}` | registers a revision, and rolls | {} |", in_definition(&path, &shape));
    }
    text.push_str("\n| left out | of | why |\n| --- | --- | --- |\n");
    for one in LEFT_OUT {
        let _ = writeln!(text, "| `{}` | {} | {} |", one.path, one.request.operation(), one.why);
    }
    for (name, why) in NOT_IN_SDK {
        let _ = writeln!(text, "| `{name}` | RegisterTaskDefinition | {why} |");
    }
    text
}

fn needs(class: Class) -> &'static str {
    match class {
        Class::Rolls => "is part of the meaning, and rolls",
        Class::Adjusts => "is adjusted by UpdateService, without a rollout",
        Class::Immutable => "cannot be changed: the Service is Stalled",
        Class::Tags => "is tagged, without a rollout",
    }
}

fn compared(how: Compared) -> &'static str {
    match how {
        Compared::Contained => "what is named must be there; what the live one has beside it is not looked at",
        Compared::InDeployment => "as above; ECS shows it only in deployments and revisions",
        Compared::InRevision => "as above; ECS shows it only in revisions",
        Compared::Role => "by the role's name",
        Compared::UnlessLatest => "`LATEST` is not compared; a number must be equal",
        Compared::ByKey => "by key; other tags are left alone",
    }
}

/// How a member of a task definition is compared: all are part of its meaning.
fn in_definition(path: &str, shape: &Shape) -> &'static str {
    let name = path.rsplit('.').next().unwrap_or(path);
    match (shape, path) {
        (_, "cpu" | "memory") => "as a number: `\"1 vCPU\"` is `1024`, `\"1GB\"` is `1024`",
        (Shape::List(_), _) if ORDERED.contains(&name) => "in this order",
        (Shape::List(_), _) => "in any order; empty is absent",
        (Shape::Map(_), _) => "key by key; empty is absent",
        (Shape::Structure(_) | Shape::Union(_), _) => "member by member; empty is absent",
        (Shape::Boolean, _) => "AWS's default is absent",
        (_, _) => "equal; empty or AWS's default is absent",
    }
}
