//! No secret leaves: a mark is planted in every input that holds one, stories go well and badly, and everything that can be
//! read afterwards is searched for the marks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "secrets/capture.rs"]
mod capture;
#[path = "secrets/leaky.rs"]
mod leaky;

use http::{HeaderMap, Method};
use jiff::SignedDuration;
use launchway_test_aws::codebuild::{BuildStory, Export, Phase, PhaseSeconds, Stories};
use launchway_test_aws::{Fault, When};
use launchway_test_kube::store::Body;
use launchway_tests::git::{Access, Trouble};
use launchway_tests::scenario::Player;
use launchway_tests::scenario::script::fate;
use launchway_tests::world::World;
use launchway_tests::world::sample::{self, HEALTH, NAMESPACE};
use serde_json::{Value, json};
use tower::{Service, service_fn};

use capture::Captured;
use leaky::{ACCESS_KEY, Moods, SECRET_KEY};

/// What is planted, beside the keys of AWS: names that nothing else has in it.
const USERNAME: &str = "marked-user-5f1c";
const PASSWORD: &str = "marked-password-77ab";
const TOKEN: &str = "marked-token-9e02";
const BEARER: &str = "marked-bearer-31dd";
const EXTERNAL_ID: &str = "marked-external-id-42";
const GIT_BODY: &str = "marked-git-body-0c11";
const HEALTH_BODY: &str = "marked-health-body-66";
const PARAMETER: &str = "marked-parameter-1b";
const REDIRECT: &str = "marked-redirect-8a";
const URL_WORD: &str = "marked-url-word-e3";
/// What a build exports.
const EXPORTED: &str = "marked-export-57";
/// Where a date should be.
const DATE: &str = "marked-date-4c70";
/// In a list that is none.
const LIST: &str = "marked-list-d9b2";

fn marks() -> Vec<String> {
    let plain = [
        USERNAME,
        PASSWORD,
        TOKEN,
        BEARER,
        EXTERNAL_ID,
        GIT_BODY,
        HEALTH_BODY,
        PARAMETER,
        REDIRECT,
        URL_WORD,
        EXPORTED,
        DATE,
        LIST,
        leaky::WORD,
        leaky::GITHUB,
        leaky::BROKEN_BODY,
        ACCESS_KEY,
        SECRET_KEY,
        leaky::SESSION_TOKEN,
    ];
    let headers = [format!("{USERNAME}:{PASSWORD}"), format!("x-access-token:{TOKEN}")];
    let encoded =
        headers.iter().map(|header| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, header));
    plain.iter().map(|mark| (*mark).to_owned()).chain(encoded).collect()
}

/// The world of the sample with a mark wherever a secret is.
fn marked() -> (World, Player, Moods) {
    let world = sample::world(7);
    let mut aws = world.aws();
    let user = aws.add_user(sample::ACCOUNT, "marked", ACCESS_KEY);
    let role = aws.iam.roles.get_mut(sample::ROLE).unwrap();
    role.external_id = Some(EXTERNAL_ID.to_owned());
    role.trusts.push(user);
    aws.ssm.entry(sample::place()).or_default().put_secure("/shop/key", PARAMETER);
    aws.ssm.entry(sample::place()).or_default().put_secret("shop/key", PARAMETER);
    let builds = aws.codebuild.entry(sample::place()).or_default();
    builds.stories = Stories::new(|build| {
        let words = printed();
        let words = words.iter().map(String::as_str);
        match fate(build) {
            _ if build.source_version == Some(sample::commit("talkative-1")) && build.project == sample::BUILD => {
                BuildStory::fails(Phase::Build, "make image", 2)
                    .saying(Phase::Build, words)
                    .taking(PhaseSeconds::only_build(40))
            }
            story => story.exporting("TOKEN", Export::Text(EXPORTED.to_owned())),
        }
    });
    drop(aws);
    let mut player = Player::new(world.clone());
    let moods = Moods::default();
    player.context.clouds = leaky::clouds(&world, &moods);
    (world, player, moods)
}

/// What careless builds print.
fn printed() -> Vec<String> {
    let (head, tail) = ACCESS_KEY.split_at(8);
    let coloured = [format!("{head}\u{1b}[31m{tail}\u{1b}[0m"), format!("{head}\u{200b}{tail}")];
    let keys = [format!("AWS_ACCESS_KEY_ID={ACCESS_KEY}"), format!("aws_secret_access_key = {SECRET_KEY}")];
    keys.into_iter().chain(coloured).chain(leaky::talk()).collect()
}

