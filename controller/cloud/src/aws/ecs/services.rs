//! Services: looking at them, and what creates, changes, tags and deletes them.

use super::words::{placement, tag_list, tags};
use crate::aws::failure::Failure;
use crate::aws::words::{reason, text};
use crate::batch::Answers;
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::types::{
    AssignPublicIp, AvailabilityZoneRebalancing, AwsVpcConfiguration, DeploymentCircuitBreaker,
    DeploymentConfiguration, LaunchType, LoadBalancer, NetworkConfiguration, Service, ServiceField,
};
use launchway_plan::fault::{Fault, FaultKind, Thing};
use launchway_plan::world::{
    CreateServiceRequest, Force, LiveService, LoadBalancerRequest, NetworkRequest, RollingConfiguration, ServiceLife,
    UpdateServiceRequest,
};
use std::collections::BTreeMap;

/// How many of a service's events are shown.
const EVENTS: usize = 5;

impl Cloud {
    /// A service with its tags, alive or not; `None`: ECS says MISSING. A part of a call: up to 10 services of a cluster
    /// share one.
    pub async fn service(&self, cluster: &str, name: &str) -> Result<Option<LiveService>, Fault> {
        let send = |rank, names| async move { self.ranked(rank).describe_services(cluster, names).await };
        let seen = self.inner().services.ask(cluster, name.to_owned(), self.rank(), || self.linger(), send).await;
        seen.and_then(|seen| seen.ok_or_else(Failure::not_mentioned))
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
        let send = self.inner().clients.ecs.delete_service().cluster(cluster).service(name).force(true);
        match self.effect(Operation::DeleteService, send.send()).await {
            Ok(_) => Ok(()),
            Err(failure) if is_gone(&failure) => Ok(()),
            Err(failure) => Err(self.service_fault(Operation::DeleteService, &failure, cluster, name)),
        }
    }

    /// Sets tags of a service, by its long ARN; others stay.
    pub async fn tag_service(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let send = self.inner().clients.ecs.tag_resource().resource_arn(arn).set_tags(tag_list(tags));
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
        cluster: &str,
        names: Vec<String>,
    ) -> Result<Answers<String, Option<LiveService>>, Failure> {
        let request = self.inner().clients.ecs.describe_services().cluster(cluster).include(ServiceField::Tags);
        let request = request.set_services(Some(names));
        let seen = self.look(Operation::DescribeServices, || request.clone().send()).await?;
        let missing = seen.failures().iter().filter(|failure| failure.reason() == Some("MISSING"));
        let missing = missing.filter_map(|failure| Some((crate::aws::arn::last(failure.arn()?).to_owned(), None)));
        let found = seen.services().iter();
        Ok(missing
            .chain(found.map(|one| (one.service_name().unwrap_or_default().to_owned(), Some(live(one)))))
            .collect())
    }

    async fn created(&self, request: &CreateServiceRequest) -> Result<LiveService, Failure> {
        let (network, balancers) = (request.placement.network.as_ref(), &request.placement.load_balancers);
        let send = self
            .inner()
            .clients
            .ecs
            .create_service()
            .cluster(&request.cluster)
            .service_name(&request.name)
            .client_token(&request.client_token)
            .task_definition(&request.task_definition)
            .launch_type(LaunchType::from(request.launch_type.as_str()))
            .desired_count(request.desired)
            .deployment_configuration(rolling(&request.rolling))
            .set_network_configuration(network.map(network_of).transpose().map_err(|error| Failure::unbuilt(&error))?)
            .set_platform_version(request.placement.platform_version.clone())
            .set_load_balancers(Some(balancers.iter().map(load_balancer_of).collect()))
            .set_health_check_grace_period_seconds(request.grace_seconds)
            // AWS's default is to rebalance; then ECS moves tasks outside of any rollout, and refuses a maximum of 100 %.
            .availability_zone_rebalancing(AvailabilityZoneRebalancing::Disabled)
            .set_tags(tag_list(&request.tags));
        let seen = self.effect(Operation::CreateService, send.send()).await?;
        seen.service().map(live).ok_or_else(|| Failure::unreadable("CreateService without a service"))
    }

