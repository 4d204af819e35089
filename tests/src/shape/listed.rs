//! Enums whose variants are all written out in a `match`. Where that happens often, a new variant is an edit in many places.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{ExprMatch, ImplItemFn, ItemEnum, ItemFn, ItemImpl, ItemMod, Pat};

use super::source::{is_test_only, type_name};

/// Smaller ones are as quickly written as a list of `if`s.
pub(super) const FEW: usize = 5;

/// The enums of some files, and where each is listed in full.
#[derive(Debug, Default)]
pub(super) struct Listed {
    enums: BTreeMap<String, Vec<BTreeSet<String>>>,
    matches: Vec<(String, BTreeSet<String>, String)>,
}

impl Listed {
    /// Takes a file in.
    pub(super) fn add(&mut self, path: &str, file: &syn::File) {
        let mut walk = Walk { all: self, path, owner: String::new() };
        walk.visit_file(file);
    }

    /// Each enum of five variants or more that is listed in full somewhere, and where.
    pub(super) fn in_full(&self) -> Vec<(String, Vec<String>)> {
        // Two enums of one name are told apart by their variants.
        let mut all: BTreeMap<(&String, &BTreeSet<String>), Vec<String>> = BTreeMap::new();
        for (name, variants, place) in &self.matches {
            let is_full = |one: &BTreeSet<String>| one.len() >= FEW && one == variants;
            if self.enums.get(name).is_some_and(|enums| enums.iter().any(is_full)) {
                all.entry((name, variants)).or_default().push(place.clone());
            }
        }
        all.into_iter().map(|((name, _), places)| (name.clone(), places)).collect()
    }
}

struct Walk<'a> {
    all: &'a mut Listed,
    path: &'a str,
    owner: String,
}

/// The variants that a pattern names, each with the name of its enum.
#[derive(Default)]
struct Named(BTreeMap<String, BTreeSet<String>>);

impl<'a> Visit<'a> for Named {
    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [.., name, variant] = parts.as_slice() {
            self.0.entry(name.clone()).or_default().insert(variant.clone());
        }
    }

    fn visit_pat(&mut self, pattern: &'a Pat) {
        visit::visit_pat(self, pattern);
    }
}

impl<'a> Visit<'a> for Walk<'_> {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if !module.attrs.iter().any(is_test_only) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        if !function.attrs.iter().any(is_test_only) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        let variants = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
        self.all.enums.entry(item.ident.to_string()).or_default().push(variants);
    }

    fn visit_item_impl(&mut self, block: &'a ItemImpl) {
        self.owner = type_name(&block.self_ty);
        visit::visit_item_impl(self, block);
    }

    fn visit_expr_match(&mut self, expression: &'a ExprMatch) {
        let mut named = Named::default();
        for arm in &expression.arms {
            named.visit_pat(&arm.pat);
        }
        let line = expression.match_token.span.start().line;
        for (name, variants) in named.0 {
            let name = if name == "Self" { self.owner.clone() } else { name };
            self.all.matches.push((name, variants, format!("{}:{line}", self.path)));
        }
        visit::visit_expr_match(self, expression);
    }
}
