use super::*;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn name() -> Name {
    "launchway-system/launchway".parse().expect("a name")
}

fn lease(version: u32, spec: &Value) -> Answer {
    Answer::Lease(json!({"metadata": {"resourceVersion": version.to_string()}, "spec": spec}))
}

fn election() -> Election {
    Election::new("b", seconds(100), 1)
}

/// Looks at that time, and is told that.
fn looks(election: &mut Election, now: u64, answer: Answer) -> Step {
    assert_eq!(election.answered(Ask::Look, seconds(now), seconds(now), answer), None);
    election.step(seconds(now))
}

#[test]
fn a_lease_of_somebody_else_is_free_when_it_has_said_the_same_for_fourteen_seconds_by_our_own_clock() {
    let mut b = election();
    assert_eq!(b.step(seconds(100)), Step::Ask(Ask::Look));
    let held = |version, renewed: &str| lease(version, &json!({"holderIdentity": "a", "renewTime": renewed}));
    assert!(matches!(looks(&mut b, 100, held(1, "2026-01-01T00:00:00Z")), Step::Wait(_)));
    assert!(matches!(looks(&mut b, 113, held(1, "2026-01-01T00:00:00Z")), Step::Wait(until) if until <= seconds(114)));
    // It was renewed, whatever the time that it shows, and the count begins anew.
    assert!(matches!(looks(&mut b, 113, held(2, "1999-01-01T00:00:00Z")), Step::Wait(_)));
    assert!(matches!(looks(&mut b, 126, held(2, "1999-01-01T00:00:00Z")), Step::Wait(until) if until <= seconds(127)));
    // Another version that says the same is no renewal.
    assert_eq!(looks(&mut b, 127, held(3, "1999-01-01T00:00:00Z")), Step::Ask(Ask::Write));
}

#[test]
fn what_others_write_into_a_lease_stops_nobody() {
    for odd in [
        json!({"holderIdentity": "a", "renewTime": "9999-12-31T23:59:59.999999Z", "leaseDurationSeconds": 2_147_483_647}),
        json!({"holderIdentity": "a", "renewTime": 7, "leaseDurationSeconds": "long", "leaseTransitions": i32::MAX}),
        json!({"holderIdentity": "a", "acquireTime": {"a": ["b"]}, "leaseTransitions": u64::MAX}),
    ] {
        let mut b = election();
        assert!(matches!(looks(&mut b, 100, lease(1, &odd)), Step::Wait(_)));
        assert_eq!(looks(&mut b, 114, lease(1, &odd)), Step::Ask(Ask::Write), "{odd}");
        let written = b.written(&name(), Timestamp::UNIX_EPOCH);
        assert_eq!(written["metadata"]["resourceVersion"], "1");
        assert_eq!(written["spec"]["holderIdentity"], "b");
        assert_eq!(written["spec"]["leaseDurationSeconds"], 14);
        assert!(written["spec"]["leaseTransitions"].as_i64().is_some_and(|number| i32::try_from(number).is_ok()));
    }
}

#[test]
fn a_lease_that_names_nobody_is_free_at_once_and_one_that_is_not_there_after_fourteen_seconds() {
    assert_eq!(looks(&mut election(), 100, lease(1, &json!({"holderIdentity": ""}))), Step::Ask(Ask::Write));
    assert_eq!(looks(&mut election(), 100, lease(1, &Value::Null)), Step::Ask(Ask::Write));
    let mut b = election();
    assert!(matches!(looks(&mut b, 100, Answer::Absent), Step::Wait(_)));
    assert_eq!(looks(&mut b, 114, Answer::Absent), Step::Ask(Ask::Write));
    assert!(b.written(&name(), Timestamp::UNIX_EPOCH)["metadata"]["resourceVersion"].is_null(), "it is made");
}

#[test]
fn a_holder_is_sure_for_ten_seconds_from_the_beginning_of_its_request_and_asks_again_within_two() {
    let mut b = election();
    looks(&mut b, 100, lease(1, &json!({})));
    let taken = lease(2, &json!({"holderIdentity": "b"}));
    assert_eq!(b.answered(Ask::Write, seconds(101), seconds(104), taken), Some(seconds(111)));
    assert_eq!(b.step(seconds(103)), Step::Ask(Ask::Write));
    // Somebody wrote it: nothing is said of how long this one is sure, and it looks.
    assert_eq!(b.answered(Ask::Write, seconds(104), seconds(105), Answer::Refused), None);
    assert_eq!(b.step(seconds(105)), Step::Ask(Ask::Look));
    // A write whose answer was lost had come through.
    assert_eq!(looks(&mut b, 105, lease(3, &json!({"holderIdentity": "b"}))), Step::Ask(Ask::Write));
    // Without an answer it is not asked in a hot loop.
    assert_eq!(b.answered(Ask::Write, seconds(105), seconds(109), Answer::None(String::new())), None);
    assert!(matches!(b.step(seconds(109)), Step::Wait(_)));
}

