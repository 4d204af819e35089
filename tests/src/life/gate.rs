//! The gate that every request of a life passes, to AWS, git or Kubernetes: counted, recorded, and cut on demand.
//! What a request asks and what is answered is not known here.

use std::fmt;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use jiff::SignedDuration;
use launchway::lease::term::Term;

use crate::world::Time;

/// How long a request that changes something is under way: each has a time of its own. Looks take none, so that the
/// worlds before and after one are the same.
const UNDER_WAY: SignedDuration = SignedDuration::from_millis(20);

/// What befalls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// The life is cut before it is sent.
    BeforeSend,
    /// It takes effect, and the life is cut while it waits for the reply.
    ReplyLost,
    /// It takes effect, and the life is cut as soon as it knows.
    AfterReply,
    /// It takes effect, the connection is reset, and the life goes on.
    Reset,
    /// It never arrives, the connection is reset, and the life goes on.
    Unsent,
    /// The life sleeps before it is sent, while another one lives; then it is sent, and the life goes on.
    Asleep,
    /// It takes effect, and the life is paused before it hears the reply, while another one takes the lease and lives; then the
    /// life goes on.
    Paused,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Position::BeforeSend => "cut before it is sent",
            Position::ReplyLost => "cut with the reply on its way",
            Position::AfterReply => "cut right after the reply",
            Position::Reset => "the reply lost to a life that goes on",
            Position::Unsent => "lost on its way, to a life that goes on",
            Position::Asleep => "sent late, while another one lived",
            Position::Paused => "paused after it, while another one took the lease",
        })
    }
}

/// A request that a life sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number in this life, from 1.
    pub number: usize,
    /// `ecs:CreateService`, `PUT releases/greeter-1/status`, `POST git-upload-pack`.
    pub name: String,
    /// Whether it changes something.
    pub nature: Nature,
    /// A hash of what it says beside its name: equal for the same request sent again.
    pub content: u64,
}

/// Whether a request changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It only looks.
    Look,
    /// It changes AWS or Kubernetes.
    Change,
}

/// Whether a request is about to take effect, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is about to.
    Before,
    /// It has.
    After,
}

/// The connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for Broken {}

type Recorder = Box<dyn FnMut(Moment, &Request) + Send>;
type Strike = Box<dyn FnMut(&Request) -> Option<Position> + Send>;
type Pause = Box<dyn FnMut() + Send>;

/// The gate of one life. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    time: Time,
    term: Arc<Term>,
    paused: Arc<AtomicU64>,
    inner: Arc<Mutex<Inner>>,
}

/// A life that is paused for longer loses its lease; awake, it renews it in time.
const SURE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Inner {
    sent: usize,
    cut: Option<Request>,
    waker: Option<Waker>,
    strike: Option<Strike>,
    pause: Option<Pause>,
    recorder: Option<Recorder>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate that lets everything through.
    pub fn new(time: &Time) -> Gate {
        let paused = Arc::<AtomicU64>::default();
        let clock = Arc::clone(&paused);
        let term = Term::awaited(Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))));
        term.extend(SURE);
        Gate { time: time.clone(), term, paused, inner: Arc::default() }
    }

    /// How long the life leads: its clock counts what it was paused.
    pub fn term(&self) -> Arc<Term> {
        Arc::clone(&self.term)
    }

    /// From now on asks `strike` what befalls each request; none: nothing does.
    pub fn strike(&self, strike: impl FnMut(&Request) -> Option<Position> + Send + 'static) {
        self.inner().strike = Some(Box::new(strike));
    }

    /// What the world does while the life is paused.
    pub fn while_paused(&self, pause: impl FnMut() + Send + 'static) {
        self.inner().pause = Some(Box::new(pause));
    }

    /// From now on tells `recorder` of each request, before and after its effect.
    pub fn record(&self, recorder: impl FnMut(Moment, &Request) + Send + 'static) {
        self.inner().recorder = Some(Box::new(recorder));
    }

    /// How many requests were sent.
    pub fn sent(&self) -> usize {
        self.inner().sent
    }

    /// The request at which the life was cut.
    pub fn cut(&self) -> Option<Request> {
        self.inner().cut.clone()
    }

    /// Comes to an end when the life is cut.
    pub async fn until_cut(&self) {
        poll_fn(|context| {
            let mut inner = self.inner();
            if inner.cut.is_some() {
                return Poll::Ready(());
            }
            inner.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Comes to an end at once, or never if the life is cut.
    pub async fn unless_cut(&self) {
        poll_fn(|_| if self.inner().cut.is_some() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Sends a request: `answer` is what the world does and says. Never comes back if the life is cut by it.
    pub async fn send<T>(
        &self,
        name: String,
        nature: Nature,
        content: &[u8],
        answer: impl FnOnce() -> T,
    ) -> Result<T, Broken> {
        let outcome = self.sent_now(name, nature, content, answer);
        self.unless_cut().await;
        outcome
    }

    fn sent_now<T>(
        &self,
        name: String,
        nature: Nature,
        content: &[u8],
        answer: impl FnOnce() -> T,
    ) -> Result<T, Broken> {
        if self.cut().is_some() {
            return Err(Broken);
        }
        let request = self.numbered(name, nature, content);
        if request.nature == Nature::Change {
            self.time.pass(UNDER_WAY);
        }
        self.tell(Moment::Before, &request);
        let struck = self.struck(&request);
        if struck == Some(Position::BeforeSend) {
            self.end(request);
            return Err(Broken);
        }
        if struck == Some(Position::Unsent) {
            return Err(Broken);
        }
        let reply = answer();
        self.tell(Moment::After, &request);
        if struck == Some(Position::Paused) {
            self.pause();
        }
        match struck {
            Some(Position::ReplyLost | Position::AfterReply) => {
                self.end(request);
                Err(Broken)
            }
            Some(Position::Reset | Position::Unsent) => Err(Broken),
            Some(Position::BeforeSend | Position::Asleep | Position::Paused) | None => Ok(reply),
        }
    }

    /// Whoever strikes may take long, so it is asked without the lock.
    fn struck(&self, request: &Request) -> Option<Position> {
        let mut strike = self.inner().strike.take()?;
        let struck = strike(request);
        self.inner().strike = Some(strike);
        struck
    }

    fn pause(&self) {
        let Some(mut pause) = self.inner().pause.take() else { return };
        let began = self.time.now();
        pause();
        let took = self.time.now().duration_since(began).as_millis();
        self.paused.fetch_add(u64::try_from(took).unwrap_or_default(), Ordering::Relaxed);
    }

    fn numbered(&self, name: String, nature: Nature, content: &[u8]) -> Request {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let mut inner = self.inner();
        inner.sent += 1;
        Request { number: inner.sent, name, nature, content: hasher.finish() }
    }

    fn end(&self, request: Request) {
        let mut inner = self.inner();
        inner.cut = Some(request);
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
    }

    /// The recorder looks at the world, so it is called without the lock.
    fn tell(&self, moment: Moment, request: &Request) {
        let Some(mut recorder) = self.inner().recorder.take() else { return };
        recorder(moment, request);
        self.inner().recorder = Some(recorder);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
