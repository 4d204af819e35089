//! The spec of a Pipeline, parsed. What cannot be carried out is refused here, and each union is an enum.

use super::refs::Refs;
use super::relevance::Relevance;
use super::{pushed, scan};
use crate::account::{DEFAULT, Scope};
use crate::address::{self, Rules};
use crate::allow;
use crate::condition::cut;
use crate::hash;
use crate::life::{Life, life};
use crate::partition;
use crate::refusal::Refusal;
use crate::release::record::Says;
use crate::release::values;
use crate::start::build::{Run, bounds, project};
use crate::world::LiveProject;
use launchway_crds::name::{Branch, Duration, GitTag, ObjectName, TagPattern};
use launchway_crds::pipeline::{
    self, Build, Check, CodeBuild, CodeCommit, Expectation, Git, HttpVerification, ImageSource, Mode, Pipeline,
    PipelineSpec,
};
use launchway_crds::release::ReleasePlan;
use serde_json::Value;

/// The largest plan that a Release records, as JSON, in bytes, so that a status of 32 KiB has room for the rest.
pub const PLAN_MAX: usize = 12 * 1024;
/// What the git tag takes of that, which is put in when the Release starts.
const GIT_TAG: usize = r#","gitTag":"""#.len() + GitTag::MAX;

/// The longest name of what is looked at, in bytes. The status has a largest size.
const REFERENCE: usize = 220;

/// A Pipeline, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID, for the owner references of its Releases.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// The AwsAccount's name.
    pub account: String,
    /// The AWS Region; absent: the account's default.
    pub region: Option<String>,
    /// Where commits come from.
    pub source: Source,
    /// Whether a webhook tells of pushes.
    pub has_webhook: bool,
    /// The stages, in the order of the spec.
    pub stages: Vec<Stage>,
    /// What a newer commit does to an older one.
    pub mode: Mode,
    /// How many commits are checked and built at once.
    pub limit: usize,
    /// Whether it is suspended, so that nothing new is started.
    pub suspended: bool,
    /// How many Releases are kept after they have ended.
    pub history: usize,
    /// The spec itself. Parts of it are copied unchanged into a Release's plan.
    spec: PipelineSpec,
}

/// Where commits come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A git repository, which a Secret may be needed for.
    Git {
        /// What is followed there.
        refs: Refs,
        /// How often to look at it, in seconds.
        interval: i64,
        /// The repository's URL.
        url: String,
        /// The Secret with the credential; absent: the repository is public.
        secret: Option<String>,
        /// Which of its commits are released; absent: all.
        relevance: Option<Relevance>,
    },
    /// A repository of CodeCommit, which the account's role reads.
    CodeCommit {
        /// What is followed there.
        refs: Refs,
        /// How often to look at it, in seconds.
        interval: i64,
        /// The repository's name.
        repository: String,
    },
    /// Images that somebody else pushes.
    Images {
        /// The ECR repository.
        repository: String,
        /// How they are tagged.
        tag: TagPattern,
        /// How often to look at the repository, in seconds.
        interval: i64,
    },
}

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What it changes.
    pub targets: Vec<Target>,
    /// The verifications that must all pass before it counts as verified.
    pub verify: Vec<Verification>,
}

/// An object that a stage changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The Service of that name.
    Service(String),
}

/// A verification that must pass before a stage counts as verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// Its name.
    pub name: String,
    /// For how long it is repeated before the stage fails, in seconds.
    pub timeout: i64,
    /// How to verify.
    pub method: Method,
}

/// How a stage is verified.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// By the answer to an HTTP request.
    Http(Box<HttpVerification>),
}

impl Desired {
    /// Parses a Pipeline. It is refused if it cannot be carried out; what the account allows is not checked here.
    pub fn parse(pipeline: &Pipeline, rules: &Rules) -> Result<Self, Refusal> {
        let (meta, spec) = (&pipeline.metadata, &pipeline.spec);
        runs(&spec.checks, spec.build.as_ref())?;
        says_image(spec.build.as_ref())?;
        Ok(Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            life: life(meta),
            account: spec.account.as_ref().map_or_else(|| DEFAULT.to_owned(), ToString::to_string),
            region: spec.region.as_ref().map(ToString::to_string),
            source: Source::parse(spec, rules)?,
            has_webhook: spec.source.webhook.is_some(),
            stages: stages(spec, rules)?,
            mode: spec.concurrency.mode,
            limit: usize::try_from(spec.concurrency.limit).unwrap_or(1),
            suspended: spec.suspend,
            history: usize::try_from(spec.history_limit).unwrap_or(usize::MAX),
            spec: spec.clone(),
        })
    }

    /// The name of the Release of that number.
    pub fn release(&self, number: i64) -> ObjectName {
        release_name(&self.name, number)
    }

    /// The plan that a Release records when it starts, before its projects were looked at; refused if the account does not allow
    /// all of it.
    pub fn plan(&self, scope: &Scope) -> Result<ReleasePlan, Refusal> {
        checked_plan(&self.spec, scope, &[])
    }
}

