//! The sample repository: a greeter in Python, with three kinds of changes. What becomes of a commit is told by its
//! files alone; nothing is built or run here.

use super::File;

/// The greeter as it begins: it builds, and it runs.
pub fn files() -> Vec<File> {
    vec![
        File::new("README.md", include_str!("../../sample/README.md")),
        File::new("Dockerfile", include_str!("../../sample/Dockerfile")),
        File::new("buildspec.yml", include_str!("../../sample/buildspec.yml")),
        File::program("test.sh", include_str!("../../sample/test.sh")),
        File::new("app/server.py", include_str!("../../sample/app/server.py")),
        File::new(SETTINGS, include_str!("../../sample/app/settings.json")),
    ]
}

const SETTINGS: &str = "app/settings.json";

/// A change that says something else: it is built and runs.
pub fn greeting(greeting: &str) -> Vec<File> {
    let greeting = serde_json::Value::from(greeting);
    vec![File::new(SETTINGS, &format!("{{\n  \"greeting\": {greeting},\n  \"port\": 5000\n}}\n"))]
}

/// A change whose test fails, so that its build does.
pub fn failing_test() -> Vec<File> {
    greeting("")
}

/// A change that builds, and whose service stops as soon as it starts.
pub fn crash_looping() -> Vec<File> {
    vec![File::new(SETTINGS, "{\n  \"greeting\": \"Good evening\"\n}\n")]
}

/// What becomes of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It builds and runs.
    Runs,
    /// Its build ends in the phase `phase` (as CodeBuild names it) with `code` and `message`, after `log`.
    BuildFails {
        /// `DOWNLOAD_SOURCE` or `BUILD`.
        phase: &'static str,
        /// `YAML_FILE_ERROR` or `COMMAND_EXECUTION_ERROR`.
        code: &'static str,
        /// What CodeBuild says of the phase.
        message: String,
        /// What was printed.
        log: Vec<String>,
    },
    /// It builds, and each of its tasks ends at once.
    Crashes {
        /// The exit code of the container.
        exit_code: i32,
        /// What it printed.
        log: Vec<String>,
    },
}

/// What becomes of the commit whose files `read` reads.
pub fn outcome(read: impl Fn(&str) -> Option<String>) -> Outcome {
    let Some(buildspec) = read("buildspec.yml").filter(|text| text.contains("version:") && text.contains("phases:"))
    else {
        return no_buildspec();
    };
    let settings = read(SETTINGS).unwrap_or_default();
    if buildspec.contains("./test.sh") && read("test.sh").is_some() && !has_greeting(&settings) {
        return test_fails();
    }
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap_or_default();
    match settings.get("port") {
        Some(_) => Outcome::Runs,
        None => Outcome::Crashes { exit_code: 1, log: vec!["settings.json: there is no port".into()] },
    }
}

/// The same question as `test.sh` asks, in its own way: by the text, not by the JSON.
fn has_greeting(settings: &str) -> bool {
    settings.lines().any(|line| {
        let value = line.split_once("\"greeting\":").map(|(_, rest)| rest.trim_start_matches(' '));
        let value = value.and_then(|rest| rest.strip_prefix('"')).and_then(|rest| rest.split_once('"'));
        value.is_some_and(|(value, _)| !value.is_empty())
    })
}

fn no_buildspec() -> Outcome {
    Outcome::BuildFails {
        phase: "DOWNLOAD_SOURCE",
        code: "YAML_FILE_ERROR",
        message: "YAML file does not exist or cannot be read: buildspec.yml".into(),
        log: vec![],
    }
}

fn test_fails() -> Outcome {
    Outcome::BuildFails {
        phase: "BUILD",
        code: "COMMAND_EXECUTION_ERROR",
        message: "Error while executing command: ./test.sh. Reason: exit status 1".into(),
        log: vec!["Running command ./test.sh".into(), "FAIL app/settings.json: the greeting is empty".into()],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use super::*;

    fn after(change: Vec<File>) -> BTreeMap<String, String> {
        let all = files().into_iter().chain(change);
        all.map(|file| (file.path, file.text.unwrap_or_default())).collect()
    }

    fn told(files: &BTreeMap<String, String>) -> Outcome {
        outcome(|path| files.get(path).cloned())
    }

    /// Whether the real `test.sh` passes over these files.
    fn tested(files: &BTreeMap<String, String>) -> bool {
        let dir = tempfile::tempdir().expect("a directory");
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        Command::new("sh").arg(dir.path().join("test.sh")).output().expect("sh").status.success()
    }

    #[test]
    fn each_change_ends_as_it_says() {
        assert_eq!(told(&after(vec![])), Outcome::Runs);
        assert_eq!(told(&after(greeting("Ahoy"))), Outcome::Runs);
        assert!(matches!(told(&after(failing_test())), Outcome::BuildFails { phase: "BUILD", .. }));
        assert!(matches!(told(&after(crash_looping())), Outcome::Crashes { exit_code: 1, .. }));
        assert!(matches!(told(&BTreeMap::new()), Outcome::BuildFails { phase: "DOWNLOAD_SOURCE", .. }));
    }

    #[test]
    fn the_real_test_agrees() {
        for change in [vec![], greeting("Ahoy"), failing_test(), crash_looping()] {
            let files = after(change);
            let fails = matches!(told(&files), Outcome::BuildFails { .. });
            assert_eq!(tested(&files), !fails, "{}", files[SETTINGS]);
        }
    }
}
