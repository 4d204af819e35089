//! How a deployment begins: a new revision, its place in `deployments[]`, its rollout. What it then does is in `scaling`.

use std::sync::Arc;

use serde_json::json;

use super::arns::arn;
use super::scheduler::Scheduler;
use super::state::{
    Breaker, BreakerStatus, Counts, Deployment, DeploymentStatus, FailedDeployments, Launches, Revision, Rollout,
    RolloutState, RolloutStatus, Service,
};

impl Scheduler<'_> {
    /// A new revision, its deployment and its rollout; what was under way is superseded.
    pub(super) fn begin(&mut self, service: &mut Service) {
        let sources = self.sources(service);
        let number = self.ids.number();
        service.revisions.push(Arc::new(self.revision(service, number)));
        self.supersede(service);
        service.deployments.insert(0, self.deployment(number));
        let rollout = self.rollout(service, number, sources);
        service.rollouts.push(rollout);
        service.steady_at = None;
        service.steady_said = false;
    }

    fn sources(&self, service: &Service) -> Vec<(u64, Counts)> {
        let counted = service
            .deployments
            .iter()
            .map(|deployment| (deployment.number, service.counts(deployment.number, self.now)));
        counted.filter(|(_, counts)| counts.running + counts.pending > 0).collect()
    }

    fn revision(&self, service: &Service, number: u64) -> Revision {
        let definition = service.settings.text("taskDefinition").to_owned();
        let images = self.definition(&definition).map(|definition| definition.images()).unwrap_or_default();
        Revision {
            number,
            arn: arn(self.place, &format!("service-revision/{}/{}/{number}", service.cluster, service.name)),
            definition,
            settings: service.settings.clone(),
            images: images.into_iter().map(|(name, image)| (name, image, None)).collect(),
            created_at: self.now,
        }
    }

    fn deployment(&self, number: u64) -> Deployment {
        Deployment {
            number,
            status: DeploymentStatus::Primary,
            created_at: self.now,
            updated_at: self.now,
            failed_tasks: 0,
            state: RolloutState::InProgress,
            reason: format!("ECS deployment ecs-svc/{number} in progress."),
            proven: false,
            failed_in_a_row: 0,
            rounds: 0,
            retry_at: None,
            launches: Launches::Later,
            shown: FailedDeployments::Failed,
        }
    }

    fn rollout(&mut self, service: &Service, target: u64, sources: Vec<(u64, Counts)>) -> Rollout {
        let configuration = service.settings.member("deploymentConfiguration").clone();
        let enabled = configuration["deploymentCircuitBreaker"]["enable"] == json!(true);
        let status = if enabled { BreakerStatus::Monitoring } else { BreakerStatus::Disabled };
        let id = self.ids.letters(21);
        Rollout {
            arn: arn(self.place, &format!("service-deployment/{}/{}/{id}", service.cluster, service.name)),
            target,
            sources,
            status: RolloutStatus::Pending,
            status_reason: None,
            created_at: self.now,
            started_at: None,
            finished_at: None,
            stopped_at: None,
            updated_at: self.now,
            rollback: None,
            breaker: Breaker { status, failures: 0 },
            configuration: Arc::new(configuration),
            visible_at: self.now + self.timing.pending,
            moves_at: Some(self.now + self.timing.pending),
            final_counts: None,
        }
    }

    fn supersede(&self, service: &mut Service) {
        for deployment in &mut service.deployments {
            deployment.status = DeploymentStatus::Active;
            deployment.launches = Launches::Ended;
            deployment.updated_at = self.now;
        }
        for rollout in service
            .rollouts
            .iter_mut()
            .filter(|rollout| !rollout.status.over() && rollout.status != RolloutStatus::StopRequested)
        {
            rollout.status = RolloutStatus::StopRequested;
            rollout.status_reason =
                Some("Service deployment was stopped because a new service deployment was started.".to_owned());
            rollout.updated_at = self.now;
            rollout.moves_at = Some(self.now + self.timing.yielding);
        }
    }
}
