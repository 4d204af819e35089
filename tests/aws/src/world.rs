//! The world: all state, and the one way into it. It is lazy: each call first brings every state machine to its time; nothing runs by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::codebuild::{self, CodeBuildState};
use crate::ecr::{self, EcrState};
use crate::ecs::{self, EcsState};
use crate::faults::{Fault, Faults};
use crate::iam::{Caller, Credential, Iam, Mood, Role, denied};
use crate::ids::Ids;
use crate::limits::{Limits, throttled};
use crate::log::{self, LogEntry, Outcome};
use crate::logs::{self, LogsState};
use crate::policy::Policy;
use crate::s3::{self, S3State};
use crate::snapshots::Snapshots;
use crate::ssm::{self, SsmState};
use crate::story::TaskStory;
use crate::wire::{self, Fate, Parsed, Protocol, WireReply, WireRequest};
use crate::{Answer, Call, Place, Refusal, misfits, rest, sts};

/// Whether past states are kept for stale reads: each write then clones the services' state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Memory {
    #[default]
    Present,
    LastMinute,
}

/// Whether answers are held to the model of their operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Answers {
    /// They are not looked at.
    #[default]
    Unchecked,
    /// One that does not fit is a panic that says how.
    HeldToModel,
}

/// An AWS: plain data.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// ECS by account and region.
    pub ecs: BTreeMap<Place, EcsState>,
    /// ECR by account and region.
    pub ecr: BTreeMap<Place, EcrState>,
    /// CodeBuild by account and region.
    pub codebuild: BTreeMap<Place, CodeBuildState>,
    /// CloudWatch Logs by account and region.
    pub logs: BTreeMap<Place, LogsState>,
    /// SSM by account and region.
    pub ssm: BTreeMap<Place, SsmState>,
    /// The buckets of all accounts: their names are the whole world's.
    pub s3: S3State,
    /// Credentials, roles, policies.
    pub iam: Iam,
    /// What shall fail.
    pub faults: Faults,
    /// Token buckets.
    pub limits: Limits,
    /// How the tasks of images behave, by digest or by the reference a task definition gives; goes before the story that ECR holds.
    pub image_story: BTreeMap<String, TaskStory>,
    /// Every request, in order.
    pub log: Vec<LogEntry>,
    /// Whether answers are held to the model: for tests of the simulator itself, as it takes time.
    pub answers: Answers,
    pub(crate) ids: Ids,
    pub(crate) snapshots: Snapshots,
    seed: u64,
    now: Timestamp,
    requests: u64,
    memory: Memory,
}

impl World {
    /// An empty world; the seed goes into every ID it makes.
    pub fn new(seed: u64) -> Self {
        Self { seed, ids: Ids::new(seed), ..Self::default() }
    }

    /// Keeps the last minute's states, so that [`Fault::StaleReads`] has something to answer from. To be called again after the world was
    /// changed by hand.
    pub fn keep_snapshots(&mut self) {
        self.memory = Memory::LastMinute;
        let present = self.snapshot();
        self.snapshots.keep(present);
    }

    /// The latest time that the world has been brought to.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Adds a user with an access key that never expires and everything allowed; returns the user's ARN.
    pub fn add_user(&mut self, account: &str, name: &str, access_key: &str) -> String {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let caller = Caller {
            arn: arn.clone(),
            account: account.to_owned(),
            user_id: format!("AIDA{}", self.fresh(17).to_uppercase()),
            role: None,
        };
        self.iam
            .credentials
            .insert(access_key.to_owned(), Credential { caller, secret: None, token: None, expires: None });
        arn
    }

    /// Adds a role that its own account may assume and that may do everything; returns its ARN.
    pub fn add_role(&mut self, account: &str, name: &str) -> String {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        self.iam.roles.insert(arn.clone(), Role::default());
        arn
    }

    /// Sets what a role may do, from a policy document; everything else is then denied.
    pub fn set_policy(&mut self, role: &str, document: &Value) -> Result<(), String> {
        let policy = Policy::parse(document)?;
        self.iam.roles.entry(role.to_owned()).or_default().policy = Some(policy);
        Ok(())
    }

    /// Every action that was checked, with its resource.
    pub fn used_actions(&self) -> &BTreeSet<(String, String)> {
        self.iam.used_actions()
    }

    /// Whether the caller may do this; `context` are the condition keys that AWS fills.
    pub fn allow(
        &mut self,
        call: &Call,
        action: &str,
        resource: &str,
        context: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        self.iam.allow(call, action, resource, context)
    }