/// The name of a Pipeline's Release of that number.
pub fn release_name(pipeline: &str, number: i64) -> ObjectName {
    format!("{pipeline}-{number}").as_str().into()
}

impl Source {
    fn parse(spec: &PipelineSpec, rules: &Rules) -> Result<Self, Refusal> {
        let builds =
            |source| spec.build.is_some().then_some(source).ok_or_else(|| Refusal::unknown("spec.build", "codeBuild"));
        let pipeline::Source { git, code_commit, image, webhook: _ } = &spec.source;
        match (git, code_commit, image) {
            (Some(git), _, _) => Self::git(git, rules).and_then(builds),
            (None, Some(code_commit), _) => Self::code_commit(code_commit).and_then(builds),
            (None, None, Some(image)) => Self::image(image, spec),
            (None, None, None) => Err(Refusal::unknown("spec.source", "git, codeCommit and image")),
        }
    }

    fn git(git: &Git, rules: &Rules) -> Result<Self, Refusal> {
        url("spec.source.git.url", &git.url, rules)?;
        Ok(Self::Git {
            refs: Refs::parse("spec.source.git", git.branch.as_ref(), git.tags.as_ref())?,
            interval: seconds("spec.source.git.interval", &git.interval)?,
            url: git.url.to_string(),
            secret: git.secret_ref.as_ref().map(|secret| secret.name.to_string()),
            relevance: Relevance::parse(git),
        })
    }

    fn code_commit(given: &CodeCommit) -> Result<Self, Refusal> {
        Ok(Self::CodeCommit {
            refs: Refs::parse("spec.source.codeCommit", given.branch.as_ref(), given.tags.as_ref())?,
            interval: seconds("spec.source.codeCommit.interval", &given.interval)?,
            repository: given.repository.to_string(),
        })
    }

    fn image(given: &ImageSource, spec: &PipelineSpec) -> Result<Self, Refusal> {
        let interval = seconds("spec.source.image.interval", &given.interval)?;
        let first = spec.images.first().ok_or_else(|| Refusal::unknown("spec.images", "a list of one image"))?;
        Ok(Self::Images { repository: first.repository.to_string(), tag: pushed::tag(given), interval })
    }

    /// Whether a head that is recorded under that name is one that this source may have had.
    pub fn may_have_had(&self, of: &str) -> bool {
        match self {
            Self::Git { refs, .. } | Self::CodeCommit { refs, .. } => refs.may_have_had(of),
            Self::Images { .. } => self.list().is_some_and(|list| of == list),
        }
    }

    /// What a list of images is recorded under.
    pub fn list(&self) -> Option<String> {
        let Self::Images { repository, tag, .. } = self else { return None };
        let of = format!("refs/images/{repository}/{tag}");
        let is_short = of.len() <= REFERENCE;
        Some(if is_short { of } else { format!("refs/images/{}", hash::of(&(repository, tag))) })
    }

    /// How often to look at it, in seconds.
    pub fn interval(&self) -> i64 {
        match self {
            Self::Git { interval, .. } | Self::CodeCommit { interval, .. } | Self::Images { interval, .. } => *interval,
        }
    }

    /// Which commits are released; absent: all.
    pub fn relevance(&self) -> Option<&Relevance> {
        match self {
            Self::Git { relevance, .. } => relevance.as_ref(),
            Self::CodeCommit { .. } | Self::Images { .. } => None,
        }
    }

    /// The ECR repository whose images are followed.
    pub fn repository(&self) -> Option<&str> {
        match self {
            Self::Git { .. } | Self::CodeCommit { .. } => None,
            Self::Images { repository, .. } => Some(repository),
        }
    }

    /// Whether commits become Releases by their tags.
    pub fn follows_tags(&self) -> bool {
        matches!(self, Self::Git { refs: Refs::Tags(_), .. } | Self::CodeCommit { refs: Refs::Tags(_), .. })
    }

