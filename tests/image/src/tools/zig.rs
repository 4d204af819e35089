//! A C compiler for musl: Zig's, because one download compiles for both processors with the right headers, and because the same
//! version makes the same code on every machine. aws-lc is what needs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{fetched, script};
use crate::arch::Arch;

/// The package `ziglang` of PyPI, and the hashes of its files for Linux and macOS on both processors.
const VERSION: &str = "0.15.2";
const HASHES: [&str; 4] = [
    "806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130",
    "edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230",
    "47af4f85e3e59bd672126cc026d3a01b516cad24b9a9ea075abfe8532f4c6bc1",
    "acae2a9ce67ed249ad68d42c21bc73b5f9d51a33ba5ea42f609f78683e8d9bb7",
];

/// Where it is: fetched before, on the PATH in the very version, or fetched now.
pub(super) fn ready(tools: &Path) -> anyhow::Result<PathBuf> {
    let folder = tools.join(format!("zig-{VERSION}"));
    let program = folder.join("ziglang/zig");
    if program.is_file() {
        return Ok(program);
    }
    if on_path() {
        return Ok(PathBuf::from("zig"));
    }
    let help = || format!("Zig {VERSION} compiles the C code: install Python 3 with pip, or put that Zig on the PATH");
    install(tools, &folder).with_context(help)?;
    Ok(program)
}

fn on_path() -> bool {
    let told = Command::new("zig").arg("version").output();
    told.is_ok_and(|told| told.stdout.trim_ascii() == VERSION.as_bytes())
}

/// With the hashes, so that it does not matter which mirror the files come from. Appears whole or not at all.
fn install(tools: &Path, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(tools)?;
    let scratch = tempfile::tempdir_in(tools)?;
    let wanted = scratch.path().join("requirements.txt");
    let hashes: String = HASHES.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    std::fs::write(&wanted, format!("ziglang=={VERSION}{hashes}\n"))?;
    let made = scratch.path().join("made");
    let what = format!("Zig {VERSION}, a C compiler for musl: fetching from PyPI, once (90 MB)");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "--target"]);
    fetched(&what, pip.arg(&made).arg("--requirement").arg(wanted))?;
    match std::fs::rename(&made, folder) {
        // Somebody else was quicker.
        Err(_) if folder.is_dir() => Ok(()),
        moved => moved.with_context(|| format!("cannot write {}", folder.display())),
    }
}

/// Programs with the manners of a C compiler and of `ar`.
pub(super) fn compilers(zig: &Path, tools: &Path, arch: Arch) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (zig, machine) = (zig.display(), arch.machine());
    // Rust's build scripts name the target in Rust's way, which Zig does not know. What is compiled without optimisation (a part
    // of aws-lc has to be) it would fill with checks that need a library of its own. And what a debugger wants names our folders.
    let cc = format!(
        "#!/bin/sh\nfor argument do\n  shift\n  case $argument in --target=*) ;; *) set -- \"$@\" \"$argument\" ;; esac\ndone\n\
         exec '{zig}' cc -target {machine}-linux-musl \"$@\" -fno-sanitize=all -g0\n"
    );
    let ar = format!("#!/bin/sh\nexec '{zig}' ar \"$@\"\n");
    Ok((script(tools, &format!("cc-{machine}"), &cc)?, script(tools, "ar", &ar)?))
}
