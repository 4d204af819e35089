//! The list of crates that cargo-auditable puts into a program, which `cargo audit bin` and image scanners read. How it comes there
//! is in `compile`.

use std::io::Read;

use anyhow::Context;
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use crate::elf::Elf;

/// The section that it is in: zlib around JSON.
const SECTION: &str = ".dep-v0";
/// The list has some 40 kB. More than this is not one.
const MOST: u64 = 8 << 20;

/// A crate of a program.
#[derive(Clone, Debug, Deserialize)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    #[serde(default)]
    pub kind: Kind,
    /// The crates that it needs, by their places in the list.
    #[serde(default)]
    pub dependencies: Vec<usize>,
    /// Whether it is the program itself.
    #[serde(default)]
    pub root: bool,
}

/// What a crate is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is in the program.
    #[default]
    Runtime,
    /// It only helped to compile it: build scripts, macros.
    Build,
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

/// The crates that a program says it is made of.
///
/// # Errors
/// It does not say so.
pub fn crates(program: &[u8]) -> anyhow::Result<Vec<Crate>> {
    let section = Elf::read(program)?.section(SECTION)?;
    let mut text = String::new();
    ZlibDecoder::new(section).take(MOST).read_to_string(&mut text).context("the list of crates is no zlib stream")?;
    let list: List = serde_json::from_str(&text).context("the list of crates is not what cargo-auditable writes")?;
    Ok(list.packages)
}

/// How many of them are in the program, and did not only help to compile it.
pub fn runtime(crates: &[Crate]) -> usize {
    crates.iter().filter(|one| one.kind == Kind::Runtime).count()
}
