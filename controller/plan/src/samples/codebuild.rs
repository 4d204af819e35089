//! A CodeBuild in miniature: the builds of one Release, replies that get lost, and the passes over it.

use super::release::{build, named, sight};
use super::{at, fault};
use crate::fault::Remedy;
use crate::image::ImageId;
use crate::look::Looked;
use crate::release::report::{Pass, empty, intended, report, warning};
use crate::release::{
    Action, BuildSeen, Desired, Effected, Look, Observed, Record, State, assess, decide, looks, more,
};
use crate::wake::Wake;
use crate::world::{
    BuildStatus, BuildVariable, Listing, LiveBuild, LiveImage, LiveProject, LiveScan, LiveStatuses, PhaseStatus,
    Scanned,
};
use crate::{Outcome, Plan};
use launchway_crds::release::{Release, ReleaseStatus, TestCounts};
use serde_json::{Value, json};

/// What becomes of a StartBuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is answered.
    Comes,
    /// The build is started and the reply is lost.
    Lost,
    /// The call never arrives, and nothing comes back.
    Vanishes,
}

/// Which builds of the image push it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushes {
    /// None.
    None,
    /// Those that succeed.
    Good,
    /// Also those that then fail.
    All,
    /// Those that succeed, and what they push has the same bytes as what was pushed the day before: ECR keeps that time.
    Same,
}

/// An image that was pushed so many seconds after the beginning: another one for each who pushes.
pub fn pushed(by: &str, second: i64) -> LiveImage {
    LiveImage { digest: format!("sha256:{:0>64}", crate::hash::of(&by)), pushed_at: at(second) }
}

/// What [`Pushes::Same`] pushes.
pub fn yesterdays() -> LiveImage {
    pushed("the day before", -86_400)
}

/// The world of one Release.
#[derive(Clone, Debug)]
pub struct World {
    /// The time, in seconds after the tests' beginning.
    pub now: i64,
    /// The Release.
    pub release: Release,
    /// Changes of its Pipeline's spec.
    pub changes: Value,
    /// Its Pipeline's status.
    pub pipeline: Value,
    /// Its status.
    pub status: ReleaseStatus,
    /// The builds that there are, with the tokens that started them.
    pub builds: Vec<(String, LiveBuild)>,
    /// How the builds end: each takes a minute. `InProgress`: never.
    pub ends: Vec<BuildStatus>,
    /// What becomes of the next calls; then they are answered.
    pub replies: Vec<Reply>,
    /// The projects that BatchGetProjects shows.
    pub projects: Vec<LiveProject>,
    /// The image that the commit's tag names.
    pub image: Option<LiveImage>,
    /// What others report of the commit.
    pub statuses: Looked<LiveStatuses>,
    /// What ECR's scan of each image found.
    pub scan: LiveScan,
    /// What the file says in which the build lists its images.
    pub listing: Looked<Listing>,
    /// Whether tags cannot be moved.
    pub immutable: bool,
    /// Which builds of the image push it.
    pub pushes: Pushes,
    /// What builds of the image that succeed export as `IMAGE_URI`, with `DIGEST` for that of the image; absent: nothing.
    pub says: Option<String>,
    /// The variables that builds of checks export that succeed.
    pub exports: Vec<(String, String)>,
    /// What the test reports of builds that ended say; absent: there are none.
    pub tests: Option<Result<TestCounts, String>>,
    /// The environments that builds were started with, in the order of `builds`.
    pub environments: Vec<Vec<BuildVariable>>,
    /// The warnings that were said.
    pub warnings: Vec<String>,
    ended: usize,
    passes: usize,
}

/// More passes than any test needs: a world in which what is waited for never comes fails, and does not hang.
const PASSES: usize = 10_000;

impl World {
    /// A Release that was just made.
    pub fn new() -> Self {
        Self {
            now: 0,
            release: super::release::release(1, 0, Value::Null),
            changes: json!({}),
            pipeline: Value::Null,
            status: empty(),
            builds: Vec::new(),
            ends: Vec::new(),
            replies: Vec::new(),
            projects: Vec::new(),
            image: None,
            statuses: Looked::Seen(LiveStatuses::default()),
            scan: LiveScan { scanned: Scanned::Not, counts: Default::default(), findings: Vec::new() },
            listing: Looked::Seen(Listing::Absent),
            immutable: false,
            pushes: Pushes::Good,
            says: None,
            exports: Vec::new(),
            tests: None,
            environments: Vec::new(),
            warnings: Vec::new(),
            ended: 0,
            passes: 0,
        }
    }

