//! Looks at what concerns a Release: its Pipeline, builds, image, targets and verifications. Changes nothing.

use crate::context::Context;
use crate::kube_api;
use crate::release::required_statuses;
use crate::unreachable::Unreachable;
use crate::web::Cap;
use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use launchway_cloud::Cloud;
use launchway_crds::pipeline::HttpVerification;
use launchway_crds::release::TestCounts;
use launchway_plan::account::scope;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::look::Looked;
use launchway_plan::release::report::LOG_LINES;
use launchway_plan::release::state::account;
use launchway_plan::release::{BuildSeen, Desired, Look, Observed, Record, looks, more, rank};
use launchway_plan::target::TargetSeen;
use launchway_plan::world::{BuildStatus, Listing, LiveBuild, LiveProject, LiveScan, LiveStatuses};

/// For how long after a build ended we retry to read its log and its test reports before we do without, in seconds.
const LOG_WAITS: i64 = 120;

/// Takes every look that this pass needs. Faults are part of what was seen.
pub async fn observe(desired: &Desired, record: &Record, context: &Context) -> Result<Observed, Unreachable> {
    let pipeline = kube_api::pipeline(&desired.namespace, &desired.pipeline, context).await?;
    let name = account(record, pipeline.as_ref()).to_owned();
    let account = kube_api::account(&name, &desired.namespace, context).await?;
    let now = (context.clock)();
    let mut observed = Observed::at(now, pipeline, account);
    observed.load = context.crowds.load(&desired.namespace, &observed.account.name, now);
    let planned = observed.pipeline.as_ref().and_then(|pipeline| pipeline.spec.region.as_deref());
    let region = record.work.as_ref().map(|work| &*work.region).or(planned);
    let rank = rank::of_looks(desired, record);
    let cloud = scope(&observed.account, region)
        .map(|scope| context.clouds.at(&scope.place, &desired.namespace, rank))
        .map_err(|refusal| Fault {
            operation: "launchway:account".to_owned(),
            resource: name,
            code: refusal.reason().to_string(),
            message: refusal.to_string(),
            kind: FaultKind::Refused,
            remedy: Remedy::AskOperator,
        });
    if let Ok(cloud) = &cloud {
        observed.at = cloud.now();
    }
    let mut asked = looks(desired, record, &observed);
    while !asked.is_empty() {
        let seen = join_all(asked.iter().map(|look| one(look, cloud.as_ref(), desired, context))).await;
        for (look, seen) in asked.into_iter().zip(seen) {
            put(&mut observed, look, seen?);
        }
        asked = more(desired, record, &observed);
    }
    if let Ok(cloud) = &cloud {
        observed.at = cloud.now();
    }
    Ok(observed)
}

/// What one look saw.
enum Seen {
    AccountId(Looked<String>),
    Projects(Looked<Vec<LiveProject>>),
    Build(BuildEnded),
    Builds(Looked<Vec<LiveBuild>>),
    Statuses(Looked<LiveStatuses>),
    Image(Looked<Option<launchway_plan::world::LiveImage>>),
    Origins(Looked<Vec<LiveBuild>>),
    Mutability(Looked<bool>),
    Listing(Looked<Listing>),
    Scan(Looked<LiveScan>),
    Target(Option<TargetSeen>),
    Verified(Result<(), String>),
}

/// A build, and what is read of it besides once it has ended.
struct BuildEnded {
    build: Looked<Option<LiveBuild>>,
    log: Vec<String>,
    tests: Option<Result<TestCounts, String>>,
}

