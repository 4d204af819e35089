//! Which of several replicas works: the one that holds a Lease. The others keep their watches, and do nothing.
//!
//! No times of different machines are ever compared. A replica remembers what the Lease said, and when, by its own clock, that
//! changed: a Lease that names nobody is free, and so is one that has said the same for [`LASTS`]. It is taken and renewed by a
//! PUT on the version that was read. A holder is sure of it until [`SURE`] after it *began* to ask for its last renewal; then it
//! changes nothing any more, and the process ends. [`term`] keeps that time, and [`fence`] asks it before every write.
//!
//! Why no crate: kube-leader-election and kube-lease-manager judge by the times that the holder wrote, so that clocks which
//! differ make two leaders, and patch without a version; kubert has an older kube. None tells a call that is about to be made
//! whether it may still be. `docs/reliability.md` says what that comes to.

pub mod fence;
pub mod term;

#[cfg(test)]
mod tests;

use crate::context::Clock;
use crate::unreachable::words;
use jiff::Timestamp;
use kube::core::Status;
use serde_json::{Map, Value, json};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use term::Term;
use tokio_util::sync::CancellationToken;

/// How often a lease is renewed, at the least.
const RENEW: Duration = Duration::from_secs(2);
/// How often the others look at it, at the least: so long takes a hand-over.
const LOOK: Duration = Duration::from_secs(1);
/// How long one request may take: two of them fit into [`SURE`], whatever comes of the first.
const TRY: Duration = Duration::from_secs(4);
/// How long a holder is sure of its lease after it began to ask for the renewal.
const SURE: Duration = Duration::from_secs(10);
/// How long the others leave a lease alone that says the same. Four seconds more than [`SURE`]: what was let through at the last
/// moment has to be at AWS by then, and connecting takes 3.1 s at most. One second less than 15, which is how often it is
/// looked at: whoever is killed is replaced 15 s after it renewed the lease for the last time.
const LASTS: Duration = Duration::from_secs(14);

