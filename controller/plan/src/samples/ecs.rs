//! An ECS in miniature: one service, its deployments, its task definitions; replies that get lost, reads that are old.

use super::{account, at, fault, over};
use crate::fault::{Fault, Remedy};
use crate::look::Looked;
use crate::service::observed::SeenDeployment;
use crate::service::report::{Pass, empty, report};
use crate::service::state::{follow, followed, proof, recorded};
use crate::service::wanted::{OWNER_TAG, Wanted, resolve};
use crate::service::{Action, Desired, Effected, Observed, PipelineSeen, State, assess, decide};
use crate::wake::Wake;
use crate::world::{
    Breaker, CreateServiceRequest, Deployment, DeploymentStatus, LiveService, Placement, Revision, ServiceLife,
    StoppedContainer, StoppedTask, UpdateServiceRequest,
};
use crate::{Outcome, Plan};
use jiff::SignedDuration;
use launchway_crds::service::{Service, ServiceStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A Service with a literal image, with these members of its spec set otherwise.
pub fn service(spec: &Value) -> Service {
    let base = json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "generation": 1, "uid": "u-1"},
        "spec": {
            "cluster": "shop",
            "taskDefinition": {"cpu": 256, "memory": 512, "executionRole": "exec",
                "containers": [{"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}],
                    "environment": [{"name": "GREETING", "value": "hello-plain-value"}]}]},
            "network": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
        }
    });
    serde_json::from_value(over(base, &json!({"spec": spec}))).unwrap()
}

/// A Service that follows the stage `prod` of the Pipeline `web`.
pub fn follower() -> Service {
    service(&json!({"taskDefinition": {"containers": [{"name": "web",
        "imageFrom": {"pipeline": "web", "stage": "prod", "image": "web"}}]}}))
}

/// The Pipeline `web`, whose stage `prod` shows that grant.
pub fn pipeline(grant: Option<i64>) -> PipelineSeen {
    let spec = super::release::pipeline_spec();
    let status = grant.map(|grant| {
        serde_json::from_value(json!({"stages": [super::release::granted("prod", grant, "web-1")]})).unwrap()
    });
    PipelineSeen { found: Some((spec, status)) }
}

/// How a deployment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Well.
    Succeeds,
    /// ECS rolls it back.
    RollsBack,
    /// ECS stops it, without a rollback.
    Stops,
    /// Its circuit breaker trips and there is nothing to roll back to.
    Stalls,
    /// It never ends.
    Hangs,
}

/// What becomes of the reply to an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It comes.
    Comes,
    /// The effect happens and its reply is lost.
    Lost,
}

/// How long a deployment takes, in seconds.
const TAKES: i64 = 60;

/// The world of one Service.
#[derive(Clone, Debug)]
pub struct World {
    /// The time, in seconds after the tests' beginning.
    pub now: i64,
    /// The Service.
    pub service: Service,
    /// The Pipeline that it follows.
    pub pipeline: Option<PipelineSeen>,
    /// Its status.
    pub record: ServiceStatus,
    /// The ECS service.
    pub live: Option<LiveService>,
    /// Its deployments, newest first, and how those at work will end.
    pub deployments: Vec<(SeenDeployment, Fate)>,
    /// Task definitions by meaning.
    pub definitions: BTreeMap<String, String>,
    /// How the next deployments end; then they succeed.
    pub fates: Vec<Fate>,
    /// What becomes of the next replies; then they come.
    pub replies: Vec<Reply>,
    /// What was done, with the meaning that was wanted.
    pub done: Vec<(&'static str, String)>,
    /// How old the reads are, in seconds: shown is what was there then.
    pub lag: i64,
    past: Vec<(i64, Option<LiveService>, Vec<SeenDeployment>)>,
}

impl World {
    /// Nothing in AWS yet.
    pub fn new(service: Service) -> Self {
        Self {
            now: 0,
            service,
            pipeline: None,
            record: empty(),
            live: None,
            deployments: Vec::new(),
            definitions: BTreeMap::new(),
            fates: Vec::new(),
            replies: Vec::new(),
            done: Vec::new(),
            lag: 0,
            past: Vec::new(),
        }
    }

    /// The Service, parsed.
    pub fn desired(&self) -> Desired {
        Desired::parse(&self.service).unwrap()
    }

    /// What it is to run.
    pub fn wanted(&self) -> Wanted {
        resolve(&self.desired(), &Observed::at(at(self.now), account(), self.pipeline.clone()), "inst").unwrap()
    }

