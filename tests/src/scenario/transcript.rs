//! What happened in a world, line by line: conditions that turned, objects that came and went, effects on AWS.

use std::collections::BTreeMap;

use jiff::Timestamp;
use launchway::key::Kind;
use launchway_test_aws::{LogEntry, Outcome};
use launchway_test_kube::store::{Change, Verb, Write};
use serde_json::Value;

use crate::world::sample::START;
use crate::world::{World, is_changing};

type Conditions = BTreeMap<String, (String, String, String)>;

/// Follows a world, and tells each time what is new. Commits are told by the names that the script gave them.
#[derive(Default)]
pub struct Witness {
    version: u64,
    calls: usize,
    said: BTreeMap<(String, String), Conditions>,
    commits: Vec<(String, String)>,
}

impl Witness {
    /// From now on a commit is told by its name.
    pub fn name(&mut self, name: &str, commit: &str) {
        self.commits.push((name.to_owned(), commit.to_owned()));
    }

    /// Knows what is there already.
    pub fn skip(&mut self, world: &World) {
        let _ = self.lines(world);
    }

    /// What happened since the last time, in order.
    pub fn lines(&mut self, world: &World) -> Vec<String> {
        let writes = world.store.writes_after(self.version);
        self.version = world.store.version();
        let calls: Vec<LogEntry> = world.aws().log[self.calls..].to_vec();
        self.calls += calls.len();
        let mut told: Vec<(Timestamp, String)> = Vec::new();
        for write in &writes {
            told.extend(self.write(write).into_iter().map(|line| (write.at, line)));
        }
        let changing = calls.iter().filter(|entry| is_changing(entry.service, &entry.operation));
        told.extend(changing.map(|entry| (entry.at, call(entry))));
        told.sort_by_key(|(at, _)| *at);
        told.into_iter().map(|(at, line)| format!("{}  {}", since(at), self.named(&line))).collect()
    }

    /// A text with each commit by its name.
    pub fn named(&self, text: &str) -> String {
        self.commits.iter().fold(text.to_owned(), |text, (name, commit)| {
            text.replace(commit, &format!("<{name}>")).replace(&commit[..12], &format!("<{name}>"))
        })
    }

    fn write(&mut self, write: &Write) -> Vec<String> {
        if Kind::named(&write.kind).is_none() {
            return Vec::new();
        }
        let object = format!("{} {}", write.kind, write.name);
        let mut lines = match (write.change, write.verb) {
            (Change::Deleted, _) => vec![format!("{object}: gone")],
            (Change::Added, _) if &*write.kind == "Release" => {
                let commit = write.object.value()["spec"]["commit"].as_str().unwrap_or_default();
                vec![format!("{object}: made for commit {commit}")]
            }
            (Change::Added | Change::Modified, _) => Vec::new(),
        };
        if write.verb == Verb::UpdateStatus {
            lines.extend(self.turned(write).into_iter().map(|line| format!("{object}: {line}")));
        }
        lines
    }

    /// What is said anew, in a line for each reason and message: which conditions turned, if any did.
    fn turned(&mut self, write: &Write) -> Vec<String> {
        let key = (write.kind.to_string(), write.name.clone());
        let now = conditions(write.object.value());
        let before = self.said.insert(key, now.clone()).unwrap_or_default();
        let mut groups: Vec<((&str, &str), Vec<String>)> = Vec::new();
        for (name, (status, reason, message)) in &now {
            let old = before.get(name);
            if old.is_some_and(|(old, why, _)| old == status && why == reason) {
                continue;
            }
            let turned = old.is_none_or(|(old, ..)| old != status).then(|| format!("{name}={status}"));
            match groups.iter_mut().find(|(key, _)| *key == (reason, message)) {
                Some((_, all)) => all.extend(turned),
                None => groups.push(((reason, message), turned.into_iter().collect())),
            }
        }
        let gone: Vec<String> =
            before.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("-{name}")).collect();
        match groups.first_mut() {
            Some((_, first)) => first.extend(gone),
            None if !gone.is_empty() => groups.push((("", ""), gone)),
            None => {}
        }
        groups.into_iter().map(line).collect()
    }
}

fn line(((reason, message), said): ((&str, &str), Vec<String>)) -> String {
    let said = said.iter().map(|one| format!("{one} ")).collect::<String>();
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{said}({reason}){message}")
}

fn conditions(object: &Value) -> Conditions {
    let all = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |condition: &Value, member: &str| condition[member].as_str().unwrap_or_default().to_owned();
    let of = |one: &Value| (text(one, "type"), (text(one, "status"), text(one, "reason"), text(one, "message")));
    all.iter().map(of).collect()
}

/// Hours, minutes and seconds since the beginning.
pub fn since(at: Timestamp) -> String {
    let seconds = at.duration_since(START.parse().expect("a time")).as_secs();
    format!("{:>2}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The members of a call that say what it is about.
const TOLD: [&str; 9] = [
    "projectName",
    "sourceVersion",
    "id",
    "family",
    "serviceName",
    "service",
    "taskDefinition",
    "desiredCount",
    "forceNewDeployment",
];

fn call(entry: &LogEntry) -> String {
    let members = TOLD.iter().filter_map(|name| Some((name, entry.input.get(*name)?)));
    let members: Vec<String> = members.map(|(name, value)| format!("{name}={}", short(value))).collect();
    let who = if entry.caller.ends_with("user/person") { " by a person" } else { "" };
    let end = match &entry.outcome {
        Outcome::Done => String::new(),
        Outcome::Refused(code) => format!(" refused: {code}"),
        Outcome::Lost(_) => " (the reply is lost)".to_owned(),
        Outcome::Cut => " (never arrives)".to_owned(),
    };
    format!("AWS {}:{} {}{who}{end}", entry.service, entry.operation, members.join(" "))
}

/// A value; of an ARN its last part.
fn short(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.starts_with("arn:") => text.rsplit('/').next().unwrap_or(text).to_owned(),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