/// Namespace and name of a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    namespace: String,
    name: String,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |part: &str| {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
            !part.is_empty() && part.len() <= 253 && part.chars().all(allowed)
        };
        let parts = text.split_once('/').filter(|(namespace, name)| is_name(namespace) && is_name(name));
        let (namespace, name) = parts.ok_or("a namespace and a name, such as launchway-system/launchway")?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl Name {
    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name there.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A replica that stands for a Lease.
pub struct Candidate {
    /// The Lease.
    pub lease: Name,
    /// Who stands for it: another name for each process.
    pub identity: String,
    /// A client of its own: that of the passes is kept from writing while nobody is sure to lead.
    pub kube: kube::Client,
    /// The current time, which is written down for people.
    pub clock: Clock,
}

impl Candidate {
    /// Stands for the lease, and holds it until `retire` is cancelled, which is when all work has stopped: then it is given
    /// back. Ends also when the lease is lost.
    pub async fn hold(self, term: Arc<Term>, retire: CancellationToken) {
        let mut election = Election::new(&self.identity, term.now(), fastrand::u64(..));
        let mut is_reached = true;
        while !retire.is_cancelled() {
            if term.is_over() {
                tracing::error!(lease = %self.lease, "the lease is lost: it could not be renewed in time");
                return;
            }
            let now = term.now();
            match election.step(now) {
                Step::Wait(until) => {
                    tokio::select! { () = retire.cancelled() => {}, () = tokio::time::sleep(until.saturating_sub(now)) => {} }
                }
                Step::Ask(ask) => {
                    let answer = tokio::time::timeout(TRY, self.ask(ask, &election)).await;
                    let answer = answer.unwrap_or_else(|_| Answer::None(format!("no answer in {TRY:?}")));
                    self.tell(&answer, &mut is_reached);
                    self.take(&mut election, &term, ask, now, answer);
                }
            }
        }
        term.end();
        self.release(&election).await;
    }

    /// Says once that the lease cannot be reached.
    fn tell(&self, answer: &Answer, is_reached: &mut bool) {
        let trouble = match answer {
            Answer::None(why) => Some(why),
            Answer::Lease(_) | Answer::Absent | Answer::Refused => None,
        };
        if let Some(error) = trouble.filter(|_| *is_reached) {
            tracing::warn!(lease = %self.lease, error, "the lease cannot be reached");
        }
        *is_reached = trouble.is_none();
    }

    fn take(&self, election: &mut Election, term: &Term, ask: Ask, sent: Duration, answer: Answer) {
        let before = election.holder().map(str::to_owned);
        if let Some(sure) = election.answered(ask, sent, term.now(), answer) {
            term.extend(sure);
        }
        let holder = election.holder();
        if holder.is_some_and(|holder| Some(holder) != before.as_deref()) {
            let what = if election.is_held() { "this replica leads" } else { "another replica leads" };
            tracing::info!(lease = %self.lease, holder, "{what}");
        }
    }

    async fn release(&self, election: &Election) {
        let Some(lease) = election.released((self.clock)()) else { return };
        match tokio::time::timeout(TRY, self.request("PUT", Some(&lease))).await {
            Ok(Ok(_)) => tracing::info!(lease = %self.lease, "the lease is given back"),
            Ok(Err(error)) => tracing::warn!(error = words(&error), "the lease could not be given back"),
            Err(_) => tracing::warn!("the lease could not be given back in {TRY:?}"),
        }
    }

    async fn ask(&self, ask: Ask, election: &Election) -> Answer {
        let answer = match ask {
            Ask::Look => self.request("GET", None).await,
            Ask::Write => {
                let lease = election.written(&self.lease, (self.clock)());
                let exists = lease["metadata"]["resourceVersion"].is_string();
                self.request(if exists { "PUT" } else { "POST" }, Some(&lease)).await
            }
        };
        match answer {
            Ok(lease) if lease["metadata"]["resourceVersion"].is_string() => Answer::Lease(lease),
            Ok(_) => Answer::None("the answer is no Lease".to_owned()),
            Err(kube::Error::Api(status)) if refused(&status) => Answer::Refused,
            Err(kube::Error::Api(status)) if status.is_not_found() && ask == Ask::Look => Answer::Absent,
            Err(error) => Answer::None(words(&error)),
        }
    }

    /// Nothing is decoded but JSON: whatever others write into a Lease (times of the year 9999) must not stop anybody.
    async fn request(&self, method: &str, lease: Option<&Value>) -> kube::Result<Value> {
        let Name { namespace, name } = &self.lease;
        let name = if method == "POST" { "" } else { name };
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}");
        let body = lease.map(|lease| lease.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder().method(method).uri(path.trim_end_matches('/'));
        let request = request.header("content-type", "application/json").body(body);
        self.kube.request(request.map_err(kube::Error::HttpError)?).await
    }
}

/// Whether somebody else was first.
fn refused(status: &Status) -> bool {
    status.is_conflict() || status.is_already_exists()
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// To wait until then.
    Wait(Duration),
    /// To ask Kubernetes.
    Ask(Ask),
}

/// What Kubernetes is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// To show the Lease.
    Look,
    /// To write it with this replica as its holder.
    Write,
}

/// What came of it.
#[derive(Clone, Debug)]
enum Answer {
    /// The Lease as it is, or as it was written.
    Lease(Value),
    /// There is no Lease.
    Absent,
    /// Somebody else has written it.
    Refused,
    /// No answer, or none that says what happened: why.
    None(String),
}

/// What one replica knows of the lease. Pure: time and answers are brought.
struct Election {
    identity: String,
    seen: Option<Seen>,
    /// Whether it may be written as it was seen.
    is_open: bool,
    /// When something is to be done.
    due: Duration,
    jitter: fastrand::Rng,
}

/// The Lease as it was seen last; none: there is none.
#[derive(Clone, Debug)]
struct Seen {
    lease: Option<Value>,
    /// Since when it says this, by our own clock.
    since: Duration,
}

impl Seen {
    fn spec(&self) -> Option<&Value> {
        self.lease.as_ref().map(|lease| &lease["spec"])
    }

    fn holder(&self) -> &str {
        self.spec().and_then(|spec| spec["holderIdentity"].as_str()).unwrap_or_default()
    }

    /// Whether anybody may take it. That it is not there is no reason to hurry: whoever held it may not know yet.
    fn is_free(&self, now: Duration) -> bool {
        let is_released = self.lease.is_some() && self.holder().is_empty();
        is_released || now.saturating_sub(self.since) >= LASTS
    }
}

