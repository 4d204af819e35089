//! What stands for `$(…)` in the values of a build's environment variables, and what a check exports for them. The API server
//! admits no other words than these (schema of `BuildVariable`).

use super::BUILD;
use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::record::{Progress, StepKind, StepRecord, Work};
use super::steps::{APPEARS, PUSHED};
use super::told;
use crate::condition::cut;
use crate::fault::Fault;
use crate::look::Looked;
use crate::refusal::Refusal;
use crate::tag::tag;
use crate::world::{BuildVariable, Exported, VariableKind};
use jiff::SignedDuration;
use launchway_crds::name::{EnvName, ExportedValue, TagPattern};
use launchway_crds::pipeline::{Check, CodeBuild};
use launchway_crds::release::{ExportedVariable, ReleasePlan};
use std::collections::BTreeSet;

/// How many variables of checks a build gets at most: as many as a step of the status records.
const MOST: usize = 10;

/// The git tag of the commit.
const GIT_TAG: &str = "gitTag";

/// A variable that a check exports for the build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Output {
    /// The check.
    pub check: String,
    /// The variable.
    pub variable: String,
}

/// Why the build does not get a variable of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Lack {
    /// It is not recorded yet, or CodeBuild may show it a little later.
    Coming,
    /// The check's build could not be looked at.
    Blind(Fault),
    /// It never comes: why, and what mends it.
    Never(String),
}

/// What a value is made of.
enum Part<'a> {
    /// What stands for itself.
    Text(&'a str),
    /// What stands between `$(` and `)`.
    Word(&'a str),
}

fn parts(value: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), value);
    while let Some((before, after)) = rest.split_once("$(") {
        if let Some(before) = before.strip_suffix('$') {
            parts.extend([Part::Text(before), Part::Text("$(")]);
            rest = after;
        } else if let Some((word, after)) = after.split_once(')') {
            parts.extend([Part::Text(before), Part::Word(word)]);
            rest = after;
        } else {
            break;
        }
    }
    parts.push(Part::Text(rest));
    parts
}

impl Output {
    /// What `steps.<check>.<variable>` names.
    fn parse(word: &str) -> Option<Self> {
        let (check, variable) = word.strip_prefix("steps.")?.split_once('.')?;
        Some(Self { check: check.to_owned(), variable: variable.to_owned() })
    }

    fn all<'a>(values: impl Iterator<Item = &'a str>) -> BTreeSet<Self> {
        let words =
            values.flat_map(parts).filter_map(|part| if let Part::Word(word) = part { Some(word) } else { None });
        words.filter_map(Self::parse).collect()
    }

    /// What the build of that Release gets from its checks.
    fn of_build(work: &Work) -> BTreeSet<Self> {
        let environment = work.build().into_iter().flat_map(|step| &step.run.environment);
        let plain = environment.filter(|variable| variable.kind == VariableKind::Plain);
        Self::all(plain.map(|variable| variable.value.as_str()))
    }
}

/// Checks that what stands in values can be filled in: that each word is known, and that what the build is to get from checks can
/// come from them. The checks are those of the spec, in which a ready-made one is not spelled out.
///
/// # Errors
/// A word is not known; a check is named that there is none of; a check is to get something; or the build more than is recorded.
pub fn checked(plan: &ReleasePlan, checks: &[Check]) -> Result<(), Refusal> {
    let runs = plan.checks.iter().map(|check| (format!("spec.checks[{}]", check.name), &check.code_build));
    let runs = runs.chain(plan.build.iter().map(|build| ("spec.build".to_owned(), &build.code_build)));
    let environments = runs.filter_map(|(place, run)| Some((place, &run.as_ref()?.environment)));
    for (field, variable) in environments.flat_map(|(place, all)| all.iter().map(move |one| (place.clone(), one))) {
        let words = parts(variable.value.as_deref().unwrap_or_default());
        let unknown = words.into_iter().find_map(|part| {
            if let Part::Word(word) = part { Some(word) } else { None }.filter(|word| !is_known(word))
        });
        if let Some(word) = unknown {
            let why = format!(
                "$({}) is none of $(commit), $(shortCommit), $(shortCommit:7) to 40, $(branch), $(gitTag), $(release), $(pipeline), $(namespace) and $(steps.CHECK.VARIABLE): \
                 write $$( for the characters themselves",
                cut(word, 64)
            );
            return Err(Refusal::Value {
                field: format!("{field}.codeBuild.environment[{}].value", variable.name),
                why,
            });
        }
    }
    outputs(plan, checks)
}

