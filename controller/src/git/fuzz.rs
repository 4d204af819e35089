//! Fuzz targets of what git servers say before any object is asked for: packets, listings of refs, and answers as a whole; and of what
//! Secrets hold. Packs, folders and commits have theirs beside them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderName, HeaderValue, Request, Response};
use launchway_test_fuzz::fuzz;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Map, Value, json};

use super::listing::{Advertisement, Listing, advertisement, is_branch_name, listing, request};
use super::packet::{DELIMITER, FLUSH, Packet, line, packets, raw};
use super::tests::over;
use super::*;
use crate::web::CERTIFICATE;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Stands where nobody but its owner may see it. No host has a capital letter, and hosts may be told.
const MARK: &str = "Hunter2";

fn written(all: &[Packet<'_>]) -> Vec<u8> {
    let packet = |packet: &Packet<'_>| match packet {
        Packet::Line(line) => [format!("{:04x}", line.len() + 4).as_bytes(), *line].concat(),
        Packet::Flush => FLUSH.into(),
        Packet::Delimiter => DELIMITER.into(),
        Packet::End => b"0002".to_vec(),
    };
    all.iter().flat_map(packet).collect()
}

#[test]
fn packets_are_read_again_as_they_are_written() {
    let seeds = ["0006a\n0005b0004000000010002".to_owned(), line("version 2") + &line(&"x".repeat(300)) + FLUSH];
    fuzz(&seeds, |bytes| {
        let all: Vec<_> = raw(bytes).collect();
        assert!(all.len() <= bytes.len() / 4 + 1 && all.iter().rev().skip(1).all(Result::is_ok));
        let Ok(all) = all.into_iter().collect::<Result<Vec<_>, _>>() else { return false };
        let again = written(&all);
        assert_eq!(raw(&again).collect::<Result<Vec<_>, _>>().as_ref(), Ok(&all));
        assert!(again.eq_ignore_ascii_case(bytes), "nothing of it is passed over");
        true
    });
}

fn names() -> BTreeSet<Refs> {
    let tags = serde_json::from_value(json!({"semver": ">=1.0.0-0"})).unwrap();
    let tags = Refs::parse("spec.source.git", None, Some(&tags)).unwrap();
    [Refs::Branch("main".to_owned()), Refs::Branch("mian".to_owned()), tags].into()
}

/// What has to hold of any listing.
fn check(seen: &Listing) {
    for (name, id) in seen.branches.iter().chain(&seen.tags) {
        assert!(is_branch_name(name), "{name:?}");
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(matches!(id.len(), 40 | 64) && id.bytes().all(is_digit), "{id}");
    }
    assert!(seen.tags.keys().all(|name| name.is_ascii()));
    for (refs, head) in seen.heads(&names()) {
        match head {
            Ok(head) => assert!(refs.may_have_had(&head.of), "{refs}: {head:?}"),
            Err(fault) => assert!(fault.to_string().len() < 1000 && !fault.to_string().contains('\n'), "{fault}"),
        }
    }
    let told = |(kind, all): (&str, &std::collections::BTreeMap<String, String>)| -> Vec<String> {
        all.iter().map(|(name, id)| line(&format!("{id} refs/{kind}/{name}"))).collect()
    };
    let default = seen.default.iter().map(|name| line(&format!("unborn HEAD symref-target:refs/heads/{name}")));
    let lines = [("heads", &seen.branches), ("tags", &seen.tags)].map(told).concat();
    let again = default.chain(lines).collect::<String>() + FLUSH;
    assert_eq!(listing(again.as_bytes()), Ok(Listing { more: None, ..seen.clone() }), "it is read as it is written");
}

/// The lines of a message, each in a packet.
fn in_packets(bytes: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let lines: Vec<Packet<'_>> = lines.iter().map(|line| &line[..line.len().min(60_000)]).map(Packet::Line).collect();
    [written(&lines), FLUSH.into()].concat()
}

