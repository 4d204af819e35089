//! What outlives a controller's life: virtual time, AWS, Kubernetes, git remotes, and what was witnessed. Nothing moves
//! here by itself, and nothing of the controller is here.

mod look;
mod person;
pub mod sample;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use launchway::web::WebFault;
use launchway_test_aws as aws;
use launchway_test_kube::store::{self, Store};

use crate::git::Repositories;

pub use look::released_commit;
pub use person::{is_by_person, signed};

/// Virtual time: stands still until somebody moves it.
#[derive(Clone, Debug)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Time {
        Time(Arc::new(AtomicI64::new(now.as_millisecond())))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).expect("a time within range")
    }

    /// Moves it on.
    pub fn pass(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a short while"), Ordering::Relaxed);
    }

    /// Moves it to `then`, unless that is over.
    pub fn jump(&self, then: Timestamp) {
        self.0.fetch_max(then.as_millisecond(), Ordering::Relaxed);
    }

    /// The clock as a function.
    pub fn clock(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

/// How far a story has come, and what was seen of it from outside.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// How many steps of the script are done.
    pub done: usize,
    /// When the next step is taken, once its condition came true.
    pub armed: Option<Timestamp>,
    /// Heads that looks of the pass under way were answered with.
    pub answered: Vec<String>,
    /// Heads that a look was answered with, by a life that lived on to the end of that pass.
    pub seen: Vec<String>,
    /// When lives began, when people did something, and when Kubernetes did not answer: what was refused may be tried again.
    pub fresh: Vec<Timestamp>,
    /// Passes that panicked, in their own words.
    pub panics: Vec<String>,
    /// The most passes over one object within one virtual minute, and over which.
    pub busiest: (usize, String),
    /// Until when something befalls the world: before that it is not at rest, however long nothing is written.
    pub befallen: Option<Timestamp>,
}

/// The world. Clones are the same world.
#[derive(Clone)]
pub struct World {
    /// Virtual time.
    pub time: Time,
    /// AWS.
    pub aws: Arc<Mutex<aws::World>>,
    /// Kubernetes.
    pub store: Store,
    /// Git remotes.
    pub git: Repositories,
    /// How far the story has come.
    pub progress: Arc<Mutex<Progress>>,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    now: Timestamp,
    writes: u64,
    effects: usize,
    steps: usize,
    seen: usize,
}

impl State {
    /// A seed that is the moment's own.
    pub fn seed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// The world at one moment, from which others can go on.
#[derive(Clone)]
pub struct Snapshot {
    now: Timestamp,
    aws: Arc<aws::World>,
    store: store::Snapshot,
    store_version: u64,
    git: Arc<Repositories>,
    progress: Progress,
}

impl Snapshot {
    /// The time in it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What tells it from other moments of the same run: looks change none of it.
    pub fn state(&self) -> State {
        State {
            now: self.now,
            writes: self.store_version,
            effects: self.aws.log.iter().filter(|entry| is_effect(entry)).count(),
            steps: self.progress.done,
            seen: self.progress.seen.len(),
        }
    }
}

impl World {
    /// A world without anything in it but our kinds. The seed goes into every ID that AWS makes.
    pub fn empty(seed: u64) -> World {
        let time = Time::at(sample::START.parse().expect("a time"));
        let store = Store::new(time.clock());
        for crd in launchway_crds::all() {
            store.register(&crd).expect("a CRD with a schema");
        }
        let aws = Arc::new(Mutex::new(aws::World::new(seed)));
        World { time, aws, store, git: Repositories::new(), progress: Arc::default() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// AWS, brought to the present.
    pub fn aws(&self) -> MutexGuard<'_, aws::World> {
        let mut aws = self.aws.lock().unwrap_or_else(PoisonError::into_inner);
        aws.advance(self.time.now());
        aws
    }

    /// What a git remote answers; one of CodeCommit only whom AWS lets in at its door.
    pub fn remote(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, WebFault> {
        if let Some(host) = request.uri().host().filter(|host| host.starts_with("git-codecommit.")) {
            let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let knock = aws::codecommit::Knock { host, path: request.uri().path(), authorization };
            let knocked = self.aws().knock(self.now(), &knock);
            if let Err(status) = knocked {
                return Ok(Response::builder().status(status).body(Bytes::new()).expect("an answer"));
            }
        }
        self.git.answer(request)
    }

    /// How far the story has come.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world as it is.
    pub fn snapshot(&self) -> Snapshot {
        let aws = self.aws.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Snapshot {
            now: self.now(),
            aws: Arc::new(aws),
            store: self.store.snapshot(),
            store_version: self.store.version(),
            git: Arc::new(self.git.copy()),
            progress: self.progress().clone(),
        }
    }

    /// Another world that goes on from there.
    pub fn fork(snapshot: &Snapshot) -> World {
        let time = Time::at(snapshot.now);
        World {
            store: Store::fork(&snapshot.store, time.clock()),
            time,
            aws: Arc::new(Mutex::new((*snapshot.aws).clone())),
            git: snapshot.git.copy(),
            progress: Arc::new(Mutex::new(snapshot.progress.clone())),
        }
    }

    /// Two hashes of 32 bits, of all that was ever asked of AWS and of all that was written to Kubernetes: equal for two
    /// runs that went alike.
    pub fn log_hash(&self) -> String {
        format!("{:.8}-{:08x}", self.aws().log_hash(), self.store.log_hash() >> 32)
    }

    /// When AWS or Kubernetes was last changed.
    pub fn last_write(&self) -> Timestamp {
        let kube = self.store.writes().last().map(|write| write.at);
        let aws = self.aws().log.iter().rev().find(|entry| is_effect(entry)).map(|entry| entry.at);
        kube.max(aws).unwrap_or_else(|| self.now())
    }
}

/// Whether a call changed AWS. Credentials change nothing.
pub fn is_effect(entry: &aws::LogEntry) -> bool {
    entry.effective() && is_changing(entry.service, &entry.operation)
}

/// Whether an operation is one that changes AWS.
pub fn is_changing(service: &str, operation: &str) -> bool {
    service != "sts"
        && !["Describe", "List", "Get", "BatchGet", "GitPull"].iter().any(|looks| operation.starts_with(looks))
}