fn outputs(plan: &ReleasePlan, checks: &[Check]) -> Result<(), Refusal> {
    let refused = |field: String, why: String| Err(Refusal::Value { field, why });
    let outputs = |run: &Option<CodeBuild>| {
        let environment = run.iter().flat_map(|run| &run.environment);
        Output::all(environment.filter_map(|variable| variable.value.as_deref()))
    };
    if let Some(check) = plan.checks.iter().find(|check| !outputs(&check.code_build).is_empty()) {
        let why = "checks run side by side: only the build gets what a check exported, $(steps.CHECK.VARIABLE)";
        return refused(format!("spec.checks[{}].codeBuild.environment", check.name), why.to_owned());
    }
    let of_build = plan.build.as_ref().map(|build| outputs(&build.code_build)).unwrap_or_default();
    let field = || "spec.build.codeBuild.environment".to_owned();
    let exports = |output: &Output| checks.iter().any(|check| *check.name == output.check && check.scan.is_none());
    let is_none = |output: &&Output| !exports(output);
    if let Some(Output { check, variable }) = of_build.iter().find(is_none) {
        let why = match check.as_str() {
            BUILD => {
                "what the build exports goes to no other step: a stage rolls its image by digest, without being told"
                    .to_owned()
            }
            _ if checks.iter().any(|one| *one.name == *check) => {
                format!("check {check} is a ready-made one, which exports nothing")
            }
            _ => format!("there is no check {check}: correct it, or add the check to spec.checks"),
        };
        return refused(field(), format!("$(steps.{check}.{variable}): {why}"));
    }
    if of_build.len() > MOST {
        let why = format!(
            "the build gets {} variables of checks, and at most {MOST} are recorded: let a check export several values in one",
            of_build.len()
        );
        return refused(field(), why);
    }
    Ok(())
}

/// The environment of a step, filled in from what is known of the Release.
///
/// # Errors
/// What is not known.
pub(super) fn filled(
    desired: &Desired,
    work: &Work,
    observed: &Observed,
    step: &StepRecord,
) -> Result<Vec<BuildVariable>, Lack> {
    let value = |given: &str| -> Result<String, Lack> {
        let part = |part: Part<'_>| match part {
            Part::Text(text) => Ok(text.to_owned()),
            // A check runs where nothing is built too, on the way back to an older commit: it gets none then.
            Part::Word(GIT_TAG) if step.kind == StepKind::Check => {
                Ok(work.git_tag.as_deref().unwrap_or_default().to_owned())
            }
            Part::Word(word) => meaning(desired, work, observed, word),
        };
        parts(given).into_iter().map(part).collect()
    };
    let of = |variable: &BuildVariable| match variable.kind {
        VariableKind::Plain => Ok(BuildVariable { value: value(&variable.value)?, ..variable.clone() }),
        VariableKind::ParameterStore | VariableKind::SecretsManager => Ok(variable.clone()),
    };
    step.run.environment.iter().map(of).collect()
}

/// What a word stands for. One that this version does not know, which newer definitions may admit, stands for itself.
fn meaning(desired: &Desired, work: &Work, observed: &Observed, word: &str) -> Result<String, Lack> {
    if let Some(output) = Output::parse(word) {
        let value = recorded(work, &output).map(ToString::to_string);
        return value.ok_or_else(|| lack(desired, work, observed, &output));
    }
    Ok(match word {
        "branch" => work.branch.as_deref().unwrap_or_default().to_owned(),
        GIT_TAG => work.git_tag.as_ref().ok_or_else(untagged)?.to_string(),
        "release" => desired.name.clone(),
        "pipeline" => desired.pipeline.clone(),
        "namespace" => desired.namespace.clone(),
        _ if is_known(word) => tag(Some(&TagPattern::from(format!("$({word})"))), &desired.commit).text,
        _ => format!("$({word})"),
    })
}

fn untagged() -> Lack {
    Lack::Never(
        "the environment of the build has $(gitTag), and of a Release that a person made no tag is known but the newest: release this commit by a new tag".to_owned(),
    )
}

/// Whether a word stands for something.
fn is_known(word: &str) -> bool {
    let digits = |digits: &str| digits.parse().is_ok_and(|digits: usize| (7..=40).contains(&digits));
    let is_name = |name: &str| {
        name.len() <= EnvName::MAX
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_output =
        |Output { check, variable }: Output| !check.is_empty() && !variable.is_empty() && is_name(&variable);
    matches!(word, "commit" | "shortCommit" | "branch" | GIT_TAG | "release" | "pipeline" | "namespace")
        || word.strip_prefix("shortCommit:").is_some_and(digits)
        || Output::parse(word).is_some_and(is_output)
}

fn recorded<'a>(work: &'a Work, output: &Output) -> Option<&'a ExportedValue> {
    let check = work.steps.iter().find(|step| *step.name == *output.check)?;
    check.variables.iter().find(|one| *one.name == *output.variable).map(|one| &one.value)
}

