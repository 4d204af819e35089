//! From what is shown to lines: a tree for a terminal, or one line for each thing with the way to it, for changes.

mod tree;

pub use tree::{Entry, flat, lines};

use tree::tone;

use crate::ask::Scope;
use crate::model::{Mark, PipelineView, ReleaseView, ServiceView, StageView, Standing, Tree};
use crate::text::{Span, Tone, short};
use launchway_crds::pipeline::PassedOver;

/// The entries of what is shown, one for each Pipeline. Namespaces are named where there may be several.
pub fn entries(tree: &Tree, scope: &Scope) -> Vec<Entry> {
    tree.pipelines.iter().map(|view| pipeline(view, scope)).collect()
}

fn pipeline(view: &PipelineView, scope: &Scope) -> Entry {
    let label = match scope {
        Scope::Everywhere => format!("{}/pipeline/{}", view.namespace, view.name),
        Scope::Namespace(_) => format!("pipeline/{}", view.name),
    };
    let mut entry = Entry::new(view.standing.state, label);
    entry.word(Tone::Plain, &view.branch);
    entry.word(Tone::Strong, &short(&view.head));
    if !view.released.is_empty() {
        let tone = match view.released.as_str() {
            "True" => Tone::Good,
            "False" => Tone::Bad,
            _ => Tone::Busy,
        };
        entry.word(tone, &format!("Released={}", view.released));
    }
    entry.standing(&view.standing);
    if let Some(PassedOver { commit, message, seen_at, .. }) = &view.passed_over {
        let mut passed_over = Entry::new(Mark::Idle, format!("commit/{}", short(commit)));
        passed_over.word(Tone::Plain, "not released");
        passed_over.note(Tone::Plain, message);
        passed_over.since = Some(seen_at.0);
        entry.children.push(passed_over);
    }
    entry.children.extend(view.releases.iter().map(release));
    entry.children.extend(view.stages.iter().map(stage));
    entry
}

fn release(view: &ReleaseView) -> Entry {
    let mut entry = Entry::new(view.standing.state, format!("release/{}", view.name));
    entry.word(Tone::Strong, &short(&view.commit));
    entry.word(Tone::Plain, &view.git_tag);
    entry.word(Tone::Plain, &view.phase);
    entry.word(Tone::Plain, &view.stage);
    entry.standing(&view.standing);
    entry.since = view.ended.or(view.created);
    let told = view.steps.iter().filter(|step| view.is_at_work() || step.state == Mark::Bad);
    entry.children.extend(told.map(|step| {
        let mut entry = Entry::new(step.state, step.name.clone());
        entry.word(Tone::Plain, &step.phase);
        if step.state != Mark::Good {
            entry.note(tone(step.state), &step.message);
        }
        entry.log.clone_from(&step.log);
        entry
    }));
    entry
}

fn stage(view: &StageView) -> Entry {
    let mut entry = Entry::new(view.standing.state, format!("stage/{}", view.name));
    if view.grant > 0 {
        entry.word(Tone::Strong, &short(&view.commit));
        entry.word(Tone::Plain, &format!("grant {}", view.grant));
    }
    match (view.standing.state, view.verified.as_str()) {
        (Mark::Good, verified) if verified == view.commit => entry.word(Tone::Good, "verified"),
        (_, "") => {}
        (_, verified) => entry.word(Tone::Faint, &format!("last verified {}", short(verified))),
    }
    entry.standing(&view.standing);
    for waiting in &view.waiting {
        let mut waits = Entry::new(waiting.state, format!("release/{} waits", waiting.release));
        waits.word(tone(waiting.state), &waiting.reason);
        if let Some(opens) = waiting.opens {
            waits.word(Tone::Plain, &format!("until {opens}"));
        }
        waits.note(Tone::Plain, &waiting.message);
        waits.since = Some(waiting.since);
        entry.children.push(waits);
    }
    entry.children.extend(view.services.iter().map(service));
    entry
}

fn service(view: &ServiceView) -> Entry {
    let mut entry = Entry::new(view.standing.state, format!("service/{}", view.name));
    entry.word(Tone::Plain, &view.rollout);
    let count = |count: Option<i32>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    if view.running.is_some() || view.desired.is_some() {
        entry.word(Tone::Plain, &format!("{}/{} running", count(view.running), count(view.desired)));
    }
    entry.standing(&view.standing);
    // Of a rollout that is done, tasks that stopped on the way are past.
    if view.standing.state != Mark::Good {
        entry.log.clone_from(&view.stopped_tasks);
    }
    entry
}

impl Entry {
    fn word(&mut self, tone: Tone, text: &str) {
        if !text.is_empty() {
            self.rest.push(Span(tone, text.to_owned()));
        }
    }

    fn note(&mut self, tone: Tone, text: &str) {
        if !text.is_empty() {
            self.notes.push(Span(tone, text.to_owned()));
        }
    }

    /// The reason beside it, and below it the message, except where all is well.
    fn standing(&mut self, standing: &Standing) {
        if standing.state != Mark::Good {
            let is_said = self.rest.iter().any(|Span(_, word)| *word == standing.reason);
            self.word(tone(standing.state), if is_said { "" } else { &standing.reason });
            let tone = if standing.state == Mark::Bad { Tone::Bad } else { Tone::Faint };
            self.note(tone, &standing.message);
        }
    }
}

#[cfg(test)]
mod tests;
