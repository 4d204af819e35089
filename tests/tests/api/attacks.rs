//! What one tenant may not name of another's: the manifests of attacks.yaml, and random worlds of two tenants in one AWS account.

use super::server::{Keep, Sender};
use launchway_crds::{Pipeline, Service};
use launchway_plan::account::{AccountSeen, scope};
use launchway_plan::address::{Allowed, Rules, Scheme};
use launchway_plan::allow::LISTS;
use launchway_plan::service::change::{create, register};
use launchway_plan::service::{Desired, Observed, Unresolved, reach, resolve};
use launchway_plan::start::Attempt;
use launchway_plan::start::build::{Inputs, Run, request};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// A row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    /// The list that keeps it out.
    list: Option<String>,
    /// The entry of the list that would let it in.
    allow: Option<String>,
    /// What the API server says, where that keeps it out.
    refused: Option<String>,
    /// Whether nobody can allow it: no pattern has its form.
    #[serde(default)]
    free: bool,
    /// Whether it needs the right to override projects besides.
    #[serde(default)]
    overrides: bool,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    task: Value,
    #[serde(default)]
    container: Value,
    #[serde(default)]
    service: Value,
    #[serde(default)]
    pipeline: Value,
    #[serde(default)]
    build: Value,
}

/// The tenants, by what stands in their names and in nobody else's.
const TENANTS: [(&str, &str); 2] = [("onlya", "tenant-a"), ("onlyb", "tenant-a-b")];
const INSTALLATION: &str = "lw";

fn attacks() -> Vec<Attack> {
    serde_saphyr::from_str(include_str!("attacks.yaml")).unwrap()
}

fn named(value: &Value, name: &str) -> Value {
    serde_json::from_str(&value.to_string().replace("NAME", name)).unwrap()
}

/// Lays a value over another: members are merged, lists are put together, null takes away.
fn lay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                if value.is_null() {
                    under.remove(name);
                } else {
                    lay(under.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Array(under), Value::Array(over)) => under.extend(over.iter().cloned()),
        (_, Value::Null) => {}
        (under, over) => *under = over.clone(),
    }
}

impl Attack {
    fn is_a_pipelines(&self) -> bool {
        self.pipeline.is_object() || self.build.is_object()
    }

    /// Lays it over a manifest.
    fn lay(&self, manifest: &mut Value, name: &str) {
        let spec = &mut manifest["spec"];
        lay(spec, &named(&self.spec, name));
        lay(spec, &named(&self.pipeline, name));
        if self.is_a_pipelines() {
            lay(&mut spec["build"]["codeBuild"], &named(&self.build, name));
            return;
        }
        lay(&mut spec["taskDefinition"], &named(&self.task, name));
        lay(&mut spec["taskDefinition"]["containerDefinitions"][0], &named(&self.container, name));
        let service = named(&self.service, name);
        // In place of the base's own.
        if service.get("capacityProviderStrategy").is_some() {
            spec["service"].as_object_mut().unwrap().remove("capacityProviderStrategy");
        }
        lay(&mut spec["service"], &service);
    }

    /// Its manifest, with that name in it.
    fn manifest(&self, namespace: &str, object: &str, name: &str) -> Value {
        let mut manifest = if self.is_a_pipelines() { pipeline(namespace, object) } else { service(namespace, object) };
        if self.pipeline.get("images").is_some() {
            manifest["spec"]["images"] = json!([]);
        }
        if self.pipeline.get("stages").is_some() {
            manifest["spec"]["stages"] = json!([]);
        }
        self.lay(&mut manifest, name);
        manifest
    }
}

/// A Service that names nothing that is not free to everybody in the tests.
fn service(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Service", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "cluster": "free",
        "taskDefinition": {"networkMode": "awsvpc", "containerDefinitions":
            [{"name": "app", "image": "public.example.com/app:1", "portMappings": [{"containerPort": 80, "name": "http"}]}]},
        "service": {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
    }})
}

