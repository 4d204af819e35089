//! The language of scenarios, one command a line; `#` begins a comment. What a script does stands in its transcript.
//!
//! ```text
//! image NAME                        another CI pushes the image of a commit, under its tag
//! commit NAME                       the branch moves; what the commit does is told by its name (`sample::fate`, and below)
//! tag TAG NAME                      a tag is made of that commit, or moved to it
//! untag TAG                         a tag is deleted
//! apply OBJECT…                     manifests of the sample: account, pipeline, or a Service's name
//! patch KIND NAME JSON              a person's merge patch
//! release NAME COMMIT               a person's Release
//! delete KIND NAME
//! health STATUS BODY                what the verification's site answers from now on
//! aws SERVICE:OPERATION JSON        a person's call to AWS
//! vpc                               the projects run in a VPC
//! fault OPERATIONS KIND [TIMES]     throttle, deny, 5xx, reset or lose, always or only the first TIMES times
//! mend                              ends all faults
//! wait KIND NAME CONDITION=STATUS [REASON]
//! advance 1h30m
//! show KIND…                        as `kubectl get` would
//! logs RELEASE                      steps, messages and log lines of a Release
//! builds                            the builds of the image, and the variables that they got beside Launchway's own
//! runs SERVICE                      the commits that ECS really runs
//! report                            the Secret that may write commit statuses, and a Pipeline that has it do so
//! scan NAME=SEVERITY…               ECR scans images on push, which takes 45 s, and finds that in each; without any, no scan
//! silent TIMES                      the git host answers 503, so many times
//! statuses NAME                     what the git host shows of a commit
//! reported NAME STATE CONTEXT       somebody else reports a commit status of a commit
//! ```

use jiff::SignedDuration;
use launchway_test_aws::codebuild::{
    Build, BuildStory, Outcome, Phase, PhaseSeconds, StartedBuild, Stories, Tests, Vpc,
};
use launchway_test_aws::{Fault, When};
use serde_json::{Value, json};

use super::transcript::{Witness, since};
use super::{Player, columns};
use crate::git::{Trouble, commit_id};
use crate::world::sample::{self, BUILD, CHECK, HEALTH, NAMESPACE, PIPELINE, SERVICES, place};

/// The variables that Launchway sets (docs/pipelines.md).
const OURS: [&str; 6] =
    ["IMAGE_REPO_NAME", "IMAGE_TAG", "COMMIT_ID", "AWS_ACCOUNT_ID", "AWS_DEFAULT_REGION", "LAUNCHWAY_BUILD"];

/// How long is waited for something at most.
const PATIENCE: SignedDuration = SignedDuration::from_hours(4);

/// The transcript of a script, played in the world of the sample.
///
/// # Panics
/// The script has a line that is none, or waits for what does not come; the transcript so far is shown.
pub fn transcript(script: &str) -> String {
    let world = sample::world(7);
    world.aws().codebuild.entry(place()).or_default().stories = Stories::new(fate);
    let mut scene = Scene { player: Player::new(world), witness: Witness::default(), told: String::new() };
    for line in script.lines() {
        scene.line(line);
    }
    let panics = scene.player.world.progress().panics.clone();
    assert!(panics.is_empty(), "{panics:?}\n{}", scene.told);
    scene.told
}

/// Beside the sample's fates: `failing-N` fails with words in its log, `hanging-N` never gets its source, `endless-N` does
/// not either and CodeBuild forgets to end it.
pub fn fate(build: &StartedBuild) -> BuildStory {
    let commit = build.source_version.as_deref().unwrap_or_default();
    let is = |kind: &str| (1..=9).any(|number| commit_id(&format!("{kind}-{number}")) == commit);
    match build.project.as_str() {
        BUILD if is("failing") => BuildStory::fails(Phase::Build, "make image", 2)
            .saying(Phase::Build, ["make image", "cc -o greeter greeter.c", "greeter.c:7: error: expected ';'"])
            .taking(PhaseSeconds::only_build(40)),
        BUILD if is("hanging") => BuildStory::hangs(Phase::DownloadSource),
        BUILD if is("endless") => BuildStory::new(Outcome::Overruns { phase: Phase::DownloadSource }),
        CHECK if is("unclean") => BuildStory::fails(Phase::Build, "make lint", 1)
            .testing(Tests { passed: 335, failed: 2, errors: 1, skipped: 2 })
            .taking(PhaseSeconds::only_build(20)),
        _ => sample::fate(build),
    }
}

