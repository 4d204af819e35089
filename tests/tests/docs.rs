//! That the documents are true where a program can tell: generated parts, links, YAML, commands. Whether they are good
//! is for readers to say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use launchway_tests::{docs, shape};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What tells that a page is not finished, or was written for one machine alone.
const UNFINISHED: [&str; 8] = ["TODO", "FIXME", "TBD", "XXX", "/home/", "/root/", "/work/", ":latest"];

/// A page, by its path in the repository.
struct Page {
    path: String,
    text: String,
}

/// README, CONTRIBUTING, CHANGELOG and everything in docs.
fn pages() -> Vec<Page> {
    let root = shape::repository();
    let in_folder = |folder: &str| std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = in_folder("").chain(in_folder("docs")).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
    paths.sort();
    let page = |path: &PathBuf| Page {
        path: path.strip_prefix(&root).unwrap().display().to_string(),
        text: std::fs::read_to_string(path).unwrap(),
    };
    paths.iter().map(page).collect()
}

impl Page {
    /// What stands in code blocks whose first line says exactly that.
    fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut fence: Option<(bool, String)> = None;
        for line in self.text.lines() {
            fence = match (fence, line.trim_start().strip_prefix("```")) {
                (None, Some(info)) => Some((info.trim() == language, String::new())),
                (None, None) => None,
                (Some((wanted, block)), Some(_)) => {
                    blocks.extend(wanted.then_some(block));
                    None
                }
                (Some((wanted, block)), None) => Some((wanted, format!("{block}{line}\n"))),
            };
        }
        blocks
    }

    /// The commands of cargo, in lines and in blocks of code.
    fn cargo_commands(&self) -> Vec<String> {
        let begins = |line: &str| line.trim_start_matches("$ ").strip_prefix("cargo ").map(str::to_owned);
        let commands =
            self.text.lines().filter_map(begins).chain(self.text.split("`cargo ").skip(1).map(str::to_owned));
        commands.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect()).collect()
    }

    /// The page without its code blocks and without code in lines.
    fn prose(&self) -> String {
        let outside = self.text.split("```").step_by(2).collect::<String>();
        outside.split('`').step_by(2).collect()
    }

    /// What its links point to.
    fn links(&self) -> Vec<String> {
        let prose = self.prose();
        prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// The names by which links point to its headings.
    fn anchors(&self) -> BTreeSet<String> {
        let text = self.text.split("```").step_by(2).collect::<String>();
        text.lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect()
    }
}

/// As GitHub makes one: lower case, spaces to hyphens, all else but letters, digits and hyphens gone.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

#[test]
fn no_function_and_no_file_is_longer_than_it_may_be() {
    let broken = shape::broken(&shape::measure(&shape::repository()).unwrap());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_of_our_codes_shape_has_a_row_for_every_crate() {
    let text = std::fs::read_to_string(shape::repository().join("docs/architecture.md")).unwrap();
    let (_, table) = text.split_once("<!-- begin shape -->").unwrap();
    for room in shape::ROOMS {
        assert!(table.contains(&format!("| `{}` |", room.folder)), "{}: run `cargo shape --write`", room.folder);
    }
}

#[test]
fn what_comes_from_the_code_is_as_the_code_says() {
    for (file, text) in docs::files() {
        let there = std::fs::read_to_string(shape::repository().join(file)).unwrap();
        assert!(there == text, "{file}: run `cargo docgen`");
    }
    for part in docs::parts() {
        assert!(part.is_there(&shape::repository()).unwrap(), "{}: run `cargo docgen`", part.document);
    }
}

#[test]
fn every_list_of_an_account_has_a_row_that_says_what_an_absent_one_means() {
    let page = std::fs::read_to_string(shape::repository().join("docs/awsaccount.md")).unwrap();
    let rows: BTreeSet<String> =
        page.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect();
    let yaml = std::fs::read_to_string(shape::repository().join("crds/yaml/awsaccounts.yaml")).unwrap();
    let definition: Value = serde_saphyr::from_str(&yaml).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let lists = schema["properties"]["spec"]["properties"]["allow"]["properties"].as_object().unwrap();
    assert_eq!(rows, lists.keys().cloned().collect());
}

#[test]
fn every_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    let pages = pages();
    for page in &pages {
        let folder = Path::new(&page.path).parent().unwrap().to_owned();
        for link in page.links().into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { PathBuf::from(&page.path) } else { folder.join(file) };
            let target = shape::repository().join(target);
            assert!(target.exists(), "{}: {link} leads nowhere", page.path);
            if !anchor.is_empty() {
                let other = Page { path: link.clone(), text: std::fs::read_to_string(&target).unwrap() };
                assert!(other.anchors().contains(anchor), "{}: {link} has no such heading", page.path);
            }
        }
    }
}

