//! SSM parameters with their versions and, for builds alone, secrets of Secrets Manager. Paths, labels and policies are not here.

use std::collections::BTreeMap;

use base64::Engine;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::epoch;
use crate::{Answer, Call, Guess, Refusal, World};

/// Names in one GetParameters, at most [API_GetParameters].
const NAMES: usize = 10;

/// Where this module only guesses.
pub const GUESSES: &[Guess] = &[
    Guess {
        what: "GetParameters: the names that are not there are in alphabetical order too; a parameter asked for by its version has the Selector `:version`",
        source: "API_GetParameters lists \"the results\" alphabetically; of the Selector the model shows name:version, users saw it without the name",
    },
    Guess {
        what: "GetParameters without WithDecryption gives a SecureString's value as base64 of something else",
        source: "User guide: the value is returned encrypted; the ciphertext's form is not documented",
    },
    Guess {
        what: "GetParameters refuses a name that is listed twice",
        source: "From experience; not in API_GetParameters",
    },
];

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Readable text.
    Text,
    /// Several texts with commas between.
    List,
    /// Encrypted at rest.
    Secure,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::List => "StringList",
            Self::Secure => "SecureString",
        }
    }
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What it holds.
    pub kind: Kind,
    /// The value in clear.
    pub value: String,
    /// Counts from 1 with every write.
    pub version: u64,
    /// When it was written last.
    pub modified_at: Timestamp,
}

/// Versions of a parameter that are kept [user guide, "Working with parameter versions"].
const VERSIONS: usize = 100;

/// The parameters and secrets of one account and region.
#[derive(Clone, Debug, Default)]
pub struct SsmState {
    /// By name: the versions that are kept, oldest first.
    parameters: BTreeMap<String, Vec<Parameter>>,
    secrets: BTreeMap<String, String>,
}

impl SsmState {
    /// Writes a `String`, or its next version.
    pub fn put(&mut self, name: &str, value: &str) {
        self.put_kind(name, value, Kind::Text, Timestamp::UNIX_EPOCH);
    }

    /// Writes a `SecureString`, or its next version.
    pub fn put_secure(&mut self, name: &str, value: &str) {
        self.put_kind(name, value, Kind::Secure, Timestamp::UNIX_EPOCH);
    }

    /// Writes a parameter of any kind, or its next version.
    pub fn put_kind(&mut self, name: &str, value: &str, kind: Kind, modified_at: Timestamp) {
        let versions = self.parameters.entry(name.to_owned()).or_default();
        let version = versions.last().map_or(0, |old| old.version) + 1;
        versions.push(Parameter { kind, value: value.to_owned(), version, modified_at });
        versions.drain(..versions.len().saturating_sub(VERSIONS));
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.parameters.remove(name);
    }

    /// Writes a secret of Secrets Manager under its name or full ARN. Only builds read it.
    pub fn put_secret(&mut self, id: &str, value: &str) {
        self.secrets.insert(id.to_owned(), value.to_owned());
    }

    /// The parameter of this name or ARN, as it is or in a version that is kept, `name:3`.
    pub fn parameter(&self, name: &str) -> Option<(&str, &Parameter)> {
        let name = plain_name(name);
        let (name, version) =
            name.rsplit_once(':').map_or((name.as_str(), None), |(name, version)| (name, Some(version)));
        let (name, versions) = self.parameters.get_key_value(name)?;
        let meant = |parameter: &&Parameter| version.is_none_or(|version| version == parameter.version.to_string());
        Some((name.as_str(), versions.iter().rev().find(meant)?))
    }

    /// What a build sees under `secret-id:json-key:version-stage:version-id`; the error is CodeBuild's message.
    pub fn secret(&self, reference: &str) -> Result<String, String> {
        let (id, key) = secret_parts(reference);
        let missing = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
        let value = self.secrets.get(&id).ok_or(missing)?;
        let Some(key) = key else { return Ok(value.clone()) };
        let members: Value = serde_json::from_str(value).unwrap_or(Value::Null);
        members
            .get(&key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or(format!("could not find key {key} in secret {id}"))
    }
}

/// A secret's ID (a name, or an ARN of seven parts) and the JSON key behind it.
fn secret_parts(reference: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = reference.split(':').collect();
    let length = if reference.starts_with("arn:") { 7 } else { 1 };
    let id = parts[..length.min(parts.len())].join(":");
    let key = parts.get(length).filter(|key| !key.is_empty()).map(|key| (*key).to_owned());
    (id, key)
}

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetParameters" => parameters(world, call),
        other => Err(Refusal::unknown_operation(other)),
    }
}

fn parameters(world: &mut World, call: &Call) -> Answer {
    let names = names(call)?;
    for name in &names {
        world.allow(call, "ssm:GetParameters", &arn(call, &plain_name(name)), &[])?;
    }
    let state = world.ssm.get(&call.place());
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for asked in &names {
        match state.and_then(|state| state.parameter(asked)) {
            Some((name, parameter)) => found.push((name, asked, parameter)),
            None => missing.push(asked),
        }
    }
    found.sort_by_key(|(name, ..)| *name);
    missing.sort();
    let shown = found.into_iter().map(|(name, asked, parameter)| render(call, name, asked, parameter));
    Ok(json!({ "Parameters": shown.collect::<Vec<_>>(), "InvalidParameters": missing }))
}

fn names(call: &Call) -> Result<Vec<String>, Refusal> {
    let names = call.texts("Names");
    let constraint = match names.len() {
        0 => "Member must have length greater than or equal to 1",
        1..=NAMES => return without_twins(names),
        _ => "Member must have length less than or equal to 10",
    };
    let listed = names.join(", ");
    Err(Refusal::validation(format!(
        "1 validation error detected: Value '[{listed}]' at 'names' failed to satisfy constraint: {constraint}"
    )))
}

fn without_twins(names: Vec<String>) -> Result<Vec<String>, Refusal> {
    let twin = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    match twin {
        Some((_, name)) => Err(Refusal::validation(format!("Duplicate names found in the request: {name}"))),
        None => Ok(names),
    }
}

fn render(call: &Call, name: &str, asked: &str, parameter: &Parameter) -> Value {
    let open = parameter.kind != Kind::Secure || call.flag("WithDecryption");
    let value = if open { parameter.value.clone() } else { ciphertext(name, parameter.version) };
    let mut view = json!({
        "Name": name,
        "Type": parameter.kind.name(),
        "Value": value,
        "Version": parameter.version,
        "LastModifiedDate": epoch(parameter.modified_at),
        "ARN": arn(call, name),
        "DataType": "text",
    });
    if let Some((_, version)) = plain_name(asked).rsplit_once(':') {
        view["Selector"] = json!(format!(":{version}"));
    }
    view
}

/// Something that tells nothing of the value.
fn ciphertext(name: &str, version: u64) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("ciphertext of {name}:{version}"))
}

fn arn(call: &Call, name: &str) -> String {
    call.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// The name in an ARN; anything else as it is. A name with a `/` inside begins with one.
fn plain_name(name: &str) -> String {
    match name.split_once(":parameter/") {
        Some((_, rest)) if rest.contains('/') => format!("/{rest}"),
        Some((_, rest)) => rest.to_owned(),
        None => name.to_owned(),
    }
}