    /// Sets a member of the spec otherwise, as a person does.
    pub fn edit(&mut self, spec: &Value) {
        let old = serde_json::to_value(&self.service).unwrap();
        self.service = serde_json::from_value(over(old, &json!({"spec": spec}))).unwrap();
        *self.service.metadata.generation.get_or_insert(0) += 1;
    }

    /// A deployment that somebody asked for.
    pub fn deploy(&mut self, task_definition: &str, placement: Placement, fate: Fate) {
        let source = self.running();
        let number = self.deployments.len() + 1;
        let deployment = Deployment {
            arn: format!("arn:deployment/{number}"),
            created_at: at(self.now) + SignedDuration::from_millis(500),
            finished_at: None,
            status: DeploymentStatus::InProgress,
            reason: None,
            target: Some(format!("arn:revision/{number}")),
            sources: source.iter().map(|revision| revision.arn.clone()).collect(),
            rollback_reason: None,
            rolled_back_to: None,
            breaker: Some(Breaker { status: "MONITORING".into(), failures: 0, threshold: 3 }),
        };
        for (seen, _) in self.deployments.iter_mut().filter(|(seen, _)| !seen.deployment.status.is_final()) {
            seen.deployment.status = DeploymentStatus::Stopped;
        }
        let target = revision(&format!("arn:revision/{number}"), task_definition, placement.clone());
        self.deployments.insert(0, (SeenDeployment { deployment, target: Some(target), source }, fate));
        if let Some(live) = &mut self.live {
            (live.task_definition, live.placement) = (task_definition.to_owned(), placement);
        }
        self.show();
    }

    /// What runs: the target of the last deployment that ended well, or what the last rollback went back to.
    fn running(&self) -> Option<Revision> {
        self.deployments.iter().find_map(|(seen, _)| match seen.deployment.status {
            DeploymentStatus::Successful => Some(seen.target.clone()?),
            DeploymentStatus::RollbackSuccessful | DeploymentStatus::RollbackFailed => seen.source.clone(),
            DeploymentStatus::Pending
            | DeploymentStatus::InProgress
            | DeploymentStatus::StopRequested
            | DeploymentStatus::Stopped
            | DeploymentStatus::RollbackRequested
            | DeploymentStatus::RollbackInProgress
            | DeploymentStatus::Unknown(_) => None,
        })
    }