impl Election {
    fn new(identity: &str, now: Duration, seed: u64) -> Self {
        let jitter = fastrand::Rng::with_seed(seed);
        Self { identity: identity.to_owned(), seen: None, is_open: false, due: now, jitter }
    }

    fn step(&self, now: Duration) -> Step {
        match self.due {
            due if now < due => Step::Wait(due),
            _ => Step::Ask(if self.is_open { Ask::Write } else { Ask::Look }),
        }
    }

    /// Takes the answer to what was asked at `sent`: until when this replica is sure to lead, if it has just written the lease.
    fn answered(&mut self, ask: Ask, sent: Duration, now: Duration, answer: Answer) -> Option<Duration> {
        match (ask, answer) {
            (Ask::Write, Answer::Lease(lease)) => {
                self.seen = Some(Seen { lease: Some(lease), since: now });
                (self.is_open, self.due) = (true, sent + self.spread(RENEW));
                return Some(sent + SURE);
            }
            (Ask::Look, Answer::Lease(lease)) => self.looked(Some(lease), now),
            (_, Answer::Absent) => self.looked(None, now),
            (_, Answer::Refused) => (self.is_open, self.due) = (false, now),
            (_, Answer::None(_)) => (self.is_open, self.due) = (false, now + self.spread(LOOK)),
        }
        None
    }

    fn looked(&mut self, lease: Option<Value>, now: Duration) {
        let mut seen = Seen { lease, since: now };
        if let Some(before) = self.seen.take().filter(|before| before.spec() == seen.spec()) {
            seen.since = before.since;
        }
        let next = (now + self.spread(LOOK)).min(seen.since + LASTS);
        self.seen = Some(seen);
        self.is_open = self.is_held() || self.seen.as_ref().is_some_and(|seen| seen.is_free(now));
        self.due = if self.is_open { now } else { next };
    }

    /// Who holds it, as far as is known.
    fn holder(&self) -> Option<&str> {
        self.seen.as_ref().map(Seen::holder).filter(|holder| !holder.is_empty())
    }

    fn is_held(&self) -> bool {
        self.holder() == Some(&self.identity)
    }

    /// The Lease with this replica as its holder. What else it says is kept.
    fn written(&self, name: &Name, at: Timestamp) -> Value {
        let lease = self.seen.as_ref().and_then(|seen| seen.lease.clone());
        let mut lease = lease.unwrap_or_else(|| {
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"namespace": name.namespace, "name": name.name}})
        });
        let mut spec = spec(&lease);
        if !self.is_held() {
            let transitions = spec.get("leaseTransitions").and_then(Value::as_i64).unwrap_or_default();
            // A number that nobody can add to begins anew: it is for people.
            let next = i32::try_from(transitions.saturating_add(1)).unwrap_or_default();
            spec.extend([("leaseTransitions".to_owned(), json!(next)), ("acquireTime".to_owned(), time(at))]);
        }
        set(&mut spec, &self.identity, LASTS, at);
        lease["spec"] = Value::Object(spec);
        lease
    }

    /// The Lease with nobody as its holder, if this replica holds it.
    fn released(&self, at: Timestamp) -> Option<Value> {
        let mut lease = self.seen.as_ref().filter(|_| self.is_held())?.lease.clone()?;
        let mut spec = spec(&lease);
        // A duration of 0 is refused.
        set(&mut spec, "", Duration::from_secs(1), at);
        lease["spec"] = Value::Object(spec);
        Some(lease)
    }

    /// A little less, so that replicas do not go in step.
    fn spread(&mut self, most: Duration) -> Duration {
        most.mul_f64(1.0 - 0.2 * self.jitter.f64())
    }
}

fn spec(lease: &Value) -> Map<String, Value> {
    lease["spec"].as_object().cloned().unwrap_or_default()
}

fn set(spec: &mut Map<String, Value>, holder: &str, lasts: Duration, at: Timestamp) {
    let members =
        [("holderIdentity", json!(holder)), ("leaseDurationSeconds", json!(lasts.as_secs())), ("renewTime", time(at))];
    spec.extend(members.map(|(name, value)| (name.to_owned(), value)));
}

/// A time as Kubernetes writes it with microseconds.
fn time(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}
