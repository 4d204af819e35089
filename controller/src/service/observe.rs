//! Looks at a Service's world. Changes nothing.

use crate::context::Context;
use crate::kube_api::{self, Unreachable};
use launchway_cloud::Cloud;
use launchway_crds::service::ServiceStatus;
use launchway_plan::account::scope;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::life::Life;
use launchway_plan::look::Looked;
use launchway_plan::rank::Rank;
use launchway_plan::service::observed::SeenDeployment;
use launchway_plan::service::rollout::{live_means, proves};
use launchway_plan::service::state::{follow, followed, proof, recorded};
use launchway_plan::service::wanted::{MEANING_TAG, OWNER_TAG};
use launchway_plan::service::{Desired, Observed, PipelineSeen, Wanted, rank, resolve};
use launchway_plan::world::{Deployment, DeploymentStatus, LiveService, LiveTaskDefinition, Revision, ServiceLife};

/// How many of the family's newest task definitions are looked through, where the record was lost.
const FAMILY: usize = 5;
/// How many of the newest deployments are judged: a rollout, the one that it cut off, and what both came from.
const DEPLOYMENTS: usize = 5;

/// What there is to see for this pass.
pub async fn observe(desired: &Desired, record: &ServiceStatus, context: &Context) -> Result<Observed, Unreachable> {
    let account = kube_api::account(&desired.account, &desired.namespace, context).await?;
    let pipeline = match &desired.source {
        Some(source) => {
            let found = kube_api::pipeline(&desired.namespace, &source.pipeline, context).await?;
            Some(PipelineSeen { found: found.map(|facts| (facts.spec, facts.status)) })
        }
        None => None,
    };
    let mut observed = Observed::at((context.clock)(), account, pipeline);
    match desired.life {
        Life::Stays => {
            if let Ok(wanted) = resolve(desired, &observed, &context.installation) {
                let cloud = context.clouds.at(&wanted.scope.place, rank::of_looks(&wanted, record));
                World { cloud, desired, wanted: &wanted, record, context }.look(&mut observed).await;
            }
        }
        Life::Ends | Life::Abandoned => doomed(desired, &mut observed, context).await,
    }
    Ok(observed)
}

/// Only the service itself matters for an object that is being deleted.
async fn doomed(desired: &Desired, observed: &mut Observed, context: &Context) {
    if desired.life == Life::Abandoned || !desired.deletes() || !desired.finalizer {
        return;
    }
    observed.service = match scope(&observed.account, desired.spec.region.as_deref()) {
        Ok(scope) => {
            let cloud = context.clouds.at(&scope.place, Rank::Rollout);
            let seen = cloud.doomed_service(&desired.spec.cluster, &desired.ecs_name).await;
            observed.at = cloud.now();
            seen.into()
        }
        Err(refusal) => Looked::Blind(Fault {
            operation: "ecs:DeleteService".to_owned(),
            resource: desired.ecs_name.clone(),
            code: refusal.reason().to_string(),
            message: refusal.to_string(),
            kind: FaultKind::Refused,
            remedy: Remedy::AskOperator,
        }),
    };
}

/// What a look needs.
struct World<'a> {
    cloud: Cloud,
    desired: &'a Desired,
    wanted: &'a Wanted,
    record: &'a ServiceStatus,
    context: &'a Context,
}

