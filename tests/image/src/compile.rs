//! Compiles the controller for an image, so that the same commit gives the same bytes wherever it is compiled. What it is compiled
//! with is in `tools`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::arch::Arch;
use crate::audit;
use crate::elf::Elf;
use crate::recipe::PACKAGE;
use crate::tools::Tools;

/// What in our environment would make another program of the same commit.
const CHANGES_IT: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CFLAGS",
    "TARGET_CFLAGS",
    "CPPFLAGS",
    "TARGET_CC",
    "CARGO_BUILD_TARGET",
    "RUSTC_WRAPPER",
];
/// And what begins so: changed profiles, and another way to build aws-lc.
const CHANGES_IT_TOO: [&str; 2] = ["CARGO_PROFILE_", "AWS_LC_SYS_"];

/// What is compiled, and from what.
pub(crate) struct Compile<'a> {
    /// The repository.
    pub(crate) workspace: &'a Path,
    /// Where cargo keeps what it compiles for images: apart from the tests' folder, which others wait for.
    pub(crate) folder: &'a Path,
    /// For which processor.
    pub(crate) arch: Arch,
    /// With which profile.
    pub(crate) profile: &'a str,
    /// With which programs.
    pub(crate) tools: &'a Tools,
}

impl Compile<'_> {
    /// The program, after a look whether it is what an image needs. Cargo's progress is seen.
    pub(crate) fn program(&self) -> anyhow::Result<Vec<u8>> {
        let output = self.command()?.spawn().context("cargo-auditable does not start")?.wait_with_output()?;
        ensure!(output.status.success(), "the controller was not compiled for {}: see above", self.arch.target());
        let path = named(&output.stdout)?;
        let program = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        self.judge(&program).with_context(|| format!("{} is not fit for an image", path.display()))?;
        Ok(program)
    }

    fn judge(&self, program: &[u8]) -> anyhow::Result<()> {
        let elf = Elf::read(program)?;
        ensure!(elf.arch() == Some(self.arch), "it is for another processor than {}", self.arch.name());
        ensure!(elf.is_static(), "it needs a dynamic loader, and there is none in the image");
        ensure!(audit::crates(program)?.iter().any(|one| one.root), "its list of crates has no root");
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut cargo = Command::new(&self.tools.auditable);
        cargo.args(["auditable", "build", "--locked", "--profile", self.profile]);
        cargo.args(["--package", PACKAGE, "--bin", PACKAGE]);
        cargo.args(["--target", &self.arch.target(), "--message-format", "json-render-diagnostics", "--target-dir"]);
        cargo.arg(self.folder).current_dir(self.workspace).stdin(Stdio::null()).stdout(Stdio::piped());
        let inherited: Vec<OsString> = std::env::vars_os().map(|(name, _)| name).collect();
        for name in inherited.iter().filter(|name| changes_it(name)) {
            cargo.env_remove(name);
        }
        cargo.envs(self.environment()?);
        Ok(cargo)
    }

    fn environment(&self) -> anyhow::Result<Vec<(String, OsString)>> {
        let target = self.arch.target().replace('-', "_");
        let folders = self.folders()?;
        let rust = folders.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
        let c = folders.iter().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()));
        // Between them stands the character that no path has.
        let rust: Vec<String> = rust.collect();
        let named = |name: &str, value: &OsStr| (name.to_owned(), value.to_owned());
        Ok(vec![
            named("CARGO_ENCODED_RUSTFLAGS", rust.join("\x1f").as_ref()),
            // The toolchain's own linker: as good on every machine, and the same.
            named(&format!("CARGO_TARGET_{}_LINKER", target.to_uppercase()), "rust-lld".as_ref()),
            named(&format!("CC_{target}"), self.tools.cc.as_os_str()),
            named(&format!("AR_{target}"), self.tools.ar.as_os_str()),
            named(&format!("CFLAGS_{target}"), c.collect::<Vec<_>>().join(" ").as_ref()),
            named("ZIG_GLOBAL_CACHE_DIR", self.tools.cache.as_os_str()),
            named("ZIG_LOCAL_CACHE_DIR", self.tools.cache.as_os_str()),
            // Not the commit's time: build scripts look at it, and everything would be compiled anew for every commit.
            named("SOURCE_DATE_EPOCH", "0".as_ref()),
            named("CARGO_INCREMENTAL", "0".as_ref()),
            named("CARGO", self.tools.cargo.as_os_str()),
            named("PATH", &self.path()?),
        ])
    }

    /// With the folder of cargo-auditable, which cargo starts by its name.
    fn path(&self) -> anyhow::Result<OsString> {
        let own = self.tools.auditable.parent().map(Path::to_owned);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let all = own.into_iter().chain(std::env::split_paths(&inherited));
        std::env::join_paths(all).context("the folder of cargo-auditable has a colon in its name")
    }

    /// Folders whose names would be in the program (where a panic is, which file an error of aws-lc comes from), and what stands
    /// there instead. Of several that fit, the last one counts.
    fn folders(&self) -> anyhow::Result<Vec<(PathBuf, String)>> {
        let (sysroot, release) = toolchain(self.workspace)?;
        // Where the component rust-src is installed, code of std that is compiled here would name its files by that.
        let source = sysroot.join("lib/rustlib/src/rust");
        Ok(vec![
            (self.workspace.to_owned(), "/launchway".to_owned()),
            (cargo_home()?, "/cargo".to_owned()),
            (source, format!("/rustc/{release}")),
            (self.folder.to_owned(), "/target".to_owned()),
        ])
    }
}

fn changes_it(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    CHANGES_IT.contains(&&*name) || CHANGES_IT_TOO.iter().any(|begin| name.starts_with(begin))
}

/// Where cargo keeps the sources of crates.
fn cargo_home() -> anyhow::Result<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    set.or_else(usual).context("neither CARGO_HOME nor HOME is set")
}

/// Where the toolchain is, and the commit that it was made of.
fn toolchain(workspace: &Path) -> anyhow::Result<(PathBuf, String)> {
    let told = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = Command::new("rustc").args(arguments).current_dir(workspace).output();
        Ok(String::from_utf8_lossy(&output.context("`rustc` does not start")?.stdout).trim().to_owned())
    };
    let version = told(&["-vV"])?;
    let release = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    match release {
        Some(release) => Ok((PathBuf::from(told(&["--print", "sysroot"])?), release.to_owned())),
        None => bail!("rustc does not say of which commit it is: {version}"),
    }
}

/// The last program that cargo names in its messages.
///
/// # Errors
/// It names none.
pub fn named(messages: &[u8]) -> anyhow::Result<PathBuf> {
    let messages = String::from_utf8_lossy(messages);
    let mut programs = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable);
    programs.next_back().context("cargo names no program")
}

#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}