#[test]
fn a_lease_is_given_back_with_nobody_as_its_holder_and_the_rest_of_it_kept() {
    let mut b = election();
    assert_eq!(b.released(Timestamp::UNIX_EPOCH), None);
    let whole = json!({"holderIdentity": "b", "strategy": "Other", "acquireTime": "2026-01-01T00:00:00.000000Z"});
    b.answered(Ask::Write, seconds(100), seconds(100), lease(2, &whole));
    let spec = b.released(Timestamp::UNIX_EPOCH).expect("a Lease")["spec"].clone();
    assert_eq!(
        spec,
        json!({"holderIdentity": "", "strategy": "Other", "acquireTime": "2026-01-01T00:00:00.000000Z",
            "leaseDurationSeconds": 1, "renewTime": "1970-01-01T00:00:00.000000Z"})
    );
}

#[test]
fn a_lease_has_a_namespace_and_a_name() {
    assert_eq!(name().to_string(), "launchway-system/launchway");
    for wrong in ["launchway", "/launchway", "a/", "a/b/c", "a/B", "a/../b", ""] {
        assert!(wrong.parse::<Name>().is_err(), "{wrong}");
    }
}

#[test]
fn who_was_late_once_never_leads_again() {
    let now = Arc::new(Mutex::new(Duration::ZERO));
    let hand = Arc::clone(&now);
    let term = Term::awaited(Arc::new(move || *hand.lock().expect("no panic")));
    assert!(!term.is_sure() && !term.is_over());
    term.extend(seconds(10));
    assert!(term.is_sure());
    *now.lock().expect("no panic") = seconds(9);
    term.extend(seconds(19));
    *now.lock().expect("no panic") = seconds(19);
    assert!(!term.is_sure() && term.is_over());
    term.extend(seconds(29));
    assert!(!term.is_sure(), "an answer that comes late changes nothing");
    let alone = Term::always();
    alone.extend(seconds(1));
    assert!(alone.is_sure() && !alone.is_over());
}

/// Something that happens, at a time that nobody in the play knows, to the replica of that number.
#[derive(Debug)]
enum Happens {
    /// It looks what is to be done.
    Goes,
    /// What it sent arrives: what it asks, the Lease that it wrote, and when it was sent by its own clock.
    Arrives(Ask, Option<Value>, Duration),
    /// It gets an answer.
    Hears(Ask, Duration, Answer),
}

/// A process, and where its clock and its certainty stand.
struct Replica {
    election: Election,
    term: Arc<Term>,
    /// By how much its clock is ahead of the true time, in milliseconds.
    ahead: u64,
    paused_until: u64,
    /// Until when it is sure, by the true time.
    sure_until: u64,
    life: u32,
    awaits: Option<Duration>,
}

/// Replicas, a Lease between them, and a network that loses and delays; the time is in milliseconds.
struct Play {
    rng: fastrand::Rng,
    now: Arc<Mutex<u64>>,
    lease: Option<Value>,
    version: u64,
    replicas: Vec<Replica>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    happens: Vec<Option<(usize, u32, Happens)>>,
    /// Whether anything goes wrong.
    is_rough: bool,
}

impl Play {
    fn new(replicas: usize, seed: u64) -> Self {
        let mut play = Play {
            rng: fastrand::Rng::with_seed(seed),
            now: Arc::default(),
            lease: None,
            version: 0,
            replicas: Vec::new(),
            queue: BinaryHeap::new(),
            happens: Vec::new(),
            is_rough: true,
        };
        for number in 0..replicas {
            let replica = play.begun(number, 0);
            play.replicas.push(replica);
            play.add(play.rng.clone().u64(..5000), number, Happens::Goes);
        }
        play
    }

    fn now(&self) -> u64 {
        *self.now.lock().expect("no panic")
    }

    /// A process that begins, with a clock of its own.
    fn begun(&mut self, number: usize, life: u32) -> Replica {
        let ahead = self.rng.u64(..1_000_000_000);
        let now = Arc::clone(&self.now);
        let clock = move || Duration::from_millis(*now.lock().expect("no panic") + ahead);
        let term = Term::awaited(Arc::new(clock));
        let election = Election::new(&format!("{number}-{life}"), term.now(), self.rng.u64(..));
        Replica { election, term, ahead, paused_until: 0, sure_until: 0, life, awaits: None }
    }

    fn add(&mut self, at: u64, number: usize, happens: Happens) {
        let life = self.replicas.get(number).map_or(0, |replica| replica.life);
        self.queue.push(Reverse((at, self.happens.len() as u64)));
        self.happens.push(Some((number, life, happens)));
    }

    fn until(&mut self, end: u64) {
        while let Some(Reverse((at, index))) = self.queue.pop() {
            if at > end {
                self.queue.push(Reverse((at, index)));
                return;
            }
            *self.now.lock().expect("no panic") = at;
            let Some((number, life, happens)) = self.happens[index as usize].take() else { continue };
            let of_network = matches!(happens, Happens::Arrives(..));
            if !of_network && self.replicas[number].paused_until > at {
                self.queue.push(Reverse((self.replicas[number].paused_until, index)));
                self.happens[index as usize] = Some((number, life, happens));
                continue;
            }
            if of_network || self.replicas[number].life == life {
                self.happen(number, life, happens);
            }
        }
    }