fn pipeline(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "source": {"git": {"url": "https://git.example.com/a.git", "branch": "main", "interval": "1m"}},
        "build": {"codeBuild": {"project": "free", "timeout": "20m", "queuedTimeout": "30m"}, "retries": 0},
        "images": [{"name": "web", "repository": "free"}],
        "stages": [{"name": "prod", "targets": [{"service": "web"}]}],
    }})
}

/// The kinds of overrides without which what a row names would not be asked for.
const KINDS: [&str; 6] = ["Environment", "Machine", "Artifacts", "Logs", "ServiceRole", "Cache"];

/// What everybody may name in the tests.
fn free() -> Value {
    json!({
        "clusters": ["free"], "projects": ["free"], "repositories": ["free"],
        "roles": ["arn:aws:iam::123456789012:role/free"], "subnets": ["subnet-free"], "parameters": ["/free"],
        "fileSystems": ["fs-free"], "loadBalancers": ["targetgroup/tg-free"], "cloudMap": ["free"],
        "functions": ["function:free"], "codeCommitRepositories": ["free"], "sources": ["https://github.com/free/a.git"], "capacity": ["FARGATE", "fleet/free"], "alarms": [],
    })
}

/// What a tenant may name: what is free, and of the rows that the account has what carries the tenant's own name.
fn allow<'a>(name: &str, rows: impl Iterator<Item = &'a Attack>) -> Value {
    let mut all = free();
    for row in rows {
        if let (Some(list), Some(entry)) = (&row.list, row.allow.as_ref().filter(|entry| entry.contains("NAME"))) {
            add(&mut all, list, &entry.replace("NAME", name));
        }
    }
    if all.get("images").is_some() {
        // Where there is a list, it has to have the image of the tests' Services, too.
        add(&mut all, "images", "public.example.com/app");
    }
    all
}

fn add(allow: &mut Value, list: &str, entry: &str) {
    let list = allow.as_object_mut().unwrap().entry(list).or_insert(json!([])).as_array_mut().unwrap();
    if !list.contains(&json!(entry)) {
        list.push(json!(entry));
    }
}

fn account(namespace: &str, allow: &Value) -> AccountSeen {
    let spec = json!({"regions": ["us-east-2"], "namespaces": {"names": [namespace]}, "allow": allow});
    AccountSeen {
        name: "default".to_owned(),
        spec: Some(serde_json::from_value(spec).unwrap()),
        id: Some("123456789012".to_owned()),
        namespace: namespace.to_owned(),
        namespace_labels: BTreeMap::new(),
    }
}

/// The requests that are decided for a manifest, as text; or why there are none.
fn decided(manifest: &Value, account: &AccountSeen) -> Result<String, String> {
    if manifest["kind"] == "Pipeline" { of_pipeline(manifest, account) } else { of_service(manifest, account) }
}

fn of_service(manifest: &Value, account: &AccountSeen) -> Result<String, String> {
    let service: Service = serde_json::from_value(manifest.clone()).unwrap();
    let desired = Desired::parse(&service);
    let observed = Observed::at(jiff::Timestamp::UNIX_EPOCH, account.clone(), None);
    match resolve(&desired, &[], &observed, INSTALLATION) {
        Ok(wanted) => {
            let registered = register(&wanted, &wanted.tags).body;
            let created = create(&desired, &wanted, "arn:task-definition", 0);
            Ok(format!("{} {} {} {}", json!(registered), json!(created.body), created.cluster, wanted.family))
        }
        Err(Unresolved::Refused(refusal)) => Err(refusal.to_string()),
        Err(Unresolved::NoImage(why)) => panic!("{why}"),
    }
}

