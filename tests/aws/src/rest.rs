//! S3's own protocol: the method, the host and the path say what is asked of which object, headers say the rest, and errors are XML.

use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::wire::{Protocol, escaped, http_date};
use crate::{Answer, Fate, Refusal, WireReply, WireRequest};

/// The members of an answer that are headers, with their names there.
const HEADERS: [(&str, &str); 5] = [
    ("ETag", "etag"),
    ("VersionId", "x-amz-version-id"),
    ("ContentRange", "content-range"),
    ("LastModified", "last-modified"),
    ("AcceptRanges", "accept-ranges"),
];

/// The headers of S3's that are known here. Sums of an object are not kept, so that none is given whatever is asked.
const KNOWN: [&str; 6] = [
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amz-checksum-mode",
    "if-match",
];

/// Takes a request apart. Of what is not known here only the method is said.
pub(crate) fn request(request: &WireRequest) -> (Protocol, &'static str, String, Value) {
    let known = get_object(request).map(|input| ("GetObject".to_owned(), input));
    let (operation, input) = known.unwrap_or_else(|| (request.method.clone(), Map::new()));
    (Protocol::Rest, "s3", operation, Value::Object(input))
}

/// The input of GetObject, if that is what is asked.
fn get_object(request: &WireRequest) -> Option<Map<String, Value>> {
    let (bucket, key, query) = target(request)?;
    if request.method != "GET" || key.is_empty() {
        return None;
    }
    // What is not known here could change the answer.
    let is_known = |name: &str| KNOWN.contains(&name) || !(name.starts_with("x-amz-") || name.starts_with("if-"));
    if !request.headers.iter().all(|(name, _)| is_known(&name.to_ascii_lowercase())) {
        return None;
    }
    let mut input = Map::from_iter([("Bucket".to_owned(), json!(bucket)), ("Key".to_owned(), json!(key))]);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "versionId" => input.insert("VersionId".to_owned(), json!(value)),
            "x-id" => None,
            _ => return None,
        };
    }
    for (header, member) in [("range", "Range"), ("if-match", "IfMatch")] {
        if let Some(value) = request.header(header) {
            input.insert(member.to_owned(), json!(value));
        }
    }
    Some(input)
}

/// Bucket, key and query: the bucket is a part of the host, or else the path begins with it.
fn target(request: &WireRequest) -> Option<(String, String, String)> {
    let whole = match request.uri.starts_with('/') {
        true => format!("http://{}{}", request.header("host")?, request.uri),
        false => request.uri.clone(),
    };
    let url = url::Url::parse(&whole).ok()?;
    let path = plain(url.path().strip_prefix('/')?)?;
    let of_host = url.host_str()?.split_once(".s3.").map(|(bucket, _)| bucket.to_owned());
    let (bucket, key) = match of_host {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))?,
    };
    Some((bucket, key, url.query().unwrap_or_default().to_owned()))
}

/// A path without its percent signs; a plus is a plus.
fn plain(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// What S3 sends for an answer.
pub(crate) fn reply(answer: &Answer, id: &str, now: Timestamp, fate: Fate, delay: Duration) -> WireReply {
    let mut headers =
        vec![("date", http_date(now)), ("x-amz-request-id", id.to_owned()), ("x-amz-id-2", id.to_owned())];
    let (status, body) = match answer {
        Ok(value) => {
            let given = |(member, name): (&str, &'static str)| Some((name, value[member].as_str()?.to_owned()));
            headers.extend(HEADERS.into_iter().filter_map(given));
            headers.push(("content-type", "binary/octet-stream".to_owned()));
            let body = body_of(value);
            headers.push(("content-length", body.len().to_string()));
            (if value["ContentRange"].is_string() { 206 } else { 200 }, body)
        }
        Err(refusal) => {
            headers.push(("content-type", "application/xml".to_owned()));
            (refusal.status, Bytes::from(error(refusal, id)))
        }
    };
    WireReply { status, headers, body, fate, delay }
}

fn body_of(value: &Value) -> Bytes {
    let text = value["Body"].as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default().into()
}

fn error(refusal: &Refusal, id: &str) -> String {
    let members = refusal.members.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let members: String = members.map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>{members}<RequestId>{id}</RequestId><HostId>{id}</HostId></Error>",
        escaped(&refusal.code),
        escaped(&refusal.message)
    )
}
