//! From kubectl's flags and files to a client. Nothing is asked of the server yet.

use crate::args::Connection;
use crate::failure::Failure;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::io::ErrorKind;
use std::path::Path;

/// The API server that is asked, and the namespace that is meant.
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
    /// Its host and port, for messages.
    pub server: String,
}

/// The cluster that the flags, KUBECONFIG and the context name; within a pod, the pod's own.
pub async fn connect(flags: &Connection) -> Result<Cluster, Failure> {
    let mut config = config(flags).await?;
    // A person waits: what fails is told at once.
    config.default_retry = false;
    if flags.user.is_some() || !flags.groups.is_empty() {
        config.auth_info.impersonate.clone_from(&flags.user);
        config.auth_info.impersonate_groups = Some(flags.groups.clone());
    }
    let namespace = flags.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let server = config.cluster_url.authority().map(ToString::to_string).unwrap_or_default();
    let client = Client::try_from(config).map_err(Failure::error)?;
    Ok(Cluster { client, namespace, server })
}

async fn config(flags: &Connection) -> Result<Config, Failure> {
    let Some(kubeconfig) = kubeconfig(flags.kubeconfig.as_deref())? else {
        let missing = "there is no kubeconfig: name one with --kubeconfig or in KUBECONFIG";
        return Config::incluster().map_err(|_| Failure::error(missing));
    };
    let context = flags.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    if context.is_empty() {
        return Err(Failure::error(
            "no context is chosen: name one with --context, or set current-context in the kubeconfig",
        ));
    }
    if !kubeconfig.contexts.iter().any(|known| known.name == context) {
        return Err(Failure::error(format!("context \"{context}\" does not exist")));
    }
    let options = KubeConfigOptions { context: Some(context), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(Failure::error)
}

/// The files as kubectl finds and merges them; none if there is none and none was named.
fn kubeconfig(named: Option<&Path>) -> Result<Option<Kubeconfig>, Failure> {
    use kube::config::KubeconfigError::{FindPath, ReadConfig};
    let read = named.map_or_else(Kubeconfig::read, Kubeconfig::read_from);
    match read {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(FindPath) => Ok(None),
        Err(ReadConfig(error, _)) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(ReadConfig(error, path)) => Err(Failure::error(format!("{}: {error}", path.display()))),
        Err(other) => Err(Failure::error(other)),
    }
}
