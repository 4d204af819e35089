//! The next status of a Pipeline: its record, its conditions and its columns. Nothing is decided here.

use super::decide::Effected;
use super::heads::{LAST, Turn, made};
use super::observed::{Observed, ReleaseSeen, Tip};
use super::record::Record;
use super::state::{Course, Last, Newest};
use crate::Outcome;
use crate::condition::{Answer, MESSAGE_MAX, Statement, Truth, brief, cut, merge};
use crate::fault::Fault;
use crate::image::key;
use crate::look::Looked;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::target::Standing;
use jiff::Timestamp;
use launchway_crds::pipeline::{Grant, Head, Pipeline, PipelineStatus, ReleasedImage, Summary, Trouble};

mod pass;
mod source;

pub use pass::Pass;

use source::{blind, looked_for, newer_than, none_there, passed_by, passed_over, source, unread};

/// The longest message of a stage's trouble, in bytes.
const TROUBLE: usize = 512;

/// The status of a Pipeline whose spec is refused before anything is looked at.
pub fn refused(pipeline: &Pipeline, refusal: &Refusal, at: Timestamp) -> PipelineStatus {
    let record = Record::parse(pipeline);
    let generation = pipeline.metadata.generation.unwrap_or_default();
    let mut next = record.status().clone();
    let tell = Tell::stalled(refusal.reason(), refusal.to_string());
    next.conditions = merge(&next.conditions, &tell.said(Statement::Kept(ConditionType::SourceReady)), generation, at);
    next.observed_generation = generation;
    let (commit, stage) = shown(&record);
    let (reason, message) = (refusal.reason().to_string(), cut(&refusal.to_string(), MESSAGE_MAX));
    next.summary = Some(Summary { commit, stage, reason, message });
    next
}

/// The commit and the stage that the columns have shown until now.
fn shown(record: &Record) -> (String, String) {
    record.summary().map_or_else(Default::default, |summary| (summary.commit.clone(), summary.stage.clone()))
}

/// The next status of a Pipeline.
pub fn report(record: &Record, pass: &Pass<'_>) -> PipelineStatus {
    let mut next = record.status().clone();
    let at = pass.observed.at;
    next.stages = pass.state.holding.stages.clone();
    next.building = pass.state.holding.building.releases.clone();
    next.superseded = pass.state.holding.superseded.clone();
    remember(&mut next.released, pass.observed);
    troubled(&mut next, &pass.state.course);
    match (&pass.state.turn, pass.outcome) {
        (Turn::Adopted(adopted, uid), _) => {
            (next.heads, next.making) = (vec![adopted.clone()], None);
            next.made = made(record, pass.observed, uid.clone());
        }
        (_, Outcome::Done(Effected::Released { head, uid })) => {
            next.building.extend(pass.state.holding.building.has_room.then(|| pass.desired.release(head.number)));
            (next.heads, next.making) = (vec![head.clone()], None);
            next.made = made(record, pass.observed, Some(uid.clone()));
        }
        (_, Outcome::Done(Effected::Taken(head))) => making(&mut next, after(head)),
        // It was written down before the call.
        (Turn::New(head), _) => making(&mut next, head.clone()),
        (Turn::PassedOver(_) | Turn::Same, _) => {}
    }
    next.passed_over = passed_over(record, pass);
    let tell = tell(record, pass);
    let said = tell.said(source(record, pass));
    next.conditions = merge(&record.status().conditions, &said, pass.desired.generation, at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass, &tell, record));
    next
}

/// How many commits' images are remembered: a status is at most 32 KiB large.
const REMEMBERED: usize = 12;

/// Remembers which image each commit was released with. What is remembered is replaced only by a Release at work, which takes
/// another image only from a build of its own.
fn remember(released: &mut Vec<ReleasedImage>, observed: &Observed) {
    let mut all: Vec<&ReleaseSeen> = observed.releases.iter().filter(|release| !release.images.is_empty()).collect();
    all.sort_by_key(|release| release.order());
    let mut room = REMEMBERED;
    let fits = |release: &&&ReleaseSeen| {
        let has_room = release.images.len() <= room;
        room = room.saturating_sub(release.images.len());
        has_room
    };
    let newest: Vec<_> = all.iter().rev().take_while(fits).collect();
    for release in newest.into_iter().rev() {
        for image in &release.images {
            let is_full = released.len() >= REMEMBERED;
            let of = key(&release.commit, &image.repository);
            let known = released.iter().position(|one| one.of == of);
            let now = ReleasedImage { of, digest: image.digest.clone() };
            match known.and_then(|at| released.get_mut(at)) {
                Some(known) if !release.ended() => *known = now,
                Some(_) => {}
                None if release.ended() && is_full => {}
                None => released.push(now),
            }
        }
    }
    released.drain(..released.len().saturating_sub(REMEMBERED));
}