/// Puts a mark where the time of a condition should be.
fn misdate(world: &World, kind: &str, name: &str) {
    let mut object = world.object(kind, name).unwrap().value().clone();
    let mut status = object["status"].clone();
    if !status.is_object() {
        status = json!({"observedGeneration": 1});
    }
    let condition =
        json!({"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": DATE});
    status["conditions"] = json!([condition]);
    object["status"] = status;
    object["metadata"]["managedFields"] = json!([{"manager": "m", "time": DATE}]);
    let plural = if kind == "Service" { "ecsservices".to_owned() } else { format!("{}s", kind.to_lowercase()) };
    let of = if kind == "AwsAccount" { String::new() } else { format!("/namespaces/{NAMESPACE}") };
    let path = format!("/apis/launchway.dev/v1alpha1{of}/{plural}/{name}/status");
    let body = object.to_string();
    let answer = world.store.answer(&Method::PUT, &path.parse().unwrap(), &HeaderMap::new(), body.as_bytes());
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

/// Kubernetes, as a proxy spoils it that answers each request for this path with a page that holds a mark.
fn spoiled(world: &World, path: &'static str, code: u16) -> kube::Client {
    let service = world.store.service();
    let kube = service_fn(move |request: http::Request<kube::client::Body>| {
        let mut service = service.clone();
        let is_spoiled = request.uri().path().ends_with(path);
        async move {
            if is_spoiled {
                let page = json!({"metadata": {"resourceVersion": "1"}, "items": LIST, "data": LIST, "spec": LIST});
                let mut answer = http::Response::new(Body::Left(page.to_string().into()));
                *answer.status_mut() = code.try_into().unwrap();
                return Ok(answer);
            }
            service.call(request).await
        }
    });
    kube::Client::new(kube, NAMESPACE)
}

fn apply(player: &Player, data: &Value) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git-login", "namespace": NAMESPACE}, "stringData": {}, "data": data,
    });
    let mut account = sample::aws_account();
    account["spec"]["assumeRole"]["externalId"] = json!(EXTERNAL_ID);
    let mut pipeline = sample::pipeline();
    pipeline["spec"]["source"]["git"]["secretRef"] = json!({"name": "git-login"});
    pipeline["spec"]["build"]["codeBuild"]["environment"] = json!([
        {"name": "KEY", "parameterStore": "/shop/key"}, {"name": "OTHER", "secretsManager": "shop/key"},
    ]);
    for manifest in [secret, account, pipeline, sample::service(0), sample::service(1)] {
        player.world.store.apply_json(&manifest).unwrap();
    }
}

fn basic() -> (Access, Value) {
    let access = Access::Basic { username: USERNAME.to_owned(), password: PASSWORD.to_owned() };
    (access, json!({"username": encoded(USERNAME), "password": encoded(PASSWORD)}))
}

