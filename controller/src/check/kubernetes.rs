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

/// What the controller uses: group, resource, verbs. It is what the chart's rbac.yaml grants.
pub const RIGHTS: &[(&str, &str, &[&str])] = &[
    (GROUP, "awsaccounts", &["get", "list", "watch"]),
    (GROUP, "pipelines", &["get", "list", "watch"]),
    (GROUP, "ecsservices", &["get", "list", "watch", "patch"]),
    (GROUP, "releases", &["get", "list", "watch", "patch", "create", "delete"]),
    (GROUP, "logrequests", &["get", "list", "watch", "delete"]),
    (GROUP, "awsaccounts/status", &["update"]),
    (GROUP, "pipelines/status", &["update"]),
    (GROUP, "ecsservices/status", &["update"]),
    (GROUP, "releases/status", &["update"]),
    (GROUP, "logrequests/status", &["update"]),
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

/// Whether each kind is served: discovery says it to everybody who has a name.
async fn definitions(context: &Context) -> Finding {
    let served = match context.kube.list_api_group_resources(&format!("{GROUP}/v1alpha1")).await {
        Ok(list) => list.resources.into_iter().map(|resource| resource.name).collect::<Vec<_>>(),
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Finding::fails("definitions", "could not be asked", vec![words(&error)]),
    };
    let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
    let missing: Vec<String> = all
        .iter()
        .filter(|plural| !served.iter().any(|name| name == *plural))
        .map(|plural| format!("{plural}.{GROUP} is not there: install the chart launchway-crds of this version"))
        .collect();
    match missing.is_empty() {
        true => Finding::works("definitions", all.join(", ")),
        false => Finding::fails("definitions", "not all are there", missing),
    }
}

async fn rights(context: &Context, lease: Option<&Name>) -> Finding {
    let asked = asked(&context.namespaces, lease);
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

/// Each right that is used, where it is used: everywhere, or in the namespaces that are watched, and then those namespaces by
/// name, and the one where events of what lives in none are written.
fn asked(namespaces: &[String], lease: Option<&Name>) -> Vec<ResourceAttributes> {
    let everywhere = [String::new()];
    let within = if namespaces.is_empty() { &everywhere[..] } else { namespaces };
    let mut asked = Vec::new();
    for (group, resource, verbs) in RIGHTS {
        let of =
            |namespace: &str| verbs.iter().map(|verb| attributes(group, resource, verb, namespace)).collect::<Vec<_>>();
        match *resource {
            "namespaces" => asked.extend(within.iter().flat_map(|name| {
                let named = Some(name.clone()).filter(|name| !name.is_empty());
                of("").into_iter().map(move |right| ResourceAttributes { name: named.clone(), ..right })
            })),
            "awsaccounts" | "awsaccounts/status" => asked.extend(of("")),
            _ => asked.extend(within.iter().flat_map(|namespace| of(namespace))),
        }
        if *resource == "events" && !namespaces.is_empty() {
            asked.extend(of("default"));
        }
    }
    for (group, resource, verbs) in lease.iter().flat_map(|_| OF_THE_LEASE) {
        for verb in *verbs {
            let at = lease.map_or("", Name::namespace);
            let name = lease.filter(|_| *verb != "create").map(|lease| lease.name().to_owned());
            asked.push(ResourceAttributes { name, ..attributes(group, resource, verb, at) });
        }
    }
    asked
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
    let name = right.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    let within = right.namespace.as_ref().map_or_else(String::new, |name| format!(" in namespace {name}"));
    format!("{} {}{group}{part}{name}{within}", text(&right.verb), text(&right.resource))
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
