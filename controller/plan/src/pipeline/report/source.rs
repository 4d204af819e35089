//! What a pass says of the source: `SourceReady`, and the words for it in other conditions.

use super::pass::Pass;
use crate::condition::{Answer, Statement, Truth, brief, cut};
use crate::fault::Fault;
use crate::life::again_command;
use crate::look::Looked;
use crate::pipeline::Desired;
use crate::pipeline::change::Differs;
use crate::pipeline::desired::Source;
use crate::pipeline::heads::{self, Turn};
use crate::pipeline::observed::Tip;
use crate::pipeline::record::Record;
use crate::pipeline::refs::tag_of;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use launchway_crds::pipeline::PassedOver;

/// What the source lacks, and when it is looked for again. A Secret is read in every pass; a branch is not asked for more often
/// than at each interval.
pub(super) fn looked_for(refusal: &Refusal, pass: &Pass<'_>) -> String {
    let Desired { namespace, name, source, .. } = pass.desired;
    let is_read_anew = matches!(refusal, Refusal::Secret { .. });
    let hurried =
        if is_read_anew { format!(", or at once: {}", again_command(namespace, "lwp", name)) } else { String::new() };
    format!("{refusal}; looked for again every {} s{hurried}", source.interval())
}

pub(super) fn source(record: &Record, pass: &Pass<'_>) -> Statement {
    let say = |truth, reason, message: String| {
        Statement::New(Answer::new(ConditionType::SourceReady, truth, reason, message))
    };
    match &pass.observed.head {
        Looked::Seen(Ok(Tip::Images(images))) if images.is_empty() => {
            say(Truth::False, Reason::NoCommitYet, none_there(pass, images.other()))
        }
        Looked::Seen(Ok(Tip::NoTag(other))) => {
            say(Truth::False, Reason::NoCommitYet, none_there(pass, other.as_deref()))
        }
        Looked::Seen(Ok(Tip::Commit { of, .. })) => {
            let read = match tag_of(of) {
                Some(tag) => format!("tag {tag} is the newest of {}", pass.desired.source),
                None => format!("the head of {} was read", pass.desired.source),
            };
            match passed_by(record, pass) {
                Some(PassedOver { commit, message, .. }) => {
                    let why = format!("{read}; its commit {} is not released: {message}", brief(&commit));
                    say(Truth::True, Reason::PassedOver, why)
                }
                None => say(Truth::True, Reason::Succeeded, read + &untold(pass) + &in_line(pass)),
            }
        }
        Looked::Seen(Ok(Tip::Images(_))) => {
            say(Truth::True, Reason::Succeeded, format!("the list of {} was read", pass.desired.source))
        }
        Looked::Seen(Err(refusal)) => say(Truth::False, refusal.reason(), looked_for(refusal, pass)),
        Looked::Blind(fault) if fault.is_terminal() => say(Truth::False, Reason::SourceRefused, fault.to_string()),
        Looked::Blind(fault) => say(Truth::Unknown, Reason::NotSeen, fault.to_string()),
        Looked::NotAsked if record.condition(ConditionType::SourceReady).is_none() => {
            say(Truth::Unknown, Reason::NoCommitYet, unread(pass))
        }
        Looked::NotAsked => Statement::Kept(ConditionType::SourceReady),
    }
}

/// That no Release is made for now, whatever the head is.
fn in_line(pass: &Pass<'_>) -> String {
    let most = heads::LINE;
    match heads::is_line_full(pass.observed) {
        true => format!(
            "; {most} Releases wait to begin, and no more are made until one begins: a commit that is not the head then gets none of its own"
        ),
        false => String::new(),
    }
}

/// What could not be told of the head that was judged.
fn untold(pass: &Pass<'_>) -> String {
    match pass.observed.change.as_ref().map(|change| &change.differs) {
        Some(Differs::Unknown(why)) => format!("; {why}"),
        Some(Differs::File(_) | Differs::Nothing | Differs::NotAsked) | None => String::new(),
    }
}

/// How many heads that are not released are remembered.
const REMEMBERED: usize = 3;

/// Which heads are not released, after this pass.
pub(super) fn passed_over(record: &Record, pass: &Pass<'_>) -> Vec<PassedOver> {
    // Of another spec nothing is known before the head is judged anew.
    let is_of_this = record.status().observed_generation == pass.desired.generation;
    let mut all = if is_of_this { record.status().passed_over.clone() } else { Vec::new() };
    let of = match &pass.state.turn {
        Turn::PassedOver(why) => &why.commit,
        // Whatever was said of it: it is released.
        Turn::New(head) | Turn::Adopted(head, _) => &head.commit,
        Turn::Same => return all,
    };
    all.retain(|one| one.commit != *of);
    if let Turn::PassedOver(why) = &pass.state.turn {
        all.push(why.clone());
    }
    all.drain(..all.len().saturating_sub(REMEMBERED));
    all
}

/// The head that was seen, if it is not released.
pub(super) fn passed_by(record: &Record, pass: &Pass<'_>) -> Option<PassedOver> {
    let Some(Ok(Tip::Commit { commit: head, .. })) = pass.observed.head.seen() else { return None };
    // What was released since then, by other rules, is the newest recorded head.
    let is_released = record.heads().iter().any(|recorded| *recorded.commit == **head);
    passed_over(record, pass).into_iter().find(|one| *one.commit == **head && !is_released)
}

pub(super) fn unread(pass: &Pass<'_>) -> String {
    format!("the {} has not been read yet", pass.desired.source.noun())
}

pub(super) fn newer_than(pass: &Pass<'_>, release: &str) -> String {
    match pass.observed.head.seen() {
        Some(Ok(Tip::Commit { of, .. })) if let Some(tag) = tag_of(of) => {
            format!("tag {tag} is the newest now, of another commit than Release {release}")
        }
        Some(_) | None => {
            format!("the {} has a newer commit than that of Release {release}", pass.desired.source.noun())
        }
    }
}

/// What to say if there is no image, or no tag, that could be released.
pub(super) fn none_there(pass: &Pass<'_>, other: Option<&str>) -> String {
    let source = &pass.desired.source;
    let others = match other {
        Some(other) => match source {
            Source::Images { .. } => format!(" (the newest image there is tagged {})", cut(other, 128)),
            Source::Git { .. } | Source::CodeCommit { .. } => format!(" (another tag there is {})", cut(other, 128)),
        },
        None => String::new(),
    };
    format!("there are no {source}{others}; looked for again every {} s", source.interval())
}

pub(super) fn blind(pass: &Pass<'_>, fault: &Fault) -> String {
    format!("the {} cannot be read: {fault}", pass.desired.source.noun())
}