    fn happen(&mut self, number: usize, life: u32, happens: Happens) {
        let now = self.now();
        match happens {
            Happens::Goes => self.goes(number),
            Happens::Arrives(ask, body, sent) => {
                let answer = self.served(ask, body);
                if !(self.is_rough && self.rng.u8(..8) == 0) && self.replicas[number].life == life {
                    let after = self.delay();
                    self.add(now + after, number, Happens::Hears(ask, sent, answer));
                }
            }
            Happens::Hears(ask, sent, answer) => self.hears(number, ask, sent, answer),
        }
    }

    /// How long a message is under way.
    fn delay(&mut self) -> u64 {
        if self.is_rough && self.rng.u8(..10) == 0 { self.rng.u64(..20_000) } else { self.rng.u64(1..50) }
    }

    fn goes(&mut self, number: usize) {
        let now = self.now();
        if self.is_rough && self.rng.u8(..40) == 0 {
            self.replicas[number].paused_until = now + self.rng.u64(..60_000);
            return self.add(now, number, Happens::Goes);
        }
        let retires = self.is_rough && self.rng.u8(..100) == 0;
        if retires || self.replicas[number].term.is_over() {
            return self.ends(number);
        }
        let replica = &self.replicas[number];
        match replica.election.step(replica.term.now()) {
            Step::Wait(until) => {
                let at = u64::try_from(until.as_millis()).unwrap_or_default() - replica.ahead;
                self.add(at.max(now) + 1, number, Happens::Goes);
            }
            Step::Ask(ask) => self.asks(number, ask),
        }
    }

    fn asks(&mut self, number: usize, ask: Ask) {
        let now = self.now();
        let wall = self.rng.i64(0..4_000_000_000);
        let at = Timestamp::from_second(wall).expect("a time");
        let replica = &mut self.replicas[number];
        let sent = replica.term.now();
        let body = (ask == Ask::Write).then(|| replica.election.written(&name(), at));
        replica.awaits = Some(sent);
        let under_way = self.delay();
        if !(self.is_rough && self.rng.u8(..8) == 0) {
            self.add(now + under_way, number, Happens::Arrives(ask, body, sent));
        }
        let gives_up = now + u64::try_from(TRY.as_millis()).unwrap_or_default();
        self.add(gives_up, number, Happens::Hears(ask, sent, Answer::None(String::new())));
    }

    /// What the API server makes of it.
    fn served(&mut self, ask: Ask, body: Option<Value>) -> Answer {
        let Some(mut body) = body.filter(|_| ask == Ask::Write) else {
            return self.lease.clone().map_or(Answer::Absent, Answer::Lease);
        };
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        if self.lease.as_ref().map_or(Value::Null, version) != version(&body) {
            return Answer::Refused;
        }
        self.version += 1;
        body["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(body.clone());
        Answer::Lease(body)
    }

    fn hears(&mut self, number: usize, ask: Ask, sent: Duration, answer: Answer) {
        let (now, replica) = (self.now(), &mut self.replicas[number]);
        if replica.awaits != Some(sent) {
            return;
        }
        replica.awaits = None;
        if let Some(sure) = replica.election.answered(ask, sent, replica.term.now(), answer) {
            replica.term.extend(sure);
            if replica.term.is_sure() {
                replica.sure_until = u64::try_from(sure.as_millis()).unwrap_or_default() - replica.ahead;
                let others = self.replicas.iter().enumerate().filter(|(other, _)| *other != number);
                let sure: Vec<_> = others.filter(|(_, other)| other.sure_until > now).map(|(other, _)| other).collect();
                assert!(sure.is_empty(), "at {now} ms {number} leads, and so do {sure:?}");
            }
        }
        self.add(now, number, Happens::Goes);
    }

    /// The process ends, gives back what it holds, and another one begins in its place.
    fn ends(&mut self, number: usize) {
        let now = self.now();
        let replica = &mut self.replicas[number];
        let was_lost = replica.term.is_over();
        replica.term.end();
        replica.sure_until = replica.sure_until.min(now);
        if let Some(body) = replica.election.released(Timestamp::UNIX_EPOCH).filter(|_| !was_lost) {
            let (under_way, sent) = (self.delay(), Duration::ZERO);
            self.add(now + under_way, number, Happens::Arrives(Ask::Write, Some(body), sent));
        }
        let life = self.replicas[number].life + 1;
        self.replicas[number] = self.begun(number, life);
        let again = now + self.rng.u64(..10_000);
        self.add(again, number, Happens::Goes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Clocks differ by days, replicas pause for up to a minute, messages are lost or come twenty seconds late.
    #[test]
    fn two_are_never_sure_to_lead_at_the_same_time_and_in_the_end_somebody_leads(replicas in 2..=3_usize, seed: u64) {
        let mut play = Play::new(replicas, seed);
        play.until(900_000);
        play.is_rough = false;
        play.until(1_000_000);
        let leaders = play.replicas.iter().filter(|replica| replica.sure_until > 1_000_000).count();
        prop_assert_eq!(leaders, 1);
    }
}
