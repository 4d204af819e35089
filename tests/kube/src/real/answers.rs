//! The Go programs of ours that answer each line of JSON with a line of JSON: built once for each state of their sources. What
//! they are asked is in the modules beside.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Say;
use super::golang::{Build, Cgo};

/// A program of ours, in `tests/kube/go/<name>`.
pub(super) struct Answers {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is built from: main.go, go.mod, go.sum.
    pub(super) sources: [&'static str; 3],
    /// What a person should expect of its first build.
    pub(super) takes: &'static str,
}

impl Answers {
    /// One answer for each question, in their order. The first call builds the program.
    pub(super) fn to<T: DeserializeOwned>(&self, questions: &[impl Serialize]) -> anyhow::Result<Vec<T>> {
        let lines = questions.iter().map(|question| Ok(serde_json::to_string(question)? + "\n"));
        let lines = lines.collect::<anyhow::Result<String>>()?;
        let output = answered(&self.program(&Say::default())?, lines)?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        answers.collect::<Result<Vec<T>, _>>().with_context(|| format!("{} answers what is not understood", self.name))
    }

    fn program(&self, say: &Say) -> anyhow::Result<PathBuf> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("go").join(self.name);
        let Self { name, takes, .. } = *self;
        let build = Build { name, module: &module, package: ".", tags: "", link: "-s -w", cgo: Cgo::Off, takes };
        build.once(&self.sources, say)
    }
}

fn answered(program: &Path, lines: String) -> anyhow::Result<Output> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let input = child.stdin.take().with_context(|| format!("{} has no standard input", program.display()))?;
    std::thread::scope(|scope| {
        // Beside the reading: both pipes are small. A program that stopped reading tells why on its standard error.
        scope.spawn(move || {
            let mut input = input;
            let _ = input.write_all(lines.as_bytes());
        });
        Ok(child.wait_with_output()?)
    })
}
