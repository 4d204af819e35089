//! The table of all members, as Markdown: `operations.md` beside the crate's manifest. Written anew with `LAUNCHWAY_WRITE=1`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use launchway_test_aws::model;

use crate::probes::{Verdict, verdicts};
use crate::scene::Scene;

const ABOUT: &str = "# What the AWS in memory does with every member of every request

Written by `LAUNCHWAY_WRITE=1 cargo test -p launchway-test-aws --test operations`, from the models of the SDKs and from what the simulator
does: each request is made with the member (and other values of it) and without, twice, and what can be seen then and ten minutes later is
compared. Of a member that holds others and has no effect by itself, it is what becomes of those.

* acts: something else is different as well, or the request is refused without it.
* shown: the member is shown again, and nothing else is different.
* only the default: AWS's default is taken, other values are refused with this code.
* no effect: nothing is different; why is told below the table.
* refused: with this code, by its own value or because the simulator does not play it.
* unknown: the whole operation is refused.

";

/// Why a member has no effect.
const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("codebuild:StartBuild", "artifactsOverride.packaging", "this build leaves no files, and a build does not show it"),
    (
        "codebuild:StartBuild",
        "secondaryArtifactsOverride[].packaging",
        "this build leaves no files, and a build does not show it",
    ),
    (
        "ecs:RunTask",
        "capacityProviderStrategy[].base",
        "all providers have room; with `Lack::Capacity` that of all of them counts",
    ),
    (
        "ecs:RunTask",
        "capacityProviderStrategy[].weight",
        "all providers have room; with `Lack::Capacity` that of all of them counts",
    ),
    (
        "ecs:RunTask",
        "networkConfiguration.awsvpcConfiguration.assignPublicIp",
        "it counts with `Lack::WayOut`; a task does not show it",
    ),
    (
        "ecs:RunTask",
        "networkConfiguration.awsvpcConfiguration.securityGroups",
        "they count with `Lack::SecurityGroup`; a task does not show them",
    ),
    ("ecs:RunTask", "referenceId", "nothing that is played shows it"),
    ("logs:GetLogEvents", "unmask", "it needs the right logs:Unmask; there is no data protection here"),
];

fn written() -> String {
    let scene = Scene::new();
    let mut text = ABOUT.to_owned();
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = String::new();
    let mut without_effect = Vec::new();
    for (service, operation) in
        model::operations().iter().flat_map(|(service, all)| all.iter().map(move |one| (*service, one)))
    {
        for (path, verdict) in verdicts(&scene, service, operation) {
            let (kind, words) = match verdict {
                Verdict::Acts => ("acts", "acts".to_owned()),
                Verdict::Shown => ("shown", "shown".to_owned()),
                Verdict::Default(code) => ("only the default", format!("only the default, otherwise {code}")),
                Verdict::Nothing => ("no effect", "no effect".to_owned()),
                Verdict::Refused(code) => ("refused", format!("refused: {code}")),
                Verdict::Unknown => ("unknown", "unknown".to_owned()),
            };
            if kind == "no effect" {
                without_effect.push((format!("{service}:{operation}"), path.clone()));
            }
            *sums.entry(kind).or_default() += 1;
            writeln!(rows, "| {service}:{operation} | `{path}` | {words} |").unwrap();
        }
    }
    let sums: Vec<String> = sums.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let head = "| operation | member | what becomes of it |\n| --- | --- | --- |\n";
    write!(text, "{}.\n\n{head}{rows}", sums.join(", ")).unwrap();
    let told: Vec<_> = WITHOUT_EFFECT.iter().map(|(of, path, _)| ((*of).to_owned(), (*path).to_owned())).collect();
    assert_eq!(without_effect, told, "why these have no effect is to be told, or they are to be acted on or refused");
    writeln!(text, "\nWithout effect:\n").unwrap();
    WITHOUT_EFFECT.iter().for_each(|(of, path, why)| writeln!(text, "* {of}, `{path}`: {why}.").unwrap());
    text
}

#[test]
fn the_committed_table_says_what_the_simulator_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("operations.md");
    let text = written();
    if std::env::var_os("LAUNCHWAY_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<&str> = text.lines().filter(|line| !committed.lines().any(|other| other == *line)).collect();
    assert!(committed == text, "write it anew with LAUNCHWAY_WRITE=1; these lines are new:\n{}", changed.join("\n"));
}