fn encoded(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

const PATIENCE: SignedDuration = SignedDuration::from_hours(2);

/// A story: what goes on in the marked world.
type Story = (&'static str, fn(&mut Player, &Moods));

const STORIES: &[Story] = &[
    ("all is well", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")));
    }),
    ("a token, refused", |player, _| {
        begun(player, "good-1", Access::Bearer("other".to_owned()), &json!({"token": encoded(TOKEN)}));
        player.advance(PATIENCE);
    }),
    ("a bearer token, refused", |player, _| {
        begun(player, "good-1", Access::Open, &json!({"bearerToken": encoded(BEARER)}));
        player.sites.set(sample::URL, 401, GIT_BODY);
        player.advance(PATIENCE);
    }),
    ("a Secret with a value that cannot be sent", |player, _| {
        begun(player, "good-1", Access::Open, &json!({"token": encoded(&format!("{TOKEN}\nand more"))}));
        player.advance(PATIENCE);
    }),
    ("a git server that talks", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        for status in [500, 403, 200] {
            player.sites.set(sample::URL, status, GIT_BODY);
            player.advance(SignedDuration::from_mins(20));
        }
        player.sites.clear(sample::URL);
        player.world.git.trouble(sample::URL, Trouble::Garbage, 10);
        player.advance(SignedDuration::from_mins(20));
    }),
    ("a git host that talks about commit statuses", |player, _| {
        begun(player, "good-1", Access::Open, &json!({"token": encoded(TOKEN)}));
        let report = json!({"spec": {"report": {"commitStatus": {"provider": "Gitea"}}}});
        player.patch("Pipeline", "greeter", &report);
        for status in [401, 403, 422, 500, 302, 201] {
            player.sites.set("https://git.example.com/api/", status, GIT_BODY);
            player.advance(SignedDuration::from_mins(35));
        }
        let known = player.world.object("Release", "greeter-1").unwrap();
        assert_eq!(known.value()["status"]["steps"][0]["reported"], "Success");
    }),
    ("a health check that talks", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        player.sites.set(HEALTH, 200, &json!({"ok": HEALTH_BODY}).to_string());
        assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "False")));
        player.sites.set(HEALTH, 503, HEALTH_BODY);
        sample::push(&player.world, "good-2");
        player.advance(PATIENCE);
    }),
    ("AWS that talks", |player, moods| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        for mood in leaky::ALL {
            moods.set(mood);
            player.advance(SignedDuration::from_mins(20));
        }
        moods.set(leaky::Mood::Silent);
        player.advance(PATIENCE);
    }),
    ("a role that may not be assumed", |player, _| {
        player.world.aws().iam.roles.get_mut(sample::ROLE).unwrap().external_id = Some("another".to_owned());
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        player.advance(PATIENCE);
    }),
    ("a build that talks", |player, _| {
        let (access, data) = basic();
        begun(player, "talkative-1", access, &data);
        assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "False")));
    }),
    ("a build that says its image, and exports a secret", |player, _| {
        let (access, data) = basic();
        for (commit, variable, is_released) in [("good-1", "IMAGE_URI", true), ("good-2", "TOKEN", false)] {
            begun(player, commit, access.clone(), &data);
            player.patch("Pipeline", "greeter", &json!({"spec": {"build": {"imageFrom": {"variable": variable}}}}));
            player.advance(PATIENCE);
            let said = player.world.object("Release", if is_released { "greeter-1" } else { "greeter-2" }).unwrap();
            let image = said.value()["status"]["steps"][1]["images"][0].as_str().unwrap_or_default().to_owned();
            assert_eq!(image.contains(".dkr.ecr."), is_released, "{image}");
            assert_eq!(player.world.is("Pipeline", "greeter", "Released", "True"), is_released, "{commit}");
        }
    }),
    ("a build without its parameter", |player, _| {
        player.world.aws().ssm.entry(sample::place()).or_default().remove("/shop/key");
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        player.advance(PATIENCE);
    }),
    ("a URL with a word in it", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        for url in [
            format!("https://me:{URL_WORD}@git.example.com/shop/greeter"),
            format!("https://git.example.com/shop/greeter?key={URL_WORD}"),
        ] {
            player.patch("Pipeline", "greeter", &json!({"spec": {"source": {"git": {"url": url}}}}));
            player.advance(SignedDuration::from_mins(20));
        }
    }),
    ("objects whose dates cannot be read", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")));
        for (kind, name) in
            [("Release", "greeter-1"), ("Pipeline", "greeter"), ("Service", "greeter"), ("AwsAccount", "default")]
        {
            misdate(&player.world, kind, name);
            player.advance(SignedDuration::from_hours(1));
        }
    }),
    ("reads that a proxy spoils", |player, _| {
        let (access, data) = basic();
        begun(player, "good-1", access, &data);
        for path in ["/releases", "/git-login", "/ecsservices/greeter", "/awsaccounts/default", "/pipelines/greeter"] {
            for code in [200, 403, 500] {
                player.context.kube = player.within(|world| spoiled(world, path, code));
                player.advance(SignedDuration::from_mins(30));
            }
        }
    }),
    ("denied and throttled", |player, _| {
        let (access, data) = basic();
        for fault in [Fault::Deny, Fault::Throttle, Fault::Error5xx, Fault::LoseReply] {
            player.world.aws().faults.clear();
            player.world.aws().faults.add("*", When::EveryNth(3), fault);
            begun(player, "good-1", access.clone(), &data);
            player.advance(SignedDuration::from_mins(30));
        }
    }),
];

fn begun(player: &mut Player, commit: &str, access: Access, data: &Value) {
    player.world.git.admit(sample::URL, access);
    sample::push(&player.world, commit);
    apply(player, data);
}

/// Everything of a world that people can read: statuses and events, as they ever were.
fn readable(world: &World) -> String {
    let mut text = String::new();
    for write in world.store.writes() {
        let object = write.object.value();
        match &*write.kind {
            "Secret" => {}
            "Event" => text.push_str(&object.to_string()),
            // What the test itself put there.
            _ if object["status"].to_string().contains(&format!("\"lastTransitionTime\":\"{DATE}\"")) => {}
            _ => text.push_str(&object["status"].to_string()),
        }
        text.push('\n');
    }
    for panic in &world.progress().panics {
        text.push_str(panic);
    }
    text
}