    /// Lets time go on.
    pub fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += 1;
            self.settle();
        }
    }

    fn settle(&mut self) {
        let now = at(self.now);
        if let Some((seen, fate)) = self.deployments.first_mut()
            && !seen.deployment.status.is_final()
            && *fate != Fate::Hangs
            && now > seen.deployment.created_at + SignedDuration::from_secs(TAKES)
        {
            let deployment = &mut seen.deployment;
            deployment.finished_at = Some(now);
            match fate {
                Fate::Succeeds => deployment.status = DeploymentStatus::Successful,
                Fate::RollsBack if seen.source.is_some() => {
                    deployment.status = DeploymentStatus::RollbackSuccessful;
                    deployment.rolled_back_to = seen.source.as_ref().map(|revision| revision.arn.clone());
                    deployment.rollback_reason = Some("tasks failed to start".into());
                    if let (Some(live), Some(source)) = (&mut self.live, &seen.source) {
                        live.task_definition.clone_from(&source.task_definition);
                        live.placement = source.placement.clone();
                    }
                }
                Fate::Stops => deployment.status = DeploymentStatus::Stopped,
                Fate::RollsBack | Fate::Stalls | Fate::Hangs => {
                    deployment.finished_at = None;
                    deployment.breaker = Some(Breaker { status: "TRIGGERED".into(), failures: 3, threshold: 3 });
                }
            }
        }
        self.show();
    }

    fn show(&mut self) {
        let current = self.deployments.first().map(|(seen, _)| seen.deployment.arn.clone());
        let busy = self.deployments.first().is_some_and(|(seen, _)| !seen.deployment.status.is_final());
        if let Some(live) = &mut self.live {
            live.current_deployment = current;
            live.deployments = if busy && self.deployments.len() > 1 { 2 } else { 1 };
        }
        let deployments = self.deployments.iter().map(|(seen, _)| seen.clone()).collect();
        self.past.push((self.now, self.live.clone(), deployments));
    }

    /// What a read shows: the world as it was, no longer ago than the reads are old.
    fn read(&self) -> (Option<LiveService>, Vec<SeenDeployment>) {
        let then = self.past.iter().rev().find(|(when, _, _)| *when <= self.now - self.lag);
        then.map(|(_, live, deployments)| (live.clone(), deployments.clone())).unwrap_or_default()
    }

    /// What a pass sees.
    pub fn observe(&self) -> Observed {
        let (desired, mut observed) = (self.desired(), Observed::at(at(self.now), account(), self.pipeline.clone()));
        let (live, deployments) = self.read();
        let Ok(wanted) = resolve(&desired, &observed, "inst") else { return observed };
        if let Some(arn) = followed(&desired, &wanted, &self.record) {
            let found = deployments.iter().find(|seen| seen.deployment.arn == arn);
            observed.followed = Looked::Seen(found.map(|seen| seen.deployment.clone()));
            if let Some(seen) = found
                && follow(&desired, &wanted, &self.record, &observed, &seen.deployment).is_some()
            {
                return observed;
            }
        }
        if recorded(&wanted, &self.record).is_none() {
            observed.task_definition = Looked::Seen(self.definitions.get(&wanted.task_meaning).cloned());
        }
        if live.as_ref().is_some_and(|live| proof(&desired, &wanted, &self.record, live).is_none()) {
            observed.deployments = Looked::Seen(deployments);
            observed.stopped = Looked::Seen(vec![task()]);
        }
        observed.service = Looked::Seen(live);
        observed
    }

    /// One pass; the state that it found and when the next one is due.
    pub fn pass(&mut self) -> (State, Wake) {
        let observed = self.observe();
        self.pass_with(&observed)
    }

    /// One pass that saw this.
    pub fn pass_with(&mut self, observed: &Observed) -> (State, Wake) {
        let desired = self.desired();
        let wanted = resolve(&desired, observed, "inst");
        let state = assess(&desired, &wanted, &self.record, observed, &desired.owner("inst"));
        let Plan { action, wake } = decide(&desired, wanted.as_ref().ok(), &self.record, &state, 600);
        let outcome = self.act(action.as_ref(), wanted.as_ref().ok());
        let wake = match &outcome {
            Outcome::Failed(fault) => Wake::of(fault),
            Outcome::Idle | Outcome::Done(_) => wake,
        };
        let wanted = wanted.as_ref().ok();
        let pass = Pass {
            desired: &desired,
            wanted,
            state: &state,
            action: action.as_ref(),
            outcome: &outcome,
            at: observed.at,
        };
        self.record = report(&self.record, &pass);
        (state, wake)
    }

    /// Passes until nothing more is to be done before a resync, or so many.
    pub fn run(&mut self, most: usize) -> State {
        for _ in 0..most {
            let (state, wake) = self.pass();
            match wake {
                Wake::Now => {}
                Wake::After(seconds) | Wake::Turn(seconds) => self.wait(seconds),
                Wake::Backoff => self.wait(5),
                Wake::Every(_) | Wake::Operator | Wake::OnChange => return state,
            }
        }
        panic!("no rest after {most} passes: {:?}", self.record);
    }

    /// How often that was done.
    pub fn count(&self, what: &str) -> usize {
        self.done.iter().filter(|(done, _)| *done == what).count()
    }

    fn act(&mut self, action: Option<&Action>, wanted: Option<&Wanted>) -> Outcome<Effected> {
        let Some(action) = action else { return Outcome::Idle };
        let what = match action {
            Action::Guard => "guard",
            Action::Unguard => "unguard",
            Action::Register { .. } => "register",
            Action::Create(_) => "create",
            Action::Update(_) => "update",
            Action::Adjust(_) => "adjust",
            Action::Tag { .. } => "tag",
            Action::Delete { .. } => "delete",
        };
        let lost = !self.replies.is_empty() && self.replies.remove(0) == Reply::Lost;
        let result = self.effect(action);
        if result.is_ok() {
            self.done.push((what, wanted.map(|wanted| wanted.meaning.clone()).unwrap_or_default()));
        }
        self.show();
        match result {
            Err(fault) => Outcome::Failed(fault),
            Ok(_) if lost => Outcome::Failed(fault("Timeout", Remedy::LookAgain)),
            Ok(effected) => Outcome::Done(effected),
        }
    }

    fn effect(&mut self, action: &Action) -> Result<Effected, Fault> {
        match action {
            Action::Guard => self.service.metadata.finalizers = Some(vec![launchway_crds::FINALIZER.into()]),
            Action::Unguard => self.service.metadata.finalizers = None,
            Action::Register { tags, .. } => {
                let meaning = tags[crate::service::wanted::MEANING_TAG].clone();
                let arn = format!("arn:task-definition/web:{}", self.done.len());
                self.definitions.insert(meaning, arn.clone());
                return Ok(Effected::Registered(arn));
            }
            Action::Create(request) => {
                if self.live.as_ref().is_some_and(|live| live.life == ServiceLife::Active) {
                    return Err(fault("InvalidParameterException", Remedy::LookAgain));
                }
                self.live = Some(created(request));
                let fate = self.fate();
                self.deployments.clear();
                self.deploy(&request.task_definition, request.placement.clone(), fate);
                return Ok(Effected::Created(Box::new(self.live.clone().unwrap())));
            }
            Action::Update(request) | Action::Adjust(request) => {
                self.update(request);
                return Ok(Effected::Updated(Box::new(self.live.clone().unwrap())));
            }
            Action::Tag { tags, .. } => {
                if let Some(live) = &mut self.live {
                    live.tags.extend(tags.clone());
                }
            }
            Action::Delete { .. } => {
                if let Some(live) = &mut self.live {
                    live.life = ServiceLife::Draining;
                }
            }
        }
        Ok(Effected::Plain)
    }

    fn fate(&mut self) -> Fate {
        if self.fates.is_empty() { Fate::Succeeds } else { self.fates.remove(0) }
    }

    fn update(&mut self, request: &UpdateServiceRequest) {
        let live = self.live.as_mut().unwrap();
        live.desired = request.desired.unwrap_or(live.desired);
        live.rolling = request.rolling.unwrap_or(live.rolling);
        live.grace_seconds = request.grace_seconds.or(live.grace_seconds);
        let mut placement = live.placement.clone();
        placement.network = request.network.clone().or(placement.network);
        placement.platform_version = request.platform_version.clone().or(placement.platform_version);
        placement.load_balancers = request.load_balancers.clone().unwrap_or(placement.load_balancers);
        let definition = request.task_definition.clone().unwrap_or_else(|| live.task_definition.clone());
        let differs = placement != live.placement || definition != live.task_definition;
        if differs || request.force == crate::world::Force::NewDeployment {
            let fate = self.fate();
            self.deploy(&definition, placement, fate);
        }
    }
}

