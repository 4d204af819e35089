//! Fuzz targets of commits and folders, by way of a server that sends them as they are asked for.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::future::ready;
use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response};
use launchway_crds::name::PathPattern;
use launchway_crds::pipeline;
use launchway_plan::address::Rules;
use launchway_test_fuzz::fuzz;
use tower::service_fn;

use super::super::objects::Kept;
use super::super::pack::samples::{SHA1, packed, whole};
use super::super::packet::{FLUSH, line};
use super::super::remote::Remote;
use super::*;
use crate::web::Web;

const URL: &str = "https://git.example.com/team/app.git";

/// Objects by their IDs, as entries of a pack.
type All = HashMap<String, Vec<u8>>;

fn add(all: &mut All, kind: Kind, data: &[u8]) -> ObjectId {
    let id = gix_object::compute_hash(SHA1, kind, data).unwrap();
    let number = if kind == Kind::Commit { 1 } else { 2 };
    all.insert(id.to_string(), whole(number, data));
    id
}

fn tree(entries: &[(&str, &str, ObjectId)]) -> Vec<u8> {
    let entry =
        |(mode, name, id): &(&str, &str, ObjectId)| [format!("{mode} {name}\0").as_bytes(), id.as_slice()].concat();
    entries.iter().flat_map(entry).collect()
}

fn commit(tree: ObjectId, message: &str) -> Vec<u8> {
    let who = "Ada <ada@example.com> 1764000000 +0000";
    format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n{message}").into_bytes()
}

fn answer(all: &All, request: &Request<Bytes>) -> Response<Bytes> {
    let (kind, body) = if request.uri().path().ends_with("/info/refs") {
        let lines = ["version 2", "ls-refs=unborn", "fetch=filter", "object-format=sha1"];
        ("advertisement", (lines.map(line).concat() + FLUSH).into_bytes())
    } else {
        let asked = String::from_utf8_lossy(request.body());
        let ids = asked.split("want ").skip(1).filter_map(|rest| rest.lines().next());
        let pack = packed(&ids.filter_map(|id| all.get(id).cloned()).collect::<Vec<_>>());
        let bands =
            pack.chunks(60_000).flat_map(|part| [format!("{:04x}\x01", part.len() + 5).as_bytes(), part].concat());
        ("result", line("packfile").into_bytes().into_iter().chain(bands).chain(*b"0000").collect())
    };
    let kind = format!("application/x-git-upload-pack-{kind}");
    Response::builder().header("content-type", kind).body(body.into()).unwrap()
}

/// What `head` changes, compared with `base`. Nobody waits for anything here.
fn compared(all: All, head: ObjectId, base: ObjectId, include: &str) -> Result<Change, GitFault> {
    let server = service_fn(move |request: Request<Bytes>| ready(Ok(answer(&all, &request))));
    let web = Web::over(Rules::strict(), server);
    let kept = Mutex::new(Kept::default());
    let include = vec![PathPattern::from(include)];
    let asked = Asked {
        commit: head.to_string(),
        base: Some(base.to_string()),
        paths: Some(Paths::parse(&pipeline::Paths { include, exclude: Vec::new() })),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let remote = Remote::of(&web, URL, None).await?;
        change(&mut Store::new(remote, [0; 32], &kept), &asked).await
    })
}

#[test]
fn what_a_commit_says_is_cut_and_one_that_cannot_be_read_is_a_fault_of_the_protocol() {
    let mut all = All::new();
    let none = add(&mut all, Kind::Tree, b"");
    let file = add(&mut all, Kind::Tree, &tree(&[("100644", "a", none)]));
    let base = add(&mut all, Kind::Commit, &commit(none, "Begin\n"));
    let signed = commit(file, "Sign\n");
    let signed = [&signed[..46], b"parent 0123456789abcdef0123456789abcdef01234567\n", &signed[46..]].concat();
    let seeds =
        [commit(none, "Change nothing\n"), [commit(file, "Add a\n\n[skip ci]\n"), b"\xff".to_vec()].concat(), signed];
    fuzz(&seeds, |bytes| {
        let mut all = all.clone();
        let head = add(&mut all, Kind::Commit, bytes);
        match compared(all, head, base, "**") {
            Ok(change) => {
                let said = String::from_utf8_lossy(bytes);
                assert!(
                    change.message.len() <= 3 * MESSAGE && said.contains(change.message.trim_end_matches('\u{fffd}'))
                );
                assert_eq!(change.commit, head.to_string());
                true
            }
            Err(fault) => {
                assert!(matches!(fault, GitFault::Protocol(_)), "{fault:?}");
                false
            }
        }
    });
}

#[test]
fn a_folder_that_differs_has_a_file_that_differs_or_cannot_be_read() {
    let mut all = All::new();
    let blob = gix_object::compute_hash(SHA1, Kind::Blob, b"1").unwrap();
    let inner = add(&mut all, Kind::Tree, &tree(&[("100644", "main.py", blob), ("100755", "run", blob)]));
    let root = add(&mut all, Kind::Tree, &tree(&[("100644", "README.md", blob), ("40000", "app", inner)]));
    let base = add(&mut all, Kind::Commit, &commit(root, "Begin\n"));
    let seeds = [
        tree(&[("100644", "README.md", blob), ("40000", "app", inner)]),
        tree(&[("100644", "README.md", blob), ("40000", "app", root), ("120000", "link", blob)]),
        tree(&[("100644", "README.md", blob), ("160000", "module", blob)]),
    ];
    fuzz(&seeds, |bytes| {
        let mut all = all.clone();
        let tree = add(&mut all, Kind::Tree, bytes);
        let head = add(&mut all, Kind::Commit, &commit(tree, "Change\n"));
        let back = compared(all.clone(), base, head, "**").unwrap().differs;
        let some = compared(all.clone(), head, base, "app").unwrap().differs;
        match compared(all, head, base, "**").unwrap().differs {
            // By a file that counts there, and by none where none differs at all.
            Differs::File(path) => {
                assert!(path.len() <= 3 * PATH && matches!(back, Differs::File(_)), "{path}: {back:?}")
            }
            Differs::Nothing => assert_eq!((&some, &back), (&Differs::Nothing, &Differs::Nothing)),
            Differs::Unknown(why) => {
                assert!(matches!(back, Differs::Unknown(_) | Differs::File(_)), "{why:?}: {back:?}")
            }
            Differs::NotAsked => unreachable!("it is asked"),
        }
        !matches!(some, Differs::Unknown(_))
    });
}
