//! The forms of which AWS's requests are made here: bounded numbers, lists and maps, and words of AWS's to choose from.
//! Each carries its bounds in its type, so that a member of a request is one line.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

/// A whole number from `MIN` to `MAX`. The API server checks the bounds; deserialising does not check them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whole<const MIN: i32, const MAX: i32>(pub i32);

/// A port, or 0 where AWS chooses one.
pub type Port = Whole<0, 65535>;
/// A count, an amount or a time that AWS bounds.
pub type Count = Whole<0, { i32::MAX }>;

impl<const MIN: i32, const MAX: i32> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "format": "int32", "minimum": MIN, "maximum": MAX})
    }
}

/// A percentage that may have a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub f64);

impl JsonSchema for Percent {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 100})
    }
}

/// A list of at most `MAX` items that an apply replaces as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(pub Vec<T>);

/// A list of at most `MAX` items with a `name` each, which an apply merges item by item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named<T, const MAX: usize>(pub Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Default for Named<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> Deref for Named<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for List<T, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("List_{}_{MAX}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "array", "maxItems": MAX, "x-kubernetes-list-type": "atomic",
            "items": generator.subschema_for::<T>()})
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for Named<T, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}_{MAX}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "array", "maxItems": MAX, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"], "items": generator.subschema_for::<T>()})
    }
}

/// Texts by key: at most 200, whose ends AWS sets: 64 KiB for a whole task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(pub BTreeMap<String, String>);

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "maxProperties": 200,
            "additionalProperties": {"type": "string", "maxLength": 65536},
            // A schema has no bound of its own for keys.
            "x-kubernetes-validations": [{"rule": "self.all(key, size(key) <= 255)",
                "message": "a key is at most 255 characters long: shorten it"}]})
    }
}

/// CPU units or MiB of a task. AWS takes a text (`"256"`, `"0.5 vCPU"`, `"1GB"`); a number is taken too, and sent as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size(pub String);

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        Ok(match Written::deserialize(from)? {
            Written::Number(number) => Self(number.to_string()),
            Written::Text(text) => Self(text),
        })
    }
}

/// The schema of a task's `cpu`.
pub(super) fn cpu(_: &mut SchemaGenerator) -> Schema {
    size("vcpu", r#"cpu is CPU units (256) or vCPUs ("0.25 vCPU"), as ECS counts: m is a unit of Kubernetes"#)
}

/// The schema of a task's `memory`.
pub(super) fn memory(_: &mut SchemaGenerator) -> Schema {
    size("gb", r#"memory is MiB (512) or GB ("0.5 GB"), as ECS counts: Mi and Gi are units of Kubernetes"#)
}

/// Source of the forms: the developer guide of ECS, "Task size". ECS names no greatest size; eight digits are more than
/// any machine has.
fn size(unit: &str, message: &str) -> Schema {
    let form = format!(r"(?i)^ *([0-9]{{1,8}}|([0-9]{{1,5}}([.][0-9]{{0,4}})?|[.][0-9]{{1,4}}) *{unit}) *$");
    json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 20, "pattern": r"^[^\x00\n]*$",
        "minimum": 1, "maximum": 99_999_999, "x-kubernetes-validations": [{
            "rule": format!("type(self) == int || (self.matches('{form}') && self.matches('[1-9]'))"),
            "message": message}]})
}

/// Defines a word of AWS's, to be chosen from a list. Deserialising takes any word: what is stored was admitted once.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $($word:literal),+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// AWS's words.
            pub const ALL: &'static [&'static str] = &[$($word),+];
        }

        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self(word.to_owned())
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": [$($word),+]})
            }
        }
    )+};
}

pub(super) use words;

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn a_size_is_a_number_or_a_text_and_is_sent_as_a_text() {
        let read = |json: &str| serde_json::from_str::<Size>(json).map(|size| serde_json::to_string(&size));
        for (given, sent) in [("256", r#""256""#), (r#""256""#, r#""256""#), (r#""1 vCPU""#, r#""1 vCPU""#)] {
            assert_eq!(read(given).unwrap().unwrap(), sent, "{given}");
        }
        assert!(read("true").is_err());
    }
}
