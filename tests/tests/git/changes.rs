//! What a commit says and changes, asked of git's own server and of one in memory.

use super::{WHO, greeter, of_main, web, when};
use jiff::SignedDuration;
use launchway::git::{Access as Seen, GitFault, Polls, Untold};
use launchway::web::Web;
use launchway_crds::pipeline::Git;
use launchway_plan::address::Rules;
use launchway_plan::pipeline::change::{Change, Differs, Unknown};
use launchway_plan::pipeline::paths::Paths;
use launchway_plan::pipeline::relevance::Question;
use launchway_tests::git::{Access, File, Hash, Protocol, Repositories, Repository, Server, Trouble, commit_id};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower::service_fn;

fn paths(include: &[&str], exclude: &[&str]) -> Paths {
    let git = json!({"url": "https://git.example.com/a", "branch": "main",
        "paths": {"include": include, "exclude": exclude}});
    Paths::parse(&serde_json::from_value::<Git>(git).unwrap().paths.unwrap())
}

/// What a commit says and changes, for files in these paths.
async fn change(polls: &Polls, url: &str, of: (Option<&str>, &str), paths: Option<&Paths>) -> Result<Change, GitFault> {
    for _ in 0..1000 {
        match change_at(polls, url, of, paths, 0).await {
            Ok(change) => return Ok(change),
            Err(Untold { fault: Some(fault), .. }) => return Err(fault),
            // It is on its way, or so many others are that it is not yet.
            Err(Untold { fault: None, .. }) => tokio::task::yield_now().await,
        }
    }
    panic!("no answer");
}

/// The same at a minute.
async fn change_at(
    polls: &Polls,
    url: &str,
    (base, commit): (Option<&str>, &str),
    paths: Option<&Paths>,
    minute: i64,
) -> Result<Change, Untold> {
    let access = Seen::default();
    let ask = of_main(url, &access, 60);
    let rules = format!("{paths:?}");
    let question = Question { commit: commit.to_owned(), base: base.map(str::to_owned), rules: &rules, paths };
    polls.change(&ask, &question, when(minute)).await
}

async fn differs(polls: &Polls, url: &str, of: (&str, &str), paths: &Paths) -> Differs {
    change(polls, url, (Some(of.0), of.1), Some(paths)).await.unwrap().differs
}

fn file(path: &str) -> Differs {
    Differs::File(path.to_owned())
}

#[tokio::test]
async fn of_a_real_repository_only_what_differs_counts_in_either_hash() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let (_root, server, repository, _, web) = greeter(Protocol::Newest, hash, Access::Open).await;
        let commit = |message: &str, files: &[File]| repository.commit("main", message, files, WHO, when(1)).unwrap();
        let first = commit(
            "Two services",
            &[File::new("services/iridium/src/main.go", "1"), File::new("services/osmium/src/main.go", "1")],
        );
        let docs =
            commit("Words\n\n[skip ci]", &[File::new("services/iridium/README.md", "x"), File::new("docs/a", "1")]);
        let deep = commit("A deep one", &[File::new("services/iridium/src/a/b/c.go", "1")]);
        let other = commit("The other", &[File::new("services/osmium/src/main.go", "2")]);
        let gone = commit("Without it", &[File::removed("services/iridium/src/a/b/c.go")]);
        let program = commit("To be run", &[File::program("services/iridium/src/main.go", "1")]);
        let (polls, url) = (Polls::new(web), server.url("greeter"));
        let iridium = paths(&["services/iridium"], &["**/*.md"]);
        for (base, head, wanted) in [
            (&first, &docs, Differs::Nothing),
            (&docs, &deep, file("services/iridium/src/a")),
            (&first, &deep, file("services/iridium/src/a")),
            (&deep, &other, Differs::Nothing),
            (&other, &gone, file("services/iridium/src/a/b/c.go")),
            (&docs, &gone, Differs::Nothing),
            (&gone, &program, file("services/iridium/src/main.go")),
            (&program, &gone, file("services/iridium/src/main.go")),
            (&first, &first, Differs::Nothing),
        ] {
            let seen = differs(&polls, &url, (base, head), &iridium).await;
            let is_right = match (&seen, &wanted) {
                (Differs::File(seen), Differs::File(wanted)) => seen.starts_with(wanted),
                (seen, wanted) => seen == wanted,
            };
            assert!(is_right, "{hash:?} {base} {head}: {seen:?}, not {wanted:?}");
        }
        let all = change(&polls, &url, (Some(&first), &docs), None).await.unwrap();
        assert_eq!((all.message.as_str(), all.differs), ("Words\n\n[skip ci]", Differs::NotAsked));
        let alone = change(&polls, &url, (None, &docs), Some(&iridium)).await.unwrap();
        assert_eq!(alone.differs, Differs::NotAsked);
    }
}

