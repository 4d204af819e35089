//! One request as an operation sees it, and how it is answered or refused. Protocols are in `wire`, rights in `iam`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::iam::Caller;

/// An account ID and a region: where state lives.
pub type Place = (String, String);

/// What an operation gives back: the members of its output, or an error of its service.
pub type Answer = Result<Value, Refusal>;

/// An error as AWS sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The error code, e.g. `ClusterNotFoundException`.
    pub code: String,
    /// The message for people.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Further modelled members of the error, e.g. `resourceIds`.
    pub members: Map<String, Value>,
}

impl Refusal {
    /// The caller's fault: HTTP 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, members: Map::new() }
    }

    /// AWS's fault: HTTP 500.
    pub fn server(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 500, ..Self::new(code, message) }
    }

    /// The same with one more modelled member.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    /// What every service says of an operation that it does not know.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("The simulator does not know the operation {operation}."))
    }

    /// What JSON services say of input that does not fit their model.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }
}

/// One request: who asks what of which account and region, and when.
#[derive(Clone, Debug)]
pub struct Call {
    /// The world's time when it came in.
    pub now: Timestamp,
    /// The account that the credentials belong to: 12 digits.
    pub account: String,
    /// The region of the credential scope.
    pub region: String,
    /// Who asks.
    pub caller: Caller,
    /// Service prefix as IAM writes it: `ecs`, `ecr`, `codebuild`, `logs`, `ssm`, `sts`.
    pub service: &'static str,
    /// The operation, e.g. `DescribeServices`.
    pub operation: String,
    /// The input's members.
    pub input: Arc<Value>,
    /// The caller's user agent.
    pub agent: String,
}

impl Call {
    /// The account and region whose state is meant.
    pub fn place(&self) -> Place {
        (self.account.clone(), self.region.clone())
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE` of this place.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// A member of the input that is neither absent nor null.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.input.get(name).filter(|value| !value.is_null())
    }

    /// A string member.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// A number member.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.member(name)?.as_i64()
    }

    /// A boolean member; absent is false, as in AWS's models.
    pub fn flag(&self, name: &str) -> bool {
        self.member(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A list member; absent is empty.
    pub fn list(&self, name: &str) -> &[Value] {
        self.member(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A list of strings; absent is empty.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// A time as awsJson writes it: seconds since 1970 with milliseconds.
pub fn epoch(time: Timestamp) -> Value {
    json!(time.as_millisecond() as f64 / 1000.0)
}

/// A time read back from awsJson.
pub fn from_epoch(value: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond((value.as_f64()? * 1000.0).round() as i64).ok()
}

/// How long the token of a page is good [CloudWatch Logs, API_GetLogEvents; of other services it is not documented].
pub(crate) const TOKENS_LIVE: SignedDuration = SignedDuration::from_hours(24);

/// The page of `items` that the call's `nextToken` means, and the token of the next; `None` if the token is none that was handed out within a
/// day.
pub fn page<T: Clone>(items: &[T], call: &Call, size: usize) -> Option<(Vec<T>, Option<String>)> {
    let start = match call.text("nextToken") {
        None => 0,
        Some(token) => offset(token, call.now)?,
    };
    let end = items.len().min(start.saturating_add(size));
    let next = (end < items.len()).then(|| token_of(end, call.now));
    Some((items.get(start..end)?.to_vec(), next))
}

fn token_of(offset: usize, now: Timestamp) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("launchway-page:{}:{offset}", now.as_millisecond()))
}

fn offset(token: &str, now: Timestamp) -> Option<usize> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (given, offset) = text.strip_prefix("launchway-page:")?.split_once(':')?;
    let given = Timestamp::from_millisecond(given.parse().ok()?).ok()?;
    if now.duration_since(given) > TOKENS_LIVE { None } else { offset.parse().ok() }
}

/// The answer with its `nextToken`, if there is one.
pub fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(token) = next {
        answer["nextToken"] = Value::from(token);
    }
    answer
}
