//! Logs: the end of one, and a part from a place on. A log is never searched nor followed.

use super::failure::Failure;
use crate::clouds::Cloud;
use crate::operation::Operation;
use crate::scrub;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use launchway_plan::condition::cut;
use launchway_plan::fault::Fault;
use launchway_plan::world::LogStream;

/// AWS's limit on the events of one call.
const MOST: usize = 10_000;

/// How many events are asked for at first where the answer has a bound in bytes: of usual lines they fill it.
const EVENTS: usize = 2_000;

/// How many calls one part of a log may take: pages may be empty before the end, and one that is too long is asked for again.
const CALLS: usize = 8;

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogText {
    /// Its lines, each with its line end, without what looks like a credential.
    pub text: String,
    /// Where to go on; absent: AWS did not say.
    pub next: Option<String>,
    /// Whether the end was not reached.
    pub more: bool,
}

impl Cloud {
    /// The last lines of a log, oldest first, without what looks like a credential. No such log: none. One call, two
    /// where the last page is empty.
    pub async fn log_tail(&self, log: &LogStream, lines: usize) -> Result<Vec<String>, Fault> {
        let seen = match self.log_page(log, Reading::FromEnd, lines, None).await {
            Ok(page) if page.events().is_empty() && page.next_backward_token.is_some() => {
                self.log_page(log, Reading::FromEnd, lines, page.next_backward_token).await
            }
            seen => seen,
        };
        match seen {
            Ok(page) => Ok(tail(&page, lines)),
            Err(failure) if is_missing(&failure) => Ok(Vec::new()),
            Err(failure) => Err(self.log_fault(log, &failure)),
        }
    }

    /// A log from that place on, else from its beginning, at most so many bytes of it as JSON; `None`: there is no such log. Up to
    /// eight calls; if a later one fails, what was read before is a part too.
    pub async fn log_part(&self, log: &LogStream, from: Option<&str>, most: usize) -> Result<Option<LogText>, Fault> {
        let mut part = LogText { text: String::new(), next: from.map(str::to_owned), more: true };
        let (mut limit, mut weight) = (EVENTS, 0);
        for _ in 0..CALLS {
            let page = match self.log_page(log, Reading::FromBeginning, limit, part.next.clone()).await {
                Ok(page) => page,
                Err(_) if !part.text.is_empty() => return Ok(Some(part)),
                Err(failure) if is_missing(&failure) => return Ok(None),
                Err(failure) => return Err(self.log_fault(log, &failure)),
            };
            let count = page.events().len();
            let raw: usize = page.events().iter().filter_map(|event| event.message()).map(|line| shown(line) + 1).sum();
            if weight + raw > most && !part.text.is_empty() {
                return Ok(Some(part));
            }
            if raw > most && count > 1 {
                limit = (count / 4).max(1);
                continue;
            }
            part.text.push_str(&text(&page, most));
            weight += raw;
            // At the end AWS gives back the token that it was sent [API_GetLogEvents].
            part.more = page.next_forward_token.is_some() && page.next_forward_token != part.next;
            part.next = page.next_forward_token.or(part.next);
            if !part.more {
                break;
            }
        }
        Ok(Some(part))
    }

    async fn log_page(
        &self,
        log: &LogStream,
        reading: Reading,
        lines: usize,
        token: Option<String>,
    ) -> Result<GetLogEventsOutput, Failure> {
        let limit = i32::try_from(lines.clamp(1, MOST)).unwrap_or(1);
        let request =
            self.inner().clients.logs.get_log_events().log_group_name(&log.group).log_stream_name(&log.stream);
        let request = request.start_from_head(reading == Reading::FromBeginning).limit(limit).set_next_token(token);
        self.look(Operation::GetLogEvents, || request.clone().send()).await
    }

    fn log_fault(&self, log: &LogStream, failure: &Failure) -> Fault {
        let rest = format!("log-group:{}:log-stream:{}", log.group, log.stream);
        self.fault(Operation::GetLogEvents, failure, "logs", &rest)
    }
}

/// Where reading begins where no token says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    FromBeginning,
    FromEnd,
}

fn is_missing(failure: &Failure) -> bool {
    failure.code == "ResourceNotFoundException"
}

/// The lines of a page, each with its line end; of one that is too long by itself, what fits.
fn text(page: &GetLogEventsOutput, most: usize) -> String {
    let lines = page.events().iter().filter_map(|event| event.message()).map(scrub::line);
    lines.map(|line| if line.len() < most { line + "\n" } else { cut(&line, most - 1) + "\n" }).collect()
}

/// How many bytes at most a line takes in JSON as the API server writes it: Go escapes what HTML would read.
fn shown(line: &str) -> usize {
    let escaped = line.bytes().filter(|byte| matches!(byte, b'<' | b'>' | b'&')).count();
    let quoted = line.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    (line.len() + 5 * escaped + quoted).min(6 * scrub::LINE_BYTES)
}

fn tail(page: &GetLogEventsOutput, lines: usize) -> Vec<String> {
    let said: Vec<String> = page.events().iter().filter_map(|event| event.message()).map(scrub::line).collect();
    said[said.len().saturating_sub(lines)..].to_vec()
}
