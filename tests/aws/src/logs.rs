//! CloudWatch Logs: streams of events and GetLogEvents. Who writes which line is in `codebuild`; filters, queries and live tails are not here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::TOKENS_LIVE;
use crate::{Answer, Call, Guess, Refusal, World};

/// Events in one answer, at most [API_GetLogEvents].
const EVENTS: i64 = 10_000;
/// Bytes in one answer, at most: 1 MiB, where each event counts its message and 26 bytes [API_GetLogEvents, PutLogEvents].
const BYTES: usize = 1 << 20;
const BYTES_BESIDE_MESSAGE: usize = 26;

/// Where this module only guesses.
pub const GUESSES: &[Guess] = &[
    Guess {
        what: "GetLogEvents: a page token alone decides the direction, whatever startFromHead says",
        source: "API_GetLogEvents says that startFromHead must be true beside a forward token; not what happens otherwise",
    },
    Guess {
        what: "GetLogEvents: events are there to read the moment they are written, ingestionTime is their time",
        source: "A choice; in AWS they follow within seconds",
    },
    Guess {
        what: "GetLogEvents: a page is empty only where nothing is left, or with `Pages::EmptyBetween` before each other page",
        source: "API_GetLogEvents: pages may be empty or short before the end; when they are is not said",
    },
];

/// One line in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was written.
    pub at: Timestamp,
    /// The line, as AWS gives it back.
    pub message: String,
}

type Stream = Arc<Vec<Event>>;

/// How pages are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// As full as they can be.
    #[default]
    Full,
    /// Before each page that holds something there is an empty one, and only its token leads on [API_GetLogEvents: a page may be empty though
    /// more events are there].
    EmptyBetween,
}

/// The log groups of one account and region: group → stream → events in order of time.
#[derive(Clone, Debug, Default)]
pub struct LogsState {
    /// How pages are filled.
    pub pages: Pages,
    groups: BTreeMap<String, BTreeMap<String, Stream>>,
}

impl LogsState {
    /// Makes the group and the stream unless they are there.
    pub fn create_stream(&mut self, group: &str, stream: &str) {
        self.stream_mut(group, stream);
    }

    /// Writes one event; the group and the stream are made if they are missing. Not earlier than the stream's last event.
    pub fn append(&mut self, group: &str, stream: &str, at: Timestamp, message: impl Into<String>) {
        let events = Arc::make_mut(self.stream_mut(group, stream));
        let at = events.last().map_or(at, |last| last.at.max(at));
        events.push(Event { at, message: message.into() });
    }

    /// The events of a stream; `None` if there is no such stream.
    pub fn events(&self, group: &str, stream: &str) -> Option<&[Event]> {
        Some(self.groups.get(group)?.get(stream)?.as_slice())
    }

    /// The streams of a group.
    pub fn streams(&self, group: &str) -> impl Iterator<Item = &str> {
        self.groups.get(group).into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }

    fn stream_mut(&mut self, group: &str, stream: &str) -> &mut Stream {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), BTreeMap::new());
        }
        let streams = self.groups.get_mut(group).expect("it was put there above");
        streams.entry(stream.to_owned()).or_default()
    }
}

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetLogEvents" => log_events(world, call),
        other => Err(Refusal::unknown_operation(other)),
    }
}

fn log_events(world: &mut World, call: &Call) -> Answer {
    let group =
        group_name(call).ok_or_else(|| invalid("Either logGroupName or logGroupIdentifier must be specified."))?;
    let stream = call.text("logStreamName").ok_or_else(|| invalid("logStreamName must be specified."))?;
    let arn = call.arn("logs", &format!("log-group:{group}:log-stream:{stream}"));
    world.allow(call, "logs:GetLogEvents", &arn, &[])?;
    if call.flag("unmask") {
        world.allow(call, "logs:Unmask", &arn, &[])?;
    }
    let pages = world.logs.get(&call.place()).map(|state| state.pages).unwrap_or_default();
    let asked = Asked::parse(call, pages)?;
    let streams = world.logs.get(&call.place()).and_then(|state| state.groups.get(&group));
    let events = streams.ok_or_else(|| missing("log group"))?.get(stream).ok_or_else(|| missing("log stream"))?;
    let page = asked.page(events);
    Ok(json!({
        "events": events[page.clone()].iter().map(event).collect::<Vec<_>>(),
        "nextForwardToken": asked.token_at(Way::Forward, page.end, call.now),
        "nextBackwardToken": asked.token_at(Way::Backward, page.start, call.now),
    }))
}

fn group_name(call: &Call) -> Option<String> {
    match (call.text("logGroupName"), call.text("logGroupIdentifier")) {
        (Some(name), None) => Some(name.to_owned()),
        (None, Some(identifier)) => {
            Some(identifier.split(":log-group:").last().unwrap_or(identifier).trim_end_matches(":*").to_owned())
        }
        (Some(_), Some(_)) | (None, None) => None,
    }
}

fn event(event: &Event) -> Value {
    let at = event.at.as_millisecond();
    json!({ "timestamp": at, "ingestionTime": at, "message": event.message })
}

