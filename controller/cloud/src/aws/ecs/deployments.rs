//! Service deployments and revisions: how ECS brings a service to what it should run. Looks only.

use super::words::of_revision;
use crate::aws::words::{moment, reason, text, time};
use crate::aws::{arn, failure::Failure};
use crate::batch::Answers;
use crate::clouds::{Cloud, DEPLOYMENTS};
use crate::operation::Operation;
use crate::shared::Token;
use aws_sdk_ecs::operation::list_service_deployments::ListServiceDeploymentsOutput;
use aws_sdk_ecs::types::{
    Failure as Missing, ServiceDeployment, ServiceDeploymentBrief, ServiceDeploymentCircuitBreaker, ServiceRevision,
};
use futures::future::join_all;
use launchway_plan::fault::Fault;
use launchway_plan::world::{Breaker, Deployment, DeploymentStatus, Revision};

/// The most that one call lists.
const PAGE: i32 = 100;

impl Cloud {
    /// The newest 20 deployments of a service, newest first; no such service: none. Two calls, one where there are none.
    pub async fn deployments(&self, cluster: &str, service: &str) -> Result<Vec<Deployment>, Fault> {
        let arns = match self.newest_deployments(cluster, service).await {
            Ok(arns) if arns.is_empty() => return Ok(Vec::new()),
            Ok(arns) => arns,
            Err(failure) if failure.code == "ServiceNotFoundException" => return Ok(Vec::new()),
            Err(failure) => {
                return Err(self.service_fault(Operation::ListServiceDeployments, &failure, cluster, service));
            }
        };
        let described = async {
            let token = self.take(Operation::DescribeServiceDeployments).await?;
            self.describe_deployments(token, arns).await
        };
        let seen = described
            .await
            .map_err(|failure| self.service_fault(Operation::DescribeServiceDeployments, &failure, cluster, service))?;
        let mut deployments: Vec<Deployment> = seen.into_values().flatten().collect();
        deployments.sort_by(|one, other| (other.created_at, &other.arn).cmp(&(one.created_at, &one.arn)));
        Ok(deployments)
    }

    /// A deployment; `None`: ECS does not know it (any more, or not yet). A part of a call: up to 20 of a cluster share
    /// one.
    pub async fn deployment(&self, deployment: &str) -> Result<Option<Deployment>, Fault> {
        let group = arn::cluster(deployment);
        let send = |cloud: Self, token, arns| async move { cloud.describe_deployments(token, arns).await };
        self.shared(&self.inner().deployments, Operation::DescribeServiceDeployments, (group, deployment), send)
            .await
            .map_err(|failure| self.fault(Operation::DescribeServiceDeployments, &failure, "ecs", deployment))
    }

    /// Revisions, in the order asked for, without those that ECS does not know. Parts of calls: up to 20 of a cluster
    /// share one.
    pub async fn revisions(&self, arns: &[String]) -> Result<Vec<Revision>, Fault> {
        let seen = join_all(arns.iter().map(|arn| self.revision(arn))).await;
        seen.into_iter().filter_map(Result::transpose).collect()
    }

    async fn revision(&self, revision: &str) -> Result<Option<Revision>, Fault> {
        let group = arn::cluster(revision);
        let send = |cloud: Self, token, arns| async move { cloud.describe_revisions(token, arns).await };
        self.shared(&self.inner().revisions, Operation::DescribeServiceRevisions, (group, revision), send)
            .await
            .map_err(|failure| self.fault(Operation::DescribeServiceRevisions, &failure, "ecs", revision))
    }

    /// Pages on only if a page turns out not to have the newest first.
    async fn newest_deployments(&self, cluster: &str, service: &str) -> Result<Vec<String>, Failure> {
        let (mut listed, mut token) = (Vec::new(), None);
        loop {
            let page = self.list_deployments(cluster, service, token).await?;
            listed.extend_from_slice(page.service_deployments());
            token = page.next_token;
            if token.is_none() || newest_first(&listed) {
                break;
            }
        }
        listed.sort_by(|one, other| other.created_at().cmp(&one.created_at()));
        Ok(listed.into_iter().filter_map(|brief| brief.service_deployment_arn).take(DEPLOYMENTS).collect())
    }

