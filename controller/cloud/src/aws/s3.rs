//! The file in which a build lists its images, of what it left in S3. Read in parts, never listed, never written.

use super::archive::{Entry, LIST, Parts};
use super::failure::{Failure, causes};
use super::words;
use crate::clouds::Cloud;
use crate::operation::Operation;
use crate::scrub;
use aws_sdk_s3::primitives::ByteStream;
use jiff::{SignedDuration, Timestamp};
use launchway_plan::fault::{Fault, FaultKind};
use launchway_plan::image;
use launchway_plan::world::{Artifact, Listing, Packaging};
use std::time::Duration;

/// The longest file that is read, in bytes: CodePipeline's own limit for `imagedefinitions.json`.
const FILE: u64 = 100 * 1024;

/// How much of an archive is read at once, in bytes, and how often at most after its end and its list of files.
const PART: u64 = 256 * 1024;
const PARTS: usize = 4;

/// How long is waited until fewer archives are read.
const TURN: Duration = Duration::from_secs(30);

/// How long the body of an answer may take.
const BODY: Duration = Duration::from_secs(10);

/// How long after a build's end what it left may be written, by S3's clock.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// What was read of an object.
struct Part {
    from: u64,
    bytes: Vec<u8>,
    /// The whole object's length.
    length: u64,
    etag: Option<String>,
    object: Object,
}

/// The object that a file was found in.
struct Object {
    key: String,
    version: Option<String>,
    modified: Option<Timestamp>,
}

type Found = (Entry, Object);

impl Cloud {
    /// What a file of a build's artifact lists, if it was left there before the build had ended. One call, or for a zip archive up to
    /// seven.
    pub async fn listing(&self, artifact: &Artifact, file: &str, ended: Timestamp) -> Result<Listing, Fault> {
        let bucket = artifact.bucket.as_str();
        let in_folder = match artifact.packaging {
            Packaging::Folder => self.file(bucket, artifact.object(file)).await,
            Packaging::Zip => Err(Failure::absent()),
        };
        // CodeBuild may not have said that it is a zip.
        let found = match in_folder {
            Err(failure) if failure.is_absent() => self.file_in_zip(bucket, &artifact.key, file).await,
            found => found,
        };
        match found {
            Ok((_, object)) if object.modified.is_none_or(|at| at > ended + LATE) => {
                Ok(Listing::Unreadable("was written again after the build had ended, and is not believed"))
            }
            Ok((entry, object)) => Ok(listing(entry, object)),
            Err(failure) if failure.is_absent() => Ok(Listing::Absent),
            // There is no range of an empty object.
            Err(failure) if failure.code == "InvalidRange" => Ok(Listing::Unreadable("is empty")),
            Err(failure) => Err(self.object_fault(bucket, &failure)),
        }
    }

    /// The fault of a call about what is in a bucket. Keys differ from build to build, so that a statement for one would not last; and
    /// S3 does not say it where the right to decrypt is missing.
    fn object_fault(&self, bucket: &str, failure: &Failure) -> Fault {
        let fault = self.fault(Operation::GetObject, failure, "s3", &format!("{bucket}/*"));
        let FaultKind::Denied { needs } = &fault.kind else { return fault };
        match needs.as_deref() {
            Some("s3:GetObject") => Fault { resource: self.arn("s3", &format!("{bucket}/*")), ..fault },
            Some("s3:ListBucket") => Fault { resource: self.arn("s3", bucket), ..fault },
            Some(_) | None => {
                let message = format!(
                    "{}; the role needs s3:GetObject of {bucket}/*, s3:ListBucket of {bucket}, and, where what the build left is encrypted \
                     with a key of your own, kms:Decrypt of that key, whose policy has to let it",
                    failure.message
                );
                let kind = FaultKind::Denied { needs: None };
                Fault { kind, message: scrub::message(&message), ..fault }
            }
        }
    }