impl World<'_> {
    async fn look(&self, observed: &mut Observed) {
        observed.at = self.cloud.now();
        if self.follow(observed).await {
            return;
        }
        observed.service = self.cloud.service(&self.desired.spec.cluster, &self.desired.ecs_name).await.into();
        observed.at = self.cloud.now();
        let Looked::Seen(service) = &observed.service else { return };
        let live = service.clone().filter(|live| live.life == ServiceLife::Active);
        if recorded(self.wanted, self.record).is_none() {
            observed.task_definition = self.task_definition(live.as_ref()).await.into();
        }
        if let Some(live) = live.filter(|live| proof(self.desired, self.wanted, self.record, live).is_none()) {
            self.rollouts(&live, observed).await;
        }
        observed.at = self.cloud.now();
    }

    /// Follows the recorded deployment; whether that was all that this pass needs.
    async fn follow(&self, observed: &mut Observed) -> bool {
        let Some(arn) = followed(self.desired, self.wanted, self.record) else { return false };
        observed.followed = self.cloud.deployment(arn).await.into();
        observed.at = self.cloud.now();
        match &observed.followed {
            Looked::Seen(Some(deployment)) => {
                follow(self.desired, self.wanted, self.record, observed, deployment).is_some()
            }
            Looked::Seen(None) | Looked::NotAsked | Looked::Blind(_) => false,
        }
    }

    /// The ARN of an ACTIVE task definition that says what is wanted: the family's newest, and where the record was
    /// lost the service's own and the newest few.
    async fn task_definition(&self, live: Option<&LiveService>) -> Result<Option<String>, Fault> {
        let family = &self.wanted.task_definition.family;
        let lost = self.record.task_definitions.is_empty();
        if let Some(live) = live.filter(|_| lost)
            && let Some(arn) = self.says(self.cloud.task_definition(&live.task_definition).await?)
        {
            return Ok(Some(arn));
        }
        let Some(newest) = self.cloud.task_definition(family).await? else { return Ok(None) };
        if let Some(arn) = self.says(Some(newest.clone())) {
            return Ok(Some(arn));
        }
        for arn in if lost { self.cloud.task_definitions(family, FAMILY).await? } else { Vec::new() } {
            if arn != newest.arn
                && let Some(arn) = self.says(self.cloud.task_definition(&arn).await?)
            {
                return Ok(Some(arn));
            }
        }
        Ok(None)
    }

    fn says(&self, found: Option<LiveTaskDefinition>) -> Option<String> {
        let owner = self.wanted.tags.get(OWNER_TAG);
        let found = found.filter(|one| one.active && one.tags.get(OWNER_TAG) == owner)?;
        (found.tags.get(MEANING_TAG) == Some(&self.wanted.task_meaning)).then_some(found.arn)
    }

    async fn rollouts(&self, live: &LiveService, observed: &mut Observed) {
        let known = recorded(self.wanted, self.record).map(str::to_owned);
        let found = observed.task_definition.seen().cloned().flatten();
        // Without a task definition nothing can run, and nothing be asked for.
        let Some(task_definition) = known.or(found) else { return };
        if let Some(newest) = self.newest(&task_definition, live, observed).await {
            observed.deployments = Looked::Seen(vec![newest]);
            return;
        }
        let cluster = &self.desired.spec.cluster;
        let seen = self.deployments().await;
        if seen.as_ref().is_ok_and(|all| all.iter().any(|one| is_bad(&one.deployment))) {
            observed.stopped = self.cloud.stopped_tasks(cluster, &self.desired.ecs_name).await.into();
        }
        tracing::trace!(service = %live.arn, installation = self.context.installation, "read the deployments");
        observed.deployments = seen.into();
    }

    /// The service's current deployment, if it is proof enough: most rollouts end well.
    async fn newest(&self, task_definition: &str, live: &LiveService, observed: &Observed) -> Option<SeenDeployment> {
        let named = live.deployments <= 1 && live_means(self.wanted, task_definition, live);
        let arn = live.current_deployment.as_ref().filter(|_| named)?;
        let followed = observed.followed.seen().and_then(Option::as_ref).filter(|followed| followed.arn == *arn);
        let deployment = match followed {
            Some(followed) => followed.clone(),
            None => self.cloud.deployment(arn).await.ok()??,
        };
        let ended_well = deployment.status == DeploymentStatus::Successful;
        let target = deployment.target.clone().filter(|_| ended_well)?;
        let target = self.cloud.revisions(&[target]).await.ok()?.pop();
        let newest = SeenDeployment { deployment, target, source: None };
        proves(self.wanted, task_definition, live, &newest).then_some(newest)
    }

    async fn deployments(&self) -> Result<Vec<SeenDeployment>, Fault> {
        let mut all = self.cloud.deployments(&self.desired.spec.cluster, &self.desired.ecs_name).await?;
        all.truncate(DEPLOYMENTS);
        let mut arns: Vec<String> =
            all.iter().flat_map(|one| one.target.iter().chain(one.left_with())).cloned().collect();
        arns.sort();
        arns.dedup();
        let revisions = if arns.is_empty() { Vec::new() } else { self.cloud.revisions(&arns).await? };
        let revision =
            |arn: Option<&String>| -> Option<Revision> { revisions.iter().find(|one| Some(&one.arn) == arn).cloned() };
        let seen = |deployment: Deployment| SeenDeployment {
            target: revision(deployment.target.as_ref()),
            source: revision(deployment.left_with()),
            deployment,
        };
        Ok(all.into_iter().map(seen).collect())
    }
}

/// Whether the stopped tasks may say why.
fn is_bad(deployment: &Deployment) -> bool {
    let failing = deployment.breaker.as_ref().is_some_and(|breaker| breaker.failures > 0);
    match deployment.status {
        DeploymentStatus::Stopped | DeploymentStatus::RollbackSuccessful | DeploymentStatus::RollbackFailed => true,
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::StopRequested
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::Unknown(_) => failing,
        DeploymentStatus::Successful => false,
    }
}