/// What the parts of the controller show of themselves, as a panic or a careless line would.
fn shown(player: &Player) -> String {
    let context = &player.context;
    format!(
        "{:?} {:?} {:?} {:?} {}",
        context.clouds,
        context.web,
        context.git_hosts,
        context.metrics,
        context.metrics.text(launchway::metrics::Format::Plain, jiff::Timestamp::UNIX_EPOCH)
    )
}

#[test]
fn no_mark_is_found_in_statuses_events_logs_metrics_and_panics() {
    let captured = Captured::install();
    let marks = marks();
    let mut wrong = Vec::new();
    for (name, story) in STORIES {
        let (world, mut player, moods) = marked();
        story(&mut player, &moods);
        let outputs =
            [("statuses and events", readable(&world)), ("logs", captured.taken()), ("what is shown", shown(&player))];
        assert!(outputs[0].1.len() > 1000, "{name}: nothing happened");
        for (output, text) in &outputs {
            for mark in marks.iter().filter(|mark| text.contains(mark.as_str())) {
                let at = text.find(mark.as_str()).unwrap();
                let from = text.floor_char_boundary(at.saturating_sub(200));
                let to = text.floor_char_boundary(at + 100);
                wrong.push(format!("{name}: {mark} is in {output}: …{}…", &text[from..to]));
            }
        }
        assert!(world.progress().panics.is_empty(), "{name}: {:?}", world.progress().panics);
    }
    assert!(captured.lines() > 100, "hardly anything was logged: the capture does not work");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_that_is_asked_of_aws_says_latest() {
    let (world, mut player, _) = marked();
    let (access, data) = basic();
    begun(&mut player, "good-1", access, &data);
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")));
    let inputs: Vec<String> = world.aws().log.iter().map(|entry| entry.input.to_string().to_lowercase()).collect();
    assert!(inputs.iter().all(|input| !input.contains("latest")), "{inputs:?}");
    let registered = inputs.iter().filter(|input| input.contains("containerdefinitions"));
    assert!(registered.clone().count() > 0 && registered.clone().all(|input| input.contains("@sha256:")), "by digest");
}

#[test]
fn where_clouds_keep_credentials_nobody_is_sent() {
    for field in ["source", "verification"] {
        let world = sample::world(7);
        sample::push(&world, "good-1");
        let mut player = Player::new(world.clone());
        let mut pipeline = sample::pipeline();
        match field {
            "source" => pipeline["spec"]["source"]["git"]["url"] = json!("http://169.254.169.254/latest/meta-data"),
            _ => pipeline["spec"]["stages"][0]["verify"][0]["http"]["url"] = json!("http://169.254.169.254/"),
        }
        for manifest in [sample::aws_account(), pipeline, sample::service(0), sample::service(1)] {
            world.store.apply_json(&manifest).unwrap();
        }
        player.advance(PATIENCE);
        assert_eq!(world.said("Pipeline", "greeter", "Stalled").1, "UrlRefused", "{field}");
        assert_eq!(player.sites.asked(), Vec::<String>::new(), "{field}: a request has left");
    }
}

#[test]
fn a_private_repository_is_not_seen_without_its_credential() {
    let (world, mut player, _) = marked();
    let (access, data) = basic();
    begun(&mut player, "good-1", access, &data);
    world.store.create_namespace("strangers");
    let mut account = world.object("AwsAccount", "default").unwrap().value().clone();
    account["spec"]["namespaces"] = json!({"names": [NAMESPACE, "strangers"]});
    world.store.apply_json(&account).unwrap();
    let mut strange = sample::pipeline();
    (strange["metadata"]["namespace"], strange["metadata"]["name"]) = (json!("strangers"), json!("curious"));
    world.store.apply_json(&strange).unwrap();
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")));
    player.advance(SignedDuration::from_mins(30));
    let status = world.object("Pipeline", "curious").unwrap().value()["status"].to_string();
    assert!(!status.contains(&sample::commit("good-1")[..12]), "{status}");
    assert_eq!(world.said("Pipeline", "curious", "SourceReady").1, "SourceRefused", "{status}");
    let strangers =
        world.store.objects("Release").iter().filter(|release| release.meta("namespace") == "strangers").count();
    assert_eq!(strangers, 0);
}