/// What a call asks for: which way from where, and how many.
struct Asked {
    token: Option<Token>,
    pages: Pages,
    from_head: bool,
    limit: usize,
    start: Option<i64>,
    end: Option<i64>,
}

impl Asked {
    fn parse(call: &Call, pages: Pages) -> Result<Self, Refusal> {
        let token = match call.text("nextToken") {
            None => None,
            Some(text) => {
                let token = Token::parse(text).filter(|token| call.now.duration_since(token.given) <= TOKENS_LIVE);
                Some(token.ok_or_else(|| invalid("The specified nextToken is invalid."))?)
            }
        };
        Ok(Self {
            token,
            pages,
            from_head: call.flag("startFromHead"),
            limit: limit(call)?,
            start: call.number("startTime"),
            end: call.number("endTime"),
        })
    }

    /// The positions that are given back. Positions count over the whole stream, so that tokens stay good while it grows.
    fn page(&self, events: &[Event]) -> Range<usize> {
        let window = self.window(events);
        let page = match (self.token.map(|token| (token.way, token.position)), self.from_head) {
            (Some((Way::Forward, from)), _) => self.forward(events, &window, from),
            (Some((Way::Backward, to)), _) => self.backward(events, &window, to),
            (None, true) => self.forward(events, &window, window.start),
            (None, false) => self.backward(events, &window, window.end),
        };
        match self.leads_backward() {
            _ if !self.is_empty() => page,
            true => page.end..page.end,
            false => page.start..page.start,
        }
    }

    fn leads_backward(&self) -> bool {
        self.token.map_or(!self.from_head, |token| token.way == Way::Backward)
    }

    /// Whether this page is one of those that are empty before another.
    fn is_empty(&self) -> bool {
        self.pages == Pages::EmptyBetween && self.token.is_none_or(|token| !token.after_empty)
    }

    /// The token of a place; the one that was sent, if it says the same.
    fn token_at(&self, way: Way, position: usize, now: Timestamp) -> String {
        let onward = (way == Way::Backward) == self.leads_backward();
        let new = Token { way, position, after_empty: self.is_empty() && onward, given: now };
        let sent = self.token.filter(|sent| sent.way == way && sent.position == position && !self.is_empty());
        sent.unwrap_or(new).to_string()
    }

    /// The events between `startTime` (included) and `endTime` (excluded).
    fn window(&self, events: &[Event]) -> Range<usize> {
        let before = |limit: i64| events.partition_point(|event| event.at.as_millisecond() < limit);
        let start = self.start.map_or(0, before);
        start..self.end.map_or(events.len(), before).max(start)
    }

    fn forward(&self, events: &[Event], window: &Range<usize>, from: usize) -> Range<usize> {
        let from = from.clamp(window.start, window.end);
        from..from + fitting(events[from..window.end].iter().take(self.limit))
    }

    fn backward(&self, events: &[Event], window: &Range<usize>, to: usize) -> Range<usize> {
        let to = to.clamp(window.start, window.end);
        to - fitting(events[window.start..to].iter().rev().take(self.limit))..to
    }
}

/// How many of these events fit into one answer.
fn fitting<'a>(events: impl Iterator<Item = &'a Event>) -> usize {
    events
        .scan(0, |bytes, event| {
            *bytes += event.message.len() + BYTES_BESIDE_MESSAGE;
            (*bytes <= BYTES).then_some(())
        })
        .count()
}

fn limit(call: &Call) -> Result<usize, Refusal> {
    let limit = call.number("limit").unwrap_or(EVENTS);
    let constraint = match limit {
        ..1 => "Member must have value greater than or equal to 1",
        1..=EVENTS => return Ok(limit as usize),
        _ => "Member must have value less than or equal to 10000",
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: {constraint}"
    )))
}

/// Which way a token leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Backward,
}

/// A place in a stream and the way from there. At the end, the answer's token is the one that was sent.
#[derive(Clone, Copy)]
struct Token {
    way: Way,
    position: usize,
    /// Whether it came with an empty page: the next one is not.
    after_empty: bool,
    given: Timestamp,
}

impl Token {
    /// `f/` or `b/`, 56 digits, `/s`: AWS's form. The digits are the time, whether the page was empty, and the position.
    fn parse(text: &str) -> Option<Self> {
        let (way, digits) = text.strip_suffix("/s")?.split_once('/')?;
        let way = match way {
            "f" => Way::Forward,
            "b" => Way::Backward,
            _ => return None,
        };
        let given = Timestamp::from_millisecond(digits.get(..20)?.parse().ok()?).ok()?;
        Some(Self { way, position: digits.get(21..)?.parse().ok()?, after_empty: digits.get(20..21)? == "1", given })
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = if self.way == Way::Forward { "f" } else { "b" };
        let (given, empty) = (self.given.as_millisecond(), u8::from(self.after_empty));
        write!(out, "{way}/{given:020}{empty}{:035}/s", self.position)
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", format!("The specified {what} does not exist."))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}
