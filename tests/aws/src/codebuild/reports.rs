//! Reports of tests: what a buildspec's `reports` section leaves. Each build has one at most, in the group `<project>-tests`.

use serde_json::{Value, json};

use super::build::Build;
use super::invalid;
use super::story::{Phase, Tests};
use crate::call::epoch;
use crate::{Answer, Call, World};

/// Reports in one BatchGetReports, at most [API_BatchGetReports].
const REPORTS: usize = 100;

/// The ARN of the build's report, which is there from the end of UPLOAD_ARTIFACTS.
pub(super) fn arn(build: &Build) -> Option<String> {
    let is_there = build.story.tests.is_some()
        && build.phase() > Phase::UploadArtifacts
        && build.began(Phase::UploadArtifacts).is_some();
    let uuid = build.id.rsplit_once(':').map_or("", |(_, uuid)| uuid);
    is_there.then(|| build.arn_of("codebuild", &format!("report/{}:{uuid}", group(build))))
}

fn group(build: &Build) -> String {
    format!("{}-tests", build.project)
}

/// BatchGetReports.
pub(super) fn batch(world: &mut World, call: &Call) -> Answer {
    let asked = call.texts("reportArns");
    if asked.is_empty() || asked.len() > REPORTS {
        return Err(invalid("Invalid input: reportArns must have 1 to 100 items"));
    }
    for one in &asked {
        let resource = one.split_once(":report/").map(|(_, resource)| resource);
        let group = resource.and_then(|resource| Some(resource.rsplit_once(':')?.0));
        let group = group.ok_or_else(|| invalid(format!("Invalid report ARN: {one}")))?;
        world.allow(
            call,
            "codebuild:BatchGetReports",
            &call.arn("codebuild", &format!("report-group/{group}")),
            &[],
        )?;
    }
    let state = world.codebuild.get(&call.place());
    let (mut reports, mut missing) = (Vec::new(), Vec::new());
    for one in asked {
        let build = state.and_then(|state| state.builds().find(|build| arn(build).as_deref() == Some(&*one)));
        match build.and_then(|build| Some(render(build, &one, build.story.tests?))) {
            Some(report) => reports.push(report),
            None => missing.push(one),
        }
    }
    Ok(json!({ "reports": reports, "reportsNotFound": missing }))
}

fn render(build: &Build, arn: &str, tests: Tests) -> Value {
    let Tests { passed, failed, errors, skipped } = tests;
    let made = epoch(build.began(Phase::UploadArtifacts).unwrap_or(build.started_at));
    json!({
        "arn": arn,
        "type": "TEST",
        "name": group(build),
        "reportGroupArn": build.arn_of("codebuild", &format!("report-group/{}", group(build))),
        "executionId": build.arn(),
        "status": if failed + errors == 0 { "SUCCEEDED" } else { "FAILED" },
        "created": made,
        "exportConfig": { "exportConfigType": "NO_EXPORT" },
        "truncated": false,
        "testSummary": {
            "total": passed + failed + errors + skipped,
            "statusCounts": { "SUCCEEDED": passed, "FAILED": failed, "ERROR": errors, "SKIPPED": skipped, "UNKNOWN": 0 },
            "durationInNanoSeconds": 1_000_000,
        },
    })
}
