//! The ready-made buildspecs, run by real shells with the real grep. `cfn-lint` is a stand-in here, which fails for a template that
//! says `Broken`, where it is told to let warnings pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use launchway_crds::pipeline::Scan;
use launchway_plan::pipeline::scan::spelled_out;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Parts of keys, so that no scan of this repository finds them here.
const KEY: [&str; 2] = ["AKI", "AZ3MGXNQ5WLHB2CDE"];
const SECRET: [&str; 2] = ["aws_secret_access_", "key"];
const VALUE: &str = "kX9vQ2mB7nR4tY8wE1uI5oP3aS6dF0gH/jK+lZxC";

/// What the commands of a buildspec print in a folder, and whether they succeed.
fn run(given: &Value, tree: &TempDir, path: &str) -> (bool, String) {
    let given: Scan = serde_json::from_value(given.clone()).unwrap();
    let text = spelled_out(&given).unwrap().inline.unwrap().to_string();
    let buildspec: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(buildspec["version"].to_string(), "0.2");
    let commands: Vec<String> = serde_json::from_value(buildspec["phases"]["build"]["commands"].clone()).unwrap();
    let folder = TempDir::new().unwrap();
    // Nobody knows how CodeBuild calls a command: the last one has to tell by itself how it ended.
    let wrapped = format!("{}\nif {}; then exit 0; else exit 1; fi", commands[0], commands[1]);
    let ran = ["sh", "bash"].map(|shell| {
        let mut command = Command::new(shell);
        command.arg("-c").arg(&wrapped).current_dir(tree).env("PATH", path).env("TMPDIR", folder.path());
        let ran = command.output().unwrap();
        let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (ran.status.success(), said)
    });
    assert_eq!(ran[0], ran[1], "every shell sees the same");
    ran[0].clone()
}

