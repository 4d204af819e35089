//! What Helm would install of a chart, and what its linter would say: asked of Helm's own packages (a Go program of ours around
//! them), not imitated here.

use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answers::Answers;

const PROGRAM: Answers = Answers {
    name: "helm",
    sources: [
        include_str!("../../go/helm/main.go"),
        include_str!("../../go/helm/go.mod"),
        include_str!("../../go/helm/go.sum"),
    ],
    takes: "about 1 min on two cores",
};

/// A chart, and how it would be installed.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart<'a> {
    /// Its folder.
    pub chart: &'a Path,
    /// The release's name.
    pub release: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
    /// The version of the cluster, such as `v1.32.0`.
    pub kube_version: &'a str,
    /// What is given in place of the chart's own values.
    pub values: &'a Value,
}

/// What a chart installs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The objects, file by file.
    pub objects: Vec<Value>,
    /// What a person sees after the installation.
    pub notes: String,
}

#[derive(Serialize)]
struct Question<'a> {
    r#do: &'static str,
    #[serde(flatten)]
    chart: Chart<'a>,
}

#[derive(Deserialize)]
struct Answer {
    objects: Option<Vec<Value>>,
    notes: String,
    findings: Option<Vec<String>>,
    error: String,
}

impl Chart<'_> {
    /// What `helm install` would send. Needs no cluster. The first call builds the program.
    ///
    /// # Errors
    /// Helm's own words: values that the schema refuses, a template that fails or names a value which is not there; or the
    /// program cannot be built.
    pub fn render(self) -> anyhow::Result<Rendered> {
        let answer = self.asked("render")?;
        Ok(Rendered { objects: answer.objects.unwrap_or_default(), notes: answer.notes })
    }

    /// What `helm lint --strict` would count as a fault; of what a template itself refuses it says nothing.
    ///
    /// # Errors
    /// The values cannot be read, or the program cannot be built.
    pub fn lint(self) -> anyhow::Result<Vec<String>> {
        Ok(self.asked("lint")?.findings.unwrap_or_default())
    }

    fn asked(self, r#do: &'static str) -> anyhow::Result<Answer> {
        let answers: Vec<Answer> = PROGRAM.to(&[Question { r#do, chart: self }])?;
        let answer = answers.into_iter().next().context("helm does not answer")?;
        if !answer.error.is_empty() {
            bail!("{}", answer.error.trim());
        }
        Ok(answer)
    }
}
