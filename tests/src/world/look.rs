//! How the world is looked at by those who judge it: by what AWS runs and what the objects say, never through a client.

use std::collections::BTreeMap;
use std::sync::Arc;

use launchway_test_aws::codebuild::Build;
use launchway_test_aws::ecs::{Service, ServiceStatus};
use launchway_test_aws::{LogEntry, Outcome};
use launchway_test_kube::store::Object;
use serde_json::Value;

use super::World;
use super::sample::{CLUSTER, place};

/// The commit that a Release is of; empty where it is of none.
pub fn released_commit(release: &Object) -> &str {
    release.value()["spec"]["commit"].as_str().unwrap_or_default()
}

impl World {
    /// An object of the namespace of the sample, by kind and name.
    pub fn object(&self, kind: &str, name: &str) -> Option<Arc<Object>> {
        self.store.objects(kind).into_iter().find(|object| object.meta("name") == name)
    }

    /// The status, the reason and the message of a condition; empty where there is none.
    pub fn said(&self, kind: &str, name: &str, condition: &str) -> (String, String, String) {
        let object = self.object(kind, name);
        let all = object.as_ref().and_then(|object| object.value()["status"]["conditions"].as_array());
        let found = all.into_iter().flatten().find(|one| one["type"] == condition);
        let text = |field: &str| found.and_then(|one| one[field].as_str()).unwrap_or_default().to_owned();
        (text("status"), text("reason"), text("message"))
    }

    /// Whether a condition has that status.
    pub fn is(&self, kind: &str, name: &str, condition: &str, status: &str) -> bool {
        self.said(kind, name, condition).0 == status
    }

    /// What a release's status says of its phase; empty before it says anything.
    pub fn phase(&self, release: &str) -> String {
        let object = self.object("Release", release);
        let phase = object.as_ref().and_then(|object| object.value()["status"]["phase"].as_str());
        phase.unwrap_or_default().to_owned()
    }

    /// The commits of all Releases that there ever were.
    pub fn released_commits(&self) -> Vec<String> {
        let writes = self.store.writes();
        let releases = writes.iter().filter(|write| &*write.kind == "Release");
        let mut commits: Vec<String> = releases.map(|write| released_commit(&write.object).to_owned()).collect();
        commits.sort();
        commits.dedup();
        commits
    }

    /// Every build, oldest first.
    pub fn builds(&self) -> Vec<Build> {
        let aws = self.aws();
        aws.codebuild.get(&place()).map(|state| state.builds().cloned().collect()).unwrap_or_default()
    }

    /// An ECS service of the sample's cluster that was not deleted.
    pub fn service(&self, name: &str) -> Option<Service> {
        let aws = self.aws();
        let service = aws.ecs.get(&place())?.service(CLUSTER, name)?;
        (service.status == ServiceStatus::Active).then(|| service.clone())
    }

    /// What a task definition says, by its ARN; null where there is none.
    pub fn definition(&self, arn: &str) -> Value {
        let aws = self.aws();
        let families = aws.ecs.get(&place()).into_iter().flat_map(|ecs| ecs.families.values());
        let found = families.flat_map(|family| &family.revisions).find(|revision| revision.arn == arn);
        found.map(|revision| Value::Object((*revision.body).clone())).unwrap_or_default()
    }

    /// The commits whose images are run by a service's tasks, each once; text that is no commit's digest as it is.
    pub fn running(&self, service: &str) -> Vec<String> {
        let Some(found) = self.service(service) else { return Vec::new() };
        let names = self.commits_by_digest();
        let images = found.running_images(self.now());
        let mut commits: Vec<String> =
            images.into_iter().map(|image| names.get(&image).cloned().unwrap_or(image)).collect();
        commits.sort();
        commits.dedup();
        commits
    }

    /// Each image's commit, by its digest: that of the build which pushed it, or else what its tag says.
    pub fn commits_by_digest(&self) -> BTreeMap<String, String> {
        let aws = self.aws();
        let builds = aws.codebuild.get(&place()).into_iter().flat_map(|state| state.builds());
        let commits: BTreeMap<&str, &String> =
            builds.filter_map(|build| Some((&*build.id, build.source_version.as_ref()?))).collect();
        let repositories = aws.ecr.get(&place()).into_iter().flat_map(|state| state.repositories.values());
        let images = repositories.flat_map(|repository| repository.images.values());
        let named = |tag, content: &str| commits.get(pushed_by(content)).copied().unwrap_or(tag).clone();
        images.filter_map(|image| Some((image.digest.clone(), named(image.tags.first()?, &image.content)))).collect()
    }

    /// The ID of the build that pushed each image, by the image's digest.
    pub fn builders_by_digest(&self) -> BTreeMap<String, String> {
        let aws = self.aws();
        let repositories = aws.ecr.get(&place()).into_iter().flat_map(|state| state.repositories.values());
        let images = repositories.flat_map(|repository| repository.images.values());
        images.map(|image| (image.digest.clone(), pushed_by(&image.content).to_owned())).collect()
    }

    /// How many calls AWS has refused because there were too many of them.
    pub fn throttled(&self) -> usize {
        let is_throttled =
            |entry: &&LogEntry| matches!(&entry.outcome, Outcome::Refused(code) if code.contains("Throttl"));
        self.aws().log.iter().filter(is_throttled).count()
    }

    /// A status of an object, wiped by a person with the right to do so.
    pub fn wipe_status(&self, kind: &str, name: &str) {
        let Some(object) = self.object(kind, name) else { return };
        let mut body = object.value().clone();
        body["status"] = serde_json::json!({"observedGeneration": -1});
        let answer = self.put_status(&body);
        assert!(answer.is_success(), "the status of {kind} {name} was not wiped: {answer}");
    }

    /// Replaces an object's status, as a person with the right to do so; what the API server answers.
    pub fn put_status(&self, object: &Value) -> http::StatusCode {
        let text = |member: &Value| member.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let plural = if kind == "Service" { "ecsservices".to_owned() } else { format!("{}s", kind.to_lowercase()) };
        let within = object["metadata"]["namespace"].as_str().map(|namespace| format!("/namespaces/{namespace}"));
        let path = format!("/apis/launchway.dev/v1alpha1{}/{plural}/{name}/status", within.unwrap_or_default());
        let uri = path.parse().expect("a path");
        self.store.answer(&http::Method::PUT, &uri, &http::HeaderMap::new(), object.to_string().as_bytes()).status()
    }

    /// Changes an object's spec as a person would.
    pub fn edit(&self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let object = self.object(kind, name).unwrap_or_else(|| panic!("{kind} {name} is there"));
        let mut body = object.value().clone();
        change(&mut body["spec"]);
        self.store.apply_json(&body).expect("a spec that is admitted");
    }

    /// Annotates an object, as a person does who asks for another try.
    pub fn annotate(&self, kind: &str, name: &str, text: &str) {
        let object = self.object(kind, name).unwrap_or_else(|| panic!("{kind} {name} is there"));
        let mut body = object.value().clone();
        body["metadata"]["annotations"]["launchway.dev/again"] = text.into();
        self.store.apply_json(&body).expect("an annotation that is admitted");
    }

    /// How many rollouts ECS has made of a service.
    pub fn rollouts(&self, name: &str) -> usize {
        self.service(name).map_or(0, |service| service.rollouts.len())
    }
}

/// The build that pushed an image of that content: what it pushes into a second repository says the repository too.
fn pushed_by(content: &str) -> &str {
    content.split(' ').next().unwrap_or_default()
}
