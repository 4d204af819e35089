//! The next status of a Pipeline: its record, its conditions and its columns. Nothing is chosen here.

use super::decide::Effected;
use super::desired::Desired;
use super::heads::{Turn, head};
use super::observed::Observed;
use super::state::{Course, Newest, State};
use crate::Outcome;
use crate::condition::{Answer, Said, Truth, cut, find, merge};
use crate::fault::Fault;
use crate::reason::{Kind, Reason};
use crate::refusal::Refusal;
use crate::service::Looked;
use jiff::Timestamp;
use launchway_crds::pipeline::{Pipeline, PipelineStatus, Summary};

/// What a pass over a Pipeline found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What was seen.
    pub observed: &'a Observed,
    /// Where it stood.
    pub state: &'a State,
    /// What came of the action.
    pub outcome: &'a Outcome<Effected>,
}

/// A status in which nothing is known.
pub fn empty() -> PipelineStatus {
    PipelineStatus {
        observed_generation: -1,
        conditions: Vec::new(),
        head: None,
        stages: Vec::new(),
        superseded: Vec::new(),
        summary: None,
    }
}

/// The status of a Pipeline whose spec is refused before anything is looked at.
pub fn refused(pipeline: &Pipeline, refusal: &Refusal, at: Timestamp) -> PipelineStatus {
    let generation = pipeline.metadata.generation.unwrap_or_default();
    let mut next = pipeline.status.clone().unwrap_or_else(empty);
    let tell = Tell::stalled(refusal.reason(), refusal.to_string());
    next.conditions = merge(&next.conditions, &tell.said(Said::Kept(Kind::SourceReady)), generation, at);
    next.observed_generation = generation;
    let before = next.summary.take().unwrap_or_default();
    next.summary =
        Some(Summary { reason: refusal.reason().to_string(), message: cut(&refusal.to_string(), 1024), ..before });
    next
}

/// The next status.
pub fn report(record: &PipelineStatus, pass: &Pass<'_>) -> PipelineStatus {
    let mut next = record.clone();
    let at = pass.observed.at;
    next.stages = pass.state.holding.stages.clone();
    next.superseded = pass.state.holding.superseded.clone();
    match (&pass.state.turn, pass.outcome) {
        (Turn::Adopted(adopted), _) => next.head = Some(adopted.clone()),
        (_, Outcome::Done(Effected::Released { number, commit })) => next.head = Some(head(commit, *number, at)),
        (_, _) => {}
    }
    let tell = tell(record, pass);
    next.conditions = merge(&record.conditions, &tell.said(source(record, pass)), pass.desired.generation, at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass, &tell, record));
    next
}

fn source(record: &PipelineStatus, pass: &Pass<'_>) -> Said {
    let say = |truth, reason, message: String| Said::Now(Answer::new(Kind::SourceReady, truth, reason, message));
    let git = &pass.desired.spec.source.git;
    match &pass.observed.head {
        Looked::Seen(Ok(_)) => {
            say(Truth::True, Reason::Succeeded, format!("branch {} of {} was seen", git.branch, git.url))
        }
        Looked::Seen(Err(refusal)) => say(Truth::False, refusal.reason(), refusal.to_string()),
        Looked::Blind(fault) if fault.is_terminal() => say(Truth::False, Reason::SourceRefused, fault.to_string()),
        Looked::Blind(fault) => say(Truth::Unknown, Reason::NotSeen, fault.to_string()),
        Looked::NotAsked if find(&record.conditions, Kind::SourceReady).is_none() => {
            say(Truth::Unknown, Reason::NoCommitYet, "the branch was not looked at yet".to_owned())
        }
        Looked::NotAsked => Said::Kept(Kind::SourceReady),
    }
}

/// What the conditions say.
struct Tell {
    ready: Said,
    extra: Vec<Said>,
    released: Truth,
    reason: Reason,
    message: String,
}

impl Tell {
    fn new(ready: Truth, extra: Option<Kind>, released: Truth, reason: Reason, message: String) -> Self {
        let say = |kind, truth| Said::Now(Answer::new(kind, truth, reason, message.clone()));
        Self {
            ready: say(Kind::Ready, ready),
            extra: extra.map(|kind| say(kind, Truth::True)).into_iter().collect(),
            released,
            reason,
            message,
        }
    }

    fn stalled(reason: Reason, message: String) -> Self {
        Self::new(Truth::False, Some(Kind::Stalled), Truth::False, reason, message)
    }

    /// At work, and what was said of the Pipeline before stands.
    fn kept(reason: Reason, message: String) -> Self {
        let extra = vec![Said::Kept(Kind::Reconciling), Said::Kept(Kind::Stalled)];
        Self { ready: Said::Kept(Kind::Ready), extra, released: Truth::Unknown, reason, message }
    }