    async fn list_deployments(
        &self,
        cluster: &str,
        service: &str,
        token: Option<String>,
    ) -> Result<ListServiceDeploymentsOutput, Failure> {
        let request = self.inner().clients.ecs.list_service_deployments().cluster(cluster).service(service);
        let request = request.max_results(PAGE).set_next_token(token);
        self.look(Operation::ListServiceDeployments, || request.clone().send()).await
    }

    async fn describe_deployments(
        &self,
        token: Token,
        arns: Vec<String>,
    ) -> Result<Answers<String, Option<Deployment>>, Failure> {
        let request = self.inner().clients.ecs.describe_service_deployments().set_service_deployment_arns(Some(arns));
        let seen = self.look_with(token, Operation::DescribeServiceDeployments, || request.clone().send()).await?;
        let found = seen.service_deployments().iter().map(deployment).map(|one| (one.arn.clone(), Some(one)));
        Ok(missing(seen.failures()).map(|arn| (arn, None)).chain(found).collect())
    }

    async fn describe_revisions(
        &self,
        token: Token,
        arns: Vec<String>,
    ) -> Result<Answers<String, Option<Revision>>, Failure> {
        let request = self.inner().clients.ecs.describe_service_revisions().set_service_revision_arns(Some(arns));
        let seen = self.look_with(token, Operation::DescribeServiceRevisions, || request.clone().send()).await?;
        // One that cannot be read counts as not mentioned.
        let found = seen.service_revisions().iter().filter_map(|one| revision(one).ok());
        let found = found.map(|one| (one.arn.clone(), Some(one)));
        Ok(missing(seen.failures()).map(|arn| (arn, None)).chain(found).collect())
    }
}

/// Other reasons than MISSING do not say that it is not there.
fn missing(failures: &[Missing]) -> impl Iterator<Item = String> {
    failures.iter().filter(|failure| failure.reason() == Some("MISSING")).filter_map(|failure| failure.arn.clone())
}

fn newest_first(listed: &[ServiceDeploymentBrief]) -> bool {
    listed.is_sorted_by(|one, other| one.created_at() >= other.created_at())
}

fn deployment(given: &ServiceDeployment) -> Deployment {
    Deployment {
        arn: given.service_deployment_arn().unwrap_or_default().to_owned(),
        created_at: given.created_at().map(time).unwrap_or_default(),
        finished_at: moment(given.finished_at().or(given.stopped_at())),
        status: status(given.status().map(|status| status.as_str()).unwrap_or_default()),
        reason: reason(given.status_reason()),
        target: given.target_service_revision().and_then(|target| text(target.arn())),
        sources: given.source_service_revisions().iter().filter_map(|source| text(source.arn())).collect(),
        rollback_reason: given.rollback().and_then(|rollback| reason(rollback.reason())),
        rolled_back_to: given.rollback().and_then(|rollback| text(rollback.service_revision_arn())),
        breaker: given.deployment_circuit_breaker().map(breaker),
    }
}

fn status(status: &str) -> DeploymentStatus {
    match status {
        "PENDING" => DeploymentStatus::Pending,
        "IN_PROGRESS" => DeploymentStatus::InProgress,
        "SUCCESSFUL" => DeploymentStatus::Successful,
        "STOP_REQUESTED" => DeploymentStatus::StopRequested,
        "STOPPED" => DeploymentStatus::Stopped,
        "ROLLBACK_REQUESTED" => DeploymentStatus::RollbackRequested,
        "ROLLBACK_IN_PROGRESS" => DeploymentStatus::RollbackInProgress,
        "ROLLBACK_SUCCESSFUL" => DeploymentStatus::RollbackSuccessful,
        "ROLLBACK_FAILED" => DeploymentStatus::RollbackFailed,
        other => DeploymentStatus::Unknown(other.to_owned()),
    }
}

fn breaker(given: &ServiceDeploymentCircuitBreaker) -> Breaker {
    Breaker {
        status: given.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        failures: given.failure_count(),
        threshold: given.threshold(),
    }
}

fn revision(given: &ServiceRevision) -> Result<Revision, Failure> {
    Ok(Revision {
        arn: given.service_revision_arn().unwrap_or_default().to_owned(),
        task_definition: given.task_definition().unwrap_or_default().to_owned(),
        members: of_revision(given)?,
    })
}
