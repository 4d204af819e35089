//! Refuses what changes AWS, on the line before it is sent, while this process is not sure that it leads. The SDK asks it before
//! each attempt.

use crate::operation::Operation;
use crate::shared::Shared;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::fmt;
use std::sync::Arc;

/// A change was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLeading;

impl fmt::Display for NotLeading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was sent: this replica of Launchway does not lead any more")
    }
}

impl std::error::Error for NotLeading {}

/// The fence of a client.
pub(crate) struct Fence(Arc<Shared>);

impl Fence {
    /// An interceptor for a client.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fence")
    }
}

impl Intercept for Fence {
    fn name(&self) -> &'static str {
        "Fence"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let only_looks = config.load::<Metadata>().is_some_and(|operation| Operation::is_look(operation.name()));
        if only_looks || (self.0.settings.may_change)() { Ok(()) } else { Err(NotLeading.into()) }
    }
}
