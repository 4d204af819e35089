//! What somebody writes who may write statuses, and what a git server answers that means us no good: whatever it is, no pass
//! panics, nothing spins, and nothing that was not there before is changed in AWS. `PROPTEST_CASES=100000 cargo test -p
//! launchway-tests --test forged --release` looks for longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::ready;
use std::sync::LazyLock;

use bytes::Bytes;
use http::Method;
use jiff::SignedDuration;
use launchway::git::{Credential, head};
use launchway::web::Web;
use launchway_plan::address::Rules;
use launchway_tests::git::{Access, Repositories};
use launchway_tests::scenario::Player;
use launchway_tests::world::{Snapshot, World, sample};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::service_fn;

/// Objects that have a status, in the sample.
const OBJECTS: [(&str, &str); 5] = [
    ("Pipeline", "greeter"),
    ("Release", "greeter-1"),
    ("Release", "greeter-2"),
    ("Service", "greeter-staging"),
    ("Service", "greeter"),
];

/// A world in which one release is over and another one builds.
static IN_WORK: LazyLock<Snapshot> = LazyLock::new(|| {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let mut player = Player::new(world);
    assert!(player.until(SignedDuration::from_mins(30), |world| world.phase("greeter-1") == "Succeeded"));
    sample::push(&player.world, "good-2");
    assert!(player.until(SignedDuration::from_mins(5), |world| !world.phase("greeter-2").is_empty()));
    player.advance(SignedDuration::from_secs(40));
    player.world.snapshot()
});

/// One member of a status, and what is written there.
#[derive(Clone, Debug)]
struct Forgery {
    object: (&'static str, &'static str),
    /// Which of its members, counted in the order of the text.
    member: usize,
    value: Value,
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let value = prop_oneof![
        prop::sample::select(vec![
            json!(i64::MAX),
            json!(i64::MIN),
            json!(i32::MAX),
            json!(-1),
            json!(0),
            json!(true),
            json!({}),
            json!([]),
            json!(""),
            json!("greeter-1"),
            json!("9999-12-31T23:59:59Z"),
            json!("0001-01-01T00:00:00Z"),
            json!("Succeeded"),
            json!("\u{202e}\u{200b}x"),
            json!("arn:aws:ecs:eu-central-1:123456789012:service/other/theirs"),
            json!("other-project:00000000-0000-4000-8000-000000000000"),
        ]),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(|text| json!(text)),
    ];
    let object = prop::sample::select(OBJECTS.to_vec());
    (object, any::<prop::sample::Index>(), value).prop_map(|(object, member, value)| Forgery {
        object,
        member: member.index(1000),
        value,
    })
}

/// The pointers of all members of a value.
fn members(value: &Value, at: &str, all: &mut Vec<String>) {
    let fields = value.as_object().into_iter().flatten().map(|(name, value)| (name.replace('/', "~1"), value));
    let items = value.as_array().into_iter().flatten().enumerate().map(|(at, value)| (at.to_string(), value));
    for (name, value) in fields.chain(items) {
        let place = format!("{at}/{name}");
        members(value, &place, all);
        all.push(place);
    }
}

/// Writes it, as far as the API server takes it.
fn forge(world: &World, forgery: &Forgery) {
    let (kind, name) = forgery.object;
    let Some(object) = world.object(kind, name) else { return };
    let mut body = object.value().clone();
    let mut all = Vec::new();
    members(&body["status"], "/status", &mut all);
    if all.is_empty() {
        return;
    }
    *body.pointer_mut(&all[forgery.member % all.len()]).unwrap() = forgery.value.clone();
    world.put_status(&body);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_forged_status_makes_a_pass_panic_or_spin(forgeries in prop::collection::vec(forgery(), 1..4)) {
        let world = World::fork(&IN_WORK);
        forgeries.iter().for_each(|forgery| forge(&world, forgery));
        let mut player = Player::new(world);
        let before = player.passes();
        player.advance(SignedDuration::from_mins(10));
        let panics = player.world.progress().panics.clone();
        prop_assert!(panics.is_empty(), "{:?}", panics);
        prop_assert!(player.passes() - before < 2000, "{} passes in ten minutes", player.passes() - before);
    }
}

/// A change of an answer's bytes.
#[derive(Clone, Debug)]
enum Edit {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Twice(prop::sample::Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Edit::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Flip(at, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        at().prop_map(Edit::Twice),
    ]
}

fn edited(body: &Bytes, edits: &[Edit]) -> Bytes {
    let mut all = body.to_vec();
    for edit in edits {
        let at = |at: &prop::sample::Index, length: usize| at.index(length + 1);
        match edit {
            Edit::Cut(place) => all.truncate(at(place, all.len())),
            Edit::Flip(place, byte) => {
                let place = at(place, all.len());
                if let Some(one) = all.get_mut(place) {
                    *one ^= byte;
                }
            }
            Edit::Insert(place, bytes) => {
                let place = at(place, all.len());
                all.splice(place..place, bytes.iter().copied());
            }
            Edit::Twice(place) => {
                let tail = all[at(place, all.len())..].to_vec();
                all.extend(tail);
            }
        }
    }
    all.into()
}

const URL: &str = "https://git.example.com/team/app";
/// Stands in the branch names that the server tells, and in the credential.
const MARK: &str = "hunter2";

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn no_answer_of_a_git_server_makes_us_panic_or_repeat_its_bytes(
        first in prop::collection::vec(edit(), 0..3), second in prop::collection::vec(edit(), 0..3), there: bool
    ) {
        let git = Repositories::new();
        git.create(URL, Access::Open);
        git.push(URL, "main", "0123456789abcdef0123456789abcdef01234567");
        git.push(URL, MARK, "0123456789abcdef0123456789abcdef01234568");
        let web = Web::over(Rules::strict(), service_fn(move |request: http::Request<Bytes>| {
            let edits = if request.method() == Method::GET { &first } else { &second };
            ready(git.answer(&request).map(|answer| answer.map(|body| edited(&body, edits))))
        }));
        let credential = Credential::Token(MARK.to_owned());
        let branch = if there { "main" } else { "other" };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(head(&web, URL, branch, Some(&credential)));
        if let Err(fault) = found {
            let told = format!("{fault}");
            prop_assert!(told.len() < 1000 && !told.contains(MARK), "{}", told);
        }
    }
}

/// So many cases, unless the environment says how many.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
