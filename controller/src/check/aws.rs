//! What AWS lets us do: eleven looks in each account and Region, and one with git where repositories of CodeCommit are allowed. They are
//! at names that the AwsAccount allows, with nothing there of the rest of the name. Whether a call is denied shows before whether there is anything. Looks that need the answer of another one are
//! not made.

use super::finding::{Finding, Verdict};
use crate::context::Context;
use crate::git::{self, Credential};
use crate::item::Item;
use crate::unreachable::words;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use launchway_cloud::{Cloud, GitRepository};
use launchway_crds::AwsAccount;
use launchway_plan::account::{Place, place};
use launchway_plan::fault::{Fault, FaultKind};
use launchway_plan::image::ImageId;
use launchway_plan::rank::Rank;
use launchway_plan::world::LogStream;

/// A name that nothing has.
const NOTHING: &str = "launchway-check";

pub(super) async fn check(context: &Context) -> Vec<Finding> {
    let api = Api::<Item<AwsAccount>>::all(context.kube.clone());
    let accounts = match api.list(&ListParams::default()).await {
        Ok(accounts) => accounts.items,
        Err(error) => return vec![Finding::untried("AwsAccounts", format!("cannot be listed: {}", words(&error)))],
    };
    if accounts.is_empty() {
        return vec![Finding::untried("AwsAccounts", "there are none yet: docs/awsaccount.md has the first")];
    }
    let mut findings = Vec::new();
    for account in accounts {
        match account {
            Item::Read(account) => findings.extend(of_account(&account, context).await),
            Item::Unreadable(it) => {
                let name = it.metadata.name.clone().unwrap_or_default();
                findings.push(Finding::fails(&format!("lwaa/{name}"), "cannot be read", vec![it.note()]));
            }
        }
    }
    let changes =
        "changes are never tried: docs/iam-policy.json has what they need, and an object that is denied one says which";
    findings.push(Finding::untried("changes", changes));
    findings
}

async fn of_account(account: &AwsAccount, context: &Context) -> Vec<Finding> {
    let what = format!("lwaa/{}", account.name_any());
    let own = place(&account.spec);
    let as_whom = own.role.as_ref().map_or("the controller's own credentials", |role| role.arn.as_str()).to_owned();
    let id = match context.clouds.at(&own, "", Rank::Rollback).identity().await {
        Ok(id) => id,
        Err(fault) => return vec![Finding::fails(&what, as_whom, vec![said(&fault)])],
    };
    let mut findings = vec![Finding::works(&what, format!("account {id}, through {as_whom}"))];
    for region in &account.spec.regions {
        let cloud = context.clouds.at(&Place { region: region.to_string(), ..own.clone() }, "", Rank::Rollback);
        findings.push(of_region(account, region, &cloud, context).await);
    }
    findings
}

async fn of_region(account: &AwsAccount, region: &str, cloud: &Cloud, context: &Context) -> Finding {
    let allow = &account.spec.allow;
    let first = |globs: &[launchway_crds::name::Glob]| {
        globs.first().map_or_else(|| NOTHING.to_owned(), |glob| glob.replace('*', NOTHING))
    };
    let (cluster, project, repository) = (first(&allow.clusters), first(&allow.projects), first(&allow.repositories));
    let build = format!("{project}:00000000-0000-0000-0000-000000000000");
    let log = LogStream { group: format!("/aws/codebuild/{project}"), stream: NOTHING.to_owned() };
    let since = jiff::Timestamp::MAX;
    let mut answers = vec![
        cloud.service(&cluster, NOTHING).await.err(),
        cloud.deployments(&cluster, NOTHING).await.err(),
        cloud.stopped_tasks(&cluster, NOTHING).await.err(),
        cloud.task_definition(NOTHING).await.err(),
        cloud.task_definitions(NOTHING, 1).await.err(),
        cloud.build(&build).await.err(),
        cloud.projects(std::slice::from_ref(&project)).await.err(),
        cloud.builds_since(&project, since).await.err(),
        cloud.image(&repository, &ImageId::Tag(NOTHING.to_owned())).await.err(),
        cloud.is_immutable(&repository).await.err(),
        cloud.log_tail(&log, 1).await.err(),
    ];
    if let Ok(id) = cloud.account_id().await {
        let partition = launchway_plan::partition::of(region).id;
        let report = format!("arn:{partition}:codebuild:{region}:{id}:report/{project}-tests:{NOTHING}");
        answers.push(cloud.tests(&[report]).await.err());
    }
    if !allow.code_commit_repositories.is_empty() {
        answers.push(pull(&cloud.git_repository(&first(&allow.code_commit_repositories)), context).await.err());
    }
    let faults: Vec<&Fault> = answers.iter().flatten().collect();
    let missing: Vec<String> =
        faults.iter().filter(|fault| verdict(fault) == Verdict::Fails).map(|fault| said(fault)).collect();
    let untried = faults.iter().filter(|fault| verdict(fault) == Verdict::Untried).count();
    let (what, worked) = (format!("  {region}"), answers.len() - missing.len() - untried);
    match (missing.is_empty(), untried) {
        (true, 0) => Finding::works(&what, format!("all {worked} looks")),
        (true, _) => Finding::untried(
            &what,
            format!("{worked} looks; {untried} had to wait too long for AWS's rates: try again"),
        ),
        (false, _) => Finding::fails(&what, format!("{worked} of {} looks", answers.len()), missing),
    }
}

/// Looks at a branch in CodeCommit.
async fn pull(repository: &GitRepository, context: &Context) -> Result<(), Fault> {
    let credential = Credential::CodeCommit(repository.clone());
    let seen = git::head(&context.web, &repository.url(), NOTHING, Some(&credential)).await;
    seen.map(drop).map_err(|fault| fault.at_code_commit(&repository.arn()))
}

/// What a look at something that is not there says of our rights.
fn verdict(fault: &Fault) -> Verdict {
    match &fault.kind {
        FaultKind::Absent(_) | FaultKind::Gone | FaultKind::Invalid | FaultKind::Dubious => Verdict::Works,
        FaultKind::Denied { .. }
        | FaultKind::Credentials
        | FaultKind::Quota
        | FaultKind::Refused
        | FaultKind::Outage
        | FaultKind::Unanswered
        | FaultKind::Bug
        | FaultKind::Kubernetes => Verdict::Fails,
        FaultKind::Throttled | FaultKind::NoToken | FaultKind::NotLeading => Verdict::Untried,
    }
}

fn said(fault: &Fault) -> String {
    format!("{fault}")
}