fn listings() -> [String; 3] {
    [
        format!("{B} HEAD symref-target:refs/heads/main\n{B} refs/heads/main\n{B} refs/heads/feature/x peeled:{B}"),
        format!("{A} refs/heads/main-2\n{A} refs/tags/v1.9.0\n{A} refs/tags/v1.10.0 peeled:{B}\n{A} refs/pull/1/head"),
        "unborn HEAD symref-target:refs/heads/trunk".to_owned(),
    ]
}

#[test]
fn a_listing_of_version_2_has_refs_with_whole_ids_and_names_that_git_knows() {
    fuzz(&listings(), |bytes| {
        let seen = listing(&in_packets(bytes));
        seen.iter().for_each(check);
        seen.is_ok()
    });
}

#[test]
fn a_listing_whose_packets_lie_is_refused_or_is_one() {
    let seeds = listings().map(|lines| in_packets(lines.as_bytes()));
    fuzz(&seeds, |bytes| {
        let seen = listing(bytes);
        seen.iter().for_each(check);
        if let Ok(Advertisement::Everything(seen)) = advertisement(bytes) {
            check(&seen);
        }
        let is_over = packets(bytes).any(|packet| packet.is_err());
        assert!(!is_over || seen.is_err(), "what breaks off is no answer");
        seen.is_ok()
    });
}

#[test]
fn an_advertisement_of_any_version_is_a_listing_or_says_how_to_ask_for_one() {
    let seeds = [
        "version 2\nagent=git/2.39\nls-refs=unborn\nfetch=shallow wait-for-done filter\nobject-format=sha256"
            .to_owned(),
        format!(
            "{A} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=git/1.8\n{A} refs/heads/main\n{A} refs/tags/v1\n{B} refs/tags/v1^{{}}"
        ),
        format!("version 1\n{A} refs/heads/main\0agent\nshallow {A}"),
        format!("{} capabilities^{{}}\0agent=git/2", "0".repeat(40)),
    ];
    fuzz(&seeds, |bytes| {
        let lines = in_packets(bytes);
        let banner = [line("# service=git-upload-pack").as_bytes(), FLUSH.as_bytes(), &lines].concat();
        let seen = advertisement(&lines);
        // What is a banner itself is one already.
        assert!(bytes.starts_with(b"# service=") || advertisement(&banner) == seen);
        match &seen {
            Ok(Advertisement::Everything(seen)) => check(seen),
            Ok(Advertisement::V2(abilities)) => {
                let asked = request(abilities, &names().iter().map(Refs::prefix).collect());
                let asked: Vec<_> = packets(asked.as_bytes()).map(Result::unwrap).collect();
                assert_eq!(asked.last(), Some(&Packet::Flush));
                assert!(asked.iter().filter(|packet| **packet == Packet::Delimiter).count() == 1, "{asked:?}");
            }
            Err(_) => {}
        }
        seen.is_ok()
    });
}

/// An answer: its status, its headers, and behind an empty line its body.
fn answer(bytes: &[u8]) -> Option<Response<Bytes>> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = bytes[..at].split(|byte| *byte == b'\n');
    let status: u16 = std::str::from_utf8(lines.next()?).ok()?.parse().ok()?;
    let mut answer = Response::builder().status(status).body(Bytes::copy_from_slice(&bytes[at + 2..])).ok()?;
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
        answer.headers_mut().append(HeaderName::from_bytes(&line[..at]).ok()?, value);
    }
    Some(answer)
}