fn of_pipeline(manifest: &Value, account: &AccountSeen) -> Result<String, String> {
    let pipeline: Pipeline = serde_json::from_value(manifest.clone()).unwrap();
    let rules = Rules::parse(&Allowed { extra_hosts: Vec::new(), plain_http: Scheme::HttpsOnly }, &[]).unwrap();
    let desired = launchway_plan::pipeline::Desired::parse(&pipeline, &rules).map_err(|refusal| refusal.to_string())?;
    let plan = scope(account, None).and_then(|scope| desired.plan(&scope)).map_err(|refusal| refusal.to_string())?;
    let commit = "0123456789abcdef0123456789abcdef01234567".into();
    let repository = &plan.images[0].repository;
    let inputs = Inputs { commit: &commit, tag: &commit, repository, region: "us-east-2", account_id: "123456789012" };
    let runs = plan
        .checks
        .iter()
        .filter_map(|check| check.code_build.as_ref())
        .chain(plan.build.as_ref().and_then(|build| build.code_build.as_ref()));
    let requests = runs
        .map(|run| format!("{:?}", request(&Run::parse(run), Attempt { owner: "u", step: "s", number: 1 }, &inputs)));
    Ok(requests.collect::<Vec<_>>().join(" "))
}

#[test]
fn each_attack_is_refused_in_the_name_of_its_list_and_nobody_is_kept_from_what_is_theirs() {
    let all = attacks();
    let held: Vec<_> = all.iter().filter(|attack| attack.list.is_some()).collect();
    assert!(held.len() >= 40, "{}", held.len());
    for attack in held {
        let (list, entry) = (attack.list.as_ref().unwrap(), attack.allow.as_ref().unwrap());
        let mut own = allow("onlyb", all.iter());
        if attack.overrides {
            own["overrides"] = json!(KINDS);
        }
        let theirs = attack.manifest("b", "web", "onlya");
        let told = decided(&theirs, &account("b", &own)).expect_err(&format!("{theirs:#}"));
        assert!(told.contains(&format!("spec.allow.{list}: [")) && told.len() <= 1024, "{attack:?}: {told}");
        if attack.free {
            continue;
        }
        add(&mut own, list, &entry.replace("NAME", "onlyb"));
        let mine = attack.manifest("b", "web", "onlyb");
        decided(&mine, &account("b", &own)).unwrap_or_else(|why| panic!("{mine:#}: {why}"));
    }
}

#[test]
fn every_list_keeps_something_out() {
    let tried: BTreeSet<String> = attacks().into_iter().filter_map(|attack| attack.list).collect();
    let known = LISTS.iter().map(|list| list.name).chain(["hostAccess", "overrides"]);
    assert_eq!(tried, known.map(str::to_owned).collect());
}

#[tokio::test]
async fn the_api_server_admits_what_the_account_has_to_keep_out_and_refuses_the_rest() {
    let sender = Sender::new("attacks").await;
    for attack in attacks() {
        let manifest = attack.manifest(sender.namespace(), "web", "onlya");
        match (attack.refused.as_ref(), sender.create(&manifest, Keep::Judged).await) {
            (None, Ok(_)) => {}
            (Some(words), Err(refused)) => {
                assert!(
                    refused.told().iter().any(|told| told.contains(words.as_str())),
                    "{attack:?}: {:?}",
                    refused.told()
                );
            }
            (None, Err(refused)) => panic!("{attack:?}: {:?}", refused.told()),
            (Some(words), Ok(_)) => panic!("{attack:?} is admitted: {words}"),
        }
    }
}

#[test]
fn no_two_services_of_two_namespaces_have_one_family() {
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    let parts = ["a", "b", "a-b", "b-a", "a-b-a", "b-x", "x", "a-b-x"];
    for (namespace, name) in parts.iter().flat_map(|namespace| parts.iter().map(move |name| (namespace, name))) {
        let manifest = service(namespace, name);
        let service: Service = serde_json::from_value(manifest).unwrap();
        let observed = Observed::at(jiff::Timestamp::UNIX_EPOCH, account(namespace, &free()), None);
        let wanted = resolve(&Desired::parse(&service), &[], &observed, INSTALLATION).unwrap();
        let before = seen.insert(wanted.family.clone(), ((*namespace).to_owned(), (*name).to_owned()));
        assert_eq!(before, None, "{namespace}/{name}: {}", wanted.family);
    }
}