    /// One word for what is looked at.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Git { .. } | Self::CodeCommit { .. } if !self.follows_tags() => "branch",
            Self::Git { .. } | Self::CodeCommit { .. } | Self::Images { .. } => "repository",
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Git { refs, url, .. } => write!(f, "{refs} of {url}"),
            Self::CodeCommit { refs, repository, .. } => write!(f, "{refs} of CodeCommit repository {repository}"),
            Self::Images { repository, tag, .. } => write!(f, "images of ECR repository {repository} tagged {tag}"),
        }
    }
}

impl Stage {
    /// Parses a stage. It is refused if this version does not know what the stage changes or how it is verified.
    pub fn parse(stage: &pipeline::Stage) -> Result<Self, Refusal> {
        let at = |list: &str| format!("spec.stages[{}].{list}", stage.name);
        let target = |target: &pipeline::Target| match &target.service {
            Some(service) => Ok(Target::Service(service.to_string())),
            None => Err(Refusal::unknown(&at("targets"), "service")),
        };
        let verification = |one: &pipeline::Verification| match &one.http {
            Some(http) => Ok(Verification {
                name: one.name.to_string(),
                timeout: seconds(&at("verify.http.timeout"), &http.timeout)?,
                method: Method::Http(Box::new(http.clone())),
            }),
            None => Err(Refusal::unknown(&at("verify"), "http")),
        };
        Ok(Self {
            name: stage.name.to_string(),
            targets: stage.targets.iter().map(target).collect::<Result<_, _>>()?,
            verify: stage.verify.iter().map(verification).collect::<Result<_, _>>()?,
        })
    }
}

fn stages(spec: &PipelineSpec, rules: &Rules) -> Result<Vec<Stage>, Refusal> {
    let stages: Vec<Stage> = spec.stages.iter().map(Stage::parse).collect::<Result<_, _>>()?;
    for verify in stages.iter().flat_map(|stage| &stage.verify) {
        match &verify.method {
            Method::Http(http) => {
                url(&format!("spec.stages.verify[{}].http.url", verify.name), &http.url, rules)?;
                comparable(&verify.name, &http.expect)?;
            }
        }
    }
    Ok(stages)
}

fn url(field: &str, text: &str, rules: &Rules) -> Result<(), Refusal> {
    match address::refusal(text, rules) {
        Some(why) => Err(Refusal::Url { field: field.to_owned(), why: why.to_string() }),
        None => Ok(()),
    }
}

/// A duration in seconds. The API server has checked its form; text of another form is refused.
fn seconds(field: &str, duration: &Duration) -> Result<i64, Refusal> {
    duration.seconds().ok_or_else(|| Refusal::unknown(field, "a duration such as 1m"))
}

/// The longest text and the longest name of a member that can be expected in an answer, in bytes.
const TEXT: usize = 256;

/// Checks the members that a verification expects. The schema of an older version admitted values of any type, and no schema can
/// bound their names.
fn comparable(verify: &str, expect: &Expectation) -> Result<(), Refusal> {
    let simple = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= TEXT,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    match expect.json.iter().find(|(name, value)| name.len() > TEXT || !simple(value)) {
        Some((name, _)) => Err(Refusal::Expectation {
            field: format!("spec.stages.verify[{verify}].http.expect.json.{}", cut(name, 64)),
        }),
        None => Ok(()),
    }
}

/// Checks that it is known where the build says its image, if it does.
fn says_image(build: Option<&Build>) -> Result<(), Refusal> {
    let from = build.and_then(|build| build.image_from.as_ref());
    let is_known = from.is_none_or(|from| Says::of(from).is_some());
    if is_known { Ok(()) } else { Err(Refusal::unknown("spec.build.imageFrom", "variable, artifact")) }
}

/// What CodeBuild runs: the checks in the order of the spec, then the build, if there is one.
fn runs<'a>(checks: &'a [pipeline::Check], build: Option<&'a Build>) -> Result<Vec<&'a CodeBuild>, Refusal> {
    let unknown = |field: String| Refusal::unknown(&field, "codeBuild");
    let of_check = |check: &'a pipeline::Check| {
        check.code_build.as_ref().ok_or_else(|| unknown(format!("spec.checks[{}]", check.name)))
    };
    let build = build.map(|build| build.code_build.as_ref().ok_or_else(|| unknown("spec.build".to_owned())));
    checks.iter().map(of_check).chain(build).collect()
}

