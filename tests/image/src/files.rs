//! The files of the image: all of them. How they are packed is in `layout`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

use crate::recipe::{PROGRAM, ROOTS};
use crate::roots;
use crate::tar::{Entries, Entry};

/// The controller, the authorities that it trusts, and the folders above them.
pub fn files(program: Vec<u8>) -> Entries {
    let folders = ROOTS.match_indices('/').map(|(end, _)| (ROOTS[..end].to_owned(), Entry::Folder));
    let mut files: Entries = folders.collect();
    files.insert(ROOTS.to_owned(), Entry::File(roots::pem().into_bytes()));
    files.insert(PROGRAM.to_owned(), Entry::Program(program));
    files
}

/// Writes them below a folder, as a Dockerfile copies them.
///
/// # Errors
/// They cannot be written.
pub fn write(files: &Entries, folder: &Path) -> anyhow::Result<()> {
    for (name, entry) in files {
        let path = folder.join(name);
        let written = match entry {
            Entry::Folder => std::fs::create_dir_all(&path),
            Entry::File(content) => std::fs::write(&path, content),
            Entry::Program(content) => std::fs::write(&path, content)
                .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(0o755))),
        };
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
