//! What stands for `$(…)` in the environment of a build.

use super::message;
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::release::{BuildSeen, Observed};
use crate::samples::codebuild::{Reply, World};
use crate::samples::{COMMIT, OTHER, fault, time};
use crate::start::build::TIMES;
use crate::world::BuildStatus;
use launchway_crds::release::{ReleasePhase, ReleaseReason};
use serde_json::{Value, json};

/// A Release whose build gets these values as V0, V1 and so on, and whose check `unit` exports VERSION.
fn world(values: &[&str]) -> World {
    let mut world = World::new();
    let variables: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(number, value)| json!({"name": format!("V{number}"), "value": value}))
        .collect();
    world.changes = json!({
        "checks": [{"name": "unit", "codeBuild": {"project": "unit"}}],
        "build": {"codeBuild": {"project": "web-build", "environment": variables}},
    });
    world.exports =
        vec![("VERSION".to_owned(), "1.2.3".to_owned()), ("TOKEN".to_owned(), "nobodys-business".to_owned())];
    world
}

/// What the last build that was started got as V0, V1 and so on.
fn got(world: &World) -> Vec<&str> {
    let environment = world.environments.last().unwrap();
    environment.iter().filter(|one| one.name.starts_with('V')).map(|one| one.value.as_str()).collect()
}

fn words(world: &World) -> String {
    serde_json::to_string(&world.status).unwrap()
}

#[test]
fn a_value_says_what_is_known_of_the_release() {
    let mut world = world(&[
        "$(commit)",
        "v-$(shortCommit)",
        "$(shortCommit:12)!",
        "$(branch)",
        "$(release)",
        "$(pipeline)/$(namespace)",
        "$$(commit) costs $5 $$",
        "$HOME ${X} $(x",
    ]);
    world.run(60);
    let short = |digits: usize| &COMMIT[..digits];
    assert_eq!(
        got(&world),
        [
            COMMIT,
            &format!("v-{}", short(7)),
            &format!("{}!", short(12)),
            "main",
            "web-1",
            "web/shop",
            "$(commit) costs $5 $$",
            "$HOME ${X} $(x",
        ]
    );
}

#[test]
fn a_tag_says_itself_and_no_branch() {
    let mut world = world(&["$(branch)$(gitTag)"]);
    world.changes["source"] =
        json!({"git": {"url": "https://git.example.com/web.git", "branch": null, "tags": {"semver": "1.x"}}});
    world.release.spec.git_tag = Some("v1.2.3".into());
    world.run(60);
    assert_eq!(got(&world), ["v1.2.3"]);
}

#[test]
fn a_persons_release_has_the_tag_that_the_pipeline_knows_and_without_one_it_says_so() {
    let manual = |heads: Value| {
        let mut world = world(&["$(gitTag)"]);
        (world.release.spec.number, world.release.spec.reason) = (None, ReleaseReason::Manual);
        world.pipeline = json!({"observedGeneration": 1, "building": ["web-1"], "heads": heads});
        world.run(60);
        world
    };
    let head = |commit: &str| json!([{"ref": "refs/tags/v1.2.3", "commit": commit, "number": 1, "seenAt": time(0)}]);
    assert_eq!(got(&manual(head(COMMIT))), ["v1.2.3"]);
    for heads in [head(OTHER), json!([])] {
        let world = manual(heads);
        let told = message(&world);
        assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Failed), 1), "{told}");
        assert!(told.contains("no tag is known but the newest"), "{told}");
    }
    let mut checks = world(&[]);
    (checks.release.spec.number, checks.release.spec.reason) = (None, ReleaseReason::Manual);
    checks.changes["checks"][0]["codeBuild"]["environment"] = json!([{"name": "V", "value": "v$(gitTag)"}]);
    checks.run(60);
    assert_eq!((checks.environments[0][0].value.as_str(), checks.status.images.len()), ("v", 1));
}

