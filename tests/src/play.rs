//! Plays a story: one life after the other, until nothing has been written for a day, or a life is cut. Judges nothing.

use jiff::{SignedDuration, Timestamp};
use launchway_test_kube::store::{Age, Reads};

use crate::life::gate::{Gate, Request};
use crate::life::context;
use crate::pump::{Passed, Pump};
use crate::story::Story;
use crate::world::{World, is_effect};

/// Nothing may be written to AWS or Kubernetes for so long, or it was not the end.
pub const QUIET: SignedDuration = SignedDuration::from_hours(24);

/// So long after its beginning a story must be quiet, the quiet day included.
const PATIENCE: SignedDuration = SignedDuration::from_hours(60);

/// So many passes are enough for any story, an idle day included.
const PASSES: usize = 4000;

/// How old the lists are that a life is given at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lists {
    /// As things are.
    Fresh,
    /// Five writes old for two minutes, as of a watch cache that lags behind.
    FiveWritesOld,
}

/// How long lists stay stale.
const LAG: SignedDuration = SignedDuration::from_mins(2);

const KINDS: [&str; 4] = ["AwsAccount", "Pipeline", "Release", "Service"];

/// How a life ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was written for a day.
    Quiet,
    /// It was cut at this request.
    Cut(Request),
    /// It never came to rest: why.
    Restless(String),
}

/// A life over a world.
pub struct Life<'a> {
    /// The story that is played meanwhile.
    pub story: &'a Story,
    /// The world.
    pub world: &'a World,
    /// What its requests pass.
    pub gate: &'a Gate,
    /// What its lists show.
    pub lists: Lists,
}

/// Lives until the story is over, or the life is.
pub fn live(life: &Life<'_>) -> End {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(life.lived())
}

impl Life<'_> {
    async fn lived(&self) -> End {
        let began = self.world.now();
        let context = context(self.world, self.gate, 1);
        let mut fresh_at = self.lag();
        let mut pump = Pump::new(self.world);
        let mut rest = Rest::new(self.world);
        for _ in 0..PASSES {
            let scripted = self.story.play(self.world);
            pump.follow(self.world);
            if fresh_at.is_some_and(|at| at <= self.world.now()) {
                fresh_at = None;
                self.world.store.serve_fresh();
                pump.relist(self.world);
            }
            let quiet = rest.since(self.world) + QUIET;
            let next = [pump.due(), scripted, fresh_at, Some(quiet)].into_iter().flatten().min().unwrap_or(quiet);
            if next > began + PATIENCE {
                return End::Restless(format!("still writing {PATIENCE:#} after the beginning"));
            }
            self.world.time.jump(next);
            if self.world.now() >= quiet && pump.due().is_none_or(|due| due > quiet) {
                return End::Quiet;
            }
            if pump.due().is_some_and(|due| due <= next)
                && pump.pass(self.world, &context, self.gate).await == Passed::Cut
            {
                return self.gate.cut().map_or(End::Quiet, End::Cut);
            }
        }
        End::Restless(format!("{PASSES} passes, and no end"))
    }

    fn lag(&self) -> Option<Timestamp> {
        match self.lists {
            Lists::Fresh => None,
            Lists::FiveWritesOld => {
                for kind in KINDS {
                    self.world.store.serve_stale(kind, Reads::Lists, Age::WritesBehind(5)).expect("a served kind");
                }
                Some(self.world.now() + LAG)
            }
        }
    }
}

/// Since when nothing was written.
struct Rest {
    version: u64,
    logged: usize,
    since: Timestamp,
}

impl Rest {
    fn new(world: &World) -> Rest {
        let (since, logged) = (world.last_write(), world.aws().log.len());
        Rest { version: world.store.version(), logged, since }
    }

    fn since(&mut self, world: &World) -> Timestamp {
        let version = world.store.version();
        let aws = world.aws();
        let new = aws.log.get(self.logged..).unwrap_or_default();
        if version != self.version || new.iter().any(is_effect) {
            self.since = world.now();
        }
        (self.version, self.logged) = (version, aws.log.len());
        self.since
    }
}
