//! Which change wakes whom. Nothing is decided by why a pass was started.

use kube::{Resource, ResourceExt};
use launchway_crds::pipeline::{Grant, Pipeline};
use launchway_crds::release::{Release, ReleasePhase};
use launchway_crds::{AwsAccount, Service};
use launchway_plan::account::DEFAULT;
use launchway_plan::condition::is_true;
use launchway_plan::reason::Kind as Question;
use std::collections::BTreeSet;
use std::fmt;

/// The kinds that have passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An AwsAccount.
    AwsAccount,
    /// A Pipeline.
    Pipeline,
    /// A Release.
    Release,
    /// A Service.
    Service,
}

impl Kind {
    /// The kind that Kubernetes calls so, if it is one of ours.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::AwsAccount, Self::Pipeline, Self::Release, Self::Service];
        all.into_iter().find(|kind| format!("{kind:?}") == name)
    }
}

/// An object that a pass is over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for an AwsAccount.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}

impl Key {
    /// The key of an object.
    pub fn of<K: Resource>(kind: Kind, object: &K) -> Self {
        Self { kind, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }
}

/// Whom a changed AwsAccount wakes: itself, and everything that uses it.
pub fn of_account<'a>(
    account: &AwsAccount,
    pipelines: impl IntoIterator<Item = &'a Pipeline>,
    services: impl IntoIterator<Item = &'a Service>,
    releases: impl IntoIterator<Item = &'a Release>,
) -> Vec<Key> {
    let name = account.name_any();
    let uses = |named: Option<&str>| named.unwrap_or(DEFAULT) == name;
    let pipelines: Vec<_> = pipelines.into_iter().filter(|one| uses(one.spec.account.as_deref())).collect();
    let releases = releases
        .into_iter()
        .filter(|release| at_work(release) && pipelines.iter().any(|pipeline| belongs(release, pipeline)));
    let services = services.into_iter().filter(|one| uses(one.spec.account.as_deref()));
    [Key::of(Kind::AwsAccount, account)]
        .into_iter()
        .chain(pipelines.iter().map(|one| Key::of(Kind::Pipeline, *one)))
        .chain(releases.map(|one| Key::of(Kind::Release, one)))
        .chain(services.map(|one| Key::of(Kind::Service, one)))
        .collect()
}

/// Whom a changed Pipeline wakes: itself, its Releases that are at work, and the Services of its stages but those that
/// are known to run what their stage shows already.
pub fn of_pipeline<'a>(
    pipeline: &Pipeline,
    releases: impl IntoIterator<Item = &'a Release>,
    services: impl IntoIterator<Item = &'a Service>,
) -> Vec<Key> {
    let namespace = pipeline.namespace().unwrap_or_default();
    let content: BTreeSet<String> =
        services.into_iter().filter(|service| is_content(service, pipeline)).map(ResourceExt::name_any).collect();
    let targets = pipeline.spec.stages.iter().flat_map(|stage| &stage.targets);
    let targets = targets.filter_map(|target| target.service.as_ref());
    let targets = targets.filter(|service| !content.contains(service.as_str()));
    let services =
        targets.map(|service| Key { kind: Kind::Service, namespace: namespace.clone(), name: service.to_string() });
    let releases = releases.into_iter().filter(|release| at_work(release) && belongs(release, pipeline));
    [Key::of(Kind::Pipeline, pipeline)]
        .into_iter()
        .chain(releases.map(|release| Key::of(Kind::Release, release)))
        .chain(services)
        .collect()
}

/// Whom a changed Release wakes: itself and its Pipeline.
pub fn of_release(release: &Release) -> Vec<Key> {
    let namespace = release.namespace().unwrap_or_default();
    let pipeline = Key { kind: Kind::Pipeline, namespace, name: release.spec.pipeline.to_string() };
    vec![Key::of(Kind::Release, release), pipeline]
}

/// Whom a changed Service wakes: itself, and the Releases at work of the Pipeline that it follows.
pub fn of_service<'a>(service: &Service, releases: impl IntoIterator<Item = &'a Release>) -> Vec<Key> {
    let containers = &service.spec.task_definition.containers;
    let pipeline =
        containers.iter().find_map(|container| container.image_from.as_ref()).map(|from| from.pipeline.to_string());
    let follows = |release: &&Release| {
        at_work(release)
            && release.namespace() == service.namespace()
            && pipeline.as_deref() == Some(release.spec.pipeline.as_str())
    };
    let releases = releases.into_iter().filter(follows).map(|release| Key::of(Kind::Release, release));
    [Key::of(Kind::Service, service)].into_iter().chain(releases).collect()
}

/// Whether a Service is Ready with the very grant that its stage shows.
fn is_content(service: &Service, pipeline: &Pipeline) -> bool {
    let Some(status) = &service.status else { return false };
    let rolled = status.rollout.as_ref().filter(|_| is_true(&status.conditions, Question::Ready));
    let stages = pipeline.status.iter().flat_map(|status| &status.stages);
    service.namespace() == pipeline.namespace()
        && rolled.is_some_and(|rolled| {
            let source = |stage: &str| format!("{}/{stage}", pipeline.name_any());
            let granted = |grant: &Grant| grant.number == rolled.grant;
            stages
                .into_iter()
                .any(|stage| rolled.source == Some(source(&stage.name)) && stage.grant.as_ref().is_some_and(granted))
        })
}

fn belongs(release: &Release, pipeline: &Pipeline) -> bool {
    release.namespace() == pipeline.namespace() && *release.spec.pipeline == *pipeline.name_any()
}

fn at_work(release: &Release) -> bool {
    release.status.as_ref().and_then(|status| status.phase).is_none_or(|phase| phase == ReleasePhase::Active)
}
