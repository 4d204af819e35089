//! Fuzz targets of what is parsed here and comes from others: from who writes our objects, from what builds leave, and from URLs that
//! are asked whether all is well. What must hold of each stands in its target; how inputs are made, in `tests/fuzz`.

use crate::address::{Allowed, Range as Place, Rules, Scheme, range, refusal};
use crate::image::{ImageId, listed, said, short, untagged};
use crate::pipeline::paths::Paths;
use crate::pipeline::refs::Refs;
use crate::release::expect::judge;
use crate::secret::{Unbound, sendable};
use crate::service::Meaning;
use crate::service::canonical::{self, Members};
use crate::service::meaning::is_same_task_definition;
use crate::tag::{commit, is_commit, tag};
use launchway_crds::aws::TaskDefinition;
use launchway_crds::name::{CommitId, PathPattern, TagPattern};
use launchway_crds::pipeline::{self, Expectation};
use launchway_test_fuzz::fuzz;
use serde_json::{Value, json};
use std::net::IpAddr;
use url::{Host, Url};

/// What stands for a secret.
const MARK: &str = "hunter2";

/// The input as a text, for what only texts reach.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The input's lines; absent ones are empty.
fn lines<const N: usize>(bytes: &[u8]) -> [String; N] {
    let text = text(bytes);
    let mut lines = text.splitn(N, '\n').map(str::to_owned);
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

#[test]
fn a_url_that_is_admitted_leads_to_a_public_place_and_none_is_told_with_its_password() {
    let rules = Rules::strict();
    let listing = Rules::parse(
        &Allowed { extra_hosts: vec!["10.0.0.7:3000".into(), "git.internal".into()], plain_http: Scheme::HttpToo },
        &["kubernetes.default.svc".into(), "52.1.2.4".into()],
    );
    let listing = listing.unwrap();
    let seeds = [
        "https://git.example.com/shop/web.git",
        "https://git.example.com:8443/health?deep=1#top",
        "https://52.1.2.3/",
        "https://[2606:4700::1111]:443/a",
        "https://xn--bcher-kva.example/",
        "https://git.example.com./a/../b",
    ];
    fuzz(&seeds, |bytes| {
        let given = text(bytes);
        // With exceptions nothing is promised but that it ends.
        let _ = refusal(&given, &listing).map(|refusal| refusal.to_string());
        let secretive = given.replacen("://", &format!("://ada:{MARK}@"), 1);
        if secretive != given {
            let told = refusal(&secretive, &rules).expect("a URL with a password is refused").to_string();
            assert!(!told.contains(MARK), "{told}");
        }
        if refusal(&given, &rules).is_some() {
            return false;
        }
        let url = Url::parse(&given).unwrap();
        assert_eq!((url.scheme(), url.username(), url.password()), ("https", "", None));
        match url.host().unwrap() {
            Host::Domain(name) => assert!(name.contains('.') && name.parse::<IpAddr>().is_err(), "{name}"),
            Host::Ipv4(address) => assert_eq!(range(address.into()), Place::Public),
            Host::Ipv6(address) => assert_eq!(range(address.into()), Place::Public),
        }
        // What is dialled is the URL as it was read, and not the text.
        assert_eq!(refusal(url.as_str(), &rules), None, "{url}");
        true
    });
}

#[test]
fn a_host_that_an_administrator_lists_is_one_that_a_url_can_have() {
    fuzz(&["git.example.com", "10.0.0.7:3000", "[::1]:3000", "fd00::7"], |bytes| {
        let entry = text(bytes);
        let allowed = Allowed { extra_hosts: vec![entry.clone()], plain_http: Scheme::HttpsOnly };
        let Ok(rules) = Rules::parse(&allowed, &[]) else { return false };
        let bare = entry.parse::<std::net::Ipv6Addr>().map_or(entry.clone(), |address| format!("[{address}]"));
        let is_usual =
            Url::parse(&format!("https://{bare}/")).is_ok_and(|url| url.as_str() == format!("https://{bare}/"));
        assert!(!is_usual || refusal(&format!("https://{bare}/"), &rules).is_none(), "{bare}");
        true
    });
}

#[test]
fn a_secret_is_sent_to_no_host_that_it_does_not_name() {
    let seeds =
        ["github.com, git.example.com:8443\nhttps://git.example.com:8443/a.git", "GitHub.com\nhttps://github.com./a"];
    fuzz(&seeds, |bytes| {
        let [hosts, url] = lines(bytes);
        let sent = sendable(Some(&hosts), &url, Unbound::Kept);
        let kept = sendable(None, &url, Unbound::Kept);
        assert!(kept.is_err(), "it does not say where to");
        let told = sendable(Some(&hosts), &url.replacen("://", &format!("://ada:{MARK}@"), 1), Unbound::Kept);
        assert!(told.is_ok() || hosts.contains(MARK) || !told.unwrap_err().contains(MARK));
        if sent.is_err() {
            return false;
        }
        let host = Url::parse(&url).unwrap().host_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
        let names =
            |entry: &str| entry.strip_prefix(&host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        assert!(hosts.to_lowercase().split([',', ' ']).any(names), "{host} is none of {hosts}");
        true
    });
}

const IMAGE: &str = "123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/web";
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn what_a_build_leaves_lists_images_of_ecr_and_nothing_else() {
    let seeds = [
        format!(r#"[{{"name":"web","imageUri":"{IMAGE}:v1"}},{{"name":"api","imageUri":" {IMAGE}@{DIGEST}\n"}}]"#),
        format!(r#"{{"ImageURI":"{IMAGE}:v1@{DIGEST}","ImageTags":["v1"],"Size":[1e3,-0.5,null,true]}}"#),
    ];
    fuzz(&seeds, |bytes| {
        let images = match listed(bytes) {
            Ok(images) => images,
            Err(why) => {
                assert!(why.starts_with("is ") || why.starts_with("names "), "{why}");
                return false;
            }
        };
        for image in &images {
            let seen = said(image).expect("one that can be rolled");
            assert!(
                seen.place.is_some() && image.len() <= 512 && image.is_ascii() && !image.contains(' '),
                "{image:?}"
            );
        }
        let again: Value = images.iter().map(|image| json!({"imageUri": image})).collect();
        assert_eq!(listed(again.to_string().as_bytes()), Ok(images), "each once, and each as it was");
        true
    });
}

#[test]
fn what_a_build_exports_is_an_image_of_ecr_or_a_digest_or_none() {
    let fips = format!("123456789012.dkr-ecr-fips.us-gov-west-1.on.aws/a@{DIGEST}");
    fuzz(&[format!("{IMAGE}:v1"), format!("{IMAGE}:v1@{DIGEST}"), DIGEST.to_owned(), fips], |bytes| {
        let given = text(bytes);
        // Whatever it is, it can be spoken of.
        let _ = (short(&given), untagged(&given));
        let Some(seen) = said(&given) else { return false };
        let Some(place) = &seen.place else {
            assert_eq!(seen.id, ImageId::Digest(given.trim().to_owned()));
            return true;
        };
        let id = match &seen.id {
            ImageId::Tag(tag) => format!(":{tag}"),
            ImageId::Digest(digest) => format!("@{digest}"),
        };
        let (host, _) = given.trim().split_once('/').unwrap();
        assert!(host.starts_with(&place.account) && host.to_lowercase().contains(&place.region), "{host}");
        let made = format!("{host}/{}{id}", place.repository);
        // No repository has a colon in its name, and nobody's repository is one of that name.
        assert!(place.repository.contains(':') || said(&made).as_ref() == Some(&seen), "{made}");
        true
    });
}

#[test]
fn a_verification_passes_by_what_it_expects_and_its_answer_is_not_repeated() {
    let expect = Expectation { status: 200, json: [("success".to_owned(), json!(true))].into() };
    fuzz(&[r#"{"success": true}"#, r#"{"version": "1.2", "success": true, "more": [{}, null, 1e9]}"#], |bytes| {
        let judged = judge(&expect, 200, bytes);
        assert!(judge(&expect, 503, bytes).is_err());
        let read: Option<Value> = serde_json::from_slice(bytes).ok();
        assert_eq!(judged.is_ok(), read.is_some_and(|read| read["success"] == json!(true)));
        let told = judged.clone().err().unwrap_or_default();
        let known = [
            "",
            "did not answer with a JSON object",
            "answered without success",
            "answered with an unexpected value of success",
        ];
        assert!(known.contains(&told.as_str()), "{told}");
        judged.is_ok()
    });
}

fn tags(pattern: Option<&str>, semver: Option<&str>) -> Result<Refs, String> {
    let tags = json!({"pattern": pattern, "semver": semver});
    let tags: pipeline::Tags = serde_json::from_value(tags).unwrap();
    Refs::parse("spec.source.git", None, Some(&tags)).map_err(|refusal| refusal.to_string())
}

#[test]
fn a_range_of_versions_has_what_one_of_its_parts_has_whatever_stands_in_it() {
    let versions = ["0.9.0", "1.0.0-rc.1", "1.0.0", "1.2.3-0", "1.2.9", "1.10.0", "2.0.0-alpha", "2.0.0", "3.1.4"];
    let seeds =
        [">=1.0.0 <2.0.0", "1.x || >=3.0.0", "^1.2.3-0", "~1.2, <1.9", "*", "v1.2.3", "=1.2.3-fox || 0.x", ">= 1"];
    fuzz(&seeds, |bytes| {
        let given = text(bytes);
        let range = match tags(None, Some(&given)) {
            Ok(range) => range,
            Err(why) => {
                assert!(why.len() <= 512, "{} bytes: {why}", why.len());
                return false;
            }
        };
        assert_eq!(range.to_string(), format!("tags * within {given}"));
        let parts: Vec<Refs> = given.split("||").map(|part| tags(None, Some(part)).unwrap()).collect();
        for name in versions.map(|version| format!("refs/tags/{version}")) {
            let in_a_part = parts.iter().any(|part| part.may_have_had(&name));
            assert_eq!(range.may_have_had(&name), in_a_part, "{name}");
        }
        true
    });
}

#[test]
fn the_newest_tag_is_one_that_is_there_and_does_not_depend_on_their_order() {
    let seeds = [
        "v*\nv1.2.0\nv1.10.0\nv1.2.0-rc.1\nnightly\nv01.99.0",
        "*\nbuild-9\nbuild-10\nbuild-0009\n2026.11.2",
        "prod\nprod\nprod-2",
    ];
    fuzz(&seeds, |bytes| {
        let [pattern, names] = lines(bytes);
        let names: Vec<&str> = names.split('\n').collect();
        let mut taken = false;
        for semver in [None, Some(">=1.0.0-0"), Some("*")] {
            let Ok(Refs::Tags(tags)) = tags(Some(&pattern), semver) else { panic!("these ranges can be read") };
            let newest = tags.newest(names.iter().copied());
            assert_eq!(newest, tags.newest(names.iter().rev().copied()));
            assert!(newest.is_none_or(|newest| names.contains(&newest)));
            let is_followed = |name: &&str| Refs::Tags(tags.clone()).may_have_had(&format!("refs/tags/{name}"));
            assert_eq!(newest.is_some(), names.iter().any(is_followed));
            taken |= newest.is_some();
        }
        taken
    });
}

#[test]
fn where_a_file_counts_its_folders_are_looked_into_whatever_the_patterns() {
    let seeds = [
        "services/*/src/**\n**/*.md\nservices/a/src/b/c",
        "/a/**.rs/\ndocs\na/b/c.rs/d",
        "**\n\na",
        "***/**a*b\n*x\nab/axb",
    ];
    fuzz(&seeds, |bytes| {
        let [include, exclude, path] = lines(bytes);
        // As long as the API server admits them.
        let admitted = |one: &&String| (1..=PathPattern::MAX).contains(&one.chars().count());
        let all = |one: &String| Some(one).filter(admitted).map(|one| PathPattern(one.clone())).into_iter().collect();
        let paths = Paths::parse(&pipeline::Paths { include: all(&include), exclude: all(&exclude) });
        let (mut at, mut goes_on) = (paths.root(), true);
        for name in path.split('/') {
            let looked_into = paths.may_count_in(&at);
            at = paths.enter(&at, name);
            goes_on &= looked_into;
            assert!(goes_on || !paths.counts_at(&at), "{name} counts, and nobody looks there");
        }
        paths.counts_at(&at)
    });
}

#[test]
fn the_tag_of_a_commit_says_that_commit_and_no_other() {
    let id = CommitId::from("0123456789abcdef0123456789abcdef01234567");
    fuzz(&["$(commit)", "v1-$(commit)-arm64", "build-$(shortCommit:12)", "$(shortCommit)"], |bytes| {
        let pattern = TagPattern(text(bytes));
        let made = tag(Some(&pattern), &id);
        assert!(!made.is_whole || made.text.contains(id.as_str()), "{made:?}");
        let found = commit(&made.text, &pattern);
        assert!(found.is_none_or(|found| found == id.as_str() && is_commit(found)), "{found:?} in {}", made.text);
        made.text != id.as_str() || pattern.as_str() == "$(commit)"
    });
}

fn members(bytes: &[u8]) -> Option<Members> {
    let read: TaskDefinition = serde_json::from_slice(bytes).ok()?;
    serde_json::to_value(read).ok()?.as_object().cloned()
}

/// With the items of each list, and the members of each structure, in another order.
fn turned(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(all) => all.iter().rev().map(|(name, value)| (name.clone(), turned(name, value))).collect(),
        Value::Array(items) if !canonical::ORDERED.contains(&name) => {
            items.iter().rev().map(|item| turned(name, item)).collect()
        }
        Value::Array(items) => items.iter().map(|item| turned(name, item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn a_task_definition_means_the_same_in_its_canonical_form_and_in_any_order() {
    let seeds = [
        r#"{"cpu":"1 vCPU","memory":"2GB","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"runtimePlatform":{"cpuArchitecture":"X86_64"},
        "containerDefinitions":[{"name":"web","image":"nginx:1.27","essential":true,"portMappings":[{"containerPort":80,"hostPort":80,"protocol":"tcp"},{"containerPort":81}],
        "environment":[{"name":"B","value":"2"},{"name":"A","value":"1"}],"command":["b","a"],"dockerLabels":{"b":"","a":"1"},"healthCheck":{"command":["CMD","x"],"interval":30}}]}"#,
        r#"{"family":"a","containerDefinitions":[{"name":"b","image":"a","cpu":0,"memory":512},{"name":"a","image":"a","links":["b"],"linuxParameters":{"swappiness":60,"devices":[{"hostPath":"/dev/a","permissions":["write","read","mknod"]}]}}],
        "volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs-1","rootDirectory":"/"}}]}"#,
    ];
    fuzz(&seeds, |bytes| {
        let Some(asked) = members(bytes) else { return false };
        let form = canonical::task_definition(&asked);
        assert_eq!(canonical::task_definition(&form), form);
        let Value::Object(other) = turned("", &Value::Object(asked.clone())) else { panic!("it is an object") };
        let meaning = Meaning::of_task_definition(&asked);
        assert_eq!(Meaning::of_task_definition(&other), meaning);
        assert!(is_same_task_definition(&other, &asked) && meaning.is_comparable());
        assert_eq!(Meaning::parse(&meaning.to_string()), Some(meaning));
        true
    });
}

#[test]
fn a_size_of_a_task_is_read_once_and_for_all_and_a_meaning_is_read_as_it_is_written() {
    fuzz(&["256", "1 vCPU", "0.5vcpu", "1.5 VCPU", "v1-0123456789abcdef"], |bytes| {
        let given = text(bytes);
        if let Some(size) = canonical::size(&given, "vcpu", 1024.0) {
            assert_eq!(canonical::size(&size, "vcpu", 1024.0).unwrap_or(size.clone()), size);
            return true;
        }
        let Some(meaning) = Meaning::parse(&given) else { return false };
        assert_eq!(Meaning::parse(&meaning.to_string()), Some(meaning));
        true
    });
}
