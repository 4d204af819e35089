//! Sabotages: what the crash search must find, or it would find nothing. Each is a patch beside the tests that takes one
//! of the habits away by which effects are made exactly once (docs/effects.md). All are built into one program, from a
//! copy of the repository under `target`; the product itself knows nothing of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::build;
use crate::shape::repository;
use crate::story::STORIES;

/// A sabotage.
#[derive(Clone, Copy, Debug)]
pub struct Sabotage {
    /// Its name, and its patch's.
    pub name: &'static str,
    /// What it does, in a few words.
    pub what: &'static str,
    /// The story that is searched first.
    pub story: &'static str,
}

/// All of them.
pub const SABOTAGES: [Sabotage; 14] = [
    Sabotage { name: "search-skipped", what: "a build in doubt is not searched for", story: "first release" },
    Sabotage { name: "intended-after-the-call", what: "intend after the call", story: "first release" },
    Sabotage { name: "any-version-overwritten", what: "PUT without resourceVersion", story: "rolled back by ECS" },
    Sabotage { name: "token-from-generation", what: "token from generation", story: "edited during a check" },
    Sabotage { name: "attempt-grows", what: "an attempt that grows wrongly", story: "failing build" },
    Sabotage { name: "grant-unchecked", what: "grant check removed", story: "manual release" },
    Sabotage { name: "not-waited-for", what: "effects on ECS not waited for", story: "rich services" },
    Sabotage { name: "effect-forgotten", what: "the memory of an update erased", story: "rich services" },
    Sabotage { name: "meaning-wobbles", what: "a meaning that wobbles", story: "first release" },
    Sabotage { name: "member-added", what: "a member added that changes every meaning", story: "upgrade" },
    Sabotage { name: "back-off-ignored", what: "every wake asks again", story: "a right that is missing" },
    Sabotage { name: "deadline-unchecked", what: "the lease's deadline unchecked", story: "first release" },
    Sabotage {
        name: "refusal-recorded",
        what: "a commit status recorded that the host did not take",
        story: "commit statuses",
    },
    Sabotage { name: "absent-as-empty", what: "an absent list sent as an empty one", story: "handed over" },
];

/// The patch that gives the program its switch; it comes first.
const SWITCH: &str = "switch";
/// The variable that the switch reads.
const VARIABLE: &str = "SABOTAGE";
/// What of the repository is copied: all that the search's program is made of.
const COPIED: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "crds", "controller", "tests", "charts", "docs"];
/// The packages of the copy that take long to compile. They are not optimised: to find a sabotage then takes about a minute, beside
/// the search itself, and to compile them two.
const OWN: [&str; 7] = [
    "launchway",
    "launchway-cloud",
    "launchway-crds",
    "launchway-plan",
    "launchway-test-aws",
    "launchway-test-kube",
    "launchway-tests",
];
/// What the search's program is called, and what it is called in the copy, so that it never stands in for the other.
const RENAMED: [&str; 2] = ["tests/src/bin/crash-search.rs", "tests/src/bin/sabotaged-search.rs"];

/// The search's program with all sabotages in it, of which none is switched on.
pub struct Sabotaged(PathBuf);

impl Sabotaged {
    /// Builds it: a minute or two, if anything has changed.
    ///
    /// # Errors
    /// A patch does not apply any more, or the copy cannot be written or built.
    pub fn build() -> anyhow::Result<Sabotaged> {
        let root = repository().canonicalize().context("finding the repository")?;
        let target = build::target(&root);
        let copy = target.join("sabotaged");
        let work = tempfile::tempdir().context("making a folder for the copy")?;
        for part in COPIED {
            copied(&root.join(part), &work.path().join(part)).with_context(|| format!("copying {part}"))?;
        }
        let [name, other] = RENAMED;
        fs::rename(work.path().join(name), work.path().join(other)).with_context(|| format!("renaming {name}"))?;
        for patch in [SWITCH].into_iter().chain(SABOTAGES.iter().map(|sabotage| sabotage.name)) {
            apply(&root.join(format!("tests/sabotages/{patch}.patch")), work.path())?;
        }
        settle(work.path(), &copy).context("writing the copy")?;
        let unoptimised: Vec<String> =
            OWN.iter().map(|name| format!("--config=profile.dev.package.{name}.opt-level=0")).collect();
        let selection: Vec<&str> =
            ["--bin", "sabotaged-search"].into_iter().chain(unoptimised.iter().map(String::as_str)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(build::program(&copy, &target, &selection)).map(Sabotaged)
    }

    /// The first harm that the search finds with this sabotage, in its own words; none: nothing catches it.
    ///
    /// # Errors
    /// The program does not run.
    pub fn caught(&self, sabotage: &Sabotage) -> anyhow::Result<Option<String>> {
        let others = STORIES.iter().map(|story| story.name).filter(|name| *name != sabotage.story);
        let stories = [sabotage.story].into_iter().chain(others).flat_map(|story| ["--story", story]);
        let output = Command::new(&self.0)
            .arg("--first")
            .args(stories)
            .env(VARIABLE, sabotage.name)
            .output()
            .with_context(|| format!("{} does not run", self.0.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match (output.status.success(), said.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => Ok(Some(said)),
            (true, false) | (false, true) => {
                bail!("the search of {} ended oddly: {}", sabotage.name, String::from_utf8_lossy(&output.stderr))
            }
        }
    }
}

fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copied(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn apply(patch: &Path, folder: &Path) -> anyhow::Result<()> {
    let output = Command::new("git")
        .args([OsStr::new("apply"), patch.as_os_str()])
        .current_dir(folder)
        .output()
        .context("git does not start")?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    bail!("{} does not apply any more: write it again for the code as it is now: {}", patch.display(), why.trim())
}

/// Makes `copy` what `work` is. What is equal is left alone, so that cargo builds only what has changed.
fn settle(work: &Path, copy: &Path) -> std::io::Result<()> {
    let (new, old) = (files(work, work)?, if copy.exists() { files(copy, copy)? } else { BTreeMap::new() });
    for (path, from) in &new {
        let content = fs::read(from)?;
        if old.get(path).map(fs::read).transpose()?.as_ref() == Some(&content) {
            continue;
        }
        let to = copy.join(path);
        fs::create_dir_all(to.parent().unwrap_or(copy))?;
        fs::write(to, content)?;
    }
    old.iter().filter(|(path, _)| !new.contains_key(*path)).try_for_each(|(_, gone)| fs::remove_file(gone))
}

/// Every file of `folder`, by its path from `root`.
fn files(root: &Path, folder: &Path) -> std::io::Result<BTreeMap<PathBuf, PathBuf>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(root, &path)?);
        } else {
            all.insert(path.strip_prefix(root).map(Path::to_owned).unwrap_or_default(), path);
        }
    }
    Ok(all)
}
