//! A fleet in sync, made from one Service that the controller brought about: the same calls to AWS and the same status, with
//! other names. So nothing is made up, and ten thousand of them take a minute and not the hours that AWS's rates ask.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::Timestamp;
use launchway_crds::{AwsAccount, Service};
use launchway_plan::account::AccountSeen;
use launchway_plan::service::{Desired, Observed, resolve};
use launchway_test_aws::World;
use launchway_test_aws::limits::{Enforcement, Limits};
use serde_json::Value;

use super::bench::SEEDER;
use crate::calls;
use crate::quickstart::INSTALLATION;
use crate::world::sample::{self, CLUSTER, NAMESPACE, place};
use crate::world::signed;

/// The image that everything runs in the beginning.
pub(super) const IMAGE: &str = "web:1";

/// A Service's name. All are of one length, and none is a part of another.
pub(super) fn name(number: usize) -> String {
    format!("web-{number:05}")
}

/// A new Service.
pub(super) fn service(name: &str) -> anyhow::Result<Service> {
    Ok(serde_json::from_value(calls::service(name, IMAGE))?)
}

/// What ECS holds of one, and its status: what others are made from.
pub(super) struct Template {
    calls: Vec<(String, String)>,
    service: Service,
    deployment: String,
    meanings: [String; 2],
}

impl Template {
    /// Of the first Service, when it is in sync.
    pub(super) fn of(world: &World, service: Service) -> anyhow::Result<Template> {
        let made = ["RegisterTaskDefinition", "CreateService"].map(|operation| {
            let entry = world.log.iter().find(|entry| entry.operation == operation && entry.effective());
            let mut input = (*entry?.input).clone();
            // The token is the first one's own.
            input.as_object_mut()?.remove("clientToken");
            Some((format!("ecs:{operation}"), input.to_string()))
        });
        let calls = made.into_iter().collect::<Option<Vec<_>>>().context("the first Service was not made")?;
        Ok(Template { calls, meanings: meanings(&service)?, service, deployment: deployment(world, &name(0))? })
    }

    /// Makes what ECS holds of these, as fast as can be.
    pub(super) fn copy_into(&self, world: &mut World, names: &[String]) -> anyhow::Result<()> {
        world.limits = Limits::enforced(Enforcement::Off);
        for name in names {
            for (operation, input) in &self.calls {
                let input: Value = serde_json::from_str(&self.renamed(input, name)?)?;
                let reply = world.answer(Timestamp::now(), &signed(SEEDER, operation, &input));
                anyhow::ensure!(reply.status == 200, "{operation}: {}", String::from_utf8_lossy(&reply.body));
            }
        }
        world.limits = Limits::enforced(Enforcement::Documented);
        Ok(())
    }

    /// The Service of that name, as the controller would have left it.
    pub(super) fn copy(&self, world: &World, name: &str) -> anyhow::Result<Service> {
        let mut first = self.service.clone();
        first.metadata = kube::api::ObjectMeta {
            name: first.metadata.name.clone(),
            namespace: first.metadata.namespace.clone(),
            ..kube::api::ObjectMeta::default()
        };
        let text = serde_json::to_string(&first)?.replace(&self.deployment, &deployment(world, name)?);
        Ok(serde_json::from_str(&self.renamed(&text, name)?)?)
    }

    /// A text about the first one as it would be about another: its name is a part of what it means.
    fn renamed(&self, text: &str, other: &str) -> anyhow::Result<String> {
        let text = text.replace(&name(0), other);
        let others = meanings(&service(other)?)?;
        let both = self.meanings.iter().zip(&others);
        Ok(both.fold(text, |text, (own, other)| text.replace(own.as_str(), other)))
    }
}

/// What the task definition and the rollout of a Service mean.
fn meanings(service: &Service) -> anyhow::Result<[String; 2]> {
    let account: AwsAccount = serde_json::from_value(sample::aws_account())?;
    let account = AccountSeen {
        name: "default".to_owned(),
        spec: Some(account.spec),
        id: None,
        namespace: NAMESPACE.to_owned(),
        namespace_labels: BTreeMap::new(),
    };
    let observed = Observed::at(Timestamp::now(), account, None);
    let wanted = resolve(&Desired::parse(service), &[], &observed, INSTALLATION);
    let wanted = wanted.map_err(|why| anyhow::anyhow!("a Service of the bench: {why:?}"))?;
    Ok([wanted.task_meaning.to_string(), wanted.meaning.to_string()])
}

/// The ID of a service's one deployment.
fn deployment(world: &World, name: &str) -> anyhow::Result<String> {
    let service = world.ecs.get(&place()).and_then(|ecs| ecs.service(CLUSTER, name));
    let rollout = service.and_then(|service| service.rollouts.last()).context("a service without a rollout")?;
    Ok(rollout.arn.rsplit('/').next().unwrap_or_default().to_owned())
}
