//! What a Secret says of who asks at a git server, read live, and only for a URL that it may be sent to.

use crate::context::Context;
use crate::git::Access;
use crate::git_hosts::HostFault;
use crate::other;
use crate::unreachable::Unreachable;
use launchway_plan::release::commit_status::Host;
use launchway_plan::secret::{Unbound, sendable};

/// Who asks at a git host's API, as its Secret says.
///
/// # Errors
/// The Secret cannot be used, or not be read.
pub async fn at_host(namespace: &str, host: &Host, context: &Context) -> Result<Access, HostFault> {
    let secret = host.secret.as_deref();
    match access(namespace, &host.repository, secret, (&context.kube, context.unbound_secrets)).await {
        Ok(access) => access.map_err(|why| HostFault::Secret(format!("Secret {} {why}", secret.unwrap_or_default()))),
        Err(_) => Err(HostFault::SecretUnread),
    }
}

/// What the Secret of that name says of who asks at `url`; nobody in particular, where none is named. Or why it cannot be used, to be read
/// after its name, and without any of its content.
pub async fn access(
    namespace: &str,
    url: &str,
    secret: Option<&str>,
    (kube, unbound): (&kube::Client, Unbound),
) -> Result<Result<Access, String>, Unreachable> {
    let Some(secret) = secret else { return Ok(Ok(Access::default())) };
    let found = match other::secret(namespace, secret, kube).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            return Ok(Err("may not be read by the controller: bind its ClusterRole in this namespace".to_owned()));
        }
        Err(error) => return Err(Unreachable::of("reading Secret", secret.to_owned())(error)),
    };
    let hosts = found.as_ref().and_then(|found| found.metadata.annotations.hosts.as_deref());
    let sendable = sendable(hosts, url, unbound);
    Ok(match found {
        Some(found) if other::is_kubernetes_own(found.kind.as_deref()) => Err(
            "is one of Kubernetes' own tokens, which is sent nowhere: make another with the keys username and password, or token, or bearerToken, or those of a GitHub App".to_owned(),
        ),
        None => Err(
            "is not there: make it with the keys username and password, or token, or bearerToken, or those of a GitHub App".to_owned(),
        ),
        Some(_) if let Err(why) = &sendable => Err(why.clone()),
        Some(found) => {
            Access::parse(found.data.unwrap_or_default()).map_err(|fault| format!("cannot be used: {fault}"))
        }
    })
}
