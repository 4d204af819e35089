//! `wait`: until a commit is verified in every stage. What each look means is decided in `verdict`.

mod verdict;

pub use verdict::{Verdict, Way};

use crate::args::{Connection, Wait};
use crate::connect::{Cluster, connect};
use crate::failure::Failure;
use crate::person::{chosen, full_commit};
use crate::print::{Trouble, say};
use futures::stream::StreamExt;
use std::time::Duration;

/// The exit code when the Release of the commit ended otherwise.
const ENDED: u8 = 1;
/// The exit code when the time is up.
const TIME_IS_UP: u8 = 2;
/// The exit code when the Pipeline does not release the commit.
const PASSED_OVER: u8 = 4;
/// The exit code when it cannot be told where the commit is.
pub const NO_ANSWER: u8 = 3;

/// Waits, and tells each change of where the commit is.
pub async fn run(connection: &Connection, asked: &Wait) -> Result<(), Failure> {
    let no_answer = |failure: Failure| failure.with_code(NO_ANSWER);
    full_commit(&asked.commit).map_err(no_answer)?;
    let cluster = connect(connection).await.map_err(no_answer)?;
    let pipeline = chosen(&cluster, asked.pipeline.as_deref()).await.map_err(no_answer)?;
    let mut waiting = Waiting { cluster: &cluster, way: Way::of(&pipeline, &asked.commit), told: String::new() };
    // What is negative is over already.
    match Duration::try_from(asked.timeout).unwrap_or_default() {
        Duration::ZERO => match waiting.look().await? {
            Some(answer) => answer,
            None => Err(waiting.time_is_up()),
        },
        limit => match tokio::time::timeout(limit, waiting.follow()).await {
            Ok(answer) => answer,
            Err(_) => Err(waiting.time_is_up()),
        },
    }
}

struct Waiting<'a> {
    cluster: &'a Cluster,
    way: Way,
    /// Where the commit was when it was last told.
    told: String,
}

impl Waiting<'_> {
    async fn follow(&mut self) -> Result<(), Failure> {
        let mut changes = std::pin::pin!(self.cluster.changes(&self.cluster.scope(false)));
        let mut trouble = Trouble::default();
        while changes.next().await.is_some() {
            match self.look().await {
                Ok(None) => trouble.passed(),
                Ok(Some(answer)) => return answer,
                Err(failure) => trouble.met(failure)?,
            }
        }
        Ok(())
    }

    /// One look: how the command ends, if it does.
    async fn look(&mut self) -> Result<Option<Result<(), Failure>>, Failure> {
        let no_answer = |failure: Failure| failure.with_code(NO_ANSWER);
        let pipeline = self.cluster.one(&self.way.pipeline).await.map_err(no_answer)?;
        let releases = self.cluster.list(&self.cluster.scope(false)).await.map_err(no_answer)?;
        Ok(match self.way.look(&pipeline, &releases) {
            Verdict::Verified(stages) => {
                say(&format!("{}: {} is verified in {stages}", self.way.of_pipeline(), self.way.commit))?;
                Some(Ok(()))
            }
            Verdict::PassedOver(why) => Some(Err(Failure::new(why).with_code(PASSED_OVER))),
            Verdict::Ended(why) => Some(Err(Failure::new(why).with_code(ENDED))),
            Verdict::Waits { at, message } => {
                if at != self.told {
                    let colon = if message.is_empty() { "" } else { ": " };
                    say(&crate::text::clean(&format!("{}: {at}{colon}{message}", self.way.of_pipeline())))?;
                }
                self.told = at;
                None
            }
        })
    }

    /// As kubectl's `wait` words it.
    fn time_is_up(&self) -> Failure {
        let Way { commit, .. } = &self.way;
        let at = if self.told.is_empty() { "not seen" } else { &self.told };
        let words = format!("timed out waiting for {commit} on {}: {at}", self.way.of_pipeline());
        Failure::error(words).with_code(TIME_IS_UP)
    }
}