    /// The next ID: `length` lower-case hex digits, from a counter and the seed.
    pub fn fresh(&mut self, length: usize) -> String {
        self.ids.hex(length)
    }

    /// The next ID in the form of a UUID.
    pub fn fresh_uuid(&mut self) -> String {
        let id = self.fresh(32);
        format!("{}-{}-4{}-8{}-{}", &id[..8], &id[8..12], &id[13..16], &id[17..20], &id[20..])
    }

    /// When the next state machine moves after `now`, if any does.
    pub fn next_event(&self, now: Timestamp) -> Option<Timestamp> {
        self.due().map(|due| due.max(now))
    }

    fn due(&self) -> Option<Timestamp> {
        let ecs = self.ecs.values().filter_map(EcsState::next_event).min();
        let builds = self.codebuild.values().filter_map(CodeBuildState::next_event).min();
        [ecs, builds].into_iter().flatten().min()
    }

    /// Brings every state machine to `now`, step by step in the order of time. Time never goes back.
    pub fn advance(&mut self, now: Timestamp) {
        self.advance_from(self.now, now);
    }

    pub(crate) fn advance_from(&mut self, from: Timestamp, to: Timestamp) {
        self.now = from;
        while let Some(due) = self.due().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            codebuild::advance(self, self.now);
            ecs::advance(self, self.now);
        }
        self.now = self.now.max(to);
    }

    /// Answers one request at `now`.
    pub fn answer(&mut self, now: Timestamp, request: &WireRequest) -> WireReply {
        self.advance(now);
        self.requests += 1;
        match wire::parsed(request) {
            Ok(parsed) => self.answer_parsed(parsed),
            Err(refusal) => self.reply(Protocol::Json, "", &Err(refusal), Fate::Arrives, Duration::ZERO),
        }
    }

    fn answer_parsed(&mut self, parsed: Parsed) -> WireReply {
        let caller = match self.iam.caller(&parsed, self.now) {
            Ok(caller) => caller,
            Err(refusal) => return self.turned_away(&parsed, refusal),
        };
        let Parsed { protocol, service, operation, input, region, agent, .. } = parsed;
        let (now, account) = (self.now, caller.account.clone());
        let call = Call { now, account, region, caller, service, operation, input, agent };
        let fault = self.faults.strike(service, &call.operation, self.now);
        let (answer, fate, delay) = self.struck(&call, fault);
        let outcome = outcome(&answer, fate);
        let answer = answer.unwrap_or_else(|| Err(Refusal::server("Cut", "")));
        self.note(&call, outcome);
        self.reply(protocol, &call.operation, &answer, fate, delay)
    }

    fn turned_away(&mut self, parsed: &Parsed, refusal: Refusal) -> WireReply {
        self.log.push(LogEntry {
            n: self.requests,
            at: self.now,
            service: parsed.service,
            operation: parsed.operation.clone(),
            input: parsed.input.clone(),
            outcome: Outcome::Refused(refusal.code.clone()),
            caller: String::new(),
            agent: parsed.agent.clone(),
        });
        self.reply(parsed.protocol, &parsed.operation, &Err(refusal), Fate::Arrives, Duration::ZERO)
    }

    /// The answer under a fault; none if the call never came to an answer.
    fn struck(&mut self, call: &Call, fault: Option<Fault>) -> (Option<Answer>, Fate, Duration) {
        let refused = |refusal| (Some(Err(refusal)), Fate::Arrives, Duration::ZERO);
        match fault {
            None => (Some(self.perform(call)), Fate::Arrives, Duration::ZERO),
            Some(Fault::Throttle) => refused(throttled_by(call.service)),
            Some(Fault::Deny) => refused(self.denied(call)),
            Some(Fault::Error5xx) => refused(broken(call.service)),
            Some(Fault::Delay(delay)) => (Some(self.perform(call)), Fate::Arrives, delay),
            Some(Fault::ResetBeforeEffect) => (None, Fate::Reset, Duration::ZERO),
            Some(Fault::LoseReply) => (Some(self.perform(call)), Fate::Reset, Duration::ZERO),
            Some(Fault::StaleReads { older_by }) if reads(&call.operation) => {
                let answer = self.as_it_was(older_by, |world| world.perform(&Call { now: world.now, ..call.clone() }));
                (Some(answer), Fate::Arrives, Duration::ZERO)
            }
            Some(Fault::MixedReads { up_to, seed }) if reads(&call.operation) => {
                (Some(self.mixed(call, up_to, seed)), Fate::Arrives, Duration::ZERO)
            }
            Some(Fault::StaleReads { .. } | Fault::MixedReads { .. }) => {
                (Some(self.perform(call)), Fate::Arrives, Duration::ZERO)
            }
        }
    }

    /// The refusal of the first right that the call needs; rights are asked before anything is changed.
    fn denied(&mut self, call: &Call) -> Refusal {
        self.iam.mood = Mood::Denying;
        let answer = self.perform(call);
        self.iam.mood = Mood::Fair;
        let whole = || denied(call, &format!("{}:{}", call.service, call.operation), "*");
        answer.err().filter(|refusal| refusal.code.starts_with("AccessDenied")).unwrap_or_else(whole)
    }

    /// How many requests came in so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// What the service does, whatever the limits.
    pub(crate) fn act(&mut self, call: &Call) -> Answer {
        match call.service {
            "ecs" => ecs::answer(self, call),
            "ecr" => ecr::answer(self, call),
            "codebuild" => codebuild::answer(self, call),
            "logs" => logs::answer(self, call),
            "ssm" => ssm::answer(self, call),
            "s3" => s3::answer(self, call),
            _ => sts::answer(self, call),
        }
    }

    pub(crate) fn perform(&mut self, call: &Call) -> Answer {
        self.limits.take(call)?;
        misfits::refused(call)?;
        let answer = self.act(call);
        if let (Answers::HeldToModel, Ok(given)) = (self.answers, &answer)
            && let Some(misfit) = misfits::of_answer(call, given)
        {
            panic!("the answer of {}:{} is not one of AWS's: {misfit}", call.service, call.operation);
        }
        if self.memory == Memory::LastMinute && answer.is_ok() && !reads(&call.operation) {
            let present = self.snapshot();
            self.snapshots.keep(present);
        }
        answer
    }

    pub(crate) fn note(&mut self, call: &Call, outcome: Outcome) {
        self.log.push(LogEntry {
            n: self.requests,
            at: call.now,
            service: call.service,
            operation: call.operation.clone(),
            input: call.input.clone(),
            outcome,
            caller: call.caller.arn.clone(),
            agent: call.agent.clone(),
        });
    }

    fn reply(&self, protocol: Protocol, operation: &str, answer: &Answer, fate: Fate, delay: Duration) -> WireReply {
        let id = format!("{:08x}-0000-4000-8000-{:012x}", self.seed as u32, self.requests);
        let (content, (status, body)) = match protocol {
            Protocol::Json => ("application/x-amz-json-1.1", wire::json_body_of(answer)),
            Protocol::Query => ("text/xml", wire::query_body_of(operation, &id, answer)),
            Protocol::Rest => return rest::reply(answer, &id, self.now, fate, delay),
        };
        let headers =
            vec![("date", wire::http_date(self.now)), ("x-amzn-requestid", id), ("content-type", content.to_owned())];
        WireReply { status, headers, body, fate, delay }
    }

    /// SHA-256 over the log: equal for two runs that went alike.
    pub fn log_hash(&self) -> String {
        log::hash(&self.log)
    }
}

