#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn body(lines: &[&str]) -> Vec<u8> {
    let mut body: String =
        lines.iter().map(|text| if text.is_empty() { FLUSH.to_owned() } else { line(text) }).collect();
    body += FLUSH;
    body.into_bytes()
}

fn branches(listing: &Listing) -> Vec<(&str, &str)> {
    listing.branches.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect()
}

#[test]
fn version_2_is_told_with_and_without_the_banner() {
    let abilities = ["version 2", "agent=git/2.39", "ls-refs=unborn", "fetch=shallow", "object-format=sha256"];
    let expected = Advertisement::V2(Abilities { object_format: Some("sha256".into()), agent: true, filters: false });
    assert_eq!(advertisement(&body(&abilities)), Ok(expected.clone()));
    let banner = [&["# service=git-upload-pack", ""], abilities.as_ref()].concat();
    assert_eq!(advertisement(&body(&banner)), Ok(expected));
    for (fetch, gives_objects) in
        [("fetch=shallow wait-for-done filter", true), ("fetch=filters", false), ("fetch", false)]
    {
        let Ok(Advertisement::V2(abilities)) = advertisement(&body(&["version 2", "ls-refs", fetch])) else {
            panic!("{fetch}")
        };
        assert_eq!(abilities.gives_objects(), gives_objects, "{fetch}");
    }
}

#[test]
fn versions_0_and_1_tell_everything_at_once() {
    let first = format!("{A} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=git/1.8");
    let (main, tag, peeled) =
        (format!("{A} refs/heads/main"), format!("{A} refs/tags/v1"), format!("{B} refs/tags/v1^{{}}"));
    let lines = [first.as_str(), &main, &tag, &peeled];
    for front in [&["# service=git-upload-pack", ""][..], &["# service=git-upload-pack", "", "version 1"], &[]] {
        let Ok(Advertisement::Everything(listing)) = advertisement(&body(&[front, &lines].concat())) else {
            panic!("{front:?}")
        };
        assert_eq!((branches(&listing), listing.default.as_deref()), (vec![("main", A)], Some("main")));
        assert_eq!(listing.tags, BTreeMap::from([("v1".to_owned(), B.to_owned())]));
    }
}

/// What CodeCommit advertised in 2018: version 0, and no `symref`.
#[test]
fn a_server_that_does_not_say_what_head_is_has_no_default_branch() {
    let abilities =
        "multi_ack_detailed shallow side-band-64k thin-pack allow-tip-sha1-in-want allow-reachable-sha1-in-want";
    let (first, main) = (format!("{A} HEAD\0 {abilities}"), format!("{A} refs/heads/master"));
    let lines = ["# service=git-upload-pack", "", &first, &main];
    let Ok(Advertisement::Everything(listing)) = advertisement(&body(&lines)) else { panic!("version 0") };
    assert_eq!((branches(&listing), listing.default.as_deref()), (vec![("master", A)], None));
}

#[test]
fn an_empty_repository_has_no_branches() {
    let nothing = format!("{} capabilities^{{}}\0agent=git/2", "0".repeat(40));
    for lines in [vec!["# service=git-upload-pack", "", &nothing], vec!["# service=git-upload-pack", "", ""]] {
        let lines = if lines.last() == Some(&"") { &lines[..2] } else { &lines[..] };
        assert_eq!(advertisement(&body(lines)), Ok(Advertisement::Everything(Listing::default())));
    }
    assert_eq!(listing(FLUSH.as_bytes()), Ok(Listing::default()));
    let unborn = listing(&body(&["unborn HEAD symref-target:refs/heads/trunk"])).unwrap();
    assert_eq!((unborn.default.as_deref(), unborn.branches.len()), (Some("trunk"), 0));
}

#[test]
fn refs_are_listed_with_either_hash() {
    let head = format!("{B} HEAD symref-target:refs/heads/main");
    let (main, dev) = (format!("{B} refs/heads/main"), format!("{B} refs/heads/feature/x peeled:{B}"));
    let listing = listing(&body(&[&head, &main, &dev])).unwrap();
    assert_eq!(branches(&listing), [("feature/x", B), ("main", B)]);
    let [main, feature] = ["main", "feature"].map(|name| Refs::Branch(name.to_owned()));
    let heads = listing.heads(&[main.clone(), feature.clone()].into());
    assert_eq!(heads[&main], Ok(Head { commit: B.to_owned(), of: "refs/heads/main".to_owned() }));
    let Err(GitFault::NoSuchBranch(missing)) = &heads[&feature] else { panic!("{heads:?}") };
    assert_eq!(missing.default.as_deref(), Some("main"));
}

fn tags(semver: &str) -> Refs {
    let tags = serde_json::from_value(serde_json::json!({"semver": semver})).unwrap();
    Refs::parse("spec.source.git", None, Some(&tags)).unwrap()
}

