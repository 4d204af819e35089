//! The conditions of Launchway's objects as they turn, from a watch on Kubernetes: AWS is not asked here.

use std::collections::HashMap;

use futures::stream::{StreamExt, select_all};
use jiff::Zoned;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_crds::{AwsAccount, Pipeline, Release, Service};
use tokio::task::JoinHandle;

use super::screen::{Line, Screen, Span, Tone};

/// What is watched: the kind, and its short name.
fn kinds() -> [(ApiResource, &'static str, bool); 4] {
    [
        (ApiResource::erase::<AwsAccount>(&()), "lwaa", false),
        (ApiResource::erase::<Pipeline>(&()), "lwp", true),
        (ApiResource::erase::<Release>(&()), "lwr", true),
        (ApiResource::erase::<Service>(&()), "esvc", true),
    ]
}

/// A watch that tells until it is dropped.
pub struct Live(JoinHandle<()>);

impl Live {
    /// Tells of every object of Launchway in the namespace, and of the accounts.
    pub fn start(client: Client, namespace: &'static str, screen: Screen) -> Live {
        Live(tokio::spawn(watch(client, namespace, screen)))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(client: Client, namespace: &str, screen: Screen) {
    let streams = kinds().map(|(kind, short, namespaced)| {
        let api: Api<DynamicObject> = match namespaced {
            true => Api::namespaced_with(client.clone(), namespace, &kind),
            false => Api::all_with(client.clone(), &kind),
        };
        let objects = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
        objects.map(move |object| object.map(|object| (short, object))).boxed()
    });
    let mut all = select_all(streams);
    let mut before: HashMap<String, Vec<Condition>> = HashMap::new();
    while let Some(seen) = all.next().await {
        // A watch that broke is begun again by the watcher itself.
        let Ok((short, object)) = seen else { continue };
        let name = format!("{short}/{}", object.name_any());
        let after = conditions(&object);
        let unready = if is_stalled(&after) { Tone::Bad } else { Tone::Busy };
        for turn in turns(before.get(&name).map_or(&[], Vec::as_slice), &after) {
            screen.tell(line(&name, &turn, unready));
        }
        before.insert(name, after);
    }
}

fn is_stalled(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| condition.type_ == "Stalled" && condition.status == "True")
}

fn conditions(object: &DynamicObject) -> Vec<Condition> {
    let found = object.data.pointer("/status/conditions").cloned().unwrap_or_default();
    serde_json::from_value(found).unwrap_or_default()
}

/// Conditions of one object that turned at the same time, for the same reason and with the same words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Type and status of each.
    pub answers: Vec<(String, String)>,
    /// The reason.
    pub reason: String,
    /// The words.
    pub message: String,
}

/// What turned. Of conditions that keep their status and have another reason, the first one is told: the others follow it.
/// One that only says it in other words is not told, and neither is one that went away: what took its place is.
pub fn turns(before: &[Condition], after: &[Condition]) -> Vec<Turn> {
    let mut all: Vec<Turn> = Vec::new();
    let old = |condition: &Condition| before.iter().find(|old| old.type_ == condition.type_);
    for condition in after {
        if old(condition).is_none_or(|old| old.status != condition.status) {
            add(&mut all, condition);
        }
    }
    for condition in after {
        let told = all.iter().any(|turn| turn.reason == condition.reason);
        if !told && old(condition).is_some_and(|old| old.reason != condition.reason) {
            add(&mut all, condition);
        }
    }
    all
}

fn add(all: &mut Vec<Turn>, condition: &Condition) {
    let answer = (condition.type_.clone(), condition.status.clone());
    let alike = |turn: &&mut Turn| turn.reason == condition.reason && turn.message == condition.message;
    match all.iter_mut().find(alike) {
        Some(turn) => turn.answers.push(answer),
        None => all.push(Turn {
            answers: vec![answer],
            reason: condition.reason.clone(),
            message: condition.message.clone(),
        }),
    }
}

/// `12:03:04 lwp/greeter  Ready=False Released=Unknown  Building  what goes on`.
fn line(name: &str, turn: &Turn, unready: Tone) -> Line {
    let mut line = vec![
        Span(Tone::Faint, format!("{} ", Zoned::now().strftime("%H:%M:%S"))),
        Span(Tone::Plain, format!("{name:<21}")),
    ];
    for (kind, status) in &turn.answers {
        line.push(Span(tone(kind, status, unready), format!(" {kind}={status}")));
    }
    line.push(Span(Tone::Strong, format!("  {}", turn.reason)));
    line.push(Span(Tone::Faint, format!("  {}", turn.message)));
    line
}

/// Being unready is bad only for what cannot go on.
fn tone(kind: &str, status: &str, unready: Tone) -> Tone {
    match (kind, status) {
        ("Ready", "False") => unready,
        ("Stalled", _) => Tone::Bad,
        ("Reconciling" | "Held", _) => Tone::Busy,
        (_, "True") => Tone::Good,
        (_, "False") => Tone::Bad,
        _ => Tone::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use launchway_crds::condition::Time;

    fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Condition {
        Condition {
            type_: kind.into(),
            status: status.into(),
            reason: reason.into(),
            message: message.into(),
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
            observed_generation: None,
        }
    }

    #[test]
    fn conditions_that_turn_together_are_one_turn_and_the_others_are_not_told() {
        let before = [condition("Ready", "False", "Building", "a"), condition("Built", "Unknown", "Building", "a")];
        let after = [
            condition("Ready", "True", "Succeeded", "b"),
            condition("Built", "True", "Succeeded", "b"),
            condition("Verified", "True", "Succeeded", "c"),
        ];
        let told = turns(&before, &after);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].answers, [("Ready".to_owned(), "True".to_owned()), ("Built".into(), "True".into())]);
        assert_eq!(turns(&after, &after), []);
        let reworded = [condition("Ready", "True", "Succeeded", "in other words")];
        assert_eq!(turns(&after, &reworded), []);
    }

    #[test]
    fn of_conditions_that_keep_their_status_for_another_reason_the_first_is_told() {
        let at = |reason| ["Ready", "Built", "Verified"].map(|kind| condition(kind, "Unknown", reason, "words"));
        let told = turns(&at("Checking"), &at("Building"));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].answers, [("Ready".to_owned(), "Unknown".to_owned())]);
    }
}
