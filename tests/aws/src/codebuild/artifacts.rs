//! What a build leaves in S3: a folder of files, or one zip of them. Where that is, is in `overrides`.

use std::io::{Cursor, Write};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use super::build::Build;
use super::steps::{Context, image};
use super::story::FileText;
use crate::World;

/// Uploads the files that the story tells, if artifacts go to S3.
pub(super) fn upload(world: &mut World, build: &Build, at: Timestamp) -> Result<(), Context> {
    let files: Vec<(&str, String)> =
        build.story.files.iter().map(|(name, text)| (name.as_str(), written(world, build, text))).collect();
    let Some(place) = build.overrides.place(build).filter(|_| !files.is_empty()) else { return Ok(()) };
    let mut put = |key: &str, body: Bytes| {
        let refused = |refusal: crate::Refusal| {
            (
                "CLIENT_ERROR".to_owned(),
                format!("Error in UPLOAD_ARTIFACTS phase: {}: {}", refusal.code, refusal.message),
            )
        };
        world.s3.put(&place.bucket, key, body, at).map_err(refused)
    };
    if place.is_zip {
        return put(&place.key, zipped(&files));
    }
    files.iter().try_for_each(|(name, text)| put(&format!("{}/{name}", place.key), Bytes::from(text.clone())))
}

/// The hash of the zip that was uploaded, if one was.
pub(super) fn sum(world: &World, build: &Build) -> Option<String> {
    let place = build.overrides.place(build).filter(|place| place.is_zip)?;
    let body = world.s3.body(&place.bucket, &place.key)?;
    Some(Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn written(world: &World, build: &Build, text: &FileText) -> String {
    match text {
        FileText::Plain(text) => text.clone(),
        FileText::Definitions(form) => {
            let repositories = build.variable("IMAGE_REPO_NAME").into_iter();
            let all = repositories.chain(build.story.also.iter().map(String::as_str));
            let entries =
                all.filter_map(|name| Some(json!({"name": name, "imageUri": image(world, build, name, form)?})));
            json!(entries.collect::<Vec<_>>()).to_string()
        }
    }
}

fn zipped(files: &[(&str, String)]) -> Bytes {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a name that fits");
        archive.write_all(text.as_bytes()).expect("room in memory");
    }
    archive.finish().expect("an archive").into_inner().into()
}
