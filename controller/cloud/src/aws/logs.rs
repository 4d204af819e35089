//! The end of a build's log. A log is never searched nor followed.

use super::failure::Failure;
use crate::clouds::Cloud;
use crate::operation::Operation;
use crate::scrub;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use launchway_plan::fault::Fault;
use launchway_plan::world::BuildLog;

/// AWS's limit on the events of one call.
const MOST: usize = 10_000;

impl Cloud {
    /// The last lines of a log, oldest first, without what looks like a credential. No such log: none. One call, two
    /// where the last page is empty.
    pub async fn log_tail(&self, log: &BuildLog, lines: usize) -> Result<Vec<String>, Fault> {
        let seen = match self.log_page(log, lines, None).await {
            Ok(page) if page.events().is_empty() && page.next_backward_token.is_some() => {
                self.log_page(log, lines, page.next_backward_token).await
            }
            seen => seen,
        };
        match seen {
            Ok(page) => Ok(tail(&page, lines)),
            Err(failure) if failure.code == "ResourceNotFoundException" => Ok(Vec::new()),
            Err(failure) => {
                let rest = format!("log-group:{}:log-stream:{}", log.group, log.stream);
                Err(self.fault(Operation::GetLogEvents, &failure, "logs", &rest))
            }
        }
    }

    async fn log_page(
        &self,
        log: &BuildLog,
        lines: usize,
        token: Option<String>,
    ) -> Result<GetLogEventsOutput, Failure> {
        let limit = i32::try_from(lines.clamp(1, MOST)).unwrap_or(1);
        let request =
            self.inner().clients.logs.get_log_events().log_group_name(&log.group).log_stream_name(&log.stream);
        let request = request.start_from_head(false).limit(limit).set_next_token(token);
        self.look(Operation::GetLogEvents, || request.clone().send()).await
    }
}

fn tail(page: &GetLogEventsOutput, lines: usize) -> Vec<String> {
    let said: Vec<String> = page.events().iter().filter_map(|event| event.message()).map(scrub::line).collect();
    said[said.len().saturating_sub(lines)..].to_vec()
}