/// The status with the head of which a Release is about to be made.
pub fn intended(record: &Record, head: &Head) -> PipelineStatus {
    let mut next = record.status().clone();
    making(&mut next, head.clone());
    next
}

/// Records the head of which a Release is made. What is remembered of images goes along with it: a status has a largest size.
fn making(next: &mut PipelineStatus, head: Head) {
    next.heads.iter_mut().for_each(|recorded| recorded.images = None);
    next.making = Some(head);
}

/// The head under the number after its own, which is taken.
fn after(head: &Head) -> Head {
    Head { number: if head.number >= LAST { 1 } else { head.number.saturating_add(1) }, ..head.clone() }
}

/// Records which stage does not run what it was verified with. The Release of that stage reports it too.
fn troubled(next: &mut PipelineStatus, course: &Course) {
    let Course::Adrift { stage, standing, .. } = course else { return };
    let (reason, why) = if let Standing::Stuck(reason, why) | Standing::Failed(reason, why) = standing {
        (*reason, why)
    } else if let Standing::Unproved(why) = standing {
        (Reason::Unproved, why)
    } else {
        return;
    };
    for status in next.stages.iter_mut().filter(|status| *status.name == **stage) {
        status.trouble = Some(Trouble { reason: reason.to_string(), message: cut(why, TROUBLE) });
    }
}

/// What the conditions and the columns say after a pass.
struct Tell {
    /// `Ready` and, if they are True, `Reconciling`, `Stalled` and `Held`.
    standing: Vec<Statement>,
    released: Truth,
    reason: Reason,
    message: String,
}

impl Tell {
    fn new(ready: Truth, extra: Option<ConditionType>, released: Truth, reason: Reason, message: String) -> Self {
        Self { standing: standing(ready, extra, reason, &message), released, reason, message }
    }

    fn stalled(reason: Reason, message: String) -> Self {
        Self::new(Truth::False, Some(ConditionType::Stalled), Truth::Unknown, reason, message)
    }

    fn failed(reason: Reason, message: String) -> Self {
        Self { released: Truth::False, ..Self::stalled(reason, message) }
    }

    /// The Pipeline waits for a person or a time. `Ready` stays True.
    fn held(reason: Reason, message: String) -> Self {
        Self::new(Truth::True, Some(ConditionType::Held), Truth::Unknown, reason, message)
    }

    fn well(message: String) -> Self {
        Self::new(Truth::True, None, Truth::True, Reason::Succeeded, message)
    }

    /// A Release is at work, or is about to be. `Ready` says what the `last` one came to, and is False if there is
    /// none.
    fn at_work(last: Option<&Last>, reason: Reason, message: String) -> Self {
        let standing = match last {
            Some(Last::Released(last)) => standing(Truth::True, None, Reason::Succeeded, &released(last)),
            Some(Last::Failed(last)) => standing(
                Truth::False,
                Some(ConditionType::Stalled),
                self::reason(last, Reason::RolloutFailed),
                &told(last),
            ),
            None => standing(Truth::False, Some(ConditionType::Reconciling), reason, &message),
        };
        Self { standing, released: Truth::Unknown, reason, message }
    }

    fn said(&self, source: Statement) -> Vec<Statement> {
        let released =
            Statement::New(Answer::new(ConditionType::Released, self.released, self.reason, self.message.clone()));
        self.standing.iter().cloned().chain([released, source]).collect()
    }
}

fn standing(ready: Truth, extra: Option<ConditionType>, reason: Reason, message: &str) -> Vec<Statement> {
    let say = |kind, truth| Statement::New(Answer::new(kind, truth, reason, message));
    [say(ConditionType::Ready, ready)].into_iter().chain(extra.map(|kind| say(kind, Truth::True))).collect()
}

/// What this pass has to say, including how many Releases wait to be superseded.
fn tell(record: &Record, pass: &Pass<'_>) -> Tell {
    let mut tell = tell_course(record, pass);
    match pass.state.holding.untold {
        0 => {}
        untold => tell.message.push_str(&format!(
            "; {untold} more older Releases are superseded once some of those in the list have ended"
        )),
    }
    tell
}