fn outcome(answer: &Option<Answer>, fate: Fate) -> Outcome {
    match (answer, fate) {
        (None, _) => Outcome::Cut,
        (Some(Ok(_)), Fate::Arrives) => Outcome::Done,
        (Some(Err(refusal)), Fate::Arrives) => Outcome::Refused(refusal.code.clone()),
        (Some(Ok(_)), Fate::Reset) => Outcome::Lost(None),
        (Some(Err(refusal)), Fate::Reset) => Outcome::Lost(Some(refusal.code.clone())),
    }
}

/// Whether an operation only looks.
fn reads(operation: &str) -> bool {
    ["Describe", "List", "Get", "BatchGet", "Filter"].iter().any(|prefix| operation.starts_with(prefix))
}

fn throttled_by(service: &str) -> Refusal {
    match service {
        "sts" => Refusal::new("Throttling", "Rate exceeded"),
        "s3" => Refusal { status: 503, ..Refusal::new("SlowDown", "Please reduce your request rate.") },
        _ => throttled(),
    }
}

fn broken(service: &str) -> Refusal {
    match service {
        "ecs" | "ecr" => Refusal::server("ServerException", "Service Unavailable. Please try again later."),
        "ssm" => Refusal::server("InternalServerError", "An error occurred on the server side."),
        "s3" => Refusal::server("InternalError", "We encountered an internal error. Please try again."),
        "logs" => Refusal::server("ServiceUnavailableException", "The service cannot complete the request."),
        _ => Refusal::server(
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
    }
}
