//! Scenarios: scripts in plain text, each with its transcript committed beside it. `UPDATE_SCENARIOS=1` writes the
//! transcripts anew; what changed is then read in the diff.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use launchway_tests::scenario::script::transcript;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Plays a script and compares what is told with what was told before.
fn play(name: &str) {
    let script = fs::read_to_string(folder().join(format!("{name}.txt"))).expect("a script");
    let told = transcript(&script);
    let path = folder().join(format!("{name}.out"));
    if std::env::var_os("UPDATE_SCENARIOS").is_some() {
        fs::write(&path, &told).expect("a folder that can be written to");
        return;
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        told == before,
        "{name} goes another way now (UPDATE_SCENARIOS=1 writes it down):\n{}",
        first_difference(&before, &told)
    );
}

fn first_difference(before: &str, now: &str) -> String {
    let lines = before.lines().zip(now.lines()).position(|(old, new)| old != new);
    let at = lines.unwrap_or_else(|| before.lines().count().min(now.lines().count()));
    let from = |text: &str| text.lines().skip(at.saturating_sub(2)).take(6).collect::<Vec<_>>().join("\n");
    format!("before, from line {}:\n{}\nnow:\n{}", at + 1, from(before), from(now))
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { play(stringify!($name)); })*

        #[test]
        fn every_script_is_played() {
            let played: BTreeSet<String> = [$(stringify!($name)),*].map(str::to_owned).into();
            let files = fs::read_dir(folder()).expect("the folder of scripts").filter_map(Result::ok);
            let scripts = files.filter_map(|file| file.file_name().to_str()?.strip_suffix(".txt").map(str::to_owned));
            assert_eq!(scripts.collect::<BTreeSet<_>>(), played);
        }
    };
}

scenarios!(
    by_hand,
    commit_statuses,
    deletion,
    drift,
    failing_build,
    failing_check,
    faulty_service,
    first_crashes,
    first_release,
    hanging_source,
    image_scan,
    images_of_another_ci,
    listed_images,
    lost_reply,
    newest,
    no_account,
    not_ours,
    old_commit,
    one_folder,
    queue,
    required_statuses,
    restart,
    retry,
    rolled_back,
    supersede,
    suspended,
    tags,
    two_images,
    unverified,
    values,
);

#[test]
fn a_script_goes_the_same_way_twice() {
    let script = fs::read_to_string(folder().join("rolled_back.txt")).expect("a script");
    assert_eq!(transcript(&script), transcript(&script));
}