fn tell_course(record: &Record, pass: &Pass<'_>) -> Tell {
    let last = pass.state.last.as_ref();
    match pass.outcome {
        Outcome::Failed(fault) if fault.is_terminal() => return Tell::stalled(Reason::of(fault), fault.to_string()),
        Outcome::Failed(fault) => return Tell::at_work(last, Reason::Unavailable, fault.to_string()),
        Outcome::Idle | Outcome::Done(_) => {}
    }
    let newer = match pass.state.turn {
        Turn::New(_) | Turn::Adopted(_, Some(_)) => true,
        // The commit was released under another name: nothing is made.
        Turn::Adopted(_, None) | Turn::Same | Turn::PassedOver(_) => false,
    };
    match (&pass.state.course, &pass.observed.head) {
        (Course::Refused(refusal), _) => Tell::stalled(refusal.reason(), refusal.to_string()),
        (Course::Held(held), _) => Tell::held(held.reason, held.message.clone()),
        (Course::Nothing, _) => nothing(record, pass),
        (Course::AtWork(newest), _) => Tell::at_work(last, reason(newest, Reason::Progressing), told(newest)),
        (Course::Stuck(newest), _) => Tell::stalled(reason(newest, Reason::AwsRefused), told(newest)),
        (Course::Failed(newest) | Course::Released(newest), _) if newer => Tell::at_work(
            last,
            Reason::Progressing,
            format!("{}; making a Release of it", newer_than(pass, &newest.name)),
        ),
        (Course::Failed(newest), _) => Tell::failed(reason(newest, Reason::RolloutFailed), told(newest)),
        (Course::Released(_) | Course::Unreached { .. } | Course::Gone { .. }, Looked::Seen(Err(refusal))) => {
            Tell::stalled(refusal.reason(), looked_for(refusal, pass))
        }
        (Course::Released(_), Looked::Blind(fault)) if is_unproved(record, pass, fault) => {
            Tell::stalled(Reason::SourceRefused, blind(pass, fault))
        }
        (Course::Released(newest), _) => match left_out(record, pass, newest) {
            Some(commit) => deleted(commit, pass),
            None => Tell::well(told(newest)),
        },
        (Course::Unreached { newest, stage }, _) => {
            Tell::failed(Reason::StageNotReached, unreached(newest, stage, pass))
        }
        (Course::Gone { stage, grant }, _) if newer => Tell::at_work(
            None,
            Reason::Progressing,
            format!("{} in stage {stage}; making a Release of it", newer_than(pass, &grant.release)),
        ),
        (Course::Gone { stage, grant }, _) => Tell::failed(Reason::ReleaseGone, gone(stage, grant, pass)),
        (Course::Adrift { newest, stage, standing }, _) => adrift(newest, stage, standing),
    }
}

/// The commit at the branch's head, if its Release was deleted and what was released last is older: that it runs everywhere says
/// nothing of the head.
fn left_out<'a>(record: &'a Record, pass: &Pass<'_>, newest: &Newest) -> Option<&'a str> {
    let head = record.heads().first().filter(|head| *head.commit != *newest.commit)?;
    let releases = &pass.observed.releases;
    if releases.iter().any(|release| release.number == Some(head.number)) {
        return None;
    }
    let made = match releases.iter().find(|release| release.name == newest.name) {
        Some(release) if release.number.is_some_and(|number| number < head.number) => return Some(&head.commit),
        Some(release) => release.created,
        None => pass.state.holding.newest_grant().map(|grant| grant.since.0),
    };
    made.is_some_and(|made| made < head.seen_at.0).then_some(&*head.commit)
}

/// Whether the source refuses us and was not seen since the spec last changed. Then the spec is probably wrong, and
/// this is reported as a failure.
fn is_unproved(record: &Record, pass: &Pass<'_>, fault: &Fault) -> bool {
    let seen = record.condition(ConditionType::Ready).is_some_and(|ready| {
        ready.observed_generation == Some(pass.desired.generation) && ready.reason != Reason::SourceRefused.as_str()
    });
    fault.is_terminal() && !seen
}

/// The message for a stage whose Release was deleted before it had verified the stage.
fn gone(stage: &str, grant: &Grant, pass: &Pass<'_>) -> String {
    format!(
        "stage {stage} was given commit {} by Release {}, which was deleted before it had verified the stage: {}",
        grant.commit.short(),
        grant.release,
        release_again(&grant.commit, pass)
    )
}

fn release_again(commit: &str, pass: &Pass<'_>) -> String {
    let push = if pass.desired.source.follows_tags() { "push a newer tag of another commit" } else { "push a commit" };
    format!("{push}, or make a Release of commit {commit} with reason Manual")
}

/// What to say if a target does not run what it was verified with.
fn adrift(newest: &Newest, stage: &str, standing: &Standing) -> Tell {
    let commit = brief(&newest.commit);
    let told = |why: &str| format!("commit {commit} was released by {}; stage {stage}: {why}", newest.name);
    match standing {
        Standing::Done => Tell::well(told("its targets run it")),
        Standing::Rolling(why) => Tell::at_work(None, Reason::Rolling, told(why)),
        Standing::Unproved(why) => Tell::new(Truth::Unknown, None, Truth::Unknown, Reason::Unproved, told(why)),
        Standing::Stuck(reason, why) | Standing::Failed(reason, why) => Tell::failed(*reason, told(why)),
    }
}

