//! Plays a story: one life after the other, until nothing has been written for a day, or a life is cut. Judges nothing.

mod sight;

use jiff::{SignedDuration, Timestamp};

use crate::life::context;
use crate::life::gate::{Gate, Request};
use crate::pump::{Passed, Pump};
use crate::story::Story;
use crate::world::{World, is_effect};

use sight::Seeing;
pub use sight::{Quota, Sight};

/// Nothing may be written to AWS or Kubernetes for so long, or it was not the end.
pub const QUIET: SignedDuration = SignedDuration::from_hours(24);

/// So long after its beginning a story must be quiet, the quiet day included.
const PATIENCE: SignedDuration = SignedDuration::from_hours(60);

/// So many passes are enough for any story, an idle day included; and so many where something befalls it for a day.
const PASSES: [usize; 2] = [4000, 16_000];

/// Six hours: idle days stay cheap. What the usual ten minutes cost is measured in `calls`.
const RARELY: i64 = 6 * 3600;

/// How a life ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was written for a day.
    Quiet,
    /// Its time was up.
    Until,
    /// It was cut at this request.
    Cut(Request),
    /// It was paused for so long that it lost the lease.
    Lost,
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
    /// How old its reads are.
    pub sight: Sight,
    /// How much of AWS's rates is left for it.
    pub quota: Quota,
    /// Decides which of its reads are old, and which of its calls are throttled.
    pub seed: u64,
    /// When it is to end at the latest, if not with the story.
    pub until: Option<Timestamp>,
    /// How often it looks at an object that needs nothing, in seconds.
    pub resync: i64,
}

/// Lives until the story is over, or the life is.
pub fn live(life: &Life<'_>) -> End {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(life.lived())
}

impl<'a> Life<'a> {
    /// A life that sees things as they are, is never throttled, and goes on to the story's end.
    pub fn whole(story: &'a Story, world: &'a World, gate: &'a Gate) -> Life<'a> {
        Life { story, world, gate, sight: Sight::Fresh, quota: Quota::Whole, seed: 0, until: None, resync: RARELY }
    }

    async fn lived(&self) -> End {
        let began = self.world.now();
        self.world.progress().fresh.push(began);
        let context = context(self.world, self.gate, 1, self.resync);
        let mut seeing = Seeing::begin(self);
        let mut pump = Pump::new(self.world);
        let mut rest = Rest::new(self.world);
        for passes in 0..PASSES[1] {
            let scripted = self.story.play(self.world);
            pump.follow(self.world, &context);
            if seeing.is_relist_due(self) {
                pump.relist(self.world);
            }
            let befallen = self.world.progress().befallen;
            if passes >= PASSES[usize::from(befallen.is_some())] {
                break;
            }
            let quiet = rest.since(self.world).max(befallen.unwrap_or(Timestamp::MIN)) + QUIET;
            if self.until.is_some_and(|until| until <= self.world.now()) {
                return End::Until;
            }
            let due = [pump.due(), scripted, seeing.relist_at(), self.until, Some(quiet)];
            let next = due.into_iter().flatten().min().unwrap_or(quiet);
            if next > befallen.unwrap_or(began).max(began) + PATIENCE {
                let last = self.world.store.writes().last().map(|write| {
                    format!("{} {} at {} {}", write.kind, write.name, write.at, write.object.value()["note"])
                });
                return End::Restless(format!(
                    "still writing {PATIENCE:#} after {began}; last {}",
                    last.unwrap_or_default()
                ));
            }
            self.world.time.jump(next);
            if self.world.now() >= quiet && pump.due().is_none_or(|due| due > quiet) {
                return End::Quiet;
            }
            if let Some(key) = pump.first() {
                seeing.show_pipeline(self, &key);
            }
            if pump.due().is_some_and(|due| due <= next)
                && pump.pass(self.world, &context, self.gate).await == Passed::Cut
            {
                return self.gate.cut().map_or(End::Quiet, End::Cut);
            }
            if context.term.is_over() {
                return End::Lost;
            }
        }
        End::Restless("too many passes, and no end".to_owned())
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
