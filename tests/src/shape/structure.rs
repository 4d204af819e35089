//! What binds the code together too tightly: modules in a circle, and enums that many places list in full.

use std::path::Path;

use anyhow::Context;

use super::circles::Modules;
use super::listed::{FEW, Listed};
use super::{Measured, Part};

/// In no more places than this is an enum listed in full.
const PLACES: usize = 3;

/// What was found.
#[derive(Debug)]
pub struct Structure {
    /// Circles of modules, with their crate.
    circles: Vec<(&'static str, Vec<String>)>,
    /// Enums, and the places that list them in full.
    listed: Vec<(String, Vec<String>)>,
}

impl Structure {
    /// Reads what runs, the tests left out.
    ///
    /// # Errors
    /// A file cannot be read, or is not Rust.
    pub fn read(root: &Path, all: &[Measured]) -> anyhow::Result<Self> {
        let (mut circles, mut listed) = (Vec::new(), Listed::default());
        for measured in all.iter().filter(|measured| measured.room.part == Part::Product) {
            let mut modules = Modules::default();
            for source in measured.sources.iter().filter(|source| source.part != Part::Test) {
                let text = std::fs::read_to_string(root.join(&source.path)).with_context(|| source.path.clone())?;
                let file = syn::parse_file(&text).with_context(|| source.path.clone())?;
                let inside = source.path.strip_prefix(measured.room.folder).unwrap_or(&source.path);
                modules.add(inside, &file);
                listed.add(&source.path, &file);
            }
            circles.extend(modules.circles().into_iter().map(|circle| (measured.room.folder, circle)));
        }
        Ok(Self { circles, listed: listed.in_full() })
    }

    /// What is not as it should be, one line each.
    pub fn broken(&self) -> Vec<String> {
        let circles = self.circles.iter().map(|(folder, circle)| {
            format!("{folder}: these modules use each other in a circle: {}", circle.join(", "))
        });
        let often = self.listed.iter().filter(|(_, places)| places.len() > PLACES).map(|(name, places)| {
            format!("{name} is listed in full in {} places, more than {PLACES}: {}", places.len(), places.join(", "))
        });
        circles.chain(often).collect()
    }

    /// The lines below the table.
    pub fn lines(&self) -> String {
        let most = self.listed.iter().max_by_key(|(_, places)| places.len());
        let most = most.map_or_else(|| "none".to_owned(), |(name, places)| format!("`{name}`, in {}", places.len()));
        format!(
            "\nModules that use each other in a circle: {}. Of the enums with {FEW} variants and more that a `match` lists in full, the one listed in the most places ({PLACES} are the limit): {most}.\n",
            self.circles.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut modules = Modules::default();
        for (path, text) in files {
            modules.add(path, &syn::parse_file(text).unwrap());
        }
        modules.circles()
    }

    #[test]
    fn modules_that_use_each_other_are_a_circle_and_those_that_pass_a_name_on_are_not() {
        let lib = ("src/lib.rs", "mod a; mod b; mod c; pub use c::C;");
        let circle = modules(&[
            lib,
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "fn f() { super::a::g() }"),
            ("src/c.rs", ""),
        ]);
        assert_eq!(circle, [["a", "b"]]);
        let none = modules(&[
            lib,
            ("src/a.rs", "use crate::b::B; use crate::C;"),
            ("src/b.rs", "use crate::C;"),
            ("src/c.rs", ""),
        ]);
        assert_eq!(none, Vec::<Vec<String>>::new());
        let tests = "#[cfg(test)] mod tests { use crate::a::A; }";
        assert!(modules(&[lib, ("src/a.rs", "use crate::b::B;"), ("src/b.rs", tests), ("src/c.rs", "")]).is_empty());
    }

    #[test]
    fn a_child_that_uses_its_parent_is_a_circle_if_the_parent_uses_it() {
        let lib = ("src/lib.rs", "mod a;");
        let child = ("src/a/b.rs", "use super::A;");
        assert_eq!(modules(&[lib, ("src/a.rs", "mod b; pub struct A; fn f() { b::g() }"), child]), [["a", "a::b"]]);
        assert!(modules(&[lib, ("src/a.rs", "mod b; pub struct A; pub use b::B;"), child]).is_empty());
    }

    #[test]
    fn an_enum_is_listed_in_full_where_a_match_names_each_variant() {
        let mut listed = Listed::default();
        let text = "enum E { A, B, C, D, E }
            impl E { fn f(&self) { match self { Self::A | Self::B | Self::C => 1, Self::D => 2, Self::E => 3 } } }
            fn g(e: E) { match e { E::A => 1, _ => 2 } }";
        listed.add("a.rs", &syn::parse_file(text).unwrap());
        assert_eq!(listed.in_full(), [("E".to_owned(), vec!["a.rs:2".to_owned()])]);
    }
}
