//! How a call is sent: a token first, then once if it changes anything, at most twice if it only looks.

use super::failure::{Cause, Failure, outcome};
use super::{arn, fault};
use crate::batch::{Answers, Batcher, Line};
use crate::clouds::Cloud;
use crate::operation::{Nature, Operation};
use crate::shared::Token;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use launchway_plan::fault::Fault;
use launchway_plan::rank::Rank;
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
        let token = self.take(operation).await?;
        self.look_with(token, operation, send).await
    }

    /// Looks with a token that was taken already, and once more as [`Self::look`].
    pub(crate) async fn look_with<T, E, F>(
        &self,
        token: Token,
        operation: Operation,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        debug_assert_eq!(operation.nature(), Nature::Look);
        match self.once(token, operation, send()).await {
            Err(failure) if failure.is_passing() => {
                self.inner().shared.pause().await;
                let token = self.take(operation).await?;
                self.once(token, operation, send()).await
            }
            seen => seen,
        }
    }

    /// Asks for one thing in a call that others share; `send` makes it.
    pub(crate) async fn shared<V, S, F>(
        &self,
        batcher: &Batcher<String, V, Failure>,
        operation: Operation,
        (group, key): (&str, &str),
        send: S,
    ) -> Result<V, Failure>
    where
        V: Clone,
        S: Fn(Cloud, Token, Vec<String>) -> F + Sync,
        F: Future<Output = Result<Answers<String, V>, Failure>> + Send,
    {
        let line = Shares { cloud: self, operation, send };
        let seen = batcher.ask(group, key.to_owned(), self.rank(), &line).await?;
        seen.ok_or_else(Failure::not_mentioned)
    }

    /// Changes something: one attempt, and a line in the log of what came of it. The request ID is what AWS's support asks for.
    pub(crate) async fn effect<T, E, F>(&self, operation: Operation, send: F) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        T: RequestId,
        E: ProvideErrorMetadata + Error + 'static,
    {
        debug_assert_eq!(operation.nature(), Nature::Effect);
        let _token = self.take(operation).await?;
        let (name, region) = (operation.action(), &self.inner().place.region);
        let sent = self.inner().shared.clock.local();
        let answer = send.await;
        let request_id = answer.as_ref().map_or_else(RequestId::request_id, RequestId::request_id);
        let request_id = request_id.unwrap_or("none").to_owned();
        let answer = answer.map_err(|error| Failure::of(&error));
        self.inner().shared.tell(operation, sent, outcome(&answer));
        match answer {
            Ok(done) => {
                tracing::info!(operation = name, region, result = "done", request_id, "asked AWS");
                Ok(done)
            }
            Err(failure) => {
                if failure.cause == Cause::NotLeading {
                    tracing::info!(operation = name, region, "not sent: this replica does not lead any more");
                    return Err(failure);
                }
                tracing::warn!(operation = name, region, result = failure.code, request_id, "asked AWS");
                Err(failure)
            }
        }
    }

    async fn once<T, E, F>(&self, _spent: Token, operation: Operation, send: F) -> Result<T, Failure>
    where
        F: Future<Output = Sent<T, E>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let sent = self.inner().shared.clock.local();
        let answer = send.await.map_err(|error| Failure::of(&error));
        self.inner().shared.tell(operation, sent, outcome(&answer));
        tracing::debug!(
            operation = operation.action(),
            region = self.inner().place.region,
            ok = answer.is_ok(),
            "asked AWS"
        );
        answer
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

/// How a call goes out that several looks share.
struct Shares<'a, S> {
    cloud: &'a Cloud,
    operation: Operation,
    send: S,
}

impl<V, S, F> Line<String, V, Failure> for Shares<'_, S>
where
    S: Fn(Cloud, Token, Vec<String>) -> F + Sync,
    F: Future<Output = Result<Answers<String, V>, Failure>> + Send,
{
    type Token = Token;

    async fn linger(&self, rank: Rank) {
        self.cloud.linger(rank).await;
    }

    async fn token(&self, rank: Rank) -> Result<Token, Failure> {
        Ok(self.cloud.ranked(rank).take(self.operation).await?)
    }

    async fn send(&self, rank: Rank, token: Token, keys: Vec<String>) -> Result<Answers<String, V>, Failure> {
        (self.send)(self.cloud.ranked(rank), token, keys).await
    }
}
