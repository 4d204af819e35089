//! The parts of the documents that are written from the code: each stands between two marks. Prose is not touched.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use launchway_plan::reason::{ConditionType, Reason};
use launchway_plan::start::build::Run;
use launchway_plan::start::build::remedy::{EXAMPLES, remedy};

use crate::dashboard;

/// A part of a document that is written from the code.
#[derive(Clone, Debug)]
pub struct Part {
    /// The document, in the repository.
    pub document: &'static str,
    /// What its marks call it.
    pub name: &'static str,
    /// What stands between them.
    pub text: String,
}

/// Every part but the table of `cargo shape`, which changes with every commit.
pub fn parts() -> Vec<Part> {
    vec![
        Part { document: "docs/conditions.md", name: "conditions", text: conditions() },
        Part { document: "docs/conditions.md", name: "reasons", text: reasons() },
        Part { document: "docs/build-failures.md", name: "remedies", text: remedies() },
        Part { document: "docs/services.md", name: "members", text: crate::members::table() },
        Part { document: "docs/install.md", name: "values", text: crate::values::table() },
        Part { document: "docs/real-account.md", name: "beliefs", text: beliefs() },
        Part { document: "docs/real-account.md", name: "guesses", text: guesses() },
    ]
}

/// Every file that is written from the code as a whole: where it stands, and what it says.
pub fn files() -> Vec<(&'static str, String)> {
    vec![(dashboard::FILE, dashboard::json())]
}

fn conditions() -> String {
    let mut text = "| type | what it says |\n| --- | --- |\n".to_owned();
    for kind in ConditionType::ALL {
        let _ = writeln!(text, "| `{kind}` | {} |", cell(kind.meaning()));
    }
    text
}

fn reasons() -> String {
    let mut text = "| reason | what it means | what to do |\n| --- | --- | --- |\n".to_owned();
    for reason in Reason::ALL {
        let _ = writeln!(text, "| `{reason}` | {} | {} |", cell(reason.meaning()), cell(reason.remedy()));
    }
    text
}

/// What builds say, and what the Release says that mends it.
fn remedies() -> String {
    let run = Run {
        project: "iridium".into(),
        buildspec: None,
        given: None,
        environment: Vec::new(),
        timeout_minutes: 60,
        queued_timeout_minutes: 30,
    };
    let mut text = "| the build says | the Release says |\n| --- | --- |\n".to_owned();
    for said in EXAMPLES {
        let remedy = remedy(&run, &[said], &[]).unwrap_or_default();
        let _ = writeln!(text, "| {} | {} |", cell(said), cell(&remedy));
    }
    text
}

/// What the controller believes of AWS.
fn beliefs() -> String {
    let mut text = "| where | what is believed | if it is wrong | source |\n| --- | --- | --- | --- |\n".to_owned();
    for guess in launchway_cloud::GUESSES {
        let (belief, wrong, source) = (cell(guess.belief), cell(guess.if_wrong), cell(guess.source));
        let _ = writeln!(text, "| `{}` | {belief} | {wrong} | {source} |", guess.name);
    }
    text
}

/// What the AWS in memory does by guess.
fn guesses() -> String {
    let mut text = "| what the AWS in memory does | source |\n| --- | --- |\n".to_owned();
    for guess in launchway_test_aws::GUESSES.iter().copied().flatten() {
        let _ = writeln!(text, "| {} | {} |", cell(guess.what), cell(guess.source));
    }
    text
}

/// A text that may hold what Markdown takes for the end of a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

impl Part {
    /// The document's text with this part as it should be; none if the document has not its marks.
    pub fn put_into(&self, document: &str) -> Option<String> {
        let (before, rest) = document.split_once(&format!("<!-- begin {} -->\n", self.name))?;
        let (_, after) = rest.split_once(&format!("<!-- end {} -->", self.name))?;
        let Self { name, text, .. } = self;
        Some(format!("{before}<!-- begin {name} -->\n{text}<!-- end {name} -->{after}"))
    }

    /// Whether the document in the repository at `root` has this part as it should be.
    ///
    /// # Errors
    /// The document cannot be read, or has not the marks.
    pub fn is_there(&self, root: &Path) -> anyhow::Result<bool> {
        let (old, new) = self.documents(root)?;
        Ok(old == new)
    }

    /// Writes this part into its document.
    ///
    /// # Errors
    /// The document cannot be read or written, or has not the marks.
    pub fn write(&self, root: &Path) -> anyhow::Result<()> {
        let (_, new) = self.documents(root)?;
        std::fs::write(root.join(self.document), new).with_context(|| format!("writing {}", self.document))
    }

    /// The document as it is and as it should be.
    fn documents(&self, root: &Path) -> anyhow::Result<(String, String)> {
        let old =
            std::fs::read_to_string(root.join(self.document)).with_context(|| format!("reading {}", self.document))?;
        let new = self.put_into(&old).with_context(|| format!("{} lacks the marks of {}", self.document, self.name))?;
        Ok((old, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_another() {
        let part = Part { document: "", name: "a", text: "new\n".to_owned() };
        let put = |text: &str| part.put_into(text);
        let marked = |inside: &str| format!("x\n<!-- begin a -->\n{inside}<!-- end a -->\ny\n");
        assert_eq!(put(&marked("old\n")), Some(marked("new\n")));
        assert_eq!(put(&marked("")), Some(marked("new\n")));
        assert_eq!(put("no marks"), None);
    }
}