#[test]
fn of_tags_the_newest_is_the_head_and_its_commit_that_of_the_tags_object() {
    let plain = format!("{A} refs/tags/v1.9.0");
    let object = format!("{A} refs/tags/v1.10.0 peeled:{B}");
    let odd = format!("{A} refs/tags/v2.\u{430}.0");
    let listing = listing(&body(&[&plain, &object, &odd])).unwrap();
    assert_eq!(listing.tags.keys().collect::<Vec<_>>(), ["v1.10.0", "v1.9.0"]);
    let (found, none) = (tags(">=1.0.0"), tags(">=2.0.0"));
    let heads = listing.heads(&[found.clone(), none.clone()].into());
    assert_eq!(heads[&found], Ok(Head { commit: B.to_owned(), of: "refs/tags/v1.10.0".to_owned() }));
    assert_eq!(heads[&none], Err(GitFault::NoTag(Some("v1.9.0".to_owned()))));
    let long = format!("{A} refs/tags/v1.0.0-{}", "a".repeat(200));
    assert_eq!(super::listing(&body(&[&long])).unwrap().tags.len(), 0);
}

#[test]
fn what_is_not_the_protocol_is_malformed() {
    let cases = [
        (body(&["ERR access denied to hunter2"]), Malformed::Error),
        (body(&["aaaa refs/heads/main"]), Malformed::ObjectId),
        (body(&[&format!("{} refs/heads/main", "0".repeat(40))]), Malformed::ObjectId),
        (body(&[&format!("{} refs/heads/main", A.to_uppercase())]), Malformed::ObjectId),
        (body(&["nothing"]), Malformed::Line),
        (line(&format!("{A} refs/heads/main")).into_bytes(), Malformed::Truncated),
        (vec![], Malformed::Truncated),
        (body(&[&format!("{A} refs/heads/main"), ""]), Malformed::Trailing),
        (b"<html>".to_vec(), Malformed::Length),
        (DELIMITER.into(), Malformed::OutOfPlace),
    ];
    for (body, malformed) in cases {
        assert_eq!(listing(&body), Err(malformed), "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(advertisement(&body(&["version 3"])), Err(Malformed::Version));
    assert_eq!(advertisement(&body(&["version 2", "fetch"])), Err(Malformed::Version));
    assert_eq!(advertisement(&body(&["version 2", "ls-refs", "object-format=md5"])), Err(Malformed::Version));
}

#[test]
fn the_request_asks_for_what_is_wanted_only() {
    let abilities = Abilities { object_format: Some("sha1".into()), agent: false, filters: false };
    let names = BTreeSet::from(["dev", "main"].map(|name| Refs::Branch(name.to_owned())));
    let sent = request(&abilities, &names.iter().map(Refs::prefix).collect());
    let lines: Vec<_> = packets(sent.as_bytes()).map(Result::unwrap).collect();
    let line = |text: &'static str| Packet::Line(text.as_bytes());
    assert_eq!(lines[..3], [line("command=ls-refs"), line("object-format=sha1"), Packet::Delimiter]);
    assert_eq!(lines[3..5], [line("symrefs"), line("ref-prefix HEAD")]);
    assert_eq!(lines[5..], [line("ref-prefix refs/heads/dev"), line("ref-prefix refs/heads/main"), Packet::Flush]);
    let sent = request(&abilities, &[tags("*").prefix()].into());
    let lines: Vec<_> = packets(sent.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(lines[4..], [line("peel"), line("ref-prefix HEAD"), line("ref-prefix refs/tags/"), Packet::Flush]);
}

#[test]
fn names_are_judged_as_git_judges_them() {
    for name in ["main", "feature/x", "a.b", "üben", "@", "1"] {
        assert!(is_branch_name(name), "{name}");
    }
    for name in [
        "", "/", "a//b", "a/", "/a", "..", "a..b", ".a", "a/.b", "a.lock", "a b", "a\nb", "a~1", "a^", "a:b", "a?",
        "a*", "[", "a\\b", "a@{1}", "a.", "-x",
    ] {
        assert!(!is_branch_name(name), "{name:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>) {
        let _ = advertisement(&bytes);
        let _ = listing(&bytes);
    }

    #[test]
    fn no_lines_make_the_readers_panic(lines in prop::collection::vec("(version [0-3]|ls-refs=?|[a-f0]{40}|HEAD|refs/heads/|unborn|symref-target:|shallow|\\PC|\0| ){0,8}", 0..6)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let _ = advertisement(&body(&lines));
        let _ = listing(&body(&lines));
    }

    #[test]
    fn every_branch_that_is_listed_is_found(names in prop::collection::btree_set("[a-z][a-z0-9/]{0,12}[a-z]", 0..30)) {
        let names: BTreeSet<String> = names.into_iter().filter(|name| is_branch_name(name)).collect();
        let lines: Vec<String> = names.iter().map(|name| format!("{A} refs/heads/{name}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let found = listing(&body(&lines)).unwrap();
        prop_assert!(found.branches.keys().eq(names.iter()));
    }
}
