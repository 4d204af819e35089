//! The shape of our Rust code: how long functions and files are, and how many lines of tests there are. What is too long
//! is said by [`broken`]; nothing is changed.

use std::path::{Path, PathBuf};

use anyhow::Context;

mod circles;
mod listed;
mod source;
mod structure;
mod table;

pub use source::{Function, Part, Source};
pub use structure::Structure;
pub use table::table;

/// No function has more lines, from its `fn` to its closing brace.
pub const FUNCTION_MAX: usize = 60;
/// A file with more lines of code than this, its tests left out, is named in the table.
pub const FILE_LONG: usize = 300;
/// No file has more lines of code, its tests left out.
pub const FILE_MAX: usize = 400;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its folder in the repository.
    pub folder: &'static str,
    /// What its code is for, the tests left out.
    pub part: Part,
}

/// Every crate, in the order of their dependencies.
pub const ROOMS: [Room; 11] = [
    Room { folder: "crds", part: Part::Product },
    Room { folder: "crds/gen", part: Part::Product },
    Room { folder: "controller/plan", part: Part::Product },
    Room { folder: "controller/cloud", part: Part::Product },
    Room { folder: "controller", part: Part::Product },
    Room { folder: "controller/cli", part: Part::Product },
    Room { folder: "tests/aws", part: Part::World },
    Room { folder: "tests/kube", part: Part::World },
    Room { folder: "tests/fuzz", part: Part::World },
    Room { folder: "tests/image", part: Part::World },
    Room { folder: "tests", part: Part::World },
];

/// A crate, measured.
#[derive(Debug)]
pub struct Measured {
    /// The crate.
    pub room: Room,
    /// Its files.
    pub sources: Vec<Source>,
}

/// Measures every crate of the repository at `root`.
///
/// # Errors
/// A file cannot be read, or is not Rust.
pub fn measure(root: &Path) -> anyhow::Result<Vec<Measured>> {
    ROOMS
        .into_iter()
        .map(|room| {
            let files = files(&root.join(room.folder))?;
            let own = files.iter().filter(|file| !is_of_another(root, &room, file));
            let sources = own.map(|file| source::read(root, &room, file)).collect::<Result<_, _>>()?;
            Ok(Measured { room, sources: told_apart(sources) })
        })
        .collect()
}

/// With the files that others compile for tests alone as what they are.
fn told_apart(sources: Vec<Source>) -> Vec<Source> {
    let of_tests = |path: &str| sources.iter().any(|source| source.tests_alone(path));
    let paths: Vec<bool> = sources.iter().map(|source| of_tests(&source.path)).collect();
    let told = |(source, of_tests): (Source, bool)| if of_tests { source.into_tests() } else { source };
    sources.into_iter().zip(paths).map(told).collect()
}

/// Whether a file of the crate's folder belongs to a crate further inside.
fn is_of_another(root: &Path, room: &Room, file: &Path) -> bool {
    let inner = ROOMS.into_iter().filter(|other| other.folder.starts_with(&format!("{}/", room.folder)));
    inner.map(|other| root.join(other.folder)).any(|folder| file.starts_with(folder))
}

/// The Rust files of a folder and of those within it, in order.
///
/// # Errors
/// A folder cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// What is longer than it may be, one line each.
pub fn broken(all: &[Measured]) -> Vec<String> {
    let sources = all.iter().flat_map(|measured| &measured.sources);
    sources.flat_map(|source| functions(source).chain(file(source))).collect()
}

fn functions(source: &Source) -> impl Iterator<Item = String> {
    source.functions.iter().filter(|function| function.lines > FUNCTION_MAX).map(|function| {
        let Function { name, lines, line, .. } = function;
        format!("{}:{line}: {name} has {lines} lines, more than {FUNCTION_MAX}: split it by question", source.path)
    })
}

fn file(source: &Source) -> Option<String> {
    let lines = source.code;
    (lines > FILE_MAX)
        .then(|| format!("{}: {lines} lines of code, more than {FILE_MAX}: split it by question", source.path))
}

/// The repository: as cargo names it to what it runs, else as it was when this crate was built.
pub fn repository() -> PathBuf {
    let named = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))).join("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "const A: u8 = 0;\n";

    fn source(text: &str) -> Source {
        source::measured("a/src/b.rs", text, Part::Product).unwrap()
    }

    #[test]
    fn a_function_is_as_long_as_its_lines_from_its_signature_to_its_brace() {
        let found = source("/// Doc.\n#[must_use]\npub fn a(\n    b: u8,\n) -> u8 {\n    // why\n\n    b\n}\n");
        assert_eq!(found.functions.iter().map(|one| (one.name.as_str(), one.lines)).collect::<Vec<_>>(), [("a", 7)]);
        assert_eq!((found.code, found.tests), (6, 0));
    }

    #[test]
    fn methods_are_named_with_their_type_and_tests_are_counted_apart() {
        let found = source("impl A {\n    fn b() {}\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn c() {}\n}\n");
        let names: Vec<_> = found.functions.iter().map(|one| (one.name.as_str(), one.part)).collect();
        assert_eq!(names, [("A::b", Part::Product), ("c", Part::Test)]);
        assert_eq!((found.code, found.tests), (3, 5));
    }

    #[test]
    fn a_file_that_is_compiled_for_tests_alone_is_one_of_tests() {
        let of = |path: &str, text: &str| source::measured(path, text, Part::Product).unwrap();
        let files = vec![
            of("a/src/lib.rs", "#[cfg(test)]\nmod samples;\nmod b;\n"),
            of("a/src/samples.rs", "fn c() {}\n"),
            of("a/src/samples/d.rs", "fn d() {}\n"),
            of("a/src/b.rs", "fn e() {}\n"),
        ];
        let lines: Vec<_> = told_apart(files).iter().map(|file| (file.code, file.tests)).collect();
        assert_eq!(lines, [(1, 2), (0, 1), (0, 1), (1, 0)]);
    }

    #[test]
    fn what_is_too_long_is_named_with_its_place() {
        let long = format!("fn a() {{\n{}}}\n", "    b();\n".repeat(59));
        let measured = |text: &str| [Measured { room: ROOMS[0].clone(), sources: vec![source(text)] }];
        assert_eq!(broken(&measured(&long)), ["a/src/b.rs:1: a has 61 lines, more than 60: split it by question"]);
        let files = [A.repeat(FILE_MAX), A.repeat(FILE_MAX + 1)];
        assert_eq!(files.map(|file| broken(&measured(&file)).len()), [0, 1]);
    }
}
