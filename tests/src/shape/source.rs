//! One file, measured: its functions, its lines of code and of tests. What is long is judged elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Signature, TraitItemFn, Type};

use super::Room;

/// What code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It runs at a user's.
    Product,
    /// The tests stand on it: an AWS and an API server in memory, stories, the quick start.
    World,
    /// It is a test.
    Test,
}

/// A function with a body. Closures and what macros write are not counted.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, after that of its type where it has one.
    pub name: String,
    /// The line of its `fn`.
    pub line: usize,
    /// How many lines it has, from there to its closing brace.
    pub lines: usize,
    /// What it is for.
    pub part: Part,
}

/// A file, measured. A line of code is neither blank nor a comment alone.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path in the repository.
    pub path: String,
    /// Lines of code that are no tests: by these its length is judged.
    pub code: usize,
    /// Lines of code of tests.
    pub tests: usize,
    /// Its functions.
    pub functions: Vec<Function>,
    /// What its code is for.
    pub part: Part,
    /// Its modules in files of their own that are only compiled for tests.
    test_modules: Vec<String>,
}

impl Source {
    /// Whether that path is of a module that this file compiles for tests alone.
    pub(super) fn tests_alone(&self, path: &str) -> bool {
        let own = self.path.trim_end_matches(".rs");
        let folder =
            ["lib", "main", "mod"].iter().find_map(|root| own.strip_suffix(&format!("/{root}"))).unwrap_or(own);
        let module = |name: &String| format!("{folder}/{name}");
        self.test_modules
            .iter()
            .map(module)
            .any(|module| path.strip_prefix(&module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
    }

    /// The same file, as one of tests alone.
    pub(super) fn into_tests(self) -> Self {
        let as_test = |function| Function { part: Part::Test, ..function };
        let functions = self.functions.into_iter().map(as_test).collect();
        Self { code: 0, tests: self.code + self.tests, functions, part: Part::Test, ..self }
    }

    /// Its lines of code for `part`.
    pub fn lines(&self, part: Part) -> usize {
        match part {
            Part::Test => self.tests,
            Part::Product | Part::World if part == self.part => self.code,
            Part::Product | Part::World => 0,
        }
    }
}

/// Reads and measures a file of a crate.
pub(super) fn read(root: &Path, room: &Room, file: &Path) -> anyhow::Result<Source> {
    let path = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| path.clone())?;
    let inside = path.strip_prefix(room.folder).unwrap_or(&path);
    measured(&path, &text, if is_test(inside) { Part::Test } else { room.part }).with_context(|| path)
}

/// Whether a file of a crate holds tests alone: `tests.rs` beside code, or a folder `tests`.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

pub(super) fn measured(path: &str, text: &str, part: Part) -> anyhow::Result<Source> {
    let file = syn::parse_file(text)?;
    let mut walk = Walk { part, owner: None, functions: Vec::new(), test_lines: BTreeSet::new(), test_modules: vec![] };
    walk.visit_file(&file);
    let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let code: Vec<usize> = (1..).zip(text.lines()).filter(|(_, line)| is_code(line)).map(|(at, _)| at).collect();
    let beside = code.iter().filter(|at| walk.test_lines.contains(at)).count();
    let tests = if part == Part::Test { code.len() } else { beside };
    Ok(Source {
        path: path.to_owned(),
        code: code.len() - tests,
        tests,
        functions: walk.functions,
        part,
        test_modules: walk.test_modules,
    })
}

/// A walk over a file.
struct Walk {
    part: Part,
    owner: Option<String>,
    functions: Vec<Function>,
    /// The lines of what is only compiled for tests.
    test_lines: BTreeSet<usize>,
    /// The modules in files of their own that are only compiled for tests.
    test_modules: Vec<String>,
}

impl Walk {
    fn function(&mut self, signature: &Signature, body: &Block) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        let name = signature.ident.to_string();
        let name = self.owner.as_ref().map_or(name.clone(), |owner| format!("{owner}::{name}"));
        self.functions.push(Function { name, line: first, lines: last + 1 - first, part: self.part });
    }

    /// Walks over what may be only compiled for tests.
    fn for_part_of(&mut self, attributes: &[Attribute], span: Span, walk: impl FnOnce(&mut Self)) {
        let outer = self.part;
        if attributes.iter().any(is_test_only) {
            self.part = Part::Test;
            self.test_lines.extend(lines(span));
        }
        walk(self);
        self.part = outer;
    }

    fn inside(&mut self, owner: String, walk: impl FnOnce(&mut Self)) {
        let outer = self.owner.replace(owner);
        walk(self);
        self.owner = outer;
    }
}

impl<'a> Visit<'a> for Walk {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if module.content.is_none() && module.attrs.iter().any(is_test_only) {
            self.test_modules.push(module.ident.to_string());
        }
        let outer = self.owner.take();
        self.for_part_of(&module.attrs, module.span(), |walk| visit::visit_item_mod(walk, module));
        self.owner = outer;
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        self.for_part_of(&function.attrs, function.span(), |walk| {
            walk.function(&function.sig, &function.block);
            visit::visit_item_fn(walk, function);
        });
    }

    fn visit_item_impl(&mut self, block: &'a ItemImpl) {
        self.inside(type_name(&block.self_ty), |walk| visit::visit_item_impl(walk, block));
    }

    fn visit_item_trait(&mut self, block: &'a ItemTrait) {
        self.inside(block.ident.to_string(), |walk| visit::visit_item_trait(walk, block));
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a TraitItemFn) {
        if let Some(body) = &function.default {
            self.function(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn lines(span: Span) -> std::ops::RangeInclusive<usize> {
    span.start().line..=span.end().line
}

pub(super) fn type_name(type_: &Type) -> String {
    if let Type::Reference(reference) = type_ {
        return type_name(&reference.elem);
    }
    let Type::Path(path) = type_ else { return "impl".to_owned() };
    path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default()
}

pub(super) fn is_test_only(attribute: &Attribute) -> bool {
    let cfg_test =
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"));
    cfg_test || attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}
