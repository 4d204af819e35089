//! The service models of ECS, CodeBuild, ECR, Logs and STS as the SDKs in Cargo.lock have them, and SSM's: of each operation the members that
//! it takes and gives, their kinds, and the values of enums. The files under `model/` are written by `cargo modelgen`, and a test holds them to
//! the SDKs; SSM's one operation was written down by hand from botocore's model.

mod fit;
mod query;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

pub use fit::{Misfit, misfit};
pub(crate) use query::{typed, untyped};

/// A structure, or a union: a structure that holds exactly one of its members.
#[derive(Debug)]
pub struct Structure {
    /// Its name in the model, e.g. `ContainerDefinition`.
    pub name: String,
    /// Its members by their names on the wire.
    pub members: BTreeMap<String, Member>,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// What its value is.
    pub shape: Shape,
    /// Whether it may be left out.
    pub presence: Presence,
}

/// Whether a member may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The model demands it.
    Required,
    /// It may be left out.
    Optional,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Any string.
    String,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number of 32 bits with a fraction.
    Float,
    /// A number of 64 bits with a fraction.
    Double,
    /// True or false.
    Boolean,
    /// Seconds since 1970, with a fraction.
    Timestamp,
    /// Any JSON.
    Document,
    /// One of some strings.
    Enum(Arc<Enum>),
    /// A list.
    List(Arc<Shape>),
    /// An object with keys of the caller's.
    Map(Arc<Shape>),
    /// An object with members of the model's.
    Structure(Arc<Structure>),
    /// An object with exactly one of these members.
    Union(Arc<Structure>),
}

/// An enum.
#[derive(Debug)]
pub struct Enum {
    /// Its name in the model, e.g. `NetworkMode`.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// What an operation of ECS takes, e.g. of `RegisterTaskDefinition`.
///
/// # Panics
/// If the model has no such operation: add it to `examples/modelgen`.
pub fn input(operation: &str) -> &'static Structure {
    half(operation, "Input")
}

/// What an operation of ECS gives back.
///
/// # Panics
/// As [`input`].
pub fn output(operation: &str) -> &'static Structure {
    half(operation, "Output")
}

fn half(operation: &str, half: &str) -> &'static Structure {
    let found = ECS.get(&format!("{operation}{half}"));
    found.unwrap_or_else(|| panic!("the model of ECS has no {operation}"))
}

/// What an operation takes; nothing if the model of its service is not here. A service is called as in [`crate::Call::service`].
pub fn find(service: &str, operation: &str) -> Option<&'static Structure> {
    of(service)?.get(&format!("{operation}Input")).map(Arc::as_ref)
}

/// What an operation gives back; as [`find`].
pub fn given_by(service: &str, operation: &str) -> Option<&'static Structure> {
    of(service)?.get(&format!("{operation}Output")).map(Arc::as_ref)
}

/// The services that have a model here, and the operations that each model has, in the order of names.
pub fn operations() -> Vec<(&'static str, Vec<String>)> {
    let named = |service| {
        let inputs = of(service).into_iter().flatten().filter_map(|(name, _)| name.strip_suffix("Input"));
        (service, inputs.filter(|name| given_by(service, name).is_some()).map(str::to_owned).collect())
    };
    ["codebuild", "ecr", "ecs", "logs", "ssm", "sts"].map(named).to_vec()
}

fn of(service: &str) -> Option<&'static Structures> {
    Some(match service {
        "ecs" => &ECS,
        "codebuild" => &CODEBUILD,
        "ecr" => &ECR,
        "logs" => &LOGS,
        "ssm" => &SSM,
        "sts" => &STS,
        _ => return None,
    })
}

impl Structure {
    /// Every member under this one by its path, in the order of names: `containerDefinitions`, `containerDefinitions[].portMappings[].protocol`,
    /// `containerDefinitions[].dockerLabels{}`.
    pub fn paths(&self) -> BTreeMap<String, Shape> {
        let mut paths = BTreeMap::new();
        self.walk("", &mut paths);
        paths
    }