/// A revision.
pub fn revision(arn: &str, task_definition: &str, placement: Placement) -> Revision {
    Revision { arn: arn.into(), task_definition: task_definition.into(), placement }
}

fn created(request: &CreateServiceRequest) -> LiveService {
    LiveService {
        arn: format!("arn:service/{}/{}", request.cluster, request.name),
        life: ServiceLife::Active,
        tags: request.tags.clone(),
        task_definition: request.task_definition.clone(),
        desired: request.desired,
        running: 0,
        launch_type: Some(request.launch_type.clone()),
        placement: request.placement.clone(),
        rolling: request.rolling,
        grace_seconds: request.grace_seconds,
        controller: "ECS".into(),
        current_deployment: None,
        deployments: 1,
        events: vec!["(service web) is unable to place a task".into()],
    }
}

/// The live service that somebody made for what the world's Service wants, under its owner's tag.
pub fn adopted(world: &World, task_definition: &str) -> LiveService {
    let (wanted, desired) = (world.wanted(), world.desired());
    created(&CreateServiceRequest {
        cluster: desired.spec.cluster.to_string(),
        name: desired.ecs_name.clone(),
        client_token: String::new(),
        task_definition: task_definition.into(),
        launch_type: wanted.task_definition.compatibility.clone(),
        desired: 1,
        placement: wanted.placement.clone(),
        rolling: wanted.rolling,
        grace_seconds: None,
        tags: BTreeMap::from([(OWNER_TAG.to_owned(), desired.owner("inst"))]),
    })
}

/// A task that stopped.
pub fn task() -> StoppedTask {
    StoppedTask {
        id: "task-1".into(),
        started_by: None,
        code: Some("EssentialContainerExited".into()),
        reason: Some("Essential container in task exited".into()),
        stopped_at: None,
        containers: vec![StoppedContainer { name: "web".into(), exit_code: Some(3), reason: None }],
    }
}
