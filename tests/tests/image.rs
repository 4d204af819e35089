//! The image itself: made of this source, unpacked into an empty root, looked at, and run there as a Pod would run it, until a
//! commit is a rollout.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use launchway_image::arch::Arch;
use launchway_image::audit::{Kind, crates};
use launchway_image::{Elf, Make, table, target, workspace};
use launchway_tests::quickstart::pod::Pod;
use launchway_tests::quickstart::{Options, Parts, Program, first_release};

/// Half a minute on two idle cores.
const DEADLINE: Duration = Duration::from_secs(300);

/// Everything below the root, with what it is, whose, and for whom.
const FILES: [&str; 5] = [
    "drwxr-xr-x etc",
    "drwxr-xr-x etc/ssl",
    "drwxr-xr-x etc/ssl/certs",
    "-rw-r--r-- etc/ssl/certs/ca-certificates.crt",
    "-rwxr-xr-x launchway",
];

/// What chooses the profile that the image is compiled with. Absent: the one that compiles fastest, because the files, the user and
/// the work are the same with each. What is shipped is `small`.
const PROFILE: &str = "IMAGE_PROFILE";

/// The image for this machine; the first time it compiles for minutes. It goes into a folder of its own, apart from what a person
/// makes with `cargo image`, and what is compiled is shared with that.
fn layout() -> PathBuf {
    let workspace = workspace().unwrap();
    let (target, arches) = (target(&workspace), [Arch::of_this_machine().unwrap()]);
    let output = target.join("image/test");
    let profile = std::env::var(PROFILE).unwrap_or_else(|_| "quick".to_owned());
    let make = Make { workspace: &workspace, target: &target, arches: &arches, profile: &profile, source: None };
    let made = make.write_into(&output);
    println!("{}", table(&made.unwrap()));
    Make::layout(&output)
}

fn listed(root: &Path, below: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let data = path.symlink_metadata().unwrap();
        let kind = match data.mode() & 0o777 {
            0o755 if data.is_dir() => "drwxr-xr-x",
            0o755 if data.is_file() => "-rwxr-xr-x",
            0o644 if data.is_file() => "-rw-r--r--",
            other => panic!("{} has the mode {other:o}", path.display()),
        };
        all.insert(format!("{kind} {}", path.strip_prefix(root).unwrap().display()));
        if data.is_dir() {
            all.extend(listed(root, &path));
        }
    }
    all
}

/// No shell and no loader, because there is nothing but this; and the program needs neither and says what it is made of.
fn looked_at(root: &Path) {
    let by_name = |line: &String| line.split_once(' ').unwrap().1.to_owned();
    let found: Vec<String> = listed(root, root).into_iter().collect();
    let mut sorted = found.clone();
    sorted.sort_by_key(by_name);
    assert_eq!(sorted, FILES);
    let program = std::fs::read(root.join("launchway")).unwrap();
    let elf = Elf::read(&program).unwrap();
    assert!(elf.is_static());
    assert_eq!(elf.arch().unwrap(), Arch::of_this_machine().unwrap());
    let made_of = crates(&program).unwrap();
    let has = |name: &str| made_of.iter().any(|one| one.name == name && one.kind == Kind::Runtime);
    assert!(["launchway", "launchway-plan", "kube", "aws-sdk-ecs", "rustls"].into_iter().all(has));
    assert!(!has("launchway-tests"));
    let text = String::from_utf8_lossy(&program);
    let own = workspace().unwrap();
    let home = std::env::var("HOME").unwrap();
    for folder in [own.to_str().unwrap(), &format!("{home}/.cargo")] {
        assert!(!text.contains(folder), "{folder} is in the program");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_image_has_two_files_and_takes_a_commit_to_a_rollout_in_an_empty_root() {
    let layout = tokio::task::spawn_blocking(layout).await.unwrap();
    looked_at(Pod::unpack(&layout).unwrap().root());

    let program = Program::Image(layout);
    let parts = Parts::start(Options { program, ..Options::default() }).await.unwrap();
    let process = parts.process().unwrap();
    assert_ne!(process.user, 0, "the controller runs as root");
    assert_ne!(process.root, Path::new("/"), "the controller sees this machine's files");
    let began = Instant::now();
    let released = parts.unless_ended(async {
        parts.apply_sample().await?;
        first_release(&parts, &parts.head()?).await
    });
    tokio::time::timeout(DEADLINE, released).await.expect("the release ends in time").unwrap();
    let resident = parts.process().unwrap().resident;
    println!(
        "a commit was a rollout after {:.1} s; the controller holds {resident} MiB",
        began.elapsed().as_secs_f32()
    );
}