    /// The Release, parsed.
    pub fn desired(&self) -> Desired {
        Desired::parse(&self.release).unwrap()
    }

    /// Its record.
    pub fn record(&self) -> Record {
        Record::parse(&Release { status: Some(self.status.clone()), ..self.release.clone() })
    }

    /// The build with that marker's step and attempt.
    pub fn of(&self, marker: &str) -> Vec<&LiveBuild> {
        let own = |build: &&LiveBuild| build.marker.as_deref().is_some_and(|one| one.ends_with(marker));
        self.builds.iter().map(|(_, build)| build).filter(own).collect()
    }

    /// Lets time go on.
    pub fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        for (_, build) in &mut self.builds {
            if build.status != BuildStatus::InProgress
                || at(self.now) < build.started_at + jiff::SignedDuration::from_mins(1)
            {
                continue;
            }
            let end = self.ends.get(self.ended).cloned().unwrap_or(BuildStatus::Succeeded);
            if end == BuildStatus::InProgress {
                continue;
            }
            self.ended += 1;
            let pushes = match self.pushes {
                Pushes::None => false,
                Pushes::Good | Pushes::Same => end == BuildStatus::Succeeded,
                Pushes::All => true,
            };
            if pushes && build.id.starts_with("web-build") && !(self.immutable && self.image.is_some()) {
                let is_old = self.pushes == Pushes::Same;
                self.image = Some(if is_old { yesterdays() } else { pushed(&build.id, self.now) });
            }
            if let (Some(text), Some(image), true) = (&self.says, &self.image, end == BuildStatus::Succeeded) {
                build.exported.insert("IMAGE_URI".into(), text.replace("DIGEST", &image.digest).as_str().into());
            }
            if !build.id.starts_with("web-build") && end == BuildStatus::Succeeded {
                let exports = self.exports.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
                build.exported.extend(exports);
            }
            (build.status, build.ended_at, build.phase) = (end, Some(at(self.now)), named("COMPLETED"));
        }
    }

    /// What a pass sees.
    pub fn observe(&self) -> Observed {
        let mut observed = sight(self.now, &self.changes, self.pipeline.clone());
        let mut asked = looks(&self.desired(), &self.record(), &observed);
        while !asked.is_empty() {
            self.look(asked, &mut observed);
            asked = more(&self.desired(), &self.record(), &observed);
        }
        observed
    }

    fn look(&self, asked: Vec<Look>, observed: &mut Observed) {
        for look in asked {
            match look {
                Look::Projects(names) => {
                    let known = self.projects.iter().filter(|project| names.contains(&project.name));
                    observed.projects = Looked::Seen(known.cloned().collect());
                }
                Look::AccountId => observed.account_id = Looked::Seen("123456789012".into()),
                Look::Build { step, id, .. } => {
                    let found = self.builds.iter().map(|(_, build)| build).find(|build| build.id == id).cloned();
                    if found.as_ref().is_some_and(|build| build.status != BuildStatus::InProgress) {
                        observed.tests.extend(self.tests.clone().map(|tests| (step.clone(), tests)));
                    }
                    observed.builds.insert(step, BuildSeen::Known(Looked::Seen(found)));
                }
                Look::Search { step, .. } => {
                    let found = self.builds.iter().map(|(_, build)| build).cloned().collect();
                    observed.builds.insert(step, BuildSeen::Searched(Looked::Seen(found)));
                }
                Look::Image { id, repository } => {
                    let is_it = |image: &LiveImage| match &id {
                        ImageId::Tag(_) => true,
                        ImageId::Digest(digest) => image.digest == *digest,
                    };
                    observed.images.insert(repository, Looked::Seen(self.image.clone().filter(is_it)));
                }
                Look::Origins { since, .. } => {
                    let builds = self.builds.iter().map(|(_, build)| build.clone());
                    observed.origins = Looked::Seen(builds.filter(|build| build.started_at >= since).collect());
                }
                Look::Mutability { repository } => {
                    observed.immutable.insert(repository, Looked::Seen(self.immutable));
                }
                Look::Statuses { .. } => observed.statuses = self.statuses.clone(),
                Look::Scan { repository, .. } => {
                    observed.scans.insert(repository, Looked::Seen(self.scan.clone()));
                }
                Look::Listing { .. } => observed.listing = self.listing.clone(),
                Look::Target(_) | Look::Verify { .. } => {}
            }
        }
    }

    /// One pass; the state that it found and when the next one is due.
    pub fn pass(&mut self) -> (State, Wake) {
        self.passes += 1;
        assert!(self.passes < PASSES, "nothing comes of it: {:?}", self.status);
        let observed = self.observe();
        self.pass_with(&observed)
    }

    /// One pass that saw this.
    pub fn pass_with(&mut self, observed: &Observed) -> (State, Wake) {
        let (desired, record) = (self.desired(), self.record());
        let state = assess(&desired, &record, observed);
        let Plan { action, wake } = decide(&desired, &state);
        if let Some(Action::Guard | Action::Unguard) = &action {
            let guarded = action == Some(Action::Guard);
            self.release.metadata.finalizers = guarded.then(|| vec![launchway_crds::FINALIZER.to_owned()]);
            return (state, Wake::Now);
        }
        if let Some(Action::Start(start)) = &action {
            self.status = intended(&self.status, start);
        }
        let outcome = self.act(action.as_ref());
        let pass = Pass { desired: &desired, observed, state: &state, action: action.as_ref(), outcome: &outcome };
        self.status = report(&self.status, &pass);
        self.warnings.extend(warning(&pass).map(|(_, note)| note));
        let wake = match &outcome {
            Outcome::Failed(fault) => Wake::of(fault),
            Outcome::Idle | Outcome::Done(_) => wake,
        };
        (state, wake)
    }

    /// Passes, each when the one before says, until that is so.
    pub fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..60 {
            if is_so(self) {
                return;
            }
            if let (_, Wake::After(seconds)) = self.pass() {
                self.wait(seconds);
            }
        }
        panic!("it does not come to that: {:#?}", self.status.steps);
    }

    /// Passes until nothing more is to be done, or so many.
    pub fn run(&mut self, most: usize) -> State {
        for _ in 0..most {
            let (state, wake) = self.pass();
            match wake {
                Wake::Now => {}
                Wake::After(seconds) if seconds < 60 => self.wait(seconds),
                Wake::Turn(seconds) => self.wait(seconds),
                Wake::Backoff => self.wait(5),
                Wake::After(_) | Wake::Every(_) | Wake::Operator | Wake::OnChange => return state,
            }
        }
        panic!("no rest after {most} passes: {:#?}", self.status.steps);
    }

    fn act(&mut self, action: Option<&Action>) -> Outcome<Effected> {
        match action {
            None | Some(Action::Guard | Action::Unguard) => Outcome::Idle,
            Some(Action::Report { statuses, .. }) => {
                Outcome::Done(Effected::Reported { statuses: statuses.clone(), fault: None })
            }
            Some(Action::Start(start) | Action::Repeat(start)) => {
                let reply = if self.replies.is_empty() { Reply::Comes } else { self.replies.remove(0) };
                let lost = Outcome::Failed(fault("Timeout", Remedy::LookAgain));
                if reply == Reply::Vanishes {
                    return lost;
                }
                let build = self.started(start);
                let effected = Effected::Started { step: start.step.clone(), build: Box::new(build) };
                if reply == Reply::Lost { lost } else { Outcome::Done(effected) }
            }
            Some(Action::Stop { id, .. }) => {
                let now = at(self.now);
                for (_, build) in self.builds.iter_mut().filter(|(_, build)| build.id == *id) {
                    (build.status, build.ended_at) = (BuildStatus::Stopped, Some(now));
                }
                Outcome::Done(Effected::Plain)
            }
        }
    }

    /// The same token starts no second build.
    fn started(&mut self, start: &crate::release::steps::Start) -> LiveBuild {
        if let Some((_, build)) = self.builds.iter().find(|(token, _)| *token == start.call.token) {
            return build.clone();
        }
        let id = format!("{}:{}", start.request.project, self.builds.len() + 1);
        let build = LiveBuild {
            marker: Some(start.request.marker.clone()),
            started_at: at(self.now),
            ..build(&id, BuildStatus::InProgress, &[("SUBMITTED", PhaseStatus::InProgress, 0)])
        };
        self.builds.push((start.call.token.clone(), build.clone()));
        self.environments.push(start.request.environment.clone());
        build
    }
}
