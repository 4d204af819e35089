//! Looks at a Service's world, at what `plan` chooses, until it needs nothing more. Changes nothing.

use crate::context::Context;
use crate::kube_api;
use crate::unreachable::Unreachable;
use launchway_cloud::Cloud;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::look::Looked;
use launchway_plan::service::looks::{FAMILY, Look, next};
use launchway_plan::service::{Desired, Observed, PipelineSeen, Record, rank, reach, resolve};

/// What there is to see for this pass.
pub async fn observe(desired: &Desired, record: &Record, context: &Context) -> Result<Observed, Unreachable> {
    let account = kube_api::watched_account(&desired.account, &desired.namespace, context).await?;
    let pipeline = match &desired.source {
        Some(source) => {
            let found = kube_api::pipeline(&desired.namespace, &source.pipeline, context).await?;
            Some(PipelineSeen { found: found.map(|facts| (facts.spec, facts.status)) })
        }
        None => None,
    };
    let mut observed = Observed::at((context.clock)(), account, pipeline);
    let mut wanted = resolve(desired, record.registered(), &observed, &context.installation).ok();
    let cloud = match reach(desired, &observed) {
        Ok(scope) => context.clouds.at(&scope.place, &desired.namespace, rank::of_looks(wanted.as_ref(), record)),
        Err(refusal) => {
            observed.service = Looked::Blind(Fault {
                operation: "ecs:DescribeServices".to_owned(),
                resource: desired.ecs_name.clone(),
                code: refusal.reason().to_string(),
                message: refusal.to_string(),
                kind: FaultKind::Refused,
                remedy: Remedy::AskOperator,
            });
            return Ok(observed);
        }
    };
    observed.at = cloud.now();
    while let Some(look) = next(desired, wanted.as_ref(), record, &observed) {
        tracing::trace!(?look, service = desired.ecs_name, installation = context.installation, "looks");
        seen(look, desired, &cloud, &mut observed).await;
        observed.at = cloud.now();
        // Which family is meant depends on what runs.
        wanted = resolve(desired, record.registered(), &observed, &context.installation).ok();
    }
    Ok(observed)
}

/// Looks at one thing.
async fn seen(look: Look, desired: &Desired, cloud: &Cloud, observed: &mut Observed) {
    let (cluster, name) = (desired.spec.cluster.as_str(), desired.ecs_name.as_str());
    match look {
        Look::Followed(arn) => observed.followed = cloud.deployment(&arn).await.into(),
        Look::Current(arn) => observed.current = cloud.deployment(&arn).await.into(),
        Look::Service if desired.life.stays() => observed.service = cloud.service(cluster, name).await.into(),
        Look::Service => observed.service = cloud.doomed_service(cluster, name).await.into(),
        Look::TaskDefinition(asked) => {
            let found = cloud.task_definition(&asked).await.into();
            observed.definitions.insert(asked, found);
        }
        Look::Family(family) => observed.family = cloud.task_definitions(&family, FAMILY).await.into(),
        Look::Deployments => observed.deployments = cloud.deployments(cluster, name).await.into(),
        Look::Revisions(arns) => {
            let found = cloud.revisions(&arns).await;
            for arn in arns {
                let one = found.clone().map(|all| all.into_iter().find(|revision| revision.arn == arn));
                observed.revisions.insert(arn, one.into());
            }
        }
        Look::StoppedTasks => observed.stopped = cloud.stopped_tasks(cluster, name).await.into(),
    }
}