struct Scene {
    player: Player,
    witness: Witness,
    told: String,
}

impl Scene {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            self.tell(line);
            return;
        }
        self.tell(&format!("{}  > {line}", since(self.player.world.now())));
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        self.command(command, rest);
        self.caught_up();
    }

    fn tell(&mut self, line: &str) {
        self.told.push_str(line.trim_end());
        self.told.push('\n');
    }

    fn caught_up(&mut self) {
        for line in self.witness.lines(&self.player.world) {
            self.tell(&line);
        }
    }

    fn command(&mut self, command: &str, rest: &str) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match (command, words.as_slice()) {
            ("commit", [name]) => self.commit(name),
            ("image", [name]) => {
                sample::push_image(&self.player.world, name);
                self.witness.name(name, &sample::commit(name));
            }
            ("tag", [tag, name]) => {
                self.player.world.git.tag(sample::URL, tag, &sample::commit(name));
                self.witness.name(name, &sample::commit(name));
            }
            ("scan", findings) => {
                let findings: Vec<(&str, &str)> = findings.iter().filter_map(|one| one.split_once('=')).collect();
                sample::scan(&self.player.world, &findings);
            }
            ("untag", [tag]) => self.player.world.git.untag(sample::URL, tag),
            ("apply", names) => names.iter().for_each(|name| self.apply(name)),
            ("patch", [kind, name, ..]) => self.player.patch(kind, name, &json_after(rest, name)),
            ("release", [name, commit]) => self.release(name, commit),
            ("delete", [kind, name]) => self.delete(kind, name),
            ("health", [status, ..]) => {
                let body = rest.split_once(' ').map_or("", |(_, body)| body);
                self.player.sites.set(HEALTH, status.parse().expect("a status"), body);
            }
            ("aws", [operation, ..]) => {
                let answer = self.player.person(operation, &json_after(rest, operation));
                answer.unwrap_or_else(|refusal| panic!("{command} {rest}: {refusal}"));
            }
            ("vpc", []) => self.vpc(),
            ("fault", [operations, kind]) => self.fault(operations, kind, None),
            ("fault", [operations, kind, times]) => self.fault(operations, kind, Some(times)),
            ("mend", []) => self.player.world.aws().faults.clear(),
            ("wait", [kind, name, condition]) => self.wait(kind, name, condition, ""),
            ("wait", [kind, name, condition, reason]) => self.wait(kind, name, condition, reason),
            ("advance", [time]) => {
                self.player.advance(time.parse().unwrap_or_else(|_| panic!("{time} is no time")));
            }
            ("show", kinds) => kinds.iter().for_each(|kind| self.show(kind)),
            ("logs", [release]) => self.logs(release),
            ("builds", []) => self.builds(),
            ("runs", [service]) => self.runs(service),
            ("report", []) => {
                sample::report(&self.player.world);
                self.player.patch("Pipeline", PIPELINE, &json!({"spec": {"report": sample::reported()}}));
            }
            ("silent", [times]) => {
                let times = times.parse().expect("a number of times");
                self.player.world.git.trouble(sample::URL, Trouble::Status(503), times);
            }
            ("statuses", [name]) => self.statuses(name),
            ("reported", [name, state, context]) => {
                self.player.world.git.report(sample::URL, &sample::commit(name), context, state);
            }
            _ => panic!("{command} {rest} is no command"),
        }
    }

    fn commit(&mut self, name: &str) {
        sample::push(&self.player.world, name);
        self.witness.name(name, &sample::commit(name));
    }

    fn apply(&self, name: &str) {
        let manifest = match name {
            "account" => sample::aws_account(),
            "pipeline" => sample::pipeline(),
            service => sample::service(SERVICES.iter().position(|one| *one == service).expect("a Service's name")),
        };
        self.player.world.store.apply_json(&manifest).expect("a manifest that is admitted");
    }

    fn release(&self, name: &str, commit: &str) {
        let release = json!({
            "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"pipeline": PIPELINE, "commit": sample::commit(commit), "reason": "Manual"},
        });
        self.player.world.store.create_json(&release).expect("a Release that is admitted");
    }

    fn delete(&self, kind: &str, name: &str) {
        let store = &self.player.world.store;
        let namespace = if kind == "AwsAccount" { "" } else { NAMESPACE };
        macro_rules! by_kind {
            ($($known:ident),*) => {
                match kind {
                    $(stringify!($known) => store.delete::<launchway_crds::$known>(namespace, name),)*
                    other => panic!("{other} is none of our kinds"),
                }
            };
        }
        let deleted = launchway_crds::kinds!(by_kind);
        deleted.unwrap_or_else(|failure| panic!("delete {kind} {name}: {failure:?}"));
    }

    fn vpc(&self) {
        let mut aws = self.player.world.aws();
        let builds = aws.codebuild.entry(place()).or_default();
        for name in [CHECK, BUILD] {
            let mut project = builds.project(name).expect("a project of the sample").clone();
            let (subnets, security_groups) = (vec!["subnet-1a".to_owned()], vec!["sg-1a".to_owned()]);
            project.vpc = Some(Vpc { id: "vpc-1".to_owned(), subnets, security_groups });
            builds.add_project(project);
        }
    }

    fn fault(&self, operations: &str, kind: &str, times: Option<&str>) {
        let fault = || match kind {
            "throttle" => Fault::Throttle,
            "deny" => Fault::Deny,
            "5xx" => Fault::Error5xx,
            "reset" => Fault::ResetBeforeEffect,
            "lose" => Fault::LoseReply,
            other => panic!("{other} is no fault"),
        };
        let faults = &mut self.player.world.aws().faults;
        match times {
            None => faults.add(operations, When::Always, fault()),
            Some(times) => {
                let times: u64 = times.parse().expect("a number of times");
                (1..=times).for_each(|nth| faults.add(operations, When::Nth(nth), fault()));
            }
        }
    }

    fn wait(&mut self, kind: &str, name: &str, condition: &str, reason: &str) {
        let (condition, status) = condition.split_once('=').expect("CONDITION=STATUS");
        let so = |world: &crate::world::World| {
            let (is, because, _) = world.said(kind, name, condition);
            is == status && (reason.is_empty() || because == reason)
        };
        let came = self.player.until(PATIENCE, so);
        self.caught_up();
        assert!(came, "it does not come:\n{}", self.told);
    }

    fn show(&mut self, kind: &str) {
        let table = columns::table(&self.player.world, kind, |cell| self.witness.named(cell));
        let lines: Vec<String> = table.lines().map(|line| format!("          {line}")).collect();
        lines.iter().for_each(|line| self.tell(line));
    }

    fn logs(&mut self, release: &str) {
        let object = self.player.world.object("Release", release).expect("the Release is there");
        let steps = object.value()["status"]["steps"].as_array().cloned().unwrap_or_default();
        for step in steps {
            let text = |member: &str| step[member].as_str().unwrap_or_default().to_owned();
            let line = self.witness.named(&format!("{} {}: {}", text("name"), text("phase"), text("message")));
            self.tell(&format!("          {line}"));
            for line in step["log"].as_array().map_or(&[][..], Vec::as_slice) {
                self.tell(&format!("          | {}", line.as_str().unwrap_or_default()));
            }
        }
    }

    fn statuses(&mut self, name: &str) {
        let shown = self.player.world.git.statuses(sample::URL, &sample::commit(name));
        let lines = shown.iter().map(|one| format!("          {} {}: {}", one.state, one.context, one.description));
        lines.collect::<Vec<_>>().iter().for_each(|line| self.tell(line));
    }

    fn builds(&mut self) {
        let lines: Vec<String> = {
            let mut aws = self.player.world.aws();
            let builds = aws.codebuild.entry(place()).or_default().builds().filter(|build| build.project == BUILD);
            let line = |build: &Build| {
                let own = build.variables.iter().filter(|one| !OURS.contains(&one.name.as_str()));
                let told: Vec<String> = own.map(|one| format!("{}={}", one.name, one.value)).collect();
                format!(
                    "build {} of {} got {}",
                    build.number,
                    build.source_version.as_deref().unwrap_or_default(),
                    told.join(", ")
                )
            };
            builds.map(line).collect()
        };
        for line in lines {
            let line = self.witness.named(&line);
            self.tell(&format!("          {line}"));
        }
    }

    fn runs(&mut self, service: &str) {
        let commits = self.player.world.running(service).join(", ");
        let line = match self.player.world.service(service) {
            None => format!("ECS has no {service}"),
            Some(found) => format!("ECS wants {} of {service} and runs {commits}", found.desired),
        };
        let line = self.witness.named(&line);
        self.tell(&format!("          {line}"));
    }
}

fn json_after(rest: &str, word: &str) -> Value {
    let json = rest.split_once(word).map_or("", |(_, json)| json);
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json} is not JSON: {error}"))
}