/// Whether the check succeeded, and what the build gets from it is not all recorded: CodeBuild may show it late.
pub(super) fn is_silent(work: &Work, step: &StepRecord) -> bool {
    step.kind == StepKind::Check
        && matches!(step.progress, Progress::Succeeded(Some(_)))
        && Output::of_build(work).iter().any(|output| output.check == *step.name && recorded(work, output).is_none())
}

/// What the build gets from this check, as far as this pass saw it.
pub(super) fn heard(desired: &Desired, work: &Work, step: &StepRecord, observed: &Observed) -> Vec<ExportedVariable> {
    let Some(build) = told::succeeded(desired, step, observed) else { return Vec::new() };
    let wanted = Output::of_build(work).into_iter().filter(|output| output.check == *step.name);
    let variable = |Output { variable, .. }: Output| {
        let value = build.exported.get(&variable).filter(|value| unfit(value).is_none())?;
        Some(ExportedVariable { name: variable.into(), value: value.text().into() })
    };
    wanted.filter_map(variable).collect()
}

/// Why a value is not recorded.
fn unfit(value: &Exported) -> Option<String> {
    // As it stands in the status, so that a few characters that are written as many do not make that too large.
    let length = serde_json::to_string(value.text()).map_or(usize::MAX, |json| json.len() - 2);
    let most = ExportedValue::MAX;
    match length {
        // Most often a command failed in it: `export VERSION=$(cat version.txt)` succeeds without the file.
        0 => Some("empty: assign it in a command of its own, and export it after that".to_owned()),
        _ if length > most => Some(format!(
            "with more than {most} bytes as JSON, and no more are recorded: leave it in S3, and export where"
        )),
        _ => None,
    }
}

/// Why the build does not get this variable of a check, which is not recorded.
fn lack(desired: &Desired, work: &Work, observed: &Observed, output: &Output) -> Lack {
    let Output { check, variable } = output;
    let never = |why: String| Lack::Never(format!("the build needs $(steps.{check}.{variable}): {why}"));
    let Some(step) = work.steps.iter().find(|step| *step.name == *check) else {
        return never(format!("there is no check {check}"));
    };
    let Progress::Succeeded(Some(started)) = &step.progress else { return Lack::Coming };
    let ended = started.ended_at.as_ref().unwrap_or(&started.started_at).0;
    let is_within = |seconds| observed.at < ended + SignedDuration::from_secs(seconds);
    match (told::succeeded(desired, step, observed), observed.builds.get(&*step.name)) {
        (Some(build), _) => match build.exported.get(variable) {
            Some(value) => {
                unfit(value).map_or(Lack::Coming, |why| never(format!("build {} exported it {why}", build.id)))
            }
            None if is_within(PUSHED) => Lack::Coming,
            None => never(format!(
                "build {} exported no such variable: name it in env.exported-variables of the check's buildspec, and set it there with export; then push that, or make another Release of this commit",
                build.id
            )),
        },
        (None, Some(BuildSeen::Known(Looked::Blind(fault)) | BuildSeen::Searched(Looked::Blind(fault)))) => {
            Lack::Blind(fault.clone())
        }
        (None, Some(BuildSeen::Known(Looked::Seen(Some(build))))) => never(format!(
            "build {} is not one that this Release started and that succeeded: make another Release of this commit",
            build.id
        )),
        (None, Some(_) | None) if is_within(APPEARS) => Lack::Coming,
        (None, Some(_) | None) => {
            never(format!("CodeBuild no longer shows build {}: make another Release of this commit", started.id))
        }
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_value_is_found_and_an_escape_stands_for_the_characters() {
        let outputs = |value| -> Vec<_> {
            Output::all([value].into_iter()).into_iter().map(|one| (one.check, one.variable)).collect()
        };
        let of = |check: &str, variable: &str| vec![(check.to_owned(), variable.to_owned())];
        let none: Vec<(String, String)> = Vec::new();
        assert_eq!(outputs("v$(steps.unit-tests.VERSION)-$(commit)"), of("unit-tests", "VERSION"));
        assert_eq!(outputs("$(steps.a.B)$(steps.a.B)"), of("a", "B"));
        for other in ["$$(steps.a.B)", "$$$(steps.a.B)", "$(commit)", "$(steps.a.B", "steps.a.B", "$ (steps.a.B)", ""] {
            assert_eq!(outputs(other), none, "{other}");
        }
    }
}