/// The plan that a Release of this Pipeline records when it starts, as those projects need it; of others nothing is known. Refused
/// if the account does not allow all of it.
pub fn checked_plan(spec: &PipelineSpec, scope: &Scope, projects: &[LiveProject]) -> Result<ReleasePlan, Refusal> {
    let region = &scope.place.region;
    let placed =
        |run: &Option<CodeBuild>| run.as_ref().map(|run| placed(run, &spec.source, region, projects)).transpose();
    let of_check = |check: &Check| {
        let mut run = placed(&check.code_build)?;
        if let (Some(run), Some(scan)) = (&mut run, &check.scan) {
            let known = scan::spelled_out(scan);
            let unknown = || Refusal::unknown(&format!("spec.checks[{}].scan", check.name), "secrets, templates");
            run.buildspec = Some(known.ok_or_else(unknown)?);
        }
        Ok(Check { code_build: run, scan: None, ..check.clone() })
    };
    let of_build = |build: &Build| {
        let run = placed(&build.code_build)?;
        let is_listed = build.image_from.as_ref().is_some_and(|from| from.artifact.is_some());
        if let Some(run) = run.as_ref().filter(|_| is_listed) {
            project::keeps_apart(run, projects.iter().find(|project| *project.name == *run.project))?;
        }
        Ok(Build { code_build: run, ..build.clone() })
    };
    let plan = ReleasePlan {
        account: scope.account.as_str().into(),
        region: scope.place.region.as_str().into(),
        branch: branch(&spec.source).cloned(),
        git_tag: None,
        checks: spec.checks.iter().map(of_check).collect::<Result<_, Refusal>>()?,
        checks_in_parallel: spec.checks_in_parallel,
        build: spec.build.as_ref().map(of_build).transpose()?,
        image_scan: spec.image_scan.clone(),
        tag: spec.source.image.as_ref().filter(|_| spec.build.is_none()).map(pushed::tag),
        images: spec.images.clone(),
    };
    says_image(plan.build.as_ref())?;
    values::checked(&plan, &spec.checks)?;
    let runs = runs(&plan.checks, plan.build.as_ref())?;
    let locations = runs.iter().filter_map(|run| run.r#override.as_ref()?.source_location.as_ref());
    if let Some(location) = locations.into_iter().find(|location| !bounds::is_plain(location)) {
        return Err(Refusal::Url {
            field: "spec.source.git.url".to_owned(),
            why: format!(
                "{} cannot be given to CodeBuild in place of its project's source: write it with https://, letters, digits and . _ ~ - only, and without ..",
                cut(location, 256)
            ),
        });
    }
    let mut missing: Vec<_> = runs.into_iter().flat_map(|run| bounds::missing(scope, &Run::parse(run))).collect();
    let repositories = plan.images.iter().map(|image| &image.repository);
    missing.extend(repositories.filter_map(|name| allow::REPOSITORIES.missing(&scope.allow, &[name])));
    let followed = spec.source.code_commit.as_ref().map(|source| &source.repository);
    missing.extend(followed.and_then(|name| allow::CODE_COMMIT_REPOSITORIES.missing(&scope.allow, &[name])));
    scope.refuse(missing)?;
    let size = serde_json::to_vec(&plan).map_or(usize::MAX, |json| json.len());
    if size + GIT_TAG > PLAN_MAX { Err(Refusal::PlanTooLarge { size, limit: PLAN_MAX }) } else { Ok(plan) }
}

/// The branch that is followed, if it is one.
fn branch(source: &pipeline::Source) -> Option<&Branch> {
    let of_git = source.git.as_ref().and_then(|git| git.branch.as_ref());
    of_git.or_else(|| source.code_commit.as_ref()?.branch.as_ref())
}

/// The run as its project needs it, and with the Pipeline's own repository where it overrides the source and names none. A
/// repository of CodeCommit is that of the Region that the build runs in, and no other kind of source can be meant by it.
fn placed(
    run: &CodeBuild,
    source: &pipeline::Source,
    region: &str,
    projects: &[LiveProject],
) -> Result<CodeBuild, Refusal> {
    let of_git = source.git.as_ref().map(|git| git.url.to_string());
    let of_code_commit = source.code_commit.as_ref().map(|own| partition::git_url(region, &own.repository));
    let url = of_git.as_ref().or(of_code_commit.as_ref());
    let project = projects.iter().find(|project| *project.name == *run.project);
    let mut run = match project {
        Some(project) => project::fitted(run, project, url.map(String::as_str))?,
        None => run.clone(),
    };
    if let Some(given) = &mut run.r#override
        && let (Some(kind), None) = (&given.source_type, &given.source_location)
    {
        let own = of_git.or(of_code_commit.filter(|_| **kind == *project::CODECOMMIT));
        given.source_location = own.map(|url| url.as_str().into());
    }
    Ok(run)
}
