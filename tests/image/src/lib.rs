//! How the controller becomes an OCI image, without a container engine: compiled, packed, listed, and unpacked again. What the
//! controller does in it is for the tests to say.

pub mod arch;
pub mod audit;
pub mod commit;
mod compile;
mod elf;
pub mod files;
pub mod layout;
mod make;
pub mod recipe;
mod roots;
mod sbom;
mod table;
pub mod tar;
mod told;
mod tools;
mod unpack;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use compile::named;
pub use elf::Elf;
pub use make::{Made, Make};
pub use table::table;
pub use unpack::{digest_of, unpack};

/// The repository that this was compiled in.
///
/// # Errors
/// It is gone.
pub fn workspace() -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().with_context(|| format!("{} is gone", folder.display()))
}

/// Cargo's target folder of the repository. Honours `CARGO_TARGET_DIR`; a relative one counts from the repository.
pub fn target(workspace: &Path) -> PathBuf {
    workspace.join(std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from))
}
