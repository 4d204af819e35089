//! Builds one Go program from a module of ours, with progress. Chooses nothing: package and flags are given.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::Say;
use super::cache::{Cache, last_lines};

/// Quiet long enough not to fill a log, and short enough that nobody believes it hangs.
const BETWEEN_SIGNS_OF_LIFE: Duration = Duration::from_secs(20);

/// Without inlining, and without what only debuggers read: built in three quarters of the time, by people who wait for it.
const COMPILER: &str = "-gcflags=all=-l -dwarf=false";

/// What is built, and how it is told.
pub(super) struct Build<'a> {
    /// The program's name, also of its file.
    pub(super) name: &'a str,
    /// The folder of the module whose go.mod pins everything.
    pub(super) module: &'a Path,
    /// The Go package of the program.
    pub(super) package: &'a str,
    /// Go's build tags, separated by commas; mostly none.
    pub(super) tags: &'a str,
    /// For the Go linker.
    pub(super) link: &'a str,
    /// Whether parts of it are written in C.
    pub(super) cgo: Cgo,
    /// What a person should expect, such as "about 4 min".
    pub(super) takes: &'a str,
}

/// Whether Go calls a C compiler.
#[derive(Clone, Copy)]
pub(super) enum Cgo {
    /// It does not.
    Off,
    /// It does.
    On,
}

impl Cgo {
    fn flag(self) -> &'static str {
        match self {
            Cgo::Off => "0",
            Cgo::On => "1",
        }
    }
}

impl Build<'_> {
    /// The program, built if there is none of these sources yet.
    pub(super) fn once(&self, sources: &[&str], say: &Say) -> anyhow::Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        (sources, self.tags).hash(&mut hasher);
        let cache = Cache::of_workspace();
        let folder = cache.of(&format!("{}-{:016x}", self.name, hasher.finish()));
        let built = folder.join(self.name);
        if built.is_file() {
            return Ok(built);
        }
        let _lock = cache.lock(say)?;
        if built.is_file() { Ok(built) } else { self.write_into(&folder, say) }
    }

    /// Builds into `folder`; the file appears there whole or not at all.
    pub(super) fn write_into(&self, folder: &Path, say: &Say) -> anyhow::Result<PathBuf> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let part = folder.join(format!("{}.{}.part", self.name, std::process::id()));
        let log = folder.join(format!("{}.build.log", self.name));
        let began = Instant::now();
        say.line(format!("{}: building with Go, once ({}) …", self.name, self.takes));
        let status = self.run(&part, &log, say)?;
        if !status.success() {
            bail!("{}: `go build {}` failed ({status}):\n{}", self.name, self.package, last_lines(&log, 20));
        }
        let program = folder.join(self.name);
        std::fs::rename(&part, &program).with_context(|| format!("cannot write {}", program.display()))?;
        say.line(format!("{}: built in {}", self.name, elapsed(began)));
        Ok(program)
    }

    fn run(&self, part: &Path, log: &Path, say: &Say) -> anyhow::Result<ExitStatus> {
        let child = self.command(part, log)?.spawn().map_err(|error| self.cannot_start(error))?;
        self.until_ended(child, log, say).with_context(|| format!("{}: lost sight of `go build`", self.name))
    }

    fn command(&self, part: &Path, log: &Path) -> anyhow::Result<Command> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut go = Command::new("go");
        go.args([
            "build",
            "-v",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-tags",
            self.tags,
            COMPILER,
            "-ldflags",
            self.link,
            "-o",
        ])
        .arg(part)
        .arg(self.package)
        .current_dir(self.module)
        .env("CGO_ENABLED", self.cgo.flag())
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
        Ok(go)
    }

    /// How many Go packages the program is made of. Those that Go has built before are among them.
    fn packages(&self) -> Option<usize> {
        let mut go = Command::new("go");
        go.args(["list", "-deps", "-mod=readonly", "-tags", self.tags, self.package]).current_dir(self.module);
        let listed = go.env("CGO_ENABLED", self.cgo.flag()).env("GOWORK", "off").stderr(Stdio::null()).output().ok()?;
        Some(packages(&listed.stdout)).filter(|all| *all > 0)
    }

    fn cannot_start(&self, error: io::Error) -> anyhow::Error {
        anyhow::anyhow!(
            "{} has to be built with Go, and `go` does not start ({error}). Install Go 1.26 or newer (https://go.dev/dl), \
             or set KUBEBUILDER_ASSETS to a folder that has the programs kube-apiserver, etcd, kubectl and \
             kube-controller-manager.",
            self.name
        )
    }

    fn until_ended(&self, mut child: Child, log: &Path, say: &Say) -> io::Result<ExitStatus> {
        let (began, all) = (Instant::now(), self.packages());
        let mut told = began;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if told.elapsed() > BETWEEN_SIGNS_OF_LIFE {
                told = Instant::now();
                let built = packages(&std::fs::read(log).unwrap_or_default());
                let of = all.map_or_else(String::new, |all| format!(" of {all}"));
                say.line(format!("{}: {built}{of} packages built after {}", self.name, elapsed(began)));
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "a process is waited for, and std tells its end only when asked"
            )]
            sleep(Duration::from_millis(100));
        }
    }
}

/// How many packages Go named: one a line.
fn packages(said: &[u8]) -> usize {
    said.iter().filter(|byte| **byte == b'\n').count()
}

/// "3 min 45 s", or "12 s".
pub(super) fn elapsed(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}