    fn said(&self, source: Said) -> Vec<Said> {
        let mut all = vec![self.ready.clone()];
        all.extend(self.extra.clone());
        all.push(Said::Now(Answer::new(Kind::Released, self.released, self.reason, self.message.clone())));
        all.push(source);
        all
    }
}

fn tell(record: &PipelineStatus, pass: &Pass<'_>) -> Tell {
    if let Outcome::Failed(fault) = pass.outcome {
        return at_work(record, Reason::Unavailable, fault.to_string());
    }
    match &pass.state.course {
        Course::Refused(refusal) => Tell::stalled(refusal.reason(), refusal.to_string()),
        Course::Suspended => Tell::new(
            Truth::True,
            Some(Kind::Held),
            Truth::Unknown,
            Reason::Suspended,
            format!(
                "suspended; to go on: kubectl -n {} patch lwp {} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'",
                pass.desired.namespace, pass.desired.name
            ),
        ),
        Course::Nothing => nothing(record, pass),
        Course::AtWork(newest) => at_work(record, reason(newest, Reason::Progressing), told(newest)),
        Course::Stuck(newest) => {
            Tell { released: Truth::Unknown, ..Tell::stalled(reason(newest, Reason::AwsRefused), told(newest)) }
        }
        Course::Failed(newest) => Tell::stalled(reason(newest, Reason::RolloutFailed), told(newest)),
        Course::Released(newest) if is_superseded_by_head(record, pass, newest) => {
            at_work(record, Reason::Progressing, told(newest))
        }
        Course::Released(newest) => Tell::new(Truth::True, None, Truth::True, Reason::Succeeded, told(newest)),
    }
}

/// Whether a newer head was just seen: the released commit is no longer the newest.
fn is_superseded_by_head(record: &PipelineStatus, pass: &Pass<'_>, newest: &Newest) -> bool {
    let _ = (record, newest);
    matches!(pass.state.turn, Turn::New { .. } | Turn::Adopted(_))
}

fn nothing(record: &PipelineStatus, pass: &Pass<'_>) -> Tell {
    match &pass.observed.head {
        Looked::Seen(Err(refusal)) => {
            Tell { released: Truth::Unknown, ..Tell::stalled(refusal.reason(), refusal.to_string()) }
        }
        Looked::Blind(fault) if fault.is_terminal() => {
            Tell { released: Truth::Unknown, ..Tell::stalled(Reason::SourceRefused, fault.to_string()) }
        }
        Looked::Blind(fault) => at_work(record, Reason::Unavailable, blind(fault)),
        Looked::Seen(Ok(commit)) => at_work(
            record,
            Reason::Progressing,
            format!("making a Release of commit {}", &commit[..commit.len().min(12)]),
        ),
        Looked::NotAsked => at_work(record, Reason::NoCommitYet, "the branch was not looked at yet".to_owned()),
    }
}

fn blind(fault: &Fault) -> String {
    format!("the branch cannot be looked at: {fault}")
}

/// The first release ever at work makes the Pipeline unready; a later one leaves it as it is.
fn at_work(record: &PipelineStatus, reason: Reason, message: String) -> Tell {
    let ready = find(&record.conditions, Kind::Ready);
    let later =
        ready.is_some_and(|ready| ready.status == "True") || record.stages.iter().any(|stage| stage.verified.is_some());
    let failed_before = find(&record.conditions, Kind::Released).is_some_and(|released| released.status != "Unknown");
    let stalled_before =
        find(&record.conditions, Kind::Stalled).is_some() && record.head.as_ref().is_some_and(|head| head.number > 1);
    if (later || failed_before || stalled_before) && ready.is_some() {
        return Tell::kept(reason, message);
    }
    Tell::new(Truth::False, Some(Kind::Reconciling), Truth::Unknown, reason, message)
}

fn reason(newest: &Newest, fallback: Reason) -> Reason {
    Reason::ALL.iter().copied().find(|reason| reason.as_str() == newest.reason).unwrap_or(fallback)
}

fn told(newest: &Newest) -> String {
    let at = if newest.message.is_empty() { "not started yet" } else { &newest.message };
    format!("Release {}: {at}", newest.name)
}

fn summary(pass: &Pass<'_>, tell: &Tell, record: &PipelineStatus) -> Summary {
    let newest = match &pass.state.course {
        Course::AtWork(newest) | Course::Stuck(newest) | Course::Failed(newest) | Course::Released(newest) => {
            Some(newest)
        }
        Course::Refused(_) | Course::Suspended | Course::Nothing => None,
    };
    let before = record.summary.clone().unwrap_or_default();
    Summary {
        commit: newest.map_or(before.commit, |newest| newest.commit.chars().take(12).collect()),
        stage: newest.map_or(before.stage, |newest| newest.stage.clone()),
        reason: tell.reason.to_string(),
        message: cut(&tell.message, 1024),
    }
}
