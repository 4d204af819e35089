//! What Launchway relies on in an API server, case by case; the same cases run on the store and on the real one.
//! Starts no server: a [`Cluster`] is given.

#![allow(clippy::expect_used, reason = "a world for tests: what cannot be ends the test")]

mod built_in;
mod creation;
mod deletion;
mod reads;
mod status;
mod updates;
mod watches;

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use futures::future::BoxFuture;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::{GroupVersionKind, Status};
use serde_json::{Value, json};

/// A server to run a case on.
#[derive(Clone)]
pub struct Cluster {
    /// A client that may do everything in the namespace, and that does not repeat refused requests.
    pub client: kube::Client,
    /// A namespace of the case's own, which is there and empty.
    pub namespace: String,
    /// Makes the garbage collector look; does nothing where one runs by itself.
    pub collect_garbage: Arc<dyn Fn() + Send + Sync>,
}

/// One thing that an API server must do.
pub struct Case {
    /// What it must do, as a sentence with underscores.
    pub name: &'static str,
    run: fn(Cluster) -> BoxFuture<'static, anyhow::Result<()>>,
}

impl Case {
    /// Runs the case.
    ///
    /// # Errors
    /// What the server did instead.
    pub async fn run(&self, cluster: Cluster) -> anyhow::Result<()> {
        (self.run)(cluster).await.with_context(|| self.name)
    }
}

macro_rules! cases {
    ($($module:ident::{$($case:ident),* $(,)?}),* $(,)?) => {
        vec![$($(Case { name: stringify!($case), run: |cluster| Box::pin($module::$case(cluster)) }),*),*]
    };
}

/// All cases.
pub fn cases() -> Vec<Case> {
    cases![
        creation::{
            a_new_object_has_what_the_server_gives, unknown_members_are_dropped, defaults_are_filled_in_everywhere,
            a_status_cannot_be_created, a_taken_name_is_refused, a_name_is_made_from_a_prefix, a_bad_name_is_invalid,
            a_missing_namespace_is_not_found, a_new_object_has_no_version_of_the_writers,
        },
        updates::{
            a_put_of_an_old_version_is_a_conflict, a_put_without_a_version_is_invalid,
            only_what_is_wanted_raises_the_generation, an_equal_put_writes_nothing,
            the_first_put_stores_the_default_status, a_put_leaves_the_status_alone,
            a_put_for_another_uid_is_a_conflict, a_put_under_another_name_is_refused, a_put_of_nothing_is_not_found,
            the_servers_own_metadata_stays, a_merge_patch_changes_what_it_names, an_equal_patch_writes_nothing,
            a_patch_of_an_old_version_is_a_conflict,
            the_time_of_creation_cannot_be_changed, a_version_that_never_was_is_a_conflict, a_patch_of_status_changes_the_status_alone,
        },
        status::{
            a_put_of_status_changes_the_status_alone, an_equal_status_writes_nothing,
            a_status_of_an_old_version_is_a_conflict, a_status_without_a_version_is_invalid,
            a_status_left_out_is_the_default_again, unknown_members_of_a_status_are_dropped,
            a_status_of_nothing_is_not_found, the_generation_is_not_the_writers,
        },
        deletion::{
            a_deleted_object_is_gone, a_finalizer_holds_an_object_until_it_is_taken_away,
            a_dying_object_gets_no_new_finalizers, a_dying_object_takes_a_status, preconditions_of_a_deletion_hold,
            an_object_made_again_is_another, what_is_owned_goes_with_its_owner, what_has_an_owner_left_stays,
        },
        reads::{
            a_list_is_ordered_and_as_new_as_its_objects, labels_select, fields_select, pages_are_of_one_version,
            an_exact_list_is_of_that_version, a_list_of_all_namespaces_has_them_all,
        },
        watches::{
            a_watch_tells_what_came_after_its_version_in_order, a_watch_from_nowhere_begins_with_all_there_is,
            a_watch_of_labels_tells_who_comes_and_goes, a_watch_from_too_long_ago_has_expired,
            a_streamed_list_ends_in_a_bookmark, a_watch_ends_when_its_time_is_up,
            a_held_deletion_is_a_change_and_its_end_a_deletion,
        },
        built_in::{
            secrets_come_in_base64, a_secret_is_replaced_whatever_its_version, an_event_is_made_and_counted,
            a_namespace_is_active_and_has_a_uid, nobody_raises_a_generation_of_built_in_kinds,
        },
    ]
}

/// The kind that the cases use: status apart, defaults, a list that is a map, a map, and a member that is anything.
pub fn crd() -> CustomResourceDefinition {
    let part = json!({
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 1}},
    });
    let spec = json!({
        "type": "object",
        "properties": {
            "size": {"type": "integer", "default": 3},
            "colour": {"type": "string"},
            "parts": {
                "type": "array", "items": part,
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            },
            "notes": {"type": "object", "additionalProperties": {"type": "string"}},
            "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        },
    });
    let status = json!({
        "type": "object", "default": {"observedGeneration": -1},
        "properties": {"observedGeneration": {"type": "integer", "format": "int64"}, "phase": {"type": "string"}},
    });
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": status}});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.conformance.launchway.dev"},
        "spec": {
            "group": "conformance.launchway.dev", "scope": "Namespaced",
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.colour"}],
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    });
    serde_json::from_value(crd).expect("a CRD")
}

fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("conformance.launchway.dev", "v1", "Widget"), "widgets")
}

impl Cluster {
    fn widgets(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource())
    }

    /// Creates a widget of that colour.
    async fn widget(&self, name: &str, colour: &str) -> anyhow::Result<DynamicObject> {
        let widget = widget(name, json!({"colour": colour}));
        self.widgets().create(&PostParams::default(), &widget).await.with_context(|| format!("creating {name}"))
    }
}

/// A widget as a writer would send it first.
fn widget(name: &str, spec: Value) -> DynamicObject {
    DynamicObject::new(name, &resource()).data(json!({"spec": spec}))
}

/// The version of an object.
fn version(object: &DynamicObject) -> &str {
    object.metadata.resource_version.as_deref().unwrap_or_default()
}

/// The refusal that has to come; an answer, or another failure than a refusal, is an error.
fn refusal<T>(result: kube::Result<T>) -> anyhow::Result<Status> {
    match result {
        Err(kube::Error::Api(status)) => Ok(*status),
        Err(other) => Err(other).context("wanted a refusal"),
        Ok(_) => bail!("wanted a refusal, was accepted"),
    }
}

/// Holds when the request was refused for this reason and with this code.
fn ensure_refused<T>(result: kube::Result<T>, code: u16, reason: &str) -> anyhow::Result<()> {
    let status = refusal(result)?;
    let got = (status.code, status.reason.as_str());
    ensure!(got == (code, reason), "wanted {code} {reason}, got {got:?}: {}", status.message);
    Ok(())
}

/// Holds when both are equal.
fn ensure_equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> anyhow::Result<()> {
    ensure!(got == wanted, "{what}: wanted {wanted:?}, got {got:?}");
    Ok(())
}
