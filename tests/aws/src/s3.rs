//! S3: buckets that are given, objects that builds leave there, and GetObject. What S3 says is true at once: it is strongly consistent
//! [S3 user guide, "Data consistency model"], and no read of it is ever stale.

use std::collections::BTreeMap;

use base64::Engine;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::wire::http_date;
use crate::{Answer, Call, Guess, Refusal, World};

/// Where this module only guesses.
pub const GUESSES: &[Guess] = &[
    Guess {
        what: "An object that is not there is AccessDenied about s3:ListBucket for who may not list the bucket, and NoSuchKey for who may",
        source: "API_GetObject has both codes; that the sentence names s3:ListBucket is from IAM's newer messages in S3",
    },
    Guess {
        what: "A bucket that is asked in another Region than its own answers PermanentRedirect, 301",
        source: "API error list of S3; which of the two redirects a new bucket answers with depends on its age",
    },
    Guess {
        what: "The ETag is no hash of the content: that of an object which is encrypted with KMS is none either",
        source: "API_Object; the value is made up",
    },
    Guess {
        what: "kms:Decrypt is asked only for buckets that are said to have a key of their own; its lack is told in IAM's sentence without the key, or as \"Access Denied\"",
        source: "Sentences that users quote (AWS CDK's documentation; boto3 issue 2952); the account's aws/s3 key lets in whoever S3 lets in",
    },
];

/// The buckets of the world.
#[derive(Clone, Debug, Default)]
pub struct S3State {
    buckets: BTreeMap<String, Bucket>,
}

/// A bucket.
#[derive(Clone, Debug, Default)]
struct Bucket {
    region: String,
    versioning: Versioning,
    /// The key that its objects are encrypted with, and how its lack is told; none: the account's aws/s3.
    key: Option<(String, Words)>,
    /// The versions of each object, oldest first.
    objects: BTreeMap<String, Vec<Object>>,
}

/// How S3 says that a right is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// In IAM's sentence.
    Whole,
    /// `Access Denied`.
    Bare,
}

/// Whether a bucket keeps what was overwritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// It does not.
    #[default]
    Off,
    /// It does, and each object has a version ID.
    Enabled,
}

#[derive(Clone, Debug)]
struct Object {
    body: Bytes,
    version: String,
    modified: Timestamp,
}

impl S3State {
    /// Adds a bucket, in a Region.
    pub fn add_bucket(&mut self, name: &str, region: &str, versioning: Versioning) {
        self.buckets.insert(name.to_owned(), Bucket { region: region.to_owned(), versioning, ..Bucket::default() });
    }

    /// Has the objects of a bucket encrypted with a key, whose use is a right of its own.
    pub fn encrypt(&mut self, bucket: &str, key: &str, words: Words) {
        if let Some(held) = self.buckets.get_mut(bucket) {
            held.key = Some((key.to_owned(), words));
        }
    }

    /// Puts an object; refused if there is no such bucket.
    pub fn put(&mut self, bucket: &str, key: &str, body: impl Into<Bytes>, now: Timestamp) -> Result<(), Refusal> {
        let held = self.buckets.get_mut(bucket).ok_or_else(no_bucket)?;
        let versions = held.objects.entry(key.to_owned()).or_default();
        if held.versioning == Versioning::Off {
            versions.clear();
        }
        let version = format!("{}.{:032x}", versions.len() + 1, now.as_nanosecond().unsigned_abs());
        versions.push(Object { body: body.into(), version, modified: now });
        Ok(())
    }

    /// Deletes an object with all its versions.
    pub fn remove(&mut self, bucket: &str, key: &str) {
        if let Some(held) = self.buckets.get_mut(bucket) {
            held.objects.remove(key);
        }
    }

    /// What an object holds.
    pub fn body(&self, bucket: &str, key: &str) -> Option<&Bytes> {
        self.find(bucket, key, None).map(|object| &object.body)
    }

    /// The keys of a bucket's objects.
    pub fn keys(&self, bucket: &str) -> Vec<&str> {
        let held = self.buckets.get(bucket).into_iter();
        held.flat_map(|held| held.objects.keys().map(String::as_str)).collect()
    }

    fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> Option<&Object> {
        let versions = self.buckets.get(bucket)?.objects.get(key)?;
        match version {
            Some(version) => versions.iter().find(|object| object.version == version),
            None => versions.last(),
        }
    }
}

pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetObject" => get_object(world, call),
        other => {
            let message = format!("The simulator does not know what this {other} of S3 asks for.");
            Err(Refusal { status: 501, ..Refusal::new("NotImplemented", message) })
        }
    }
}

fn get_object(world: &mut World, call: &Call) -> Answer {
    let (bucket, key) = (call.text("Bucket").unwrap_or_default(), call.text("Key").unwrap_or_default());
    let held = world.s3.buckets.get(bucket).ok_or_else(no_bucket)?;
    if held.region != call.region {
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
        return Err(Refusal { status: 301, ..Refusal::new("PermanentRedirect", message) });
    }
    let (versioning, encrypted) = (held.versioning, held.key.clone());
    let version = call.text("VersionId");
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    world.allow(call, action, &format!("arn:aws:s3:::{bucket}/{key}"), &[])?;
    if world.s3.find(bucket, key, version).is_none() {
        world.allow(call, "s3:ListBucket", &format!("arn:aws:s3:::{bucket}"), &[])?;
    }
    if world.s3.find(bucket, key, version).is_some()
        && let Some((key, words)) = encrypted
    {
        decrypt(world, call, &key, words)?;
    }
    let object = world.s3.find(bucket, key, version).ok_or_else(|| no_key(key))?;
    let etag = etag(key, object);
    if call.text("IfMatch").is_some_and(|wanted| wanted != etag) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Refusal { status: 412, ..Refusal::new("PreconditionFailed", message) });
    }
    let (from, until) = part(call.text("Range"), object.body.len())?;
    let body = object.body.slice(from..until);
    let mut answer = json!({
        "Body": base64::engine::general_purpose::STANDARD.encode(&body),
        "ETag": etag,
        "LastModified": http_date(object.modified),
        "AcceptRanges": "bytes",
    });
    if versioning == Versioning::Enabled {
        answer["VersionId"] = Value::from(object.version.as_str());
    }
    if call.text("Range").is_some() {
        answer["ContentRange"] = Value::from(format!("bytes {from}-{}/{}", until - 1, object.body.len()));
    }
    Ok(answer)
}

fn decrypt(world: &mut World, call: &Call, key: &str, words: Words) -> Result<(), Refusal> {
    let message = match words {
        Words::Whole => format!(
            "User: {} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
            call.caller.arn
        ),
        Words::Bare => "Access Denied".to_owned(),
    };
    let allowed = world.allow(call, "kms:Decrypt", key, &[]);
    allowed.map_err(|refusal| Refusal { message, ..refusal })
}

fn etag(key: &str, object: &Object) -> String {
    let hash = crate::ecr::digest(&format!("{key}#{}", object.version));
    format!("\"{}\"", &hash["sha256:".len()..][..32])
}

/// From where up to where a range goes, `bytes=FROM-TO` or `bytes=-LAST` [RFC 9110, 14.1.2]; one that is no range is overlooked.
fn part(range: Option<&str>, length: usize) -> Result<(usize, usize), Refusal> {
    let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return Ok((0, length));
    };
    let (from, until) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(length)),
        (Ok(from), Err(_)) => (from, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        (Err(_), Err(_)) => (0, length),
    };
    if from < until {
        return Ok((from, until));
    }
    Err(Refusal { status: 416, ..Refusal::new("InvalidRange", "The requested range is not satisfiable") })
}

fn no_bucket() -> Refusal {
    Refusal { status: 404, ..Refusal::new("NoSuchBucket", "The specified bucket does not exist") }
}

fn no_key(key: &str) -> Refusal {
    let refusal = Refusal { status: 404, ..Refusal::new("NoSuchKey", "The specified key does not exist.") };
    refusal.with("Key", json!(key))
}