#[test]
fn the_build_gets_what_a_check_exported_and_nothing_else_of_it_is_recorded() {
    let mut world = world(&["v$(steps.unit.VERSION)", "$(steps.unit.VERSION)-$(shortCommit)"]);
    world.run(60);
    assert_eq!(got(&world), ["v1.2.3".to_owned(), format!("1.2.3-{}", &COMMIT[..7])]);
    assert_eq!(
        serde_json::to_value(&world.status.steps[0].variables).unwrap(),
        json!([{"name": "VERSION", "value": "1.2.3"}])
    );
    assert!(!words(&world).contains("nobodys-business"));
    let shown = format!("{:?}", world.builds);
    assert!(!shown.contains("nobodys-business") && !shown.contains("1.2.3"), "{shown}");
}

#[test]
fn a_lost_reply_is_asked_for_again_with_the_same_values() {
    let mut world = world(&["$(steps.unit.VERSION)"]);
    world.replies = vec![Reply::Comes, Reply::Vanishes];
    world.run(60);
    assert_eq!((got(&world), world.builds.len(), world.status.images.len()), (vec!["1.2.3"], 2, 1));
    let (check, build) = (&world.builds[0].1, &world.builds[1].1);
    let repeated = check.ended_at.unwrap() + jiff::SignedDuration::from_secs(TIMES.repeats);
    assert!(
        build.started_at < repeated,
        "with other values it would be another call, which begins once the first has expired"
    );
}

#[test]
fn a_variable_that_no_check_exports_fails_the_release_and_says_what_mends_it() {
    for (value, part) in [
        ("$(steps.unit.VERSIN)", "exported no such variable"),
        ("$(steps.unit.LONG)", "more than 255 bytes as JSON"),
        ("$(steps.unit.EMPTY)", "exported it empty"),
    ] {
        let mut world = world(&[value]);
        world.exports.push(("EMPTY".to_owned(), String::new()));
        world.exports.push(("LONG".to_owned(), "x".repeat(256)));
        world.run(60);
        let told = message(&world);
        assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Failed), 1), "{told}");
        assert!(told.contains(value) && told.contains(part), "{told}");
        assert!(!words(&world).contains("xxxx"), "{told}");
    }
}

#[test]
fn an_image_that_is_there_needs_no_variable() {
    let mut world = world(&["$(steps.unit.VERSIN)"]);
    world.image = Some(crate::samples::codebuild::yesterdays());
    world.run(60);
    assert_eq!((world.builds.len(), world.status.images.len()), (1, 1), "{}", message(&world));
}