    async fn updated(&self, request: &UpdateServiceRequest) -> Result<LiveService, Failure> {
        let network = request.network.as_ref().map(network_of).transpose();
        let balancers = request.load_balancers.as_ref().map(|list| list.iter().map(load_balancer_of).collect());
        let send = self
            .inner()
            .clients
            .ecs
            .update_service()
            .cluster(&request.cluster)
            .service(&request.name)
            .set_task_definition(request.task_definition.clone())
            .set_network_configuration(network.map_err(|error| Failure::unbuilt(&error))?)
            .set_platform_version(request.platform_version.clone())
            .set_load_balancers(balancers)
            .set_desired_count(request.desired)
            .set_deployment_configuration(request.rolling.as_ref().map(rolling))
            .set_health_check_grace_period_seconds(request.grace_seconds)
            .set_force_new_deployment((request.force == Force::NewDeployment).then_some(true));
        let seen = self.effect(Operation::UpdateService, send.send()).await?;
        seen.service().map(live).ok_or_else(|| Failure::unreadable("UpdateService without a service"))
    }
}

fn is_gone(failure: &Failure) -> bool {
    matches!(
        failure.code.as_str(),
        "ServiceNotFoundException" | "ServiceNotActiveException" | "ClusterNotFoundException"
    )
}

fn live(service: &Service) -> LiveService {
    LiveService {
        arn: service.service_arn().unwrap_or_default().to_owned(),
        life: life(service.status().unwrap_or_default()),
        tags: tags(service.tags()),
        task_definition: service.task_definition().unwrap_or_default().to_owned(),
        desired: service.desired_count(),
        running: service.running_count(),
        launch_type: service.launch_type().map(|kind| kind.as_str().to_owned()),
        placement: placement(service.network_configuration(), service.platform_version(), service.load_balancers()),
        rolling: configuration(service.deployment_configuration()),
        grace_seconds: service.health_check_grace_period_seconds(),
        controller: controller(service),
        current_deployment: text(service.current_service_deployment()),
        deployments: service.deployments().len(),
        events: service.events().iter().filter_map(|event| reason(event.message())).take(EVENTS).collect(),
    }
}

fn life(status: &str) -> ServiceLife {
    match status {
        "ACTIVE" => ServiceLife::Active,
        "DRAINING" => ServiceLife::Draining,
        "INACTIVE" => ServiceLife::Inactive,
        other => ServiceLife::Unknown(other.to_owned()),
    }
}

/// A service that names none is rolled by ECS itself.
fn controller(service: &Service) -> String {
    service.deployment_controller().map_or("ECS", |controller| controller.r#type().as_str()).to_owned()
}

/// What a service leaves unsaid has AWS's defaults: 100 and 200 percent, no circuit breaker.
fn configuration(given: Option<&DeploymentConfiguration>) -> RollingConfiguration {
    let breaker = given.and_then(DeploymentConfiguration::deployment_circuit_breaker);
    RollingConfiguration {
        minimum_healthy_percent: given.and_then(DeploymentConfiguration::minimum_healthy_percent).unwrap_or(100),
        maximum_percent: given.and_then(DeploymentConfiguration::maximum_percent).unwrap_or(200),
        breaker: breaker.is_some_and(DeploymentCircuitBreaker::enable),
        rollback: breaker.is_some_and(DeploymentCircuitBreaker::rollback),
    }
}

fn rolling(wanted: &RollingConfiguration) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder().enable(wanted.breaker).rollback(wanted.rollback).build();
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(wanted.minimum_healthy_percent)
        .maximum_percent(wanted.maximum_percent)
        .deployment_circuit_breaker(breaker)
        .build()
}

fn network_of(wanted: &NetworkRequest) -> Result<NetworkConfiguration, BuildError> {
    let public_ip = if wanted.public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(wanted.subnets.clone()))
        .set_security_groups(Some(wanted.security_groups.clone()))
        .assign_public_ip(public_ip)
        .build()?;
    Ok(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
}

fn load_balancer_of(wanted: &LoadBalancerRequest) -> LoadBalancer {
    LoadBalancer::builder()
        .target_group_arn(&wanted.target_group)
        .container_name(&wanted.container)
        .container_port(wanted.port)
        .build()
}
