//! An ECS in miniature: one service, its deployments, its task definitions; replies that get lost, reads that are old.

use super::{account, at, fault, over};
use crate::Outcome;
use crate::fault::{Fault, Remedy};
use crate::look::Looked;
use crate::service::change::create;
use crate::service::looks::{Look, next};
use crate::service::members::{Class, of_class};
use crate::service::observed::SeenDeployment;
use crate::service::report::{Pass, report};
use crate::service::wanted::{MEANING_TAG, OWNER_TAG, Wanted, resolve};
use crate::service::{Action, Desired, Effected, Observed, PipelineSeen, Record, State, judge};
use crate::wake::Wake;
use crate::world::{
    Breaker, CreateServiceRequest, Deployment, DeploymentStatus, LiveService, LiveTaskDefinition, Members, Revision,
    ServiceLife, StoppedContainer, StoppedTask, UpdateServiceRequest,
};
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
            "taskDefinition": {"cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
                "executionRoleArn": "exec",
                "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}],
                    "environment": [{"name": "GREETING", "value": "hello-plain-value"}]}]},
            "service": {"launchType": "FARGATE",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}}
        }
    });
    serde_json::from_value(over(base, &json!({"spec": spec}))).unwrap()
}

/// A Service that follows the stage `prod` of the Pipeline `web`.
pub fn follower() -> Service {
    service(&json!({"taskDefinition": {"containerDefinitions": [{"name": "web",
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
    /// Task definitions, in the order in which they were registered.
    pub definitions: BTreeMap<usize, LiveTaskDefinition>,
    /// How the next deployments end; then they succeed.
    pub fates: Vec<Fate>,
    /// What becomes of the next replies; then they come.
    pub replies: Vec<Reply>,
    /// What was done, with the meaning that was wanted.
    pub done: Vec<(&'static str, String)>,
    /// What ECS refuses, by the name under which it is counted.
    pub refused: Option<&'static str>,
    /// What becomes of the next call of that name.
    pub next_fault: Option<(&'static str, Fault)>,
    /// A member that ECS shows otherwise than it was asked for.
    pub shows: Option<(&'static str, Value)>,
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
            record: Record::empty().status().clone(),
            live: None,
            deployments: Vec::new(),
            definitions: BTreeMap::new(),
            fates: Vec::new(),
            replies: Vec::new(),
            done: Vec::new(),
            refused: None,
            next_fault: None,
            shows: None,
            lag: 0,
            past: Vec::new(),
        }
    }

    /// The Service, parsed.
    pub fn desired(&self) -> Desired {
        Desired::parse(&self.service)
    }

    /// What earlier passes wrote down.
    pub fn record(&self) -> Record {
        Record::of(self.record.clone())
    }

    /// What it is to run.
    pub fn wanted(&self) -> Wanted {
        let mut observed = Observed::at(at(self.now), account(), self.pipeline.clone());
        observed.service = Looked::Seen(self.live.clone());
        resolve(&self.desired(), self.record().registered(), &observed, "inst").unwrap()
    }

    /// Sets a member of the spec otherwise, as a person does.
    pub fn edit(&mut self, spec: &Value) {
        let old = serde_json::to_value(&self.service).unwrap();
        self.service = serde_json::from_value(over(old, &json!({"spec": spec}))).unwrap();
        *self.service.metadata.generation.get_or_insert(0) += 1;
    }

    /// A deployment that somebody asked for.
    pub fn deploy(&mut self, task_definition: &str, members: Members, fate: Fate) {
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
        let target = revision(&format!("arn:revision/{number}"), task_definition, members.clone());
        self.deployments.insert(0, (SeenDeployment { deployment, target: Some(target), source }, fate));
        if let Some(live) = &mut self.live {
            (live.task_definition, live.members) = (task_definition.to_owned(), members);
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
                        let rolled = of_class(&live.members, Class::Rolls);
                        live.members.retain(|name, _| !rolled.contains_key(name));
                        live.members.extend(of_class(&source.members, Class::Rolls));
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

    /// What a pass sees: it looks at what the product chooses to look at.
    pub fn observe(&self) -> Observed {
        let (desired, mut observed) = (self.desired(), Observed::at(at(self.now), account(), self.pipeline.clone()));
        let record = self.record();
        loop {
            let wanted = resolve(&desired, record.registered(), &observed, "inst").ok();
            match next(&desired, wanted.as_ref(), &record, &observed) {
                Some(look) => self.look(look, &mut observed),
                None => return observed,
            }
        }
    }

    fn look(&self, look: Look, observed: &mut Observed) {
        let (live, deployments) = self.read();
        let deployment = |arn: &str| {
            let found = deployments.iter().find(|seen| seen.deployment.arn == *arn);
            Looked::Seen(found.map(|seen| seen.deployment.clone()))
        };
        match look {
            Look::Followed(arn) => observed.followed = deployment(&arn),
            Look::Current(arn) => observed.current = deployment(&arn),
            Look::Service => observed.service = Looked::Seen(live),
            Look::TaskDefinition(name) => {
                let newest = self.definitions.values().find(|one| one.arn == name).or_else(|| self.newest_definition());
                observed.definitions.insert(name, Looked::Seen(newest.cloned()));
            }
            Look::Family(_) => {
                let mut all: Vec<_> = self.definitions.values().map(|one| one.arn.clone()).collect();
                all.reverse();
                observed.family = Looked::Seen(all);
            }
            Look::Deployments => {
                observed.deployments = Looked::Seen(deployments.into_iter().map(|seen| seen.deployment).collect());
            }
            Look::Revisions(arns) => {
                let all: Vec<_> = deployments.iter().flat_map(|seen| seen.target.iter().chain(&seen.source)).collect();
                for arn in arns {
                    let found = all.iter().find(|revision| revision.arn == arn).map(|revision| (*revision).clone());
                    observed.revisions.insert(arn, Looked::Seen(found));
                }
            }
            Look::StoppedTasks => observed.stopped = Looked::Seen(vec![task()]),
        }
    }

    fn newest_definition(&self) -> Option<&LiveTaskDefinition> {
        self.definitions.values().last()
    }

    /// Puts a task definition there that says what is wanted, under that ARN.
    pub fn define(&mut self, arn: &str) {
        let wanted = self.wanted();
        let tags = BTreeMap::from([
            (OWNER_TAG.to_owned(), wanted.tags[OWNER_TAG].clone()),
            (MEANING_TAG.to_owned(), wanted.task_meaning.to_string()),
        ]);
        let number = self.definitions.len();
        let one = LiveTaskDefinition { arn: arn.into(), active: true, tags, members: wanted.task_definition };
        self.definitions.insert(number, one);
    }

    /// One pass; the state that it found and when the next one is due.
    pub fn pass(&mut self) -> (State, Wake) {
        let observed = self.observe();
        self.pass_with(&observed)
    }

    /// One pass that saw this.
    pub fn pass_with(&mut self, observed: &Observed) -> (State, Wake) {
        let desired = self.desired();
        let judged = judge(&desired, &self.record(), observed, "inst", 600);
        let (wanted, action) = (judged.wanted.as_ref().ok(), judged.plan.action.as_ref());
        let outcome = self.act(action, wanted);
        let pass = Pass { desired: &desired, wanted, state: &judged.state, action, outcome: &outcome, at: observed.at };
        self.record = report(&judged.record, &pass);
        let wake = judged.wake(&outcome, &self.record, 600);
        (judged.state, wake)
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
            Action::Register(_) => "register",
            Action::Create(_) => "create",
            Action::Update(_) => "update",
            Action::Scale(_) => "scale",
            Action::Adjust(_) => "adjust",
            Action::Tag(_) => "tag",
            Action::Delete { .. } => "delete",
        };
        let lost = !self.replies.is_empty() && self.replies.remove(0) == Reply::Lost;
        if let Some((_, fault)) = self.next_fault.take_if(|(name, _)| *name == what) {
            return Outcome::Failed(fault);
        }
        let refused = self.refused.filter(|refused| *refused == what);
        let result = match refused {
            Some(_) => Err(fault("InvalidParameterException", Remedy::AskUser)),
            None => self.effect(action),
        };
        if refused.is_some() {
            self.done.push(("refused", String::new()));
        }
        if result.is_ok() {
            self.done.push((what, wanted.map(|wanted| wanted.meaning.to_string()).unwrap_or_default()));
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
            Action::Register(request) => {
                let arn = format!("arn:task-definition/{}:{}", request.family, self.done.len());
                let mut members = request.body.clone();
                let tags = tags(members.remove("tags"));
                let number = self.definitions.len();
                self.definitions.insert(number, LiveTaskDefinition { arn: arn.clone(), active: true, tags, members });
                return Ok(Effected::Registered(arn));
            }
            Action::Create(request) => {
                if self.live.as_ref().is_some_and(|live| live.life == ServiceLife::Active) {
                    return Err(fault("InvalidParameterException", Remedy::LookAgain));
                }
                self.live = Some(created(request));
                let fate = self.fate();
                self.deployments.clear();
                let live = self.live.clone().unwrap();
                self.deploy(&live.task_definition, live.members, fate);
                return Ok(Effected::Created(Box::new(self.live.clone().unwrap())));
            }
            Action::Update(request) => {
                self.update(request);
                return Ok(Effected::Updated(Box::new(self.live.clone().unwrap())));
            }
            Action::Scale(asked) | Action::Adjust(asked) => {
                self.update(&asked.request);
                return Ok(Effected::Updated(Box::new(self.live.clone().unwrap())));
            }
            Action::Tag(asked) => {
                if let Some(live) = &mut self.live {
                    live.tags.extend(asked.request.tags.clone());
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
        let mut members = live.members.clone();
        members.extend(request.body.clone());
        if let Some((name, shown)) = &self.shows {
            members.entry(*name).and_modify(|value| value.clone_from(shown));
        }
        let definition = text(&request.body, "taskDefinition").unwrap_or_else(|| live.task_definition.clone());
        let forced = members.remove("forceNewDeployment").is_some();
        members.remove("taskDefinition");
        live.desired = members["desiredCount"].as_i64().unwrap() as i32;
        live.running = live.desired;
        let rolls = |all: &Members| of_class(all, Class::Rolls);
        let differs = rolls(&members) != rolls(&live.members) || definition != live.task_definition;
        live.members = members.clone();
        if differs || forced {
            let fate = self.fate();
            self.deploy(&definition, members, fate);
        }
    }
}

fn text(body: &Members, member: &str) -> Option<String> {
    body.get(member).and_then(Value::as_str).map(str::to_owned)
}

/// A revision.
pub fn revision(arn: &str, task_definition: &str, members: Members) -> Revision {
    Revision { arn: arn.into(), task_definition: task_definition.into(), members }
}

fn tags(given: Option<Value>) -> BTreeMap<String, String> {
    let tag = |tag: &Value| (tag["key"].as_str().unwrap().to_owned(), tag["value"].as_str().unwrap().to_owned());
    given.iter().flat_map(|tags| tags.as_array().unwrap()).map(tag).collect()
}

fn created(request: &CreateServiceRequest) -> LiveService {
    let mut members = request.body.clone();
    let tags = tags(members.remove("tags"));
    let task_definition = text(&members, "taskDefinition").unwrap();
    for derived in ["cluster", "serviceName", "clientToken", "taskDefinition"] {
        members.remove(derived);
    }
    LiveService {
        arn: format!("arn:service/{}/{}", request.cluster, request.name),
        life: ServiceLife::Active,
        tags,
        task_definition,
        desired: members["desiredCount"].as_i64().unwrap() as i32,
        running: members["desiredCount"].as_i64().unwrap() as i32,
        members,
        current_deployment: None,
        deployments: 1,
        events: vec!["(service web) is unable to place a task".into()],
    }
}

/// The live service that somebody made for what the world's Service wants, under its owner's tag.
pub fn adopted(world: &World, task_definition: &str) -> LiveService {
    created(&create(&world.desired(), &world.wanted(), task_definition, 0))
}

/// A task that stopped.
pub fn task() -> StoppedTask {
    StoppedTask {
        id: "task-1".into(),
        task_definition: "arn:aws:ecs:us-east-2:123456789012:task-definition/web:1".into(),
        started_by: None,
        code: Some("EssentialContainerExited".into()),
        reason: Some("Essential container in task exited".into()),
        failed: true,
        stopped_at: None,
        containers: vec![StoppedContainer { name: "web".into(), exit_code: Some(3), reason: None }],
    }
}
