//! Whether a value is one that the model knows.

use serde_json::{Map, Value};

use super::{Presence, Shape, Structure};

/// Why a value is not one that the model knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The model has no member of that path.
    Unknown(String),
    /// It is of another kind.
    Kind {
        /// Where.
        path: String,
        /// What the model says, e.g. `an Integer`.
        wanted: &'static str,
        /// What it is, e.g. `a String`.
        found: &'static str,
    },
    /// A string that the enum does not have.
    Value {
        /// Where.
        path: String,
        /// The string.
        found: String,
        /// What the enum has.
        values: Vec<String>,
    },
    /// A required member is absent.
    Missing(String),
    /// A union that holds none or several of its members.
    NotOne(String),
}

/// The first member of an input that the model does not know; null is as good as absent.
pub fn misfit(structure: &Structure, input: &Value) -> Option<Misfit> {
    let Value::Object(members) = input else {
        return Some(Misfit::Kind { path: String::new(), wanted: "a Structure", found: kind_of(input) });
    };
    members_fit(structure, members, &At::Top).err()
}

/// Where in the input something is. Written out only if it does not fit.
enum At<'a> {
    Top,
    Member(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    fn path(&self) -> String {
        match self {
            Self::Top => String::new(),
            Self::Member(Self::Top, name) => (*name).to_owned(),
            Self::Member(before, name) => format!("{}.{name}", before.path()),
            Self::Item(before, index) => format!("{}[{index}]", before.path()),
        }
    }
}

fn members_fit(structure: &Structure, members: &Map<String, Value>, at: &At<'_>) -> Result<(), Misfit> {
    for (name, value) in members {
        let at = At::Member(at, name);
        let member = structure.members.get(name).ok_or_else(|| Misfit::Unknown(at.path()))?;
        if !value.is_null() {
            fits(&member.shape, value, &at)?;
        }
    }
    let absent = |name: &String| members.get(name).is_none_or(Value::is_null);
    let missing = structure.members.iter().find(|(name, member)| member.presence == Presence::Required && absent(name));
    missing.map_or(Ok(()), |(name, _)| Err(Misfit::Missing(At::Member(at, name).path())))
}

fn fits(shape: &Shape, value: &Value, at: &At<'_>) -> Result<(), Misfit> {
    let kind = |wanted| Err(Misfit::Kind { path: at.path(), wanted, found: kind_of(value) });
    match (shape, value) {
        (Shape::String, Value::String(_)) | (Shape::Boolean, Value::Bool(_)) | (Shape::Document, _) => Ok(()),
        (Shape::Float | Shape::Double | Shape::Timestamp, Value::Number(_)) => Ok(()),
        (Shape::Integer, Value::Number(number)) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => Ok(()),
        (Shape::Long, Value::Number(number)) if number.as_i64().is_some() => Ok(()),
        (Shape::Enum(of), Value::String(text)) if of.values.contains(text) => Ok(()),
        (Shape::Enum(of), Value::String(text)) => {
            Err(Misfit::Value { path: at.path(), found: text.clone(), values: of.values.clone() })
        }
        (Shape::List(item), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, value)| fits(item, value, &At::Item(at, index)))
        }
        (Shape::Map(item), Value::Object(entries)) => {
            entries.iter().try_for_each(|(key, value)| fits(item, value, &At::Member(at, key)))
        }
        (Shape::Structure(inner), Value::Object(members)) => members_fit(inner, members, at),
        (Shape::Union(inner), Value::Object(members)) => {
            members_fit(inner, members, at)?;
            if members.len() == 1 { Ok(()) } else { Err(Misfit::NotOne(at.path())) }
        }
        (Shape::String | Shape::Enum(_), _) => kind("a String"),
        (Shape::Boolean, _) => kind("a Boolean"),
        (Shape::Integer, _) => kind("an Integer"),
        (Shape::Long, _) => kind("a Long"),
        (Shape::Float | Shape::Double, _) => kind("a Double"),
        (Shape::Timestamp, _) => kind("a Timestamp"),
        (Shape::List(_), _) => kind("a List"),
        (Shape::Map(_), _) => kind("a Map"),
        (Shape::Structure(_) | Shape::Union(_), _) => kind("a Structure"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "a null",
        Value::Bool(_) => "a Boolean",
        Value::Number(number) if number.as_i64().is_some() => "an Integer",
        Value::Number(_) => "a Double",
        Value::String(_) => "a String",
        Value::Array(_) => "a List",
        Value::Object(_) => "a Structure",
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(path) => write!(f, "Unknown member: {path}"),
            Self::Kind { path, wanted, found } => write!(f, "{path} should be {wanted}, not {found}"),
            Self::Value { path, found, values } => {
                write!(f, "{path} '{found}' is not one of [{}]", values.join(", "))
            }
            Self::Missing(path) => write!(f, "{path} is required"),
            Self::NotOne(path) => write!(f, "{path} must have exactly one member"),
        }
    }
}
