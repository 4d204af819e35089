//! Modules that use each other in a circle. A module that is in one cannot be read, tested or moved without the others.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, Path, UseTree, Visibility};

use super::source::is_test_only;

/// A module, by its names from the crate's root.
type Module = Vec<String>;

/// The modules of a crate, each with what it names of others.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// What each module names, as paths from the crate's root: modules, and what is in them.
    names: BTreeMap<Module, BTreeSet<Vec<String>>>,
    /// What a module shows under its own name and another one has.
    shown: BTreeMap<Vec<String>, Vec<String>>,
}

impl Modules {
    /// Takes a file in. `path` is its path inside of the crate, such as `src/a/b.rs`.
    pub(super) fn add(&mut self, path: &str, file: &syn::File) {
        let own = module(path);
        let mut walk = Walk { own: own.clone(), names: BTreeSet::new(), shown: Vec::new(), children: BTreeSet::new() };
        walk.children = file.items.iter().filter_map(child).collect();
        walk.visit_file(file);
        self.shown.extend(walk.shown);
        self.names.insert(own, walk.names);
    }

    /// The circles: each is a set of modules of which every one leads to all the others.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let uses: BTreeMap<&Module, BTreeSet<&Module>> = self.names.keys().map(|own| (own, self.used(own))).collect();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> = uses.keys().map(|own| (*own, reach(own, &uses))).collect();
        let mut all = BTreeSet::new();
        for (own, others) in &reached {
            let with: Vec<String> =
                others.iter().filter(|other| reached[**other].contains(*own)).map(|other| other.join("::")).collect();
            if with.len() > 1 {
                all.insert(with);
            }
        }
        all.into_iter().collect()
    }

    fn used(&self, own: &Module) -> BTreeSet<&Module> {
        self.names[own].iter().filter_map(|name| self.home(name)).filter(|module| *module != own).collect()
    }

    /// The module in which what is named lives.
    fn home(&self, name: &[String]) -> Option<&Module> {
        let mut name = name.to_vec();
        // A name may be shown on by several modules, but never in a circle: the compiler refuses that.
        while let Some((end, shown)) = self.shown_at(&name) {
            name = [shown, &name[end..]].concat();
        }
        (0..=name.len()).rev().find_map(|end| self.names.get_key_value(&name[..end])).map(|(module, _)| module)
    }

    /// What the front of a path stands for, if another module has it. A function may be called as a module is: then the
    /// module is meant.
    fn shown_at(&self, name: &[String]) -> Option<(usize, &[String])> {
        let fronts = (1..=name.len()).rev().filter(|end| !self.names.contains_key(&name[..*end]));
        fronts.into_iter().find_map(|end| Some((end, self.shown.get(&name[..end])?.as_slice())))
    }
}

fn reach<'a>(from: &'a Module, uses: &BTreeMap<&'a Module, BTreeSet<&'a Module>>) -> BTreeSet<&'a Module> {
    let (mut all, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(one) = next.pop() {
        next.extend(uses[one].iter().copied().filter(|other| all.insert(*other)));
    }
    all
}

fn module(path: &str) -> Module {
    let inside = path.trim_start_matches('/').trim_start_matches("src/").trim_end_matches(".rs");
    let names = inside.split('/').map(str::to_owned);
    names.filter(|name| !matches!(name.as_str(), "lib" | "main" | "mod")).collect()
}

fn child(item: &syn::Item) -> Option<String> {
    let syn::Item::Mod(module) = item else { return None };
    Some(module.ident.to_string())
}

struct Walk {
    own: Module,
    names: BTreeSet<Vec<String>>,
    shown: Vec<(Vec<String>, Vec<String>)>,
    children: BTreeSet<String>,
}

impl Walk {
    /// A path as it is from the crate's root; absent: it is of another crate, or local.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let (base, rest) = match first.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (self.own.clone(), &path[1..]),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                (self.own[..self.own.len().checked_sub(ups)?].to_vec(), &path[ups..])
            }
            child if self.children.contains(child) => (self.own.clone(), path),
            _ => return None,
        };
        Some([base, rest.to_vec()].concat())
    }

    fn tree(&mut self, before: &[String], tree: &UseTree, shows: bool) {
        match tree {
            UseTree::Path(path) => self.tree(&[before, &[path.ident.to_string()]].concat(), &path.tree, shows),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item, shows)),
            UseTree::Name(name) => self.leaf(before, &name.ident.to_string(), &name.ident.to_string(), shows),
            UseTree::Rename(name) => self.leaf(before, &name.ident.to_string(), &name.rename.to_string(), shows),
            UseTree::Glob(_) => self.leaf(before, "self", "self", false),
        }
    }

    fn leaf(&mut self, before: &[String], name: &str, shown_as: &str, shows: bool) {
        let path = if name == "self" { before.to_vec() } else { [before, &[name.to_owned()]].concat() };
        let Some(path) = self.absolute(&path) else { return };
        if shows {
            self.shown.push(([self.own.clone(), vec![shown_as.to_owned()]].concat(), path));
        } else {
            self.names.insert(path);
        }
    }
}

impl<'a> Visit<'a> for Walk {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if !module.attrs.iter().any(is_test_only) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if !item.attrs.iter().any(is_test_only) {
            self.tree(&[], &item.tree, !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'a Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.names.extend(self.absolute(&parts));
        }
        visit::visit_path(self, path);
    }
}