/// What a tenant's manifest says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    Nothing,
    Own,
    Others,
}

/// For each row what the manifest says, and whether the account has it. Few rows are another's, or all worlds would be refused.
fn picks(rows: usize) -> impl Strategy<Value = Vec<(Pick, bool)>> {
    let pick = prop_oneof![40 => Just(Pick::Nothing), 4 => Just(Pick::Own), 1 => Just(Pick::Others)];
    proptest::collection::vec((pick, prop::bool::weighted(0.95)), rows)
}

/// A tenant of a random world: the account as it may use it, a Service and a Pipeline.
fn tenant(rows: &[Attack], picks: &[(Pick, bool)], number: usize) -> (AccountSeen, [Value; 2]) {
    let ((own, namespace), (others, _)) = (TENANTS[number], TENANTS[1 - number]);
    let picked = || rows.iter().zip(picks).filter(|(row, _)| row.list.is_some());
    let mut allowed = allow(own, picked().filter(|(_, (_, listed))| *listed).map(|(row, _)| row));
    for (row, (pick, listed)) in picked() {
        let (list, entry) = (row.list.as_deref().unwrap_or_default(), row.allow.as_deref().unwrap_or_default());
        // What has no name in it is a tenant's where its account says so.
        if *pick == Pick::Own && *listed && !entry.contains("NAME") {
            add(&mut allowed, list, entry);
        }
        if *pick != Pick::Nothing && row.overrides {
            KINDS.iter().for_each(|kind| add(&mut allowed, "overrides", kind));
        }
    }
    let manifests = [service(namespace, "web"), pipeline(namespace, "web")].map(|mut manifest| {
        let is_a_pipeline = manifest["kind"] == "Pipeline";
        for (row, (pick, _)) in picked().filter(|(row, _)| row.is_a_pipelines() == is_a_pipeline) {
            match pick {
                Pick::Nothing => {}
                Pick::Own => row.lay(&mut manifest, own),
                Pick::Others => row.lay(&mut manifest, others),
            }
        }
        // A Pipeline has one image: the last that was laid over it.
        if let Some(images) = manifest["spec"]["images"].as_array_mut() {
            images.drain(..images.len() - 1);
        }
        manifest
    });
    (account(namespace, &allowed), manifests)
}

#[test]
fn in_2000_worlds_of_two_tenants_nothing_is_decided_for_one_that_names_what_only_the_other_may() {
    let rows = attacks();
    let decisions = Cell::new(0);
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let worlds = (picks(rows.len()), picks(rows.len()));
    let ran = runner.run(&worlds, |world| {
        for (number, picks) in [world.0, world.1].iter().enumerate() {
            let (account, manifests) = tenant(&rows, picks, number);
            let others = TENANTS[1 - number].0;
            for manifest in manifests {
                let requests = decided(&manifest, &account).unwrap_or_default();
                decisions.set(decisions.get() + i32::from(!requests.is_empty()));
                prop_assert!(!requests.contains(others), "{manifest:#}: {requests}");
                prop_assert!(!looks(&manifest, &account).contains(others), "{manifest:#}");
            }
        }
        Ok(())
    });
    ran.unwrap();
    // Else the worlds would prove nothing.
    assert!(decisions.get() > 1500, "{}", decisions.get());
}

/// The cluster in which a Service is looked at and deleted, as text; none where nothing is called.
fn looks(manifest: &Value, account: &AccountSeen) -> String {
    let Ok(service) = serde_json::from_value::<Service>(manifest.clone()) else { return String::new() };
    let desired = Desired::parse(&service);
    let observed = Observed::at(jiff::Timestamp::UNIX_EPOCH, account.clone(), None);
    reach(&desired, &observed).map_or_else(|_| String::new(), |_| desired.spec.cluster.to_string())
}
