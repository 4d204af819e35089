//! Says in the user agent for which object a call is, so that CloudTrail shows it beside the role's session. A look that
//! several share names one of them.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

tokio::task_local! {
    static OBJECT: String;
}

/// Makes calls for an object. What is asked of AWS meanwhile says so, with a dot for what a user agent cannot hold.
pub async fn on_behalf_of<F: Future>(object: &str, calls: F) -> F::Output {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    OBJECT.scope(object.replace(|c| !is_plain(c), "."), calls).await
}

/// Adds the object to the user agent of each request.
#[derive(Debug)]
pub(crate) struct Agent;

impl Intercept for Agent {
    fn name(&self) -> &'static str {
        "Agent"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(object) = OBJECT.try_with(Clone::clone) else { return Ok(()) };
        let headers = context.request_mut().headers_mut();
        let agent = headers.get(AGENT).unwrap_or_default().to_owned();
        headers.try_insert(AGENT, format!("{agent} md/object#{object}"))?;
        Ok(())
    }
}

const AGENT: &str = "user-agent";
