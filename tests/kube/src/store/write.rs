//! What may be written and what becomes of it: POST, PUT, PUT on `/status`, PATCH, DELETE.
//! Content is not validated beyond names, versions and finalizers; owned objects are collected in `collect`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::admit;
use super::failure::Failure;
use super::kinds::{Kind, Origin, Scope, StatusRule};
use super::object::{Form, Object, differs_beside, finalizers, merge, meta, written_metadata};
use super::world::{Change, Entry, Key, KindId, Verb, World};

/// A write to one object, by one request, at one time.
pub(super) struct Writing<'a> {
    pub(super) world: &'a mut World,
    pub(super) kind: Arc<Kind>,
    pub(super) id: KindId,
    pub(super) namespace: &'a str,
    pub(super) at: Timestamp,
}

/// Which half of an object a write means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Status,
}

/// What DELETE found.
pub(super) enum Deletion {
    /// The object is gone; as it last was.
    Gone(Arc<Object>),
    /// Finalizers hold it; as it is now.
    Held(Arc<Object>),
}

impl Writing<'_> {
    fn key(&self, name: &str) -> Key {
        (self.id, self.namespace.to_owned(), name.to_owned())
    }

    fn existing(&self, name: &str) -> Result<Arc<Object>, Failure> {
        let found = self.world.objects.get(&self.key(name)).cloned();
        found.ok_or_else(|| Failure::not_found(&self.kind, name))
    }

    fn commit(&mut self, name: &str, verb: Verb, change: Change, value: Value) -> Arc<Object> {
        let form = match change {
            Change::Added => admit::new_form(&self.kind, &value),
            Change::Modified | Change::Deleted => Form::AsRead,
        };
        let entry = Entry { key: self.key(name), at: self.at, verb, change, value, form };
        self.world.commit(entry)
    }

    /// POST: a new object, with the server's metadata, the schema's defaults and no status of the writer's.
    pub(super) fn create(&mut self, mut body: Value) -> Result<Arc<Object>, Failure> {
        self.check_address(&body, None)?;
        self.check_namespace()?;
        if !meta(&body, "resourceVersion").is_empty() {
            return Err(Failure::bad_request("resourceVersion should not be set on objects to be created"));
        }
        let name = self.name_for(&body)?;
        let mut metadata = written_metadata(&body);
        metadata.insert("name".into(), json!(name));
        metadata.insert("uid".into(), json!(uid(self.world.version + 1)));
        metadata.insert("creationTimestamp".into(), json!(seconds(self.at)));
        if self.kind.scope == Scope::Namespaced {
            metadata.insert("namespace".into(), json!(self.namespace));
        }
        if let Origin::Custom { .. } = self.kind.origin {
            metadata.insert("generation".into(), json!(1));
        }
        body["metadata"] = Value::Object(metadata);
        admit::created(&self.kind, &mut body)?;
        if self.world.objects.contains_key(&self.key(&name)) {
            return Err(Failure::already_exists(&self.kind, &name));
        }
        Ok(self.commit(&name, Verb::Create, Change::Added, body))
    }

    /// PUT: replaces what the writer owns. Equal to what is there: nothing is written.
    pub(super) fn replace(&mut self, name: &str, mut body: Value, verb: Verb) -> Result<Arc<Object>, Failure> {
        let old = self.updatable(name, &body)?;
        let mut metadata = written_metadata(&body);
        for kept in ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion"]
            .into_iter()
            .chain(["deletionTimestamp", "deletionGracePeriodSeconds"])
        {
            if let Some(value) = old.value()["metadata"].get(kept) {
                metadata.insert(kept.into(), value.clone());
            }
        }
        body["metadata"] = Value::Object(metadata);
        self.check_finalizers(name, &old, &body)?;
        admit::updated(&self.kind, &mut body, old.value())?;
        self.raise_generation(&old, &mut body);
        if old.is_stored_as(&body) {
            return Ok(old);
        }
        if old.is_deleting() && finalizers(&body).is_empty() {
            self.commit(name, verb, Change::Deleted, old.value().clone());
            return Ok(Arc::new(Object::new(body, Form::AsRead)));
        }
        Ok(self.commit(name, verb, Change::Modified, body))
    }

    /// PUT on `/status`: the status alone, nothing else of the body.
    pub(super) fn replace_status(&mut self, name: &str, body: Value, verb: Verb) -> Result<Arc<Object>, Failure> {
        if self.kind.status_rule() == StatusRule::Member {
            return Err(Failure::no_such_path());
        }
        let old = self.updatable(name, &body)?;
        let mut new = old.value().clone();
        match body.get("status") {
            Some(status) => new["status"] = status.clone(),
            None => drop(new.as_object_mut().map(|new| new.remove("status"))),
        }
        admit::settled(&self.kind, &mut new);
        if old.is_stored_as(&new) {
            return Ok(old);
        }
        Ok(self.commit(name, verb, Change::Modified, new))
    }

    /// PATCH as a JSON merge patch; without a version in the patch it applies to whatever is there.
    pub(super) fn patch(&mut self, name: &str, part: Part, patch: &Value) -> Result<Arc<Object>, Failure> {
        let mut body = self.existing(name)?.value().clone();
        merge(&mut body, patch);
        match part {
            Part::Whole => self.replace(name, body, Verb::Patch),
            Part::Status => self.replace_status(name, body, Verb::Patch),
        }
    }

    /// DELETE: marks what finalizers hold, removes what none holds.
    pub(super) fn delete(&mut self, name: &str, options: &Value, verb: Verb) -> Result<Deletion, Failure> {
        let old = self.existing(name)?;
        self.check_preconditions(name, &old, &options["preconditions"])?;
        if !old.has_finalizers() {
            return Ok(Deletion::Gone(self.commit(name, verb, Change::Deleted, old.value().clone())));
        }
        if old.is_deleting() {
            return Ok(Deletion::Held(old));
        }
        let mut marked = old.value().clone();
        marked["metadata"]["deletionTimestamp"] = json!(seconds(self.at));
        marked["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        if let Some(generation) = marked["metadata"]["generation"].as_i64() {
            marked["metadata"]["generation"] = json!(generation + 1);
        }
        Ok(Deletion::Held(self.commit(name, verb, Change::Modified, marked)))
    }

    fn check_address(&self, body: &Value, name: Option<&str>) -> Result<(), Failure> {
        let (api_version, kind) = (self.kind.api_version(), &*self.kind.kind);
        if body["apiVersion"] != *api_version || body["kind"] != *kind {
            let given = (&body["apiVersion"], &body["kind"]);
            let message = format!("the API version and kind in the data {given:?} are not {api_version} {kind}");
            return Err(Failure::bad_request(message));
        }
        let given = meta(body, "namespace");
        if !given.is_empty() && given != self.namespace {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Failure::bad_request(message));
        }
        match name {
            Some(name) if meta(body, "name") != name => {
                let given = meta(body, "name");
                let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
                Err(Failure::bad_request(message))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The object that a PUT means, if the PUT speaks of this one and of this version.
    fn updatable(&self, name: &str, body: &Value) -> Result<Arc<Object>, Failure> {
        self.check_address(body, Some(name))?;
        let old = self.existing(name)?;
        let (version, uid) = (meta(body, "resourceVersion"), meta(body, "uid"));
        if !uid.is_empty() && uid != old.meta("uid") {
            let has = old.meta("uid");
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {has}");
            return Err(Failure::conflict(&self.kind, name, &why));
        }
        match &self.kind.origin {
            Origin::Custom { .. } if version.is_empty() => {
                let why = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
                Err(Failure::invalid(&self.kind, name, why))
            }
            Origin::Custom { .. } | Origin::BuiltIn(_)
                if !version.is_empty() && version != old.meta("resourceVersion") =>
            {
                let why = "the object has been modified; please apply your changes to the latest version and try again";
                Err(Failure::conflict(&self.kind, name, why))
            }
            Origin::Custom { .. } | Origin::BuiltIn(_) => Ok(old),
        }
    }

    fn check_namespace(&self) -> Result<(), Failure> {
        if self.kind.scope == Scope::Cluster {
            return Ok(());
        }
        let namespaces = self.world.kind_id(|kind| &*kind.kind == "Namespace" && kind.group.is_empty()).unwrap_or(0);
        let key = (namespaces, String::new(), self.namespace.to_owned());
        let known = self.world.objects.contains_key(&key);
        if known { Ok(()) } else { Err(Failure::not_found(&self.world.kinds[namespaces], self.namespace)) }
    }

    fn check_finalizers(&self, name: &str, old: &Object, new: &Value) -> Result<(), Failure> {
        let before = finalizers(old.value());
        let added: Vec<&Value> = finalizers(new).iter().filter(|one| !before.contains(one)).collect();
        if old.is_deleting() && !added.is_empty() {
            let why = format!(
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, \
                 found new finalizers {added:?}"
            );
            return Err(Failure::invalid(&self.kind, name, &why));
        }
        Ok(())
    }

    fn check_preconditions(&self, name: &str, old: &Object, given: &Value) -> Result<(), Failure> {
        for (field, wanted) in [("uid", &given["uid"]), ("resourceVersion", &given["resourceVersion"])] {
            if wanted.as_str().is_some_and(|wanted| wanted != old.meta(field)) {
                let has = old.meta(field);
                let why = format!("the {field} in the precondition ({wanted}) does not match that in record ({has})");
                return Err(Failure::conflict(&self.kind, name, &why));
            }
        }
        Ok(())
    }

    fn raise_generation(&self, old: &Object, new: &mut Value) {
        let Some(generation) = old.value()["metadata"]["generation"].as_i64() else { return };
        let ignored: &[&str] = match self.kind.status_rule() {
            StatusRule::Subresource => &["status"],
            StatusRule::Member => &[],
        };
        if differs_beside(old.value(), new, ignored) {
            new["metadata"]["generation"] = json!(generation + 1);
        }
    }

    fn name_for(&self, body: &Value) -> Result<String, Failure> {
        let (name, prefix) = (meta(body, "name"), meta(body, "generateName"));
        let name = match (name, prefix) {
            ("", "") => {
                let why = "metadata.name: Required value: name or generateName is required";
                return Err(Failure::invalid(&self.kind, "", why));
            }
            ("", prefix) => format!("{}{}", &prefix[..prefix.len().min(58)], suffix(self.world.version + 1)),
            (name, _) => name.to_owned(),
        };
        if is_subdomain(&name) {
            return Ok(name);
        }
        let why = format!("metadata.name: Invalid value: {name:?}: a lowercase RFC 1123 subdomain is required");
        Err(Failure::invalid(&self.kind, &name, &why))
    }
}

/// Lower-case letters, digits, `-` and `.`, each part beginning and ending with a letter or digit, at most 253.
fn is_subdomain(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.chars().all(|c| alphanumeric(c) || c == '-')
            && part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
    };
    name.len() <= 253 && name.split('.').all(part)
}

/// A UID that is the same in every run: made from the version of the creation.
fn uid(version: u64) -> String {
    format!("00000000-0000-4000-8000-{version:012x}")
}

/// Five characters of the alphabet that the API server uses, the same in every run.
fn suffix(version: u64) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    // 27^5 names; the odd factor is prime to 27, so that neighbours look unlike and none repeats before all were used.
    let mut rest = version.wrapping_mul(7_368_787) % 14_348_907;
    let mut next = || {
        let at = rest % 27;
        rest /= 27;
        char::from(ALPHABET[at as usize])
    };
    (0..5).map(|_| next()).collect()
}

/// `metav1.Time` has whole seconds.
fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map_or_else(|_| at.to_string(), |at| at.to_string())
}
