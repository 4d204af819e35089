//! What Flux and everyone else who uses kstatus would say of an object: asked of that library itself (a Go program of
//! ours around it), not imitated here.

use serde::Deserialize;

use super::answers::Answers;

const PROGRAM: Answers = Answers {
    name: "kstatus",
    sources: [
        include_str!("../../go/kstatus/main.go"),
        include_str!("../../go/kstatus/go.mod"),
        include_str!("../../go/kstatus/go.sum"),
    ],
    takes: "some seconds after the servers, a minute before them",
};

/// kstatus's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "kstatus's own words, which its documentation explains")]
pub enum Status {
    Current,
    InProgress,
    Failed,
    Terminating,
    NotFound,
    Unknown,
}

/// What kstatus says of one object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kstatus {
    /// Its verdict.
    pub status: Status,
    /// Its reason, in words.
    pub message: String,
}

/// One answer for each object, in their order. Needs no cluster. The first call builds the program.
///
/// # Errors
/// The program cannot be built, or it refused an object (one without `apiVersion` and `kind`, for instance).
pub fn of(objects: &[serde_json::Value]) -> anyhow::Result<Vec<Kstatus>> {
    PROGRAM.to(objects)
}
