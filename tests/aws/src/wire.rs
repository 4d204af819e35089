//! The wire: awsJson 1.0/1.1 by `X-Amz-Target`, the query protocol with XML replies for STS; S3's own is in `rest`. What operations mean is
//! elsewhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Refusal, rest};

/// An HTTP request to AWS.
#[derive(Clone, Debug, Default)]
pub struct WireRequest {
    /// The method; empty is POST. Only S3 looks at it.
    pub method: String,
    /// The whole URI, or its path and query beside a header `host`. Only S3 looks at it.
    pub uri: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// What the caller sees of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// The connection is reset; whether anything happened only the world knows.
    Reset,
}

/// An HTTP reply of AWS.
#[derive(Clone, Debug)]
pub struct WireReply {
    /// The HTTP status.
    pub status: u16,
    /// `Date`, `x-amzn-RequestId`, `Content-Type`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether it arrives.
    pub fate: Fate,
    /// How long it takes.
    pub delay: Duration,
}

/// A request taken apart, before anyone knows who sent it.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub protocol: Protocol,
    pub service: &'static str,
    pub operation: String,
    pub input: Arc<Value>,
    pub key: Option<String>,
    pub region: String,
    pub token: Option<String>,
    /// What the caller says of itself: its user agent.
    pub agent: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Query,
    Rest,
}

impl WireRequest {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Takes a request apart.
pub(crate) fn parsed(request: &WireRequest) -> Result<Parsed, Refusal> {
    let scope = request.header("authorization").and_then(scope);
    let of_s3 = scope.as_ref().is_some_and(|(_, _, service)| service == "s3");
    let (key, region) = scope.map_or((None, String::new()), |(key, region, _)| (Some(key), region));
    let token = request.header("x-amz-security-token").map(str::to_owned);
    let (protocol, service, operation, input) = match request.header("x-amz-target") {
        _ if of_s3 => rest::request(request),
        Some(target) => json_request(target, &request.body)?,
        None => query_request(&request.body)?,
    };
    let agent = request.header("user-agent").unwrap_or_default().to_owned();
    Ok(Parsed { protocol, service, operation, input: Arc::new(input), key, region, token, agent })
}

fn json_request(target: &str, body: &Bytes) -> Result<(Protocol, &'static str, String, Value), Refusal> {
    let unknown = || Refusal::unknown_operation(target);
    let (prefix, operation) = target.rsplit_once('.').ok_or_else(unknown)?;
    let service = service_of(prefix).ok_or_else(unknown)?;
    let input = if body.is_empty() { Value::Object(Map::new()) } else { json_body(body)? };
    Ok((Protocol::Json, service, operation.to_owned(), input))
}

fn json_body(body: &Bytes) -> Result<Value, Refusal> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) | Err(_) => Err(Refusal::new("SerializationException", "Unable to parse the request body as JSON.")),
    }
}

fn service_of(prefix: &str) -> Option<&'static str> {
    match prefix {
        "AmazonEC2ContainerServiceV20141113" => Some("ecs"),
        "AmazonEC2ContainerRegistry_V20150921" => Some("ecr"),
        "CodeBuild_20161006" => Some("codebuild"),
        "Logs_20140328" => Some("logs"),
        "AmazonSSM" => Some("ssm"),
        _ => None,
    }
}

fn query_request(body: &Bytes) -> Result<(Protocol, &'static str, String, Value), Refusal> {
    let members: Map<String, Value> = url::form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect();
    match members.get("Action").and_then(Value::as_str).map(str::to_owned) {
        Some(action) => Ok((Protocol::Query, "sts", action, Value::Object(members))),
        None => Err(Refusal::new("MissingAction", "Could not find an operation in the request.")),
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`: the key, the region and the service.
fn scope(authorization: &str) -> Option<(String, String, String)> {
    let credential = authorization.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.trim().split('/');
    let key = parts.next()?.to_owned();
    let region = parts.nth(1)?.to_owned();
    Some((key, region, parts.next()?.to_owned()))
}

/// What a JSON service sends for an answer.
pub(crate) fn json_body_of(answer: &Result<Value, Refusal>) -> (u16, Bytes) {
    match answer {
        Ok(value) => (200, Bytes::from(value.to_string())),
        Err(refusal) => {
            let mut members = refusal.members.clone();
            members.insert("__type".to_owned(), Value::String(refusal.code.clone()));
            members.insert("message".to_owned(), Value::String(refusal.message.clone()));
            (refusal.status, Bytes::from(Value::Object(members).to_string()))
        }
    }
}

/// What STS sends for an answer.
pub(crate) fn query_body_of(operation: &str, request_id: &str, answer: &Result<Value, Refusal>) -> (u16, Bytes) {
    const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
    let id = escaped(request_id);
    let (status, body) = match answer {
        Ok(value) => (
            200,
            format!(
                "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{}</{operation}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>",
                xml(value)
            ),
        ),
        Err(refusal) => (
            refusal.status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
                if refusal.status < 500 { "Sender" } else { "Receiver" },
                escaped(&refusal.code),
                escaped(&refusal.message)
            ),
        ),
    };
    (status, Bytes::from(body))
}

fn xml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("<{name}>{}</{name}>", xml(value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| format!("<member>{}</member>", xml(item))).collect(),
        Value::String(text) => escaped(text),
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A time as the `Date` header writes it.
pub(crate) fn http_date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