/// The message about the last Release that succeeded, while a newer one is at work. It does not claim what runs now.
fn released(last: &Newest) -> String {
    format!(
        "the last Release that succeeded is {}: commit {} was verified in every stage",
        last.name,
        brief(&last.commit)
    )
}

fn unreached(newest: &Newest, stage: &str, pass: &Pass<'_>) -> String {
    format!(
        "stage {stage} was added after Release {} had ended, and nothing was released there: {}",
        newest.name,
        release_again(&newest.commit, pass)
    )
}

/// What to say if there is no Release.
fn nothing(record: &Record, pass: &Pass<'_>) -> Tell {
    let working = |reason, message| Tell::at_work(None, reason, message);
    match &pass.observed.head {
        Looked::Seen(Err(refusal)) => Tell::stalled(refusal.reason(), looked_for(refusal, pass)),
        Looked::Seen(Ok(tip)) => match (&pass.state.turn, record.heads().first(), tip) {
            (Turn::New(head) | Turn::Adopted(head, Some(_)), _, _) => {
                working(Reason::Progressing, format!("making a Release of commit {}", brief(&head.commit)))
            }
            (Turn::Adopted(head, None), _, _) | (Turn::Same | Turn::PassedOver(_), Some(head), _) => {
                deleted(&head.commit, pass)
            }
            (Turn::Same | Turn::PassedOver(_), None, Tip::Images(images)) => {
                working(Reason::NoCommitYet, none_there(pass, images.other()))
            }
            (Turn::Same | Turn::PassedOver(_), None, Tip::NoTag(other)) => {
                working(Reason::NoCommitYet, none_there(pass, other.as_deref()))
            }
            (Turn::Same | Turn::PassedOver(_), None, Tip::Commit { commit, .. }) => match passed_by(record, pass) {
                Some(why) => {
                    let message = format!("commit {} is not released: {}", brief(&why.commit), why.message);
                    working(Reason::NoCommitYet, message)
                }
                // It waits until it is known what it changes.
                None if pass.desired.source.relevance().is_some() => working(Reason::NoCommitYet, unread(pass)),
                None => deleted(commit, pass),
            },
        },
        Looked::Blind(fault) if fault.is_terminal() => Tell::stalled(Reason::SourceRefused, blind(pass, fault)),
        Looked::Blind(fault) => working(Reason::Unavailable, blind(pass, fault)),
        Looked::NotAsked => match record.heads().first() {
            Some(head) => deleted(&head.commit, pass),
            None => working(Reason::NoCommitYet, unread(pass)),
        },
    }
}

/// What to say if the Release of the head was deleted and there is no other.
fn deleted(commit: &str, pass: &Pass<'_>) -> Tell {
    let message = format!("the Release of commit {} was deleted: {}", brief(commit), release_again(commit, pass));
    Tell::failed(Reason::ReleaseGone, message)
}

fn reason(newest: &Newest, fallback: Reason) -> Reason {
    Reason::parse(&newest.reason).unwrap_or(fallback)
}

fn told(newest: &Newest) -> String {
    let at = if newest.message.is_empty() { "not started yet" } else { &newest.message };
    format!("Release {}: {at}", newest.name)
}

fn summary(pass: &Pass<'_>, tell: &Tell, record: &Record) -> Summary {
    let newest = match &pass.state.course {
        Course::AtWork(newest)
        | Course::Stuck(newest)
        | Course::Failed(newest)
        | Course::Released(newest)
        | Course::Unreached { newest, .. }
        | Course::Adrift { newest, .. } => Some(newest),
        Course::Held(held) => held.newest.as_ref(),
        Course::Refused(_) | Course::Nothing | Course::Gone { .. } => None,
    };
    let (commit, stage) = shown(record);
    let (reason, message) = match (&pass.state.course, &pass.observed.head) {
        (Course::Released(_), Looked::Blind(fault)) if fault.is_terminal() => {
            (Reason::SourceRefused, blind(pass, fault))
        }
        // A name or a range with a mistake in it looks the same.
        (Course::Released(_), Looked::Seen(Ok(Tip::NoTag(other)))) => {
            (Reason::NoCommitYet, none_there(pass, other.as_deref()))
        }
        (_, _) => (tell.reason, tell.message.clone()),
    };
    Summary {
        commit: newest.map_or(commit, |newest| brief(&newest.commit).to_owned()),
        stage: newest.map_or(stage, |newest| newest.stage.clone()),
        reason: reason.to_string(),
        message: cut(&message, MESSAGE_MAX),
    }
}
