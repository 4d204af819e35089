//! Refuses what changes Kubernetes, before it is sent, while this process is not sure that it leads. What changes AWS is
//! refused in `launchway-cloud`, by the same question.

use super::term::Term;
use futures::future::{Either, Ready, ready};
use futures::{FutureExt, TryFutureExt};
use http::{Method, Request};
use launchway_cloud::NotLeading;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

type BoxError = Box<dyn Error + Send + Sync>;

/// Puts the fence around a client.
#[derive(Clone, Debug)]
pub struct Fence(pub Arc<Term>);

impl<S> Layer<S> for Fence {
    type Service = Fenced<S>;

    fn layer(&self, inner: S) -> Fenced<S> {
        Fenced { inner, term: Arc::clone(&self.0) }
    }
}

/// A client inside the fence.
#[derive(Clone, Debug)]
pub struct Fenced<S> {
    inner: S,
    term: Arc<Term>,
}

impl<S, B> Service<Request<B>> for Fenced<S>
where
    S: Service<Request<B>, Error: Into<BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<Ready<Result<S::Response, BoxError>>, futures::future::ErrInto<S::Future, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if is_look(request.method()) || self.term.is_sure() {
            self.inner.call(request).err_into().right_future()
        } else {
            ready(Err(NotLeading.into())).left_future()
        }
    }
}

fn is_look(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