    /// The structure of which a member is a list.
    ///
    /// # Panics
    /// If the member is no such list.
    pub fn item(&self, list: &str) -> &Self {
        if let Shape::List(item) = &self.members[list].shape
            && let Shape::Structure(found) = &**item
        {
            return found;
        }
        panic!("{list} of {} is no list of structures", self.name)
    }

    fn walk(&self, before: &str, paths: &mut BTreeMap<String, Shape>) {
        for (name, member) in &self.members {
            let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
            paths.insert(path.clone(), member.shape.clone());
            let (inner, path) = member.shape.innermost(path);
            if let Shape::Structure(inner) | Shape::Union(inner) = inner {
                inner.walk(&path, paths);
            }
        }
    }
}

impl Shape {
    /// What lists and maps of this shape hold in the end, and the path to it.
    fn innermost(&self, path: String) -> (&Self, String) {
        match self {
            Self::List(item) => item.innermost(path + "[]"),
            Self::Map(item) => item.innermost(path + "{}"),
            Self::String
            | Self::Integer
            | Self::Long
            | Self::Float
            | Self::Double
            | Self::Boolean
            | Self::Timestamp
            | Self::Document
            | Self::Enum(_)
            | Self::Structure(_)
            | Self::Union(_) => (self, path),
        }
    }
}

type Structures = BTreeMap<String, Arc<Structure>>;

static ECS: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/ecs.json")));
static CODEBUILD: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/codebuild.json")));
static ECR: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/ecr.json")));
static LOGS: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/logs.json")));
static SSM: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/ssm.json")));
static STS: LazyLock<Structures> = LazyLock::new(|| parsed(include_str!("../model/sts.json")));

fn parsed(text: &str) -> Structures {
    let model: Value = serde_json::from_str(text).expect("the committed model is JSON");
    let mut reader = Reader { model: &model, read: BTreeMap::new() };
    for name in model["structures"].as_object().expect("structures").keys() {
        reader.structure(name, "structures");
    }
    reader.read
}

struct Reader<'a> {
    model: &'a Value,
    read: Structures,
}

impl Reader<'_> {
    /// A structure or union with all that it holds. No shape of these models holds itself.
    fn structure(&mut self, name: &str, table: &str) -> Arc<Structure> {
        if let Some(found) = self.read.get(name) {
            return found.clone();
        }
        let members: &Map<String, Value> = self.model[table][name].as_object().expect("members");
        let members =
            members.iter().map(|(member, kind)| (member.clone(), self.member(kind.as_str().expect("a kind"))));
        let structure = Arc::new(Structure { name: name.to_owned(), members: members.collect() });
        self.read.insert(name.to_owned(), structure.clone());
        structure
    }

    fn member(&mut self, kind: &str) -> Member {
        let presence = if kind.ends_with('!') { Presence::Required } else { Presence::Optional };
        Member { shape: self.shape(kind.trim_end_matches('!')), presence }
    }

    fn shape(&mut self, kind: &str) -> Shape {
        let inside = |open, close| kind.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
        if let Some(item) = inside('[', ']') {
            return Shape::List(Arc::new(self.shape(item)));
        }
        if let Some(item) = inside('{', '}') {
            return Shape::Map(Arc::new(self.shape(item)));
        }
        match kind {
            "string" => Shape::String,
            "integer" => Shape::Integer,
            "long" => Shape::Long,
            "float" => Shape::Float,
            "double" => Shape::Double,
            "boolean" => Shape::Boolean,
            "timestamp" => Shape::Timestamp,
            "document" => Shape::Document,
            name => self.named(name),
        }
    }

    fn named(&mut self, name: &str) -> Shape {
        if let Some(values) = self.model["enums"][name].as_array() {
            let values = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            return Shape::Enum(Arc::new(Enum { name: name.to_owned(), values }));
        }
        if self.model["unions"][name].is_object() {
            return Shape::Union(self.structure(name, "unions"));
        }
        Shape::Structure(self.structure(name, "structures"))
    }
}
