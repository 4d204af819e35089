//! Where a commit is on its way through a Pipeline, from one look to the next: pure.

use crate::item::{Body, Item};
use crate::model::ReleaseView;
use crate::text::short;
use launchway_crds::pipeline::{StageStatus, Verified};
use launchway_crds::release::StagePhase;
use launchway_crds::{Pipeline, Release};
use std::collections::BTreeSet;

/// What is waited for, and what was seen of it.
#[derive(Debug)]
pub struct Way {
    pub pipeline: String,
    pub commit: String,
    /// The stages that were seen to be verified with the commit: a newer one may enter the first stage before ours is through the
    /// last.
    passed: BTreeSet<String>,
}

/// What a look says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is verified in these stages, which are all.
    Verified(String),
    /// Its Release ended otherwise: why.
    Ended(String),
    /// The Pipeline does not release it: why.
    PassedOver(String),
    /// It is on its way.
    Waits { at: String, message: String },
}

impl Way {
    /// Nothing was seen yet.
    pub fn of(pipeline: &str, commit: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), commit: commit.to_owned(), passed: BTreeSet::new() }
    }

    /// `pipeline/NAME`.
    pub fn of_pipeline(&self) -> String {
        format!("pipeline/{}", self.pipeline)
    }

    /// What the Pipeline and the Releases of its namespace say now.
    pub fn look(&mut self, pipeline: &Item<Pipeline>, releases: &[Item<Release>]) -> Verdict {
        let body = match &pipeline.body {
            Ok(body) => body,
            Err(member) => {
                let at = format!("{member} of the Pipeline holds a value that cannot be read");
                return Verdict::Waits { at, message: String::new() };
            }
        };
        let own: Vec<&Item<Release>> = releases.iter().filter(|item| self.is_own(item)).collect();
        self.remember(body);
        if self.is_verified(body, &own) {
            let names: Vec<&str> = body.spec.stages.iter().map(|stage| stage.name.as_str()).collect();
            return Verdict::Verified(names.join(", "));
        }
        match newest(&own) {
            None if let Some(why) = self.passed_over(body, pipeline.generation) => Verdict::PassedOver(why),
            None => Verdict::Waits {
                at: format!("there is no release of {} yet", short(&self.commit)),
                message: String::new(),
            },
            Some(release) => self.judged(&ReleaseView::of(release), body),
        }
    }

    /// Why the Pipeline does not release the commit, as its spec is now.
    fn passed_over(&self, body: &Body<Pipeline>, generation: i64) -> Option<String> {
        let status = body.status.as_ref().filter(|status| status.observed_generation == generation)?;
        let over = status.passed_over.iter().find(|over| *over.commit == *self.commit)?;
        Some(format!("{}: {} is not released: {}", self.of_pipeline(), short(&over.commit), over.message))
    }

    fn is_own(&self, item: &Item<Release>) -> bool {
        item.body.as_ref().is_ok_and(|body| {
            body.spec.pipeline.as_str() == self.pipeline && body.spec.commit.as_deref() == Some(&self.commit)
        })
    }

    fn remember(&mut self, body: &Body<Pipeline>) {
        let stages = body.status.iter().flat_map(|status| &status.stages);
        let runs =
            |stage: &&StageStatus| stage.trouble.is_none() && proved(stage).is_some_and(|commit| commit == self.commit);
        let passed: Vec<String> = stages.filter(runs).map(|stage| stage.name.to_string()).collect();
        self.passed.extend(passed);
    }

    /// Whether the commit passed every stage that the Pipeline has now. That it passed the last one is only believed if it was
    /// seen there: a Release that went through last month says nothing of today.
    fn is_verified(&self, body: &Body<Pipeline>, own: &[&Item<Release>]) -> bool {
        let passed = |stage: &str| self.passed.contains(stage);
        let recorded = |stage: &str| own.iter().any(|item| is_recorded(item, stage));
        let Some((last, earlier)) = body.spec.stages.split_last() else { return false };
        passed(&last.name) && earlier.iter().all(|stage| passed(&stage.name) || recorded(&stage.name))
    }

    fn judged(&self, release: &ReleaseView, body: &Body<Pipeline>) -> Verdict {
        let name = &release.name;
        let (reason, message) = (&release.standing.reason, &release.standing.message);
        let ended = |how: &str| Verdict::Ended(format!("release/{name} {how} ({reason}): {message}"));
        match release.phase.as_str() {
            "Failed" => ended(&format!("failed at {}", release.stage)),
            "Superseded" => ended("was superseded"),
            "Cancelled" => ended("was cancelled"),
            "Succeeded" => self.replaced(release, body).unwrap_or_else(|| waits(release, &self.trouble(body))),
            _ => waits(release, ""),
        }
    }

    /// Its Release succeeded, and the last stage was verified with another commit since then.
    fn replaced(&self, release: &ReleaseView, body: &Body<Pipeline>) -> Option<Verdict> {
        let last = body.spec.stages.last()?;
        let stages = &body.status.as_ref()?.stages;
        let Verified { commit, release: other, at, .. } =
            stages.iter().find(|stage| stage.name == last.name)?.verified.as_ref()?;
        let replaced = commit.as_str() != self.commit && release.ended.is_some_and(|ended| ended < at.0);
        replaced.then(|| {
            let (name, stage, commit) = (&release.name, &last.name, short(commit));
            Verdict::Ended(format!(
                "release/{name} succeeded, and since then {stage} was given {commit} by release/{other}"
            ))
        })
    }

    /// Why a stage does not run what it was proved to run.
    fn trouble(&self, body: &Body<Pipeline>) -> String {
        let stages = body.status.iter().flat_map(|status| &status.stages);
        let of_stage = |stage: &StageStatus| {
            let trouble = stage.trouble.as_ref()?;
            Some(format!("stage {}: {}: {}", stage.name, trouble.reason, trouble.message))
        };
        stages.filter_map(of_stage).next().unwrap_or_default()
    }
}

fn proved(stage: &StageStatus) -> Option<&str> {
    stage.verified.as_ref().map(|verified| verified.commit.as_str())
}

fn is_recorded(item: &Item<Release>, stage: &str) -> bool {
    let verified = |phase| phase == StagePhase::Verified;
    item.status()
        .is_some_and(|(_, status)| status.stages.iter().any(|one| one.name.as_str() == stage && verified(one.phase)))
}

fn newest<'a>(own: &[&'a Item<Release>]) -> Option<&'a Item<Release>> {
    own.iter().copied().max_by_key(|item| {
        let number = item.body.as_ref().ok().and_then(|body| body.spec.number);
        (item.created, number)
    })
}

fn waits(release: &ReleaseView, trouble: &str) -> Verdict {
    let words = [release.stage.as_str(), release.standing.reason.as_str()];
    let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let message = if trouble.is_empty() { release.standing.message.clone() } else { trouble.to_owned() };
    Verdict::Waits { at: format!("release/{} {}", release.name, said.join(" ")).trim_end().to_owned(), message }
}

#[cfg(test)]
mod tests;
