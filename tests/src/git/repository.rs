//! A bare repository on disk, changed and read by git itself, without a work tree and without the settings of who runs it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;

/// A bare repository. Clones name the same one.
#[derive(Clone, Debug)]
pub struct Repository {
    dir: PathBuf,
}

/// The hash that names a repository's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// 40 digits.
    Sha1,
    /// 64 digits.
    Sha256,
}

/// A file as a commit leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the repository's root.
    pub path: String,
    /// The text; none: removed.
    pub text: Option<String>,
    /// `100644`, or `100755` for what is run.
    pub mode: &'static str,
}

impl File {
    /// A file with this text.
    pub fn new(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: Some(text.to_owned()), mode: "100644" }
    }

    /// A file that is run.
    pub fn program(path: &str, text: &str) -> File {
        File { mode: "100755", ..File::new(path, text) }
    }

    /// No file.
    pub fn removed(path: &str) -> File {
        File { path: path.to_owned(), text: None, mode: "100644" }
    }
}

impl Repository {
    /// Makes an empty repository in `dir`, with the default branch `main`; whoever may read it may push.
    pub fn create(dir: &Path, hash: Hash) -> io::Result<Repository> {
        let format = match hash {
            Hash::Sha1 => "--object-format=sha1",
            Hash::Sha256 => "--object-format=sha256",
        };
        let repository = Repository { dir: dir.to_owned() };
        let path = dir.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
        done(git().args(["init", "--quiet", "--bare", "--initial-branch=main", format, path]))?;
        done(repository.git().args(["config", "http.receivepack", "true"]))?;
        done(repository.git().args(["config", "uploadpack.allowFilter", "true"]))?;
        Ok(repository)
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Commits `files` on top of `branch`, as the author `who` (`Name <mail>`) at `when`, and returns the commit's ID,
    /// which is the same each time for the same history.
    pub fn commit(
        &self,
        branch: &str,
        message: &str,
        files: &[File],
        who: &str,
        when: Timestamp,
    ) -> io::Result<String> {
        let parent = self.head(branch);
        let stamp = format!("{who} {} +0000", when.as_second());
        let mut stream = format!("commit refs/heads/{branch}\nauthor {stamp}\ncommitter {stamp}\n{}", data(message));
        if let Some(parent) = parent {
            stream += &format!("from {parent}\n");
        }
        for File { path, text, mode } in files {
            stream += &match text {
                Some(text) => format!("M {mode} inline {path}\n{}", data(text)),
                None => format!("D {path}\n"),
            };
        }
        fed(self.git().args(["fast-import", "--quiet", "--done"]), &(stream + "done\n"))?;
        self.head(branch).ok_or_else(|| io::Error::other("the commit is not there"))
    }

    /// What `branch` points to.
    pub fn head(&self, branch: &str) -> Option<String> {
        let name = format!("refs/heads/{branch}");
        let id = done(self.git().args(["rev-parse", "--quiet", "--verify", &name])).ok()?;
        Some(id.trim_end().to_owned())
    }

    /// Points `branch` to `commit`, also backwards.
    pub fn point(&self, branch: &str, commit: &str) -> io::Result<()> {
        done(self.git().args(["update-ref", &format!("refs/heads/{branch}"), commit])).map(drop)
    }

    /// Gives `commit` a tag: one that is an object of its own if it has a message.
    pub fn tag(&self, tag: &str, commit: &str, message: Option<&str>) -> io::Result<()> {
        let mut git = self.git();
        git.args(["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com", "tag"]);
        if let Some(message) = message {
            git.args(["--annotate", "--message", message]);
        }
        done(git.args([tag, commit])).map(drop)
    }

    /// The text of the file at `path` in `commit`; none if one of them is not there.
    pub fn file_at(&self, commit: &str, path: &str) -> Option<String> {
        done(self.git().args(["cat-file", "blob", &format!("{commit}:{path}")])).ok()
    }

    /// The first line of the commit's message.
    pub fn subject(&self, commit: &str) -> Option<String> {
        let line = done(self.git().args(["log", "-1", "--format=%s", commit])).ok()?;
        Some(line.trim_end().to_owned())
    }

    fn git(&self) -> Command {
        let mut git = git();
        git.arg("--git-dir").arg(&self.dir);
        git
    }
}

/// Git without the settings and the environment of who runs it.
fn git() -> Command {
    let mut git = Command::new("git");
    git.env_clear().envs(super::server::bare_environment());
    git
}

fn data(text: &str) -> String {
    format!("data {}\n{text}\n", text.len())
}

fn done(command: &mut Command) -> io::Result<String> {
    succeeded(command.stdin(Stdio::null()).output()?)
}

fn fed(command: &mut Command, input: &str) -> io::Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or_else(|| io::Error::other("git takes no input"))?.write_all(input.as_bytes())?;
    succeeded(child.wait_with_output()?)
}

fn succeeded(output: Output) -> io::Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(io::Error::other(format!("git: {}", text(&output.stderr).trim_end()))),
    }
}
