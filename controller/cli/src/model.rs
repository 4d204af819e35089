//! From objects to what `status` shows of them: pure. How it looks is decided elsewhere.

mod release;
mod service;
mod stage;
mod standing;

pub use release::{ReleaseView, newest_first};
pub use service::ServiceView;
pub use stage::StageView;
pub use standing::{Mark, Standing};

use crate::item::{Body, Item};
use launchway_crds::name::Branch;
use launchway_crds::pipeline::{PassedOver, PipelineStatus, Source, Tags};
use launchway_crds::{Pipeline, Release, Service};
use launchway_plan::reason::Reason;
use serde::Serialize;

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    pub pipelines: Vec<Item<Pipeline>>,
    pub releases: Vec<Item<Release>>,
    pub services: Vec<Item<Service>>,
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
pub struct Tree {
    pub pipelines: Vec<PipelineView>,
}

/// A Pipeline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineView {
    pub namespace: String,
    pub name: String,
    #[serde(flatten)]
    pub standing: Standing,
    pub branch: String,
    /// The newest head that was seen.
    pub head: String,
    /// The commit that the source is at, if it is not released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<PassedOver>,
    /// The status of the condition Released.
    pub released: String,
    /// Those at work, newest first, and the one that ended last.
    pub releases: Vec<ReleaseView>,
    pub stages: Vec<StageView>,
}

impl Tree {
    /// What was seen, as a tree: Pipelines by namespace and name.
    pub fn of(seen: &Seen) -> Self {
        let mut pipelines: Vec<PipelineView> = seen.pipelines.iter().map(|item| PipelineView::of(item, seen)).collect();
        pipelines.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        Self { pipelines }
    }
}

impl PipelineView {
    fn of(item: &Item<Pipeline>, seen: &Seen) -> Self {
        let releases = release::of_pipeline(&item.namespace, &item.name, &seen.releases);
        match &item.body {
            Ok(body) => Self {
                stages: stage::of_pipeline(item, body, &seen.releases, &seen.services),
                ..Self::of_body(item, body, releases)
            },
            Err(member) => Self::empty(item, Standing::unreadable(member), releases),
        }
    }

    fn of_body(item: &Item<Pipeline>, body: &Body<Pipeline>, releases: Vec<ReleaseView>) -> Self {
        let Source { git, code_commit, image, webhook: _ } = &body.spec.source;
        let of_git = git.as_ref().map(|git| followed(git.branch.as_ref(), git.tags.as_ref()));
        let of_code_commit = code_commit.as_ref().map(|source| followed(source.branch.as_ref(), source.tags.as_ref()));
        let of_images = image.as_ref().map(|_| "images".to_owned());
        let branch = of_git.or(of_code_commit).or(of_images).unwrap_or_default();
        let Some(status) = &body.status else {
            return Self { branch, ..Self::empty(item, Standing::not_seen(), releases) };
        };
        let head = status.heads.iter().max_by_key(|head| head.number);
        Self {
            branch,
            head: head.map(|head| head.commit.to_string()).unwrap_or_default(),
            passed_over: passed_over(status),
            released: standing::answer(&status.conditions, "Released"),
            ..Self::empty(item, Standing::of(&status.conditions, status.summary.as_ref()), releases)
        }
    }

    fn empty(item: &Item<Pipeline>, standing: Standing, releases: Vec<ReleaseView>) -> Self {
        Self {
            namespace: item.namespace.clone(),
            name: item.name.clone(),
            standing,
            branch: String::new(),
            head: String::new(),
            passed_over: None,
            released: String::new(),
            releases,
            stages: Vec::new(),
        }
    }
}

/// What is followed, in a word or two.
fn followed(branch: Option<&Branch>, tags: Option<&Tags>) -> String {
    let of_tags = |tags: &Tags| {
        let pattern = tags.pattern.as_ref().map_or("*", |pattern| pattern.as_str());
        let range = tags.semver.as_ref().map(|range| format!(" {range}")).unwrap_or_default();
        format!("tags {pattern}{range}")
    };
    branch.map(ToString::to_string).or_else(|| tags.map(of_tags)).unwrap_or_default()
}

/// The commit that the source is at, if it is not released: the one that the condition speaks of.
fn passed_over(status: &PipelineStatus) -> Option<PassedOver> {
    let said = status.conditions.iter().find(|one| one.type_ == "SourceReady")?;
    let is_meant = |one: &&PassedOver| said.message.contains(one.commit.short());
    status.passed_over.iter().filter(|_| said.reason == Reason::PassedOver.as_str()).find(is_meant).cloned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_commit_that_the_source_is_at_is_shown_as_passed_over() {
        let time = "2026-11-21T10:00:00Z";
        let [first, last] = ["a", "b"].map(|digit| digit.repeat(40));
        let one = |commit: &str| {
            json!({"commit": commit, "reason": "SkipWord", "message": "its message has WIP", "seenAt": time,
                "judgedBy": "0123456789abcdef"})
        };
        for (reason, of, shown) in
            [("PassedOver", &first, Some(&first)), ("PassedOver", &last, Some(&last)), ("Succeeded", &last, None)]
        {
            let message =
                format!("the head of branch main of https://git.example.com was read; its commit {}", &of[..12]);
            let source = json!({"type": "SourceReady", "status": "True", "reason": reason, "message": message,
                "lastTransitionTime": time});
            let status = json!({"conditions": [source], "passedOver": [one(&first), one(&last)]});
            let status: PipelineStatus = serde_json::from_value(status).unwrap();
            let seen = passed_over(&status).map(|one| one.commit.to_string());
            assert_eq!(seen.as_ref(), shown, "{reason} {of}");
        }
    }

    #[test]
    fn tags_are_named_as_they_are_written() {
        let of = |tags| followed(None, Some(&serde_json::from_value::<Tags>(tags).unwrap()));
        assert_eq!(of(json!({"semver": ">=1.0.0"})), "tags * >=1.0.0");
        assert_eq!(of(json!({"pattern": "web/v*"})), "tags web/v*");
        assert_eq!(followed(Some(&"main".into()), None), "main");
    }
}