/// Commits whatever a stream for `git fast-import` says, after `base`.
fn imported(repository: &Repository, base: &str, lines: &[&[u8]]) -> String {
    let dir = repository.dir().to_str().unwrap();
    let mut git = Command::new("git");
    git.args(["--git-dir", dir, "fast-import", "--quiet", "--done", "--force"]).stdin(Stdio::piped());
    let mut child = git.spawn().unwrap();
    let head = format!("commit refs/heads/odd\ncommitter {WHO} 1800000000 +0000\ndata 3\nOdd\nfrom {base}\n");
    let stream = [head.as_bytes(), &lines.concat(), b"\ndone\n"].concat();
    child.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(child.wait().unwrap().success());
    repository.head("odd").unwrap()
}

#[tokio::test]
async fn what_is_no_plain_file_counts_as_one_and_names_need_not_be_text() {
    let (_root, server, repository, _, web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let files = [File::new("lib/a", "1"), File::new("lib/link", "1"), File::new("other/b", "1")];
    let first = repository.commit("main", "Begin", &files, WHO, when(1)).unwrap();
    let odd = |base: &str, lines: &[&[u8]]| imported(&repository, base, lines);
    let submodule = odd(&first, &[b"M 160000 0123456789abcdef0123456789abcdef01234567 lib/sub\n"]);
    let moved = odd(&submodule, &[b"M 160000 1123456789abcdef0123456789abcdef01234567 lib/sub\n"]);
    let link = odd(&first, &[b"M 120000 inline lib/link\ndata 1\n1\n"]);
    let folder = odd(&first, &[b"D lib/a\nM 100644 inline lib/a/inner\ndata 1\n1\n"]);
    let latin = odd(&first, &[b"M 100644 inline lib/f\xe4.c\ndata 1\n1\nM 100644 inline lib/f\xfc.c\ndata 1\n1\n"]);
    let latins = odd(&latin, &[b"M 100644 inline lib/f\xe4.c\ndata 1\n2\n"]);
    let (polls, url, lib, rest) = (Polls::new(web), server.url("greeter"), paths(&["lib"], &[]), paths(&[], &["lib"]));
    for (name, base, head) in [
        ("a submodule", &first, &submodule),
        ("a submodule that moved", &submodule, &moved),
        ("a link in place of a file", &first, &link),
        ("a folder in place of a file", &first, &folder),
        ("a file in place of a folder", &folder, &first),
        ("a name in Latin-1", &latin, &latins),
    ] {
        let seen = differs(&polls, &url, (base, head), &lib).await;
        assert!(matches!(&seen, Differs::File(path) if path.starts_with("lib/")), "{name}: {seen:?}");
        assert_eq!(differs(&polls, &url, (base, head), &rest).await, Differs::Nothing, "{name}");
    }
}

#[tokio::test]
async fn a_commit_with_another_kind_of_hash_is_of_another_repository() {
    let (_root, server, _, commit, web) = greeter(Protocol::Newest, Hash::Sha256, Access::Open).await;
    let (polls, url, before, app) = (Polls::new(web), server.url("greeter"), commit_id("app-1"), paths(&["app"], &[]));
    assert_eq!(differs(&polls, &url, (&before, &commit), &app).await, Differs::Unknown(Unknown::Rewritten));
}

/// Folders without end, which a server may have.
#[tokio::test]
async fn folders_that_are_too_deep_count_as_changed() {
    let (_root, server, repository, first, web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let deep = |depth: usize| File::new(&format!("{}x", "d/".repeat(depth)), "1");
    let (fine, endless) = (
        repository.commit("main", "Deep", &[deep(90)], WHO, when(1)).unwrap(),
        repository.commit("main", "Deeper", &[deep(300)], WHO, when(1)).unwrap(),
    );
    let (polls, url, other) = (Polls::new(web), server.url("greeter"), paths(&[], &["**/x"]));
    assert_eq!(differs(&polls, &url, (&first, &fine), &other).await, Differs::Nothing);
    assert_eq!(differs(&polls, &url, (&first, &endless), &other).await, Differs::Unknown(Unknown::TooMuch));
}

const URL: &str = "https://git.example.com/shop/greeter";

#[tokio::test]
async fn a_fault_is_everybodys_at_that_repository_until_it_is_time_to_ask_again() {
    let repositories = Repositories::new();
    repositories.create(URL, Access::Open);
    let (polls, app) = (Polls::new(repositories.web()), paths(&["app"], &[]));
    let (first, second) = (commit_id("app-1"), commit_id("app-2"));
    repositories.trouble(URL, Trouble::Status(503), 2);
    let at = async |commit: &str, minute| change_at(&polls, URL, (None, commit), Some(&app), minute).await;
    let down = |minute| Untold { fault: Some(GitFault::Unavailable { status: 503, wait: None }), again: when(minute) };
    assert_eq!(at(&first, 0).await, Err(down(1)));
    let asked = repositories.log().len();
    assert_eq!(at(&second, 0).await, Err(down(1)));
    assert_eq!(repositories.log().len(), asked, "another one there is told the same");
    assert_eq!(at(&first, 1).await, Err(down(3)));
    assert_eq!(at(&first, 2).await, Err(down(3)));
    assert!(at(&first, 3).await.is_ok() && at(&second, 3).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_is_not_waited_for_and_its_answer_is_told_later() {
    let repositories = Repositories::new();
    repositories.create(URL, Access::Open);
    let gate = Arc::new(Semaphore::new(0));
    let (door, behind) = (Arc::clone(&gate), repositories.clone());
    let slow = service_fn(move |request| {
        let (door, behind) = (Arc::clone(&door), behind.clone());
        async move {
            let _open = door.acquire().await;
            behind.answer(&request)
        }
    });
    let (polls, app, commit) = (Polls::new(Web::over(Rules::strict(), slow)), paths(&["app"], &[]), commit_id("app-2"));
    let ask = async || change_at(&polls, URL, (None, &commit), Some(&app), 0).await;
    let untold = ask().await.unwrap_err();
    assert_eq!((untold.fault, untold.again), (None, when(0) + SignedDuration::from_secs(8)));
    gate.add_permits(1);
    assert_eq!(ask().await.unwrap().message, "app-2\n");
}

#[tokio::test]
async fn a_commit_that_is_gone_is_told_from_one_before_it_that_is() {
    let (_root, server, _, commit, web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let (polls, url, never) = (Polls::new(web), server.url("greeter"), commit_id("never"));
    let rewritten = differs(&polls, &url, (&never, &commit), &paths(&["app"], &[])).await;
    assert_eq!(rewritten, Differs::Unknown(Unknown::Rewritten));
    let moved = change(&polls, &url, (Some(&commit), &never), Some(&paths(&["app"], &[]))).await;
    assert_eq!(moved, Err(GitFault::Moved(never)));
}

#[tokio::test]
async fn a_server_that_gives_no_single_objects_is_said_so() {
    let never_filters = |repository: &Repository| {
        let dir = repository.dir().to_str().unwrap().to_owned();
        let off = ["--git-dir", &dir, "config", "uploadpack.allowFilter", "false"];
        assert!(Command::new("git").args(off).status().unwrap().success());
    };
    for protocol in [Protocol::Newest, Protocol::V0] {
        let (_root, server, repository, commit, web) = greeter(protocol, Hash::Sha1, Access::Open).await;
        never_filters(&repository);
        let seen = change(&Polls::new(web), &server.url("greeter"), (None, &commit), None).await;
        assert_eq!(seen, Err(GitFault::NoObjects), "{protocol:?}");
    }
}

/// Many folders that differ, which git sends as differences of one another.
#[tokio::test]
async fn of_many_folders_all_are_looked_into_and_of_too_many_none_is_missed() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(root.path(), super::loopback(), Protocol::Newest).await.unwrap();
    let repository = server.create("large", Hash::Sha1, Access::Open).unwrap();
    let folders = |count: usize, text: &str| -> Vec<File> {
        let names = (0..count).flat_map(|folder| (0..20).map(move |file| format!("f{folder}/some-file-{file}")));
        names.map(|path| File::new(&path, if path.ends_with("-7") { text } else { "same" })).collect()
    };
    let commit = |files: &[File]| repository.commit("main", "Many", files, WHO, when(1)).unwrap();
    let (first, second) = (commit(&folders(700, "1")), commit(&folders(700, "2")));
    let third = commit(&[File::new("f699/seldom.txt", "x")]);
    let (polls, url) = (Polls::new(web(&[&server.host()])), server.url("large"));
    let seldom = paths(&["**/seldom.txt"], &[]);
    assert_eq!(differs(&polls, &url, (&first, &second), &seldom).await, Differs::Nothing);
    assert_eq!(differs(&polls, &url, (&first, &third), &seldom).await, file("f699/seldom.txt"));
    let wide = commit(&folders(4100, "3"));
    let seen = differs(&polls, &url, (&third, &wide), &seldom).await;
    assert_eq!(seen, Differs::Unknown(Unknown::TooMuch));
}

/// Two hundred Pipelines of one repository, each with a folder of its own and half of them with one that differs.
#[tokio::test]
async fn two_hundred_that_ask_about_one_commit_cost_hardly_more_than_one() {
    let repositories = Repositories::new();
    repositories.create(URL, Access::Open);
    let (polls, (base, commit)) = (Polls::new(repositories.web()), (commit_id("app-1"), commit_id("app-2")));
    let all: Vec<Paths> = (0..200)
        .map(|number| paths(&[&format!("service-{number}"), if number % 2 == 0 { "app" } else { "lib" }], &[]))
        .collect();
    let asked = all.iter().map(|paths| change(&polls, URL, (Some(&base), &commit), Some(paths)));
    let seen = futures::future::join_all(asked).await;
    for (number, change) in seen.into_iter().enumerate() {
        let wanted = if number % 2 == 0 { file("app/main.py") } else { Differs::Nothing };
        assert_eq!(change.unwrap().differs, wanted, "{number}");
    }
    let requests = repositories.log().len();
    println!("200 Pipelines asked about one commit of one repository: {requests} requests");
    assert!(requests < 20, "{requests}");
}
