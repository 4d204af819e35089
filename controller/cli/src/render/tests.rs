use super::*;
use crate::model::Seen;
use crate::samples;
use crate::text::{Colours, Line, painted};

fn shown(lines: &[Line]) -> String {
    lines.iter().map(|line| painted(line, Colours::Hidden).trim_end().to_owned() + "\n").collect()
}

fn tree(seen: &Seen) -> String {
    let scope = Scope::Namespace("shop".to_owned());
    shown(&lines(&entries(&Tree::of(seen), &scope), samples::now()))
}

#[test]
fn a_pipeline_at_work_says_where_its_commit_is_and_who_waits() {
    assert_eq!(tree(&samples::at_work()), include_str!("../samples/at-work.txt"));
}

#[test]
fn a_failed_rollout_says_why_tasks_stopped_and_a_service_that_is_missing_is_named() {
    assert_eq!(tree(&samples::failed()), include_str!("../samples/failed.txt"));
}

#[test]
fn a_pipeline_that_cannot_be_read_is_shown_as_that() {
    let odd = serde_json::json!({"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"source": 1}});
    let seen = Seen { pipelines: vec![samples::item(&odd)], releases: Vec::new(), services: Vec::new() };
    let words = "✗ pipeline/odd  Unreadable\n    spec.source holds a value that cannot be read\n";
    assert_eq!(tree(&seen), words);
}

#[test]
fn everywhere_namespaces_are_named_and_changes_name_the_way_to_what_changed() {
    let entries = entries(&Tree::of(&samples::at_work()), &Scope::Everywhere);
    let lines: Vec<Line> = flat(&entries).into_iter().map(|(_, line)| line).collect();
    assert_eq!(shown(&lines), include_str!("../samples/flat.txt"));
}
