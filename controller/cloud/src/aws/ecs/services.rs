//! Services: looking at them, and what creates, changes, tags and deletes them.

use super::words::{of_service, tag_list, tags};
use crate::aws::failure::Failure;
use crate::aws::json::{Whole, input};
use crate::aws::words::{reason, text};
use crate::batch::Answers;
use crate::clouds::Cloud;
use crate::operation::Operation;
use crate::shared::Token;
use aws_sdk_ecs::operation::create_service::CreateServiceInput;
use aws_sdk_ecs::operation::update_service::UpdateServiceInput;
use aws_sdk_ecs::types::{Service, ServiceField};
use launchway_plan::fault::{Fault, FaultKind, Thing};
use launchway_plan::world::{CreateServiceRequest, LiveService, ServiceLife, UpdateServiceRequest};
use serde_json::json;
use std::collections::BTreeMap;

/// How many of a service's events are shown.
const EVENTS: usize = 5;

impl Cloud {
    /// A service with its tags, alive or not; `None`: ECS says MISSING. A part of a call: up to 10 services of a cluster
    /// share one.
    pub async fn service(&self, cluster: &str, name: &str) -> Result<Option<LiveService>, Fault> {
        let send = |cloud: Self, token, names| async move { cloud.describe_services(token, cluster, names).await };
        self.shared(&self.inner().services, Operation::DescribeServices, (cluster, name), send)
            .await
            .map_err(|failure| self.service_fault(Operation::DescribeServices, &failure, cluster, name))
    }

    /// A service that is to be deleted; `None` also where its cluster is gone, and it with that.
    pub async fn doomed_service(&self, cluster: &str, name: &str) -> Result<Option<LiveService>, Fault> {
        match self.service(cluster, name).await {
            Err(fault) if fault.kind == FaultKind::Absent(Thing::Cluster) => Ok(None),
            seen => seen,
        }
    }

    /// Creates a service. A refused parameter may mean that it is there already: look first, judge second (the code
    /// stays `InvalidParameterException`, so that a second one after a look can be judged).
    pub async fn create_service(&self, request: &CreateServiceRequest) -> Result<LiveService, Fault> {
        let created = self.created(request).await;
        created
            .map_err(|failure| self.service_fault(Operation::CreateService, &failure, &request.cluster, &request.name))
    }

    /// Changes what the request names of a service, and nothing else. Its answer has no tags.
    pub async fn update_service(&self, request: &UpdateServiceRequest) -> Result<LiveService, Fault> {
        let updated = self.updated(request).await;
        updated
            .map_err(|failure| self.service_fault(Operation::UpdateService, &failure, &request.cluster, &request.name))
    }

    /// Deletes a service, its tasks too. One that is gone is deleted.
    pub async fn delete_service(&self, cluster: &str, name: &str) -> Result<(), Fault> {
        let send = self.changing().ecs.delete_service().cluster(cluster).service(name).force(true);
        match self.effect(Operation::DeleteService, send.send()).await {
            Ok(_) => Ok(()),
            Err(failure) if is_gone(&failure) => Ok(()),
            Err(failure) => Err(self.service_fault(Operation::DeleteService, &failure, cluster, name)),
        }
    }

    /// Sets tags of a service, by its long ARN; others stay.
    pub async fn tag_service(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let send = self.changing().ecs.tag_resource().resource_arn(arn).set_tags(tag_list(tags));
        match self.effect(Operation::TagResource, send.send()).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.fault(Operation::TagResource, &failure, "ecs", arn)),
        }
    }

    pub(super) fn service_fault(&self, operation: Operation, failure: &Failure, cluster: &str, name: &str) -> Fault {
        self.fault(operation, failure, "ecs", &format!("service/{cluster}/{name}"))
    }

    async fn describe_services(
        &self,
        token: Token,
        cluster: &str,
        names: Vec<String>,
    ) -> Result<Answers<String, Option<LiveService>>, Failure> {
        let request = self.inner().clients.ecs.describe_services().cluster(cluster).include(ServiceField::Tags);
        let request = request.set_services(Some(names));
        let seen = self.look_with(token, Operation::DescribeServices, || request.clone().send()).await?;
        let missing = seen.failures().iter().filter(|failure| failure.reason() == Some("MISSING"));
        let missing = missing.filter_map(|failure| Some((crate::aws::arn::last(failure.arn()?).to_owned(), None)));
        // One that cannot be read counts as not mentioned.
        let found = seen.services().iter().filter_map(|one| Some((one.service_name()?.to_owned(), live(one).ok())));
        Ok(missing.chain(found.filter(|(_, live)| live.is_some())).collect())
    }

    async fn created(&self, request: &CreateServiceRequest) -> Result<LiveService, Failure> {
        let whole = Whole(input(&request.body, CreateServiceInput::deserialize)?);
        let send = self.changing().ecs.create_service().customize().interceptor(whole);
        let seen = self.effect(Operation::CreateService, send.send()).await?;
        live(seen.service().ok_or_else(|| Failure::unreadable("CreateService without a service"))?)
    }

    async fn updated(&self, request: &UpdateServiceRequest) -> Result<LiveService, Failure> {
        let mut body = request.body.clone();
        body.insert("cluster".to_owned(), json!(request.cluster));
        body.insert("service".to_owned(), json!(request.name));
        let whole = Whole(input(&body, UpdateServiceInput::deserialize)?);
        let send = self.changing().ecs.update_service().customize().interceptor(whole);
        let seen = self.effect(Operation::UpdateService, send.send()).await?;
        live(seen.service().ok_or_else(|| Failure::unreadable("UpdateService without a service"))?)
    }
}

fn is_gone(failure: &Failure) -> bool {
    matches!(
        failure.code.as_str(),
        "ServiceNotFoundException" | "ServiceNotActiveException" | "ClusterNotFoundException"
    )
}

fn live(service: &Service) -> Result<LiveService, Failure> {
    Ok(LiveService {
        arn: service.service_arn().unwrap_or_default().to_owned(),
        life: life(service.status().unwrap_or_default()),
        tags: tags(service.tags()),
        task_definition: service.task_definition().unwrap_or_default().to_owned(),
        desired: service.desired_count(),
        running: service.running_count(),
        members: of_service(service)?,
        current_deployment: text(service.current_service_deployment()),
        deployments: service.deployments().len(),
        events: service.events().iter().filter_map(|event| reason(event.message())).take(EVENTS).collect(),
    })
}

fn life(status: &str) -> ServiceLife {
    match status {
        "ACTIVE" => ServiceLife::Active,
        "DRAINING" => ServiceLife::Draining,
        "INACTIVE" => ServiceLife::Inactive,
        other => ServiceLife::Unknown(other.to_owned()),
    }
}
