//! The spec of a Pipeline, parsed: what cannot be carried out is refused here.

use crate::account::{DEFAULT, Scope};
use crate::address::{self, Rules};
use crate::condition::cut;
use crate::life::{Life, life};
use crate::refusal::Refusal;
use launchway_crds::pipeline::{Expectation, Pipeline, PipelineSpec};
use launchway_crds::release::ReleasePlan;
use serde_json::Value;

/// The largest plan that a Release records, as JSON, in bytes: beside it a status of 32 KiB has room for the rest.
pub const PLAN_MAX: usize = 12 * 1024;

/// A Pipeline, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID, for the Releases' owner reference.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// The AwsAccount's name.
    pub account: String,
    /// How often the branch is looked at, in seconds.
    pub interval: i64,
    /// The rest.
    pub spec: PipelineSpec,
}

impl Desired {
    /// The Pipeline, if it can be carried out, the account left aside.
    pub fn parse(pipeline: &Pipeline, rules: &Rules) -> Result<Self, Refusal> {
        let (meta, spec) = (&pipeline.metadata, &pipeline.spec);
        url("spec.source.git.url", &spec.source.git.url, rules)?;
        for verify in spec.stages.iter().flat_map(|stage| &stage.verify) {
            url(&format!("spec.stages.verify[{}].http.url", verify.name), &verify.http.url, rules)?;
            comparable(&verify.name, &verify.http.expect)?;
        }
        Ok(Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            life: life(meta),
            account: spec.account.as_ref().map_or_else(|| DEFAULT.to_owned(), ToString::to_string),
            interval: spec.source.git.interval.seconds().unwrap_or(60),
            spec: spec.clone(),
        })
    }
}

fn url(field: &str, text: &str, rules: &Rules) -> Result<(), Refusal> {
    match address::refusal(text, rules) {
        Some(why) => Err(Refusal::Url { field: field.to_owned(), why: why.to_string() }),
        None => Ok(()),
    }
}

/// The longest text that an answer is compared with, in bytes.
const TEXT: usize = 256;

/// What the schema cannot say: a member may have any type there.
fn comparable(verify: &str, expect: &Expectation) -> Result<(), Refusal> {
    let simple = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= TEXT,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    match expect.json.iter().find(|(_, value)| !simple(value)) {
        Some((name, _)) => Err(Refusal::Expectation {
            field: format!("spec.stages.verify[{verify}].http.expect.json.{}", cut(name, 64)),
        }),
        None => Ok(()),
    }
}

/// What a Release of this Pipeline records when it starts, if the account allows all of it.
pub fn checked_plan(spec: &PipelineSpec, scope: &Scope) -> Result<ReleasePlan, Refusal> {
    for check in &spec.checks {
        scope.project(&check.code_build.project)?;
    }
    scope.project(&spec.build.code_build.project)?;
    for image in &spec.images {
        scope.repository(&image.repository)?;
    }
    let plan = ReleasePlan {
        account: scope.account.as_str().into(),
        region: scope.place.region.as_str().into(),
        checks: spec.checks.clone(),
        checks_in_parallel: spec.checks_in_parallel,
        build: spec.build.clone(),
        images: spec.images.clone(),
    };
    let size = serde_json::to_vec(&plan).map_or(usize::MAX, |json| json.len());
    if size > PLAN_MAX { Err(Refusal::PlanTooLarge { size, limit: PLAN_MAX }) } else { Ok(plan) }
}
