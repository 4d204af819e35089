//! Which kinds are served and which rules each follows. Knows no objects.

use std::sync::Arc;

use anyhow::Context;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion,
};

use super::schema::Schema;

/// Whether objects of a kind live in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One for each namespace and name.
    Namespaced,
    /// One for each name.
    Cluster,
}

/// Whether `status` is written apart from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusRule {
    /// `PUT /status` alone changes it.
    Subresource,
    /// It is a member like any other.
    Member,
}

/// Where a kind comes from, which decides how its writes are checked.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// From a CRD: has a generation, a schema, and every PUT names its version.
    Custom { schema: Box<Schema>, status: StatusRule, selectable: Vec<String> },
    /// Built in: no generation, unconditional PUTs allowed, content kept as it came.
    BuiltIn(BuiltIn),
}

/// The built-in kinds, as far as each has rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    Namespace,
    Secret,
    Plain,
}

/// One served kind, in its storage version.
#[derive(Debug, Clone)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version, such as `v1alpha1`.
    pub version: String,
    /// The kind's name, such as `Release`.
    pub kind: Arc<str>,
    /// The name in paths, such as `releases`.
    pub plural: String,
    /// Namespaced or not.
    pub scope: Scope,
    pub(super) origin: Origin,
}

impl Kind {
    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `plural.group`, as the API server's messages name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(super) fn status_rule(&self) -> StatusRule {
        match &self.origin {
            Origin::Custom { status, .. } => *status,
            Origin::BuiltIn(BuiltIn::Namespace) => StatusRule::Subresource,
            Origin::BuiltIn(BuiltIn::Secret | BuiltIn::Plain) => StatusRule::Member,
        }
    }

    /// The kinds that are there without a CRD.
    pub(super) fn built_in() -> Vec<Kind> {
        let core = |kind: &str, plural: &str, scope, rules| Kind {
            group: String::new(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            scope,
            origin: Origin::BuiltIn(rules),
        };
        let event = core("Event", "events", Scope::Namespaced, BuiltIn::Plain);
        vec![
            core("Namespace", "namespaces", Scope::Cluster, BuiltIn::Namespace),
            core("Secret", "secrets", Scope::Namespaced, BuiltIn::Secret),
            core("ConfigMap", "configmaps", Scope::Namespaced, BuiltIn::Plain),
            Kind { group: "events.k8s.io".into(), ..event },
        ]
    }

    /// The kind that a CRD defines, in its storage version.
    pub(super) fn defined_by(crd: &CustomResourceDefinition) -> anyhow::Result<Kind> {
        let name = crd.metadata.name.as_deref().unwrap_or("?");
        let version = crd.spec.versions.iter().find(|v| v.storage && v.served);
        let version = version.with_context(|| format!("CRD {name} has no version that is both stored and served"))?;
        let scope = match crd.spec.scope.as_str() {
            "Namespaced" => Scope::Namespaced,
            "Cluster" => Scope::Cluster,
            other => anyhow::bail!("CRD {name} has the scope {other:?}"),
        };
        Ok(Kind {
            group: crd.spec.group.clone(),
            version: version.name.clone(),
            kind: crd.spec.names.kind.as_str().into(),
            plural: crd.spec.names.plural.clone(),
            scope,
            origin: custom(name, version)?,
        })
    }
}

fn custom(name: &str, version: &CustomResourceDefinitionVersion) -> anyhow::Result<Origin> {
    let schema = version.schema.as_ref().and_then(|s| s.open_api_v3_schema.as_ref());
    let schema = schema.with_context(|| format!("CRD {name} has no schema"))?;
    let status = version.subresources.as_ref().and_then(|s| s.status.as_ref());
    let selectable = version.selectable_fields.iter().flatten();
    Ok(Origin::Custom {
        schema: Box::new(Schema::of(schema)),
        status: if status.is_some() { StatusRule::Subresource } else { StatusRule::Member },
        selectable: selectable.map(|f| f.json_path.trim_start_matches('.').to_owned()).collect(),
    })
}