    async fn file(&self, bucket: &str, key: String) -> Result<Found, Failure> {
        let part = self.part(bucket, &key, format!("bytes=0-{}", FILE - 1), None).await?;
        let entry = if part.length > FILE { Entry::TooLong } else { Entry::Held(part.bytes) };
        Ok((entry, part.object))
    }

    /// An archive ends with the list of its files.
    async fn file_in_zip(&self, bucket: &str, key: &str, file: &str) -> Result<Found, Failure> {
        let turn = tokio::time::timeout(TURN, self.inner().shared.archives.acquire()).await;
        let _one = turn.map_err(|_| Failure::unreadable("as many zip archives as may be are being read"))?;
        let end = self.part(bucket, key, format!("bytes=-{PART}"), None).await?;
        let (from, etag) = (end.from, end.etag);
        let Some((mut parts, list)) = Parts::new(end.length, from, end.bytes) else {
            return Ok((Entry::Broken, end.object));
        };
        if list < from {
            let part = self.part(bucket, key, format!("bytes={list}-{}", from - 1), etag.clone()).await?;
            parts.add(part.from, part.bytes);
        }
        for _ in 0..PARTS {
            let Entry::Lacks(from) = parts.entry(file, FILE) else { break };
            let part = self.part(bucket, key, format!("bytes={from}-{}", from + PART - 1), etag.clone()).await?;
            parts.add(part.from, part.bytes);
        }
        Ok((parts.entry(file, FILE), end.object))
    }

    /// A part of an object; of the same object as the first part, whose ETag that is.
    async fn part(&self, bucket: &str, key: &str, range: String, etag: Option<String>) -> Result<Part, Failure> {
        let request = self.inner().clients.s3.get_object().bucket(bucket).key(key).range(range).set_if_match(etag);
        let seen = self.look(Operation::GetObject, || request.clone().send()).await?;
        let whole = || Some((0, u64::try_from(seen.content_length()?).ok()?));
        let (from, length) = seen.content_range().map_or_else(whole, span).ok_or_else(no_length)?;
        let modified = words::moment(seen.last_modified());
        let object = Object { key: key.to_owned(), version: seen.version_id, modified };
        let read = tokio::time::timeout(BODY, gathered(seen.body)).await;
        let bytes = read.map_err(|_| Failure::unreadable("the object's body did not come in time"))??;
        Ok(Part { from, bytes, length, etag: seen.e_tag, object })
    }
}

fn listing(entry: Entry, object: Object) -> Listing {
    match entry {
        Entry::Held(text) => match image::listed(&text) {
            Ok(named) => Listing::Images { named, key: object.key, version: object.version },
            Err(why) => Listing::Unreadable(why),
        },
        Entry::TooLong => Listing::Unreadable("is longer than 100 KiB"),
        Entry::Absent => Listing::Absent,
        Entry::Broken => Listing::Unreadable(
            "is in what cannot be read as a zip archive (below 4 GiB, without a comment, up to some ten thousand files)",
        ),
        Entry::Lacks(_) => Listing::Unreadable("is in a zip archive that cannot be read in parts"),
    }
}

fn no_length() -> Failure {
    Failure::unreadable("GetObject without a length")
}

/// Where a part begins, and how long the whole is: `bytes 0-99/1234` (RFC 9110, 14.4).
fn span(range: &str) -> Option<(u64, u64)> {
    let (part, length) = range.strip_prefix("bytes ")?.split_once('/')?;
    Some((part.split_once('-')?.0.parse().ok()?, length.parse().ok()?))
}

/// A body of no more than the longest list of an archive's files.
async fn gathered(mut body: ByteStream) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| Failure::unreadable(&causes(&error)))?);
        if bytes.len() as u64 > LIST {
            return Err(Failure::unreadable("more of the object came than was asked for"));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_range_says_where_it_begins_and_how_long_the_whole_is() {
        assert_eq!(span("bytes 5-9/1234"), Some((5, 1234)));
        for odd in ["bytes */1234", "bytes 5-9/*", "5-9/10", ""] {
            assert_eq!(span(odd), None, "{odd}");
        }
    }
}
