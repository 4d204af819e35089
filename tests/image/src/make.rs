//! From the commit that is checked out to images, an archive for each, and their bills of materials. Each step is said elsewhere.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::arch::Arch;
use crate::audit::{crates, runtime};
use crate::commit::Commit;
use crate::compile::Compile;
use crate::layout::{self, About, Image};
use crate::told::tell;
use crate::tools::Tools;
use crate::{files, sbom};

/// What is wanted.
pub struct Make<'a> {
    /// The repository.
    pub workspace: &'a Path,
    /// Cargo's target folder: tools and what is compiled stay below it.
    pub target: &'a Path,
    /// For which processors.
    pub arches: &'a [Arch],
    /// With which profile of Cargo.toml it is compiled: [`PROFILE`](crate::recipe::PROFILE), unless only a test sees it.
    pub profile: &'a str,
    /// Where the source is, for the label; absent: it is not said.
    pub source: Option<&'a str>,
}

/// An image, and what is told of it.
pub struct Made {
    /// The image.
    pub image: Image,
    /// The bill of materials, as JSON.
    pub bill: String,
    /// How many components it lists.
    pub components: usize,
    /// How many crates are in the program, ours included.
    pub crates: usize,
    /// The program's size in bytes.
    pub program: usize,
}

impl Make<'_> {
    /// The program for one processor.
    ///
    /// # Errors
    /// A tool is missing and cannot be fetched, or it is not compiled: the message says what to do.
    pub fn program(&self, arch: Arch) -> anyhow::Result<Vec<u8>> {
        let tools = Tools::ready(self.workspace, self.target, arch)?;
        let (target, profile) = (arch.target(), self.profile);
        tell(&format!(
            "the controller for {target}, profile {profile}: compiling (the first time minutes, 6 for small on two idle cores) …"
        ));
        let folder = self.target.join("image/build");
        Compile { workspace: self.workspace, folder: &folder, arch, profile, tools: &tools }.program()
    }

    /// The images, written into `output`: a layout of all of them, and for each an archive and a bill of materials.
    ///
    /// # Errors
    /// As [`Make::program`]; or they cannot be written.
    pub fn write_into(&self, output: &Path) -> anyhow::Result<Vec<Made>> {
        let commit = Commit::of(self.workspace)?;
        let made: Vec<Made> = self.arches.iter().map(|arch| self.made(*arch, &commit)).collect::<Result<_, _>>()?;
        std::fs::create_dir_all(output).with_context(|| format!("cannot write {}", output.display()))?;
        let tag = env!("CARGO_PKG_VERSION");
        for one in &made {
            let arch = one.image.arch.name();
            let archive = layout::archive(&one.image, tag, commit.seconds)?;
            std::fs::write(output.join(format!("launchway-{tag}-{arch}.tar")), archive)?;
            std::fs::write(output.join(format!("launchway-{tag}-{arch}.cdx.json")), &one.bill)?;
        }
        let images: Vec<Image> = made.iter().map(|one| one.image.clone()).collect();
        layout::write(&layout::layout(&images, tag), &Make::layout(output))?;
        Ok(made)
    }

    /// Where the layout is in an output folder.
    pub fn layout(output: &Path) -> PathBuf {
        output.join("oci")
    }

    fn made(&self, arch: Arch, commit: &Commit) -> anyhow::Result<Made> {
        let program = self.program(arch)?;
        let list = crates(&program)?;
        let (bill, components) = sbom::bill(self.workspace, commit, &program, &list)?;
        let about = About { commit, version: env!("CARGO_PKG_VERSION"), source: self.source };
        let size = program.len();
        let image = Image::of(&files::files(program), arch, &about)?;
        let bill = serde_json::to_string_pretty(&bill)? + "\n";
        Ok(Made { image, bill, components, crates: runtime(&list), program: size })
    }
}