#[test]
fn a_variable_that_codebuild_shows_late_is_waited_for() {
    let mut world = world(&["$(steps.unit.VERSION)"]);
    let late = std::mem::take(&mut world.exports);
    world.until(|world| world.builds.first().is_some_and(|(_, build)| build.status == BuildStatus::Succeeded));
    world.pass();
    assert_eq!(world.builds.len(), 1);
    world.builds[0].1.exported.extend(late.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    world.run(60);
    assert_eq!((got(&world), world.builds.len()), (vec!["1.2.3"], 2), "{}", message(&world));
}

/// The same as the world shows, but that the check's build is seen as this.
fn but(world: &World, seen: Looked<Option<crate::world::LiveBuild>>) -> Observed {
    let mut observed = world.observe();
    observed.builds.insert("unit".to_owned(), BuildSeen::Known(seen));
    observed
}

#[test]
fn a_check_whose_build_cannot_be_seen_keeps_the_build_waiting_and_one_that_is_gone_for_good_fails_it() {
    let mut world = world(&["$(steps.unit.VERSION)"]);
    let exports = std::mem::take(&mut world.exports);
    world.until(|world| {
        world.status.steps.first().is_some_and(|step| step.phase == launchway_crds::release::StepPhase::Succeeded)
    });
    let denied = but(&world, Looked::Blind(fault("AccessDenied", Remedy::AskOperator)));
    // The finalizer goes first, because nothing is at work.
    world.pass_with(&denied);
    let (state, _) = world.pass_with(&denied);
    assert!(message(&world).contains("is denied"), "{}: {:?}", message(&world), state.steps);
    let hidden = but(&world, Looked::Seen(None));
    world.pass_with(&hidden);
    assert_eq!(world.status.phase, Some(ReleasePhase::Active), "{}", message(&world));
    let mut later = world.clone();
    later.wait(1200);
    let gone = but(&later, Looked::Seen(None));
    later.pass_with(&gone);
    let gone = but(&later, Looked::Seen(None));
    later.pass_with(&gone);
    assert_eq!(later.status.phase, Some(ReleasePhase::Failed));
    assert!(message(&later).contains("no longer shows build"), "{}", message(&later));
    world.exports = exports;
}

#[test]
fn another_releases_build_says_nothing() {
    let mut world = world(&["$(steps.unit.VERSION)"]);
    let exports = std::mem::take(&mut world.exports);
    world.until(|world| {
        world.status.steps.first().is_some_and(|step| step.phase == launchway_crds::release::StepPhase::Succeeded)
    });
    world.builds[0].1.exported.extend(exports.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    world.builds[0].1.marker = Some("another/unit/1".into());
    world.run(60);
    assert!(world.status.steps[0].variables.is_empty() && world.builds.len() == 1);
    assert!(message(&world).contains("is not one that this Release started"), "{}", message(&world));
}

#[test]
fn what_no_check_can_give_is_refused_before_anything_runs() {
    let refusal = |changes: Value| {
        let mut world = world(&[]);
        world.changes = changes;
        world.run(60);
        assert!(world.builds.is_empty());
        message(&world)
    };
    let environment = |value: &str| json!([{"name": "V", "value": value}]);
    let unit = json!({"name": "unit", "codeBuild": {"project": "unit"}});
    let build = |environment: Value| json!({"codeBuild": {"project": "web-build", "environment": environment}});
    let none = refusal(json!({"checks": [unit], "build": build(environment("$(steps.unti.V)"))}));
    assert!(none.contains("spec.build.codeBuild.environment: $(steps.unti.V): there is no check unti"), "{none}");
    let own = json!({"name": "own", "codeBuild": {"project": "unit", "environment": environment("$(steps.unit.V)")}});
    let aside = refusal(json!({"checks": [unit, own], "build": build(json!([]))}));
    assert!(aside.contains("spec.checks[own].codeBuild.environment: checks run side by side"), "{aside}");
    let scan = json!({"name": "keys", "codeBuild": {"project": "unit"}, "scan": {"secrets": {}}});
    let ready = refusal(json!({"checks": [scan], "build": build(environment("$(steps.keys.V)"))}));
    assert!(ready.contains("check keys is a ready-made one, which exports nothing"), "{ready}");
    let many: String = (0..11).map(|number| format!("$(steps.unit.V{number})")).collect();
    let many = refusal(json!({"checks": [unit], "build": build(environment(&many))}));
    assert!(many.contains("gets 11 variables of checks, and at most 10"), "{many}");
    let own = refusal(json!({"checks": [unit], "build": build(environment("$(steps.build.V)"))}));
    assert!(own.contains("what the build exports goes to no other step"), "{own}");
    for word in [
        "date",
        "Commit",
        "shortCommit:6",
        "shortCommit:41",
        "steps.unit",
        "steps.unit.1",
        "steps..V",
        "steps.unit.A-B",
    ] {
        let told = refusal(json!({"checks": [unit], "build": build(environment(&format!("a$({word})")))}));
        let field = "spec.build.codeBuild.environment[V].value: $(";
        assert!(told.contains(&format!("{field}{word}) is none of $(commit)")), "{word}: {told}");
    }
    let word = Refusal::Value { field: String::new(), why: String::new() };
    assert_eq!(word.reason(), Reason::InvalidSpec);
}