#[test]
fn whatever_a_git_server_answers_there_is_a_head_or_a_fault_that_repeats_nothing_of_it() {
    let everything = format!("{A} HEAD\0symref=HEAD:refs/heads/main\n{A} refs/heads/main\n{A} refs/heads/{MARK}");
    let everything = String::from_utf8(in_packets(everything.as_bytes())).unwrap();
    let kind = "content-type: application/x-git-upload-pack-advertisement";
    let seeds = [
        format!("200\n{kind}; charset=x\n\n{everything}"),
        format!("301\nlocation: /team/app/info/refs?service=git-upload-pack\nx: 1\n\n{MARK}"),
        format!("302\nlocation: https://ada:{MARK}@git.example.com/x\n\n"),
        format!("429\nretry-after: 120\n\n{MARK}"),
        format!("403\nretry-after: 99999999999\n{kind}\n\n{everything}"),
        format!("401\nwww-authenticate: Basic realm=\"{MARK}\"\n\n"),
        format!("502\n\n<html>{MARK}"),
    ];
    fuzz(&seeds, |bytes| {
        let Some(told) = answer(bytes) else { return false };
        let web = over(move |_: &Request<Bytes>| Ok(told.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let credential = Credential::Token(MARK.to_owned());
        let url = "https://git.example.com/team/app.git";
        match runtime.block_on(head(&web, url, "main", Some(&credential))) {
            Ok(head) => assert!(matches!(head.commit.len(), 40 | 64) && head.of == "refs/heads/main", "{head:?}"),
            Err(fault) => {
                let told = format!("{} {fault:?}", fault.at(url).message);
                // Branches are told, as advice: whoever may see one of them may see the others.
                assert!(matches!(fault, GitFault::NoSuchBranch(_)) || !told.contains(MARK), "{told}");
                if let GitFault::Unavailable { wait: Some(seconds), .. } = fault {
                    assert!(seconds <= 3600, "{seconds}");
                }
            }
        }
        true
    });
}

/// What a Secret says, each key with its value on a line of its own, with `|` for the ends of lines in values.
fn secret(bytes: &[u8]) -> Option<crate::other::Keys> {
    let mut data = Map::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let value: Vec<u8> = line[at + 1..].iter().map(|byte| if *byte == b'|' { b'\n' } else { *byte }).collect();
        data.insert(String::from_utf8_lossy(&line[..at]).into_owned(), STANDARD.encode(value).into());
    }
    serde_json::from_value(Value::Object(data)).ok()
}

#[test]
fn a_secret_is_a_credential_that_can_be_sent_or_is_refused_without_its_values() {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap().serialize_pem();
    let (key, authority) = (key.replace('\n', "|"), CERTIFICATE.replace('\n', "|"));
    let seeds = [
        format!("username=ada\npassword={MARK}|"),
        format!("token={MARK}-\u{fc}\nca.crt={authority}"),
        format!("bearerToken={MARK}\nother=x"),
        format!("ca.crt={authority}"),
        format!(
            "githubAppID=7\ngithubAppInstallationID=42\ngithubAppPrivateKey={MARK}|{key}\ngithubAppBaseURL=git.example.com/api/v3/"
        ),
    ];
    fuzz(&seeds, |bytes| {
        let Some(keys) = secret(bytes) else { return false };
        let access = match Access::parse(keys) {
            Ok(access) => access,
            Err(fault) => {
                assert!(!format!("{fault} {fault:?}").contains(MARK), "{fault}");
                return false;
            }
        };
        assert!(access.credential.is_none() || access.app.is_none(), "one of both asks");
        if let Some(credential) = &access.credential {
            let header = credential.header().now_or_never().expect("nobody is waited for").expect("it can be sent");
            assert!(header.is_sensitive() && !format!("{credential:?} {header:?}").contains(MARK));
        }
        if let Some(App { installation, api, key, .. }) = &access.app {
            assert!(installation.bytes().all(|byte| byte.is_ascii_digit()) && api.contains("://"), "{api}");
            let told = format!("{:?}", access.app);
            assert!(!told.contains(key.lines().rev().nth(2).unwrap_or(key)), "{told}");
        }
        let url = "https://git.example.com/team/app.git";
        assert_ne!(access.digest(url), Access::default().digest(url), "it shares nothing with nobody in particular");
        true
    });
}
