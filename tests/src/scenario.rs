//! A world that is played by hand: one life of the controller, virtual time that is moved as far as wanted, web sites that
//! answer as told. Scripts and their transcripts are beside it; nothing is judged here.

pub mod columns;
pub mod script;
pub mod transcript;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use launchway::Context;
use launchway::git::Polls;
use launchway::git_hosts::GitHosts;
use launchway::web::{Web, WebFault};
use launchway_plan::address::Rules;
use serde_json::Value;
use tower::service_fn;

use crate::life::context;
use crate::life::gate::{Gate, Nature};
use crate::pump::{Passed, Pump};
use crate::world::World;
use crate::world::sample::HEALTH;

/// How often the controller by default looks at an object that needs nothing, in seconds.
pub const RESYNC: i64 = 600;

/// Web sites, by URL: what each answers. Others are git remotes. Clones are the same sites.
#[derive(Clone, Default)]
pub struct Sites {
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Sites {
    /// From now on this URL answers so.
    pub fn set(&self, url: &str, status: u16, body: &str) {
        lock(&self.answers).insert(url.to_owned(), (status, body.to_owned()));
    }

    /// From now on this URL is a git remote's, or nobody's.
    pub fn clear(&self, url: &str) {
        lock(&self.answers).remove(url);
    }

    /// Every URL that was asked, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    fn answer(&self, world: &World, request: &Request<Bytes>) -> Result<Response<Bytes>, WebFault> {
        let url = request.uri().to_string();
        lock(&self.asked).push(url.clone());
        let told =
            lock(&self.answers).iter().find(|(prefix, _)| url.starts_with(*prefix)).map(|(_, told)| told.clone());
        match told {
            Some((status, body)) => Ok(Response::builder().status(status).body(body.into()).expect("a response")),
            None => world.remote(request),
        }
    }

    /// The way to these sites and to the world's git remotes, and nowhere else.
    pub fn web(&self, world: &World, gate: &Gate, rules: Rules) -> Web {
        let (world, gate, sites) = (world.clone(), gate.clone(), self.clone());
        let exchange = service_fn(move |request: Request<Bytes>| {
            let (world, gate, sites) = (world.clone(), gate.clone(), sites.clone());
            async move {
                let name = format!("{} {}", request.method(), request.uri());
                let sent = gate.send(name, Nature::Look, request.body(), || sites.answer(&world, &request)).await;
                sent.unwrap_or(Err(WebFault::Broken))
            }
        });
        Web::over(rules, exchange)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One life of the controller over a world, moved by hand.
pub struct Player {
    /// The world.
    pub world: World,
    /// What the life's requests pass.
    pub gate: Gate,
    /// What the life is made of.
    pub context: Context,
    /// The web sites.
    pub sites: Sites,
    pump: Pump,
    passes: usize,
    runtime: tokio::runtime::Runtime,
}

impl Player {
    /// A life that begins now, under the strictest rules for URLs. Verifications are answered well.
    pub fn new(world: World) -> Player {
        Player::under(world, Rules::strict())
    }

    /// A life under other rules for URLs.
    pub fn under(world: World, rules: Rules) -> Player {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let entered = runtime.enter();
        let (gate, sites) = (Gate::new(&world.time), Sites::default());
        sites.set(HEALTH, 200, r#"{"ok": true}"#);
        let web = sites.web(&world, &gate, rules.clone());
        let mut context = context(&world, &gate, 1, RESYNC);
        (context.polls, context.git_hosts) = (Polls::new(web.clone()), GitHosts::new(web.clone()));
        (context.web, context.rules) = (web, rules);
        drop(entered);
        let pump = Pump::new(&world);
        world.admit_person();
        Player { world, gate, context, sites, pump, passes: 0, runtime }
    }

    /// Makes something that needs the life's runtime, such as a client.
    pub fn within<T>(&self, make: impl FnOnce(&World) -> T) -> T {
        let _entered = self.runtime.enter();
        make(&self.world)
    }

    /// Runs something in the life's runtime.
    pub fn run<T>(&self, something: impl Future<Output = T>) -> T {
        self.runtime.block_on(something)
    }

    /// How many passes were made.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Makes passes until the world is so, for so long at most; whether it became so.
    pub fn until(&mut self, patience: SignedDuration, so: impl Fn(&World) -> bool) -> bool {
        let end = self.world.now() + patience;
        loop {
            if so(&self.world) {
                return true;
            }
            if !self.step(end) {
                return so(&self.world);
            }
        }
    }

    /// Lets that much time go by.
    pub fn advance(&mut self, time: SignedDuration) {
        let end = self.world.now() + time;
        while self.step(end) {}
    }

    /// Makes the next pass if one is due by then; else it is then.
    fn step(&mut self, end: Timestamp) -> bool {
        self.pump.follow(&self.world, &self.context);
        match self.pump.due().filter(|due| *due <= end) {
            None => {
                self.world.time.jump(end);
                false
            }
            Some(due) => {
                self.world.time.jump(due);
                self.passes += 1;
                let pass = self.pump.pass(&self.world, &self.context, &self.gate);
                assert_eq!(self.runtime.block_on(pass), Passed::Over);
                true
            }
        }
    }

    /// Asks AWS as the person does: `operation` is like `ecs:UpdateService`. The answer, or the refusal as AWS sends it.
    pub fn person(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        self.world.person(operation, input)
    }

    /// Merges a person's patch into an object (RFC 7386), its status excepted.
    pub fn patch(&self, kind: &str, name: &str, patch: &Value) {
        let object = self.world.object(kind, name).unwrap_or_else(|| panic!("{kind} {name} is there"));
        let mut body = object.value().clone();
        merge(&mut body, patch);
        self.world.store.apply_json(&body).expect("a patch that is admitted");
    }
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(members) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = serde_json::json!({});
    }
    for (name, value) in members {
        match value {
            Value::Null => drop(into.as_object_mut().map(|object| object.remove(name))),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                merge(&mut into[name.as_str()], value);
            }
        }
    }
}