async fn one(
    look: &Look,
    cloud: Result<&Cloud, &Fault>,
    desired: &Desired,
    context: &Context,
) -> Result<Seen, Unreachable> {
    Ok(match look {
        Look::AccountId => Seen::AccountId(match cloud {
            Ok(cloud) => cloud.account_id().await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Projects(names) => Seen::Projects(match cloud {
            Ok(cloud) => cloud.projects(names).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Build { id, marker, .. } => build(id, marker, cloud).await,
        Look::Search { project, since, .. } => Seen::Builds(match cloud {
            Ok(cloud) => cloud.builds_since(project, *since).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Statuses { host, names } => Seen::Statuses(required_statuses::look(host, names, desired, context).await),
        Look::Image { repository, id } => Seen::Image(match cloud {
            Ok(cloud) => cloud.image(repository, id).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Scan { repository, digest, fail_on } => Seen::Scan(match cloud {
            Ok(cloud) => cloud.scan(repository, digest, fail_on).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Origins { project, since } => Seen::Origins(match cloud {
            Ok(cloud) => origins(cloud, project, *since).await,
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Mutability { repository } => Seen::Mutability(match cloud {
            Ok(cloud) => cloud.is_immutable(repository).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Listing { artifact, file, ended } => Seen::Listing(match cloud {
            Ok(cloud) => cloud.listing(artifact, file, *ended).await.into(),
            Err(fault) => Looked::Blind(fault.clone()),
        }),
        Look::Target(name) => Seen::Target(kube_api::target(name, &desired.namespace, context).await?),
        Look::Verify { http, .. } => Seen::Verified(verification(http, context).await),
    })
}

fn put(observed: &mut Observed, look: Look, seen: Seen) {
    match (look, seen) {
        (Look::Build { step, .. }, Seen::Build(seen)) => {
            observed.logs.insert(step.clone(), seen.log);
            observed.tests.extend(seen.tests.map(|tests| (step.clone(), tests)));
            observed.builds.insert(step, BuildSeen::Known(seen.build));
        }
        (Look::Search { step, .. }, Seen::Builds(builds)) => {
            observed.builds.insert(step, BuildSeen::Searched(builds));
        }
        (Look::Target(name), Seen::Target(target)) => {
            observed.targets.insert(name, target);
        }
        (Look::Verify { name, .. }, Seen::Verified(verified)) => {
            observed.verifications.insert(name, verified);
        }
        (_, Seen::Statuses(statuses)) => observed.statuses = statuses,
        (_, Seen::AccountId(id)) => observed.account_id = id,
        (_, Seen::Projects(projects)) => observed.projects = projects,
        (Look::Image { repository, .. }, Seen::Image(image)) => {
            observed.images.insert(repository, image);
        }
        (Look::Scan { repository, .. }, Seen::Scan(scan)) => {
            observed.scans.insert(repository, scan);
        }
        (Look::Mutability { repository }, Seen::Mutability(immutable)) => {
            observed.immutable.insert(repository, immutable);
        }
        (_, Seen::Origins(builds)) => observed.origins = builds,
        (_, Seen::Listing(listing)) => observed.listing = listing,
        (
            _,
            Seen::Build(..)
            | Seen::Builds(_)
            | Seen::Image(_)
            | Seen::Mutability(_)
            | Seen::Scan(_)
            | Seen::Target(_)
            | Seen::Verified(_),
        ) => {}
    }
}

/// The builds of a project that may have pushed the image; none if the project no longer exists.
async fn origins(cloud: &Cloud, project: &str, since: Timestamp) -> Looked<Vec<LiveBuild>> {
    match cloud.builds_since(project, since).await {
        Err(fault) if matches!(fault.kind, FaultKind::Absent(_)) => Looked::Seen(Vec::new()),
        seen => seen.into(),
    }
}

/// A build; once it has ended what its test reports say, and the last lines of its log if it failed. Its end is reported even if
/// these cannot be read. What a build without the marker left is another one's, and is not read.
async fn build(id: &str, marker: &str, cloud: Result<&Cloud, &Fault>) -> Seen {
    let seen = |build, log, tests| Seen::Build(BuildEnded { build, log, tests });
    let cloud = match cloud {
        Ok(cloud) => cloud,
        Err(fault) => return seen(Looked::Blind(fault.clone()), Vec::new(), None),
    };
    let build = cloud.build(id).await;
    let is_over =
        |build: &&LiveBuild| build.marker.as_deref() == Some(marker) && build.status != BuildStatus::InProgress;
    let Some(ended) = build.as_ref().ok().and_then(Option::as_ref).filter(is_over) else {
        return seen(build.into(), Vec::new(), None);
    };
    match (log(ended, cloud).await, tests(ended, cloud).await) {
        (Ok(log), Ok(tests)) => seen(build.into(), log, tests),
        (Err(fault), _) | (_, Err(fault)) => seen(Looked::Blind(fault), Vec::new(), None),
    }
}

/// The last lines of the log of a build that failed.
///
/// # Errors
/// It may be read a little later.
async fn log(ended: &LiveBuild, cloud: &Cloud) -> Result<Vec<String>, Fault> {
    let Some(log) = ended.log.as_ref().filter(|_| ended.has_failed()) else { return Ok(Vec::new()) };
    match cloud.log_tail(log, LOG_LINES).await {
        Ok(lines) => Ok(lines),
        Err(fault) if is_worth_another_look(ended, &fault, cloud.now()) => Err(fault),
        Err(fault) => Ok(vec![format!("the log could not be read: {fault}")]),
    }
}

/// What the test reports of a build say.
///
/// # Errors
/// They may be read a little later.
async fn tests(ended: &LiveBuild, cloud: &Cloud) -> Result<Option<Result<TestCounts, String>>, Fault> {
    if ended.reports.is_empty() {
        return Ok(None);
    }
    match cloud.tests(&ended.reports).await {
        Ok(counts) => Ok(counts.map(Ok)),
        Err(fault) if is_worth_another_look(ended, &fault, cloud.now()) => Err(fault),
        Err(fault) => Ok(Some(Err(fault.to_string()))),
    }
}

/// Whether it is worth waiting for what a build left: reading it may work later, and the build has just ended.
fn is_worth_another_look(build: &LiveBuild, fault: &Fault, at: Timestamp) -> bool {
    let ended = build.ended_at.unwrap_or(build.started_at);
    !fault.is_terminal() && at < ended + SignedDuration::from_secs(LOG_WAITS)
}

async fn verification(http: &HttpVerification, context: &Context) -> Result<(), String> {
    let url = context.web.admitted(&http.url).map_err(|fault| fault.to_string())?;
    let uri = crate::web::uri(&url).map_err(|fault| fault.to_string())?;
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    let cap = if http.expect.json.is_empty() { Cap::STATUS } else { Cap::VERIFY };
    let answer = match http.expect.status {
        300..=399 => context.web.unfollowed(request, cap).await,
        _ => context.web.answer(request, cap).await,
    };
    let answer = answer.map_err(|fault| fault.to_string())?;
    launchway_plan::release::expect::judge(&http.expect, answer.status.as_u16(), &answer.body)
}