fn path() -> String {
    std::env::var("PATH").unwrap()
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let tree = TempDir::new().unwrap();
    for (name, text) in files {
        let file = tree.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    tree
}

fn secrets(files: &[(&str, &str)], given: Value) -> (bool, String) {
    run(&json!({"secrets": given}), &tree(files), &path())
}

#[test]
fn each_kind_of_secret_is_found_by_its_place_and_is_not_printed() {
    let (key, name) = (KEY.concat(), SECRET.concat());
    let private = format!("-----BEGIN RSA {} KEY-----", "PRIVATE");
    let kinds = [
        ("an AWS access key ID", key.clone()),
        ("an AWS access key ID", format!("id='{key}';")),
        ("an AWS secret access key", format!("{name} = {VALUE}")),
        ("an AWS secret access key", format!("\"SecretAccess{}\": \"{VALUE}\",", "Key")),
        ("an AWS secret access key", format!("AWS_SECRET_{}:   '{VALUE}'", "KEY")),
        ("a private key", private),
        ("a token of GitHub", format!("url: https://{}_{}@github.com", "ghp", "a1B2".repeat(9))),
        ("a token of GitLab", format!("{}-{}", "glpat", "a1B2".repeat(5))),
        ("a token of Slack", format!("{}-{}", "xoxb", "1234567890-a")),
        ("an AWS access key ID", format!("AKIAIOSFODNN7EXAMPLE,{key}")),
        ("an AWS access key ID", format!("s3/{key}/EXAMPLES")),
        ("an AWS secret access key", format!(r#"{{"name": "AWS_SECRET_ACCESS_{}", "value": "{VALUE}"}}"#, "KEY")),
        ("a private key", format!("key = \"-----BEGIN {} KEY-----\\nMIIE\"", "PRIVATE")),
    ];
    for (kind, text) in kinds {
        let file = format!("first line\n{text}\n");
        let (is_well, said) = secrets(&[("deploy/a b:3:c.sh", &file), ("README.md", "nothing\n")], json!({}));
        assert!(!is_well, "{text}");
        assert_eq!(said.lines().next(), Some(format!("./deploy/a b:3:c.sh:2: {kind}").as_str()), "{text}");
        assert!(!["a1B2a1B2", "1234567890", "MIIE", &key, VALUE].iter().any(|part| said.contains(part)), "{said}");
    }
}

#[test]
fn what_is_no_secret_is_let_through() {
    let (name, commit) = (SECRET.concat(), "0123456789abcdef0123456789abcdef01234567");
    let harmless = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("{name} = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        format!("commit {commit}"),
        format!("{name}: ${{{{ secrets.KEY }}}}"),
        format!("{name}: {VALUE}and-more-of-the-same-word"),
        format!("XX{}XX", KEY.concat()),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        format!("strings.HasPrefix(text, \"-----BEGIN RSA {} KEY-----\")", "PRIVATE"),
        format!("{name}: {commit}"),
        "xoxb-your-token-here AKIAXXXXXXXXXXXXXXXX ASIAIOSFODNN7EXAMPLE".to_owned(),
        "caffè \u{e9}".to_owned(),
    ];
    for text in harmless {
        let (is_well, said) = secrets(&[("a.txt", &format!("{text}\n"))], json!({}));
        assert!(is_well, "{text}: {said}");
        assert_eq!(said, "No secret was found.\n", "{text}");
    }
}

#[test]
fn texts_and_paths_can_be_left_out_and_nothing_else_is() {
    let (key, other) = (KEY.concat(), format!("{}AZZZ{}", KEY[0], "A234567234567"));
    let files = [("tests/keys/a.txt", other.as_str()), ("b.pem", &other), ("src/c.txt", &key), (".git/d", &other)];
    let of = |given: Value| {
        let (_, said) = secrets(&files, given);
        let mut places: Vec<String> =
            said.lines().filter_map(|line| Some(line.split_once(": an AWS")?.0.to_owned())).collect();
        places.sort();
        places
    };
    assert_eq!(of(json!({})), ["./b.pem:1", "./src/c.txt:1", "./tests/keys/a.txt:1"]);
    assert_eq!(of(json!({"allow": [other]})), ["./src/c.txt:1"]);
    assert_eq!(of(json!({"exclude": ["tests", "*.pem"]})), ["./src/c.txt:1"]);
    assert_eq!(of(json!({"exclude": ["src/*.txt"], "allow": ["another-text"]})), ["./b.pem:1", "./tests/keys/a.txt:1"]);
    // What is allowed is a text of the line, and never its file; and no word of the script's own.
    for allow in ["tests/keys", "src/c.txt", "EXCLUDED", "LAUNCHWAY"] {
        assert_eq!(of(json!({"allow": [allow]})).len(), 3, "{allow}");
    }
}

#[test]
fn the_longest_lists_make_a_buildspec_that_is_admitted() {
    let (allow, exclude) = (vec!["x".repeat(64); 20], vec!["y".repeat(128); 10]);
    for given in [
        json!({"secrets": {"allow": allow, "exclude": exclude}}),
        json!({"templates": {"files": vec!["y".repeat(128); 20]}}),
    ] {
        let given: Scan = serde_json::from_value(given).unwrap();
        let length = spelled_out(&given).unwrap().inline.unwrap().chars().count();
        assert!(length <= 8192, "{length}");
    }
}

#[test]
fn a_file_in_no_known_encoding_or_with_a_nul_and_a_line_of_a_megabyte_are_scanned() {
    let (long, key) = ("x".repeat(1 << 20), KEY.concat());
    let tree = tree(&[("a.js", &format!("{long} {key} {long}\n"))]);
    let latin = [b"caf\xe9 \0 ".as_slice(), key.as_bytes(), b"\n"].concat();
    fs::write(tree.path().join("b.txt"), latin).unwrap();
    let (is_well, said) = run(&json!({"secrets": {}}), &tree, &path());
    assert!(!is_well);
    assert!(said.contains("./a.js:1: an AWS") && said.contains("./b.txt:1: an AWS"), "{said}");
    assert!(said.len() < 1000, "{}", said.len());
}

/// A folder of programs, one of which is a stand-in.
fn beside(name: &str, script: &str) -> (TempDir, String) {
    let programs = TempDir::new().unwrap();
    let program = programs.path().join(name);
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.path().display(), path());
    (programs, path)
}

#[test]
fn a_scan_that_cannot_find_anything_is_no_success() {
    let full = tree(&[("a.txt", "nothing\n")]);
    for code in [1, 2] {
        let (_programs, without) = beside("grep", &format!("#!/bin/sh\nexit {code}\n"));
        let (is_well, said) = run(&json!({"secrets": {}}), &full, &without);
        assert!(!is_well && said.contains("no GNU grep"), "{said}");
    }
    // One that cannot read the commit's files, but those of its own.
    let grep = std::env::split_paths(&path()).map(|folder| folder.join("grep")).find(|file| file.is_file()).unwrap();
    let broken =
        format!("#!/bin/sh\nfor last; do :; done\n[ \"$last\" = . ] && exit 2\nexec {} \"$@\"\n", grep.display());
    let (_programs, without) = beside("grep", &broken);
    let (is_well, said) = run(&json!({"secrets": {}}), &full, &without);
    assert!(!is_well && !said.contains("No secret was found"), "{said}");
    let (is_well, said) = run(&json!({"secrets": {}}), &tree(&[(".git/config", "[core]\n")]), &path());
    assert!(!is_well && said.contains("There are no files"), "{said}");
}

const LINT: &str = "#!/bin/sh\n[ \"$1 $2\" = '--non-zero-exit-code error' ] || exit 9\nfor last; do :; done\n! grep -q Broken \"$last\"\n";

fn templates(files: &[(&str, &str)], given: Value) -> (bool, String) {
    let (_programs, path) = beside("cfn-lint", LINT);
    run(&json!({"templates": given}), &tree(files), &path)
}

#[test]
fn templates_that_are_named_or_say_that_they_are_some_are_scanned() {
    let good = "AWSTemplateFormatVersion: '2010-09-09'\n";
    let bad = "AWSTemplateFormatVersion: '2010-09-09'\nBroken: true\n";
    let mention = "run: grep -q AWSTemplateFormatVersion a.yml\n";
    let both = [("infra/one.yml", good), ("two three.json", bad), ("values.yaml", "a: 1\n"), ("ci.yml", mention)];
    let (is_well, said) = templates(&both, json!({}));
    assert!(!is_well && said.contains("1 of 2 templates have errors") && said.contains("./two three.json"), "{said}");
    let (is_well, said) = templates(&both, json!({"files": ["infra/*.yml"]}));
    assert!(is_well && said == "0 of 1 templates have errors.\n", "{said}");
    for (files, wrong) in [
        (json!(["service.yml"]), "There is no template ./service.yml."),
        (json!(["infra/*.yml", "nothing/*.yml"]), "There is no template ./nothing/*.yml."),
    ] {
        let (is_well, said) = templates(&both, json!({"files": files}));
        assert!(!is_well && said.contains(wrong), "{said}");
    }
    let (is_well, said) = templates(&[("values.yaml", "a: 1\n")], json!({}));
    assert!(!is_well && said.contains("name the templates in files"), "{said}");
}

#[test]
fn without_cfn_lint_and_python_the_message_says_what_is_needed() {
    let programs = TempDir::new().unwrap();
    for name in ["sh", "bash", "cat", "grep", "mktemp"] {
        let found = std::env::split_paths(&path()).map(|folder| folder.join(name)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), programs.path().join(name)).unwrap();
    }
    let (is_well, said) = run(
        &json!({"templates": {}}),
        &tree(&[("a.yml", "AWSTemplateFormatVersion: x\n")]),
        &Path::new(programs.path()).display().to_string(),
    );
    assert!(!is_well && said.contains("take an image with Python 3.10"), "{said}");
}