/// The names of functions in our Rust files.
fn functions() -> BTreeSet<String> {
    let folders = ["controller", "crds", "tests"].map(|name| shape::files(&shape::repository().join(name)).unwrap());
    let texts = folders.into_iter().flatten().map(|path| std::fs::read_to_string(path).unwrap());
    let name =
        |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    texts.flat_map(|text| text.split("fn ").skip(1).map(name).collect::<Vec<_>>()).collect()
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let functions = functions();
    // Our tests' names are sentences.
    let is_sentence = |name: &str| {
        let is_metric = name.starts_with("launchway_");
        !is_metric
            && name.matches('_').count() >= 4
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
    };
    let named = pages().into_iter().flat_map(|page| {
        let names = page.text.split('`').skip(1).step_by(2).filter(|name| is_sentence(name)).map(str::to_owned);
        names.map(|name| (page.path.clone(), name)).collect::<Vec<_>>()
    });
    let missing: Vec<String> = named
        .filter(|(_, name)| !functions.contains(name))
        .map(|(path, name)| format!("{}: there is no {name}", path))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn no_page_is_unfinished_or_of_one_machine() {
    for page in pages() {
        for (at, line) in page.text.lines().enumerate() {
            for word in UNFINISHED {
                assert!(!line.contains(word), "{}:{}: {word}", page.path, at + 1);
            }
        }
    }
}

#[test]
fn every_manifest_of_ours_says_only_what_our_types_know() {
    let mut kinds = BTreeSet::new();
    for page in pages() {
        for yaml in page.blocks("yaml") {
            let documents: Vec<Value> =
                serde_saphyr::from_multiple(&yaml).unwrap_or_else(|error| panic!("{}: {error}\n{yaml}", page.path));
            for document in documents.iter().filter(|document| document["apiVersion"] == "launchway.dev/v1alpha1") {
                let kind = document["kind"].as_str().unwrap();
                assert_eq!(unknown(document, &read(kind, document)), None, "{}: {kind}", page.path);
                kinds.insert(kind.to_owned());
            }
        }
    }
    assert_eq!(kinds.len(), 5, "the pages show each kind: {kinds:?}");
}

#[test]
fn every_piece_of_rust_is_a_piece_of_ours() {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let room = |room: shape::Measured| room.sources.into_iter().map(|source| source.path);
    let paths = shape::measure(&shape::repository()).unwrap().into_iter().flat_map(room);
    let code: Vec<String> =
        paths.map(|path| dense(&std::fs::read_to_string(shape::repository().join(path)).unwrap())).collect();
    for page in pages() {
        for piece in page.blocks("rust") {
            assert!(code.iter().any(|file| file.contains(&dense(&piece))), "{}: {piece}", page.path);
        }
    }
}

#[test]
fn every_fragment_is_yaml() {
    for page in pages() {
        for yaml in page.blocks("yaml fragment") {
            let read: Result<Vec<Value>, _> = serde_saphyr::from_multiple(&yaml);
            assert!(read.is_ok(), "{}: {yaml}", page.path);
        }
    }
}

/// The manifest as our types read and write it.
fn read(kind: &str, manifest: &Value) -> Value {
    fn there_and_back<K: DeserializeOwned + Serialize>(manifest: &Value) -> Value {
        serde_json::to_value(
            serde_json::from_value::<K>(manifest.clone()).unwrap_or_else(|error| panic!("{error}: {manifest}")),
        )
        .unwrap()
    }
    macro_rules! by_kind {
        ($($known:ident),*) => {
            match kind {
                $(stringify!($known) => there_and_back::<launchway_crds::$known>(manifest),)*
                other => panic!("{other} is no kind of ours"),
            }
        };
    }
    launchway_crds::kinds!(by_kind)
}

/// The first member of `manifest` that is another or not there in what our types made of it.
fn unknown(manifest: &Value, known: &Value) -> Option<String> {
    match (manifest, known) {
        (Value::Object(members), Value::Object(others)) => members.iter().find_map(|(name, value)| {
            let inside = others.get(name).map_or_else(|| Some(String::new()), |other| unknown(value, other));
            inside.map(|inside| format!(".{name}{inside}"))
        }),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            items.iter().zip(others).find_map(|(item, other)| unknown(item, other))
        }
        (one, other) => (one != other).then(|| format!(" = {one}, not {other}")),
    }
}

#[test]
fn every_cargo_command_is_cargos_own_or_an_alias() {
    let config = std::fs::read_to_string(shape::repository().join(".cargo/config.toml")).unwrap();
    let own = ["build", "check", "clippy", "deny", "fmt", "install", "run", "test", "doc", "tree", "update", "audit"];
    for page in pages() {
        for name in page.cargo_commands() {
            let known = own.contains(&name.as_str()) || config.contains(&format!("\n{name} = "));
            assert!(known, "{}: cargo {name}", page.path);
        }
    }
}
