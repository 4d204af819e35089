//! What Kubernetes lets us do: asked of its own reviews, nothing is tried.

use super::finding::Finding;
use crate::context::Context;
use crate::key::Kind;
use crate::lease::Name;
use crate::unreachable::words;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, PostParams};
use launchway_crds::GROUP;

/// What each kind needs beside get, list and watch: resource, and verbs. It is what the chart's rbac.yaml grants.
pub const RIGHTS: &[(&str, &str, &[&str])] = &[
    (GROUP, "awsaccounts", &["get", "list", "watch"]),
    (GROUP, "pipelines", &["get", "list", "watch"]),
    (GROUP, "ecsservices", &["get", "list", "watch", "patch"]),
    (GROUP, "releases", &["get", "list", "watch", "patch", "create", "delete"]),
    (GROUP, "awsaccounts/status", &["update"]),
    (GROUP, "pipelines/status", &["update"]),
    (GROUP, "ecsservices/status", &["update"]),
    (GROUP, "releases/status", &["update"]),
    ("", "secrets", &["get"]),
    ("", "namespaces", &["get"]),
    ("events.k8s.io", "events", &["create"]),
];

/// What the Lease needs, in its namespace.
const OF_THE_LEASE: &[(&str, &str, &[&str])] =
    &[("coordination.k8s.io", "leases", &["get", "update"]), ("coordination.k8s.io", "leases", &["create"])];

pub(super) async fn check(context: &Context, lease: Option<&Name>) -> Vec<Finding> {
    let mut findings = vec![server(context).await];
    if findings.iter().any(|finding| !finding.missing.is_empty()) {
        return findings;
    }
    findings.push(definitions(context).await);
    findings.push(rights(context, lease).await);
    findings.push(match lease {
        Some(lease) => held(context, lease).await,
        None => Finding::untried("lease", "not named: say --lease=NAMESPACE/NAME as the replicas do"),
    });
    findings
}

async fn server(context: &Context) -> Finding {
    let version = match context.kube.apiserver_version().await {
        Ok(version) => version.git_version,
        Err(error) => return Finding::fails("API server", "not reached", vec![words(&error)]),
    };
    let api = Api::<SelfSubjectReview>::all(context.kube.clone());
    let me = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let me = me.ok().and_then(|review| review.status?.user_info?.username);
    Finding::works("API server", format!("{version}, as {}", me.as_deref().unwrap_or("somebody whom it does not name")))
}

/// Whether each kind is served. A list of one object says so, and more than the rights are needed for it.
async fn definitions(context: &Context) -> Finding {
    let mut missing = Vec::new();
    for kind in Kind::ALL {
        let plural = kind.plural();
        let path = format!("/apis/{GROUP}/v1alpha1/{plural}?limit=1");
        let asked = http::Request::get(path).body(Vec::new());
        let Ok(request) = asked else { continue };
        if let Err(kube::Error::Api(status)) = context.kube.request_text(request).await
            && status.code == 404
        {
            missing.push(format!("{plural}.{GROUP} is not there: install the chart launchway-crds of this version"));
        }
    }
    match missing.is_empty() {
        true => {
            Finding::works("definitions", Kind::ALL.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", "))
        }
        false => Finding::fails("definitions", "not all are there", missing),
    }
}

async fn rights(context: &Context, lease: Option<&Name>) -> Finding {
    let namespaces: Vec<String> =
        if context.namespaces.is_empty() { vec![String::new()] } else { context.namespaces.clone() };
    let mut asked = Vec::new();
    for (group, resource, verbs) in RIGHTS {
        // Those of the whole cluster, and the installation's name, are asked once.
        let once = *resource == "namespaces" || resource.starts_with("awsaccounts");
        for namespace in if once { vec![String::new()] } else { namespaces.clone() } {
            asked.extend(verbs.iter().map(|verb| attributes(group, resource, verb, &namespace)));
        }
    }
    if let Some(lease) = lease {
        for (group, resource, verbs) in OF_THE_LEASE {
            asked.extend(verbs.iter().map(|verb| ResourceAttributes {
                name: (*verb != "create").then(|| lease.name().to_owned()),
                ..attributes(group, resource, verb, lease.namespace())
            }));
        }
    }
    let (all, mut missing) = (asked.len(), Vec::new());
    for right in asked {
        match allowed(context, &right).await {
            Ok(true) => {}
            Ok(false) => missing.push(format!("may not {}: `helm upgrade` of the chart grants it", said(&right))),
            Err(error) => return Finding::fails("rights", "could not be asked", vec![error]),
        }
    }
    match missing.len() {
        0 => Finding::works("rights", format!("all {all}")),
        few => Finding::fails("rights", format!("{} of {all}", all - few), missing),
    }
}

fn attributes(group: &str, resource: &str, verb: &str, namespace: &str) -> ResourceAttributes {
    let (resource, part) = resource.split_once('/').map_or((resource, None), |(resource, part)| (resource, Some(part)));
    ResourceAttributes {
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: part.map(str::to_owned),
        verb: Some(verb.to_owned()),
        namespace: Some(namespace.to_owned()).filter(|name| !name.is_empty()),
        ..ResourceAttributes::default()
    }
}

async fn allowed(context: &Context, right: &ResourceAttributes) -> Result<bool, String> {
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(right.clone()),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let api = Api::<SelfSubjectAccessReview>::all(context.kube.clone());
    let answer = api.create(&PostParams::default(), &review).await.map_err(|error| words(&error))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

fn said(right: &ResourceAttributes) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let part = right.subresource.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
    let group =
        right.group.as_ref().filter(|group| !group.is_empty()).map(|group| format!(".{group}")).unwrap_or_default();
    let within = right.namespace.as_ref().map_or_else(String::new, |name| format!(" in namespace {name}"));
    format!("{} {}{group}{part}{within}", text(&right.verb), text(&right.resource))
}

async fn held(context: &Context, name: &Name) -> Finding {
    let leases = Api::<Lease>::namespaced(context.kube.clone(), name.namespace());
    match leases.get_opt(name.name()).await {
        Ok(Some(lease)) => {
            let holder = lease.spec.and_then(|spec| spec.holder_identity).filter(|holder| !holder.is_empty());
            Finding::works("lease", format!("{name}, held by {}", holder.as_deref().unwrap_or("nobody")))
        }
        Ok(None) => Finding::works("lease", format!("{name} is not there yet: the first replica makes it")),
        Err(error) => Finding::fails("lease", format!("{name} cannot be read"), vec![words(&error)]),
    }
}
