//! How a call is sent: a token first, then once if it changes anything, at most twice if it only looks.

use super::failure::Failure;
use super::{arn, fault};
use crate::clouds::Cloud;
use crate::operation::{Nature, Operation};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use launchway_plan::fault::Fault;
use std::error::Error;

/// What the SDK's calls give.
pub(crate) type Sent<T, E> = Result<T, SdkError<E, HttpResponse>>;

impl Cloud {
    /// Looks, and once more after half a second if the first look failed for a reason that passes.
    pub(crate) async fn look<T, E, F>(&self, operation: Operation, send: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        debug_assert_eq!(operation.nature(), Nature::Look);
        match self.once(operation, send()).await {
            Err(failure) if failure.is_passing() => {
                self.inner().shared.pause().await;
                self.once(operation, send()).await
            }
            seen => seen,
        }
    }

    /// Changes something: one attempt.
    pub(crate) async fn effect<T, E, F>(&self, operation: Operation, send: F) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        debug_assert_eq!(operation.nature(), Nature::Effect);
        self.once(operation, send).await
    }

    async fn once<T, E, F>(&self, operation: Operation, send: F) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.take(operation).await?;
        let answer = send.await;
        tracing::debug!(
            operation = operation.action(),
            region = self.inner().place.region,
            ok = answer.is_ok(),
            "asked AWS"
        );
        answer.map_err(|error| Failure::of(&error))
    }

    /// The fault of a call that failed, asked of a resource of this place: `service` and the rest of its ARN.
    pub(crate) fn fault(&self, operation: Operation, failure: &Failure, service: &str, rest: &str) -> Fault {
        fault::of(operation, failure, self.arn(service, rest))
    }

    /// An ARN of this place. An account that is not known yet is `*`; what is an ARN already stays one.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        let account = self.inner().account.get().map_or("*", String::as_str);
        arn::of(service, &self.inner().place.region, account, rest)
    }
}
