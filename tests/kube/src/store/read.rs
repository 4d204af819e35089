//! Answers to GET: one object, or a list of them, now or as of an earlier version. Changes nothing.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::failure::Failure;
use super::object::Object;
use super::request::Query;
use super::selector::Selector;
use super::world::{Key, KindId, World};

/// What is listed: a kind, in one namespace or in all.
pub(super) struct Listing<'a> {
    pub(super) world: &'a World,
    pub(super) id: KindId,
    pub(super) namespace: Option<&'a str>,
    pub(super) query: &'a Query,
    /// As of which version, when the answer is made stale on request.
    pub(super) stale: Option<u64>,
}

/// Where a list that was cut by `limit` goes on.
struct Page {
    version: u64,
    after: Option<(String, String)>,
}

/// One object.
pub(super) fn one(world: &World, key: &Key, query: &Query, stale: Option<u64>) -> Result<Arc<Object>, Failure> {
    check_version(world, query)?;
    let found = match stale {
        Some(version) => world.object_at(key, version),
        None => world.objects.get(key).cloned(),
    };
    found.ok_or_else(|| Failure::not_found(&world.kinds[key.0], &key.2))
}

/// The oldest version asked for that is not there yet is refused, as a real server does after some seconds.
fn check_version(world: &World, query: &Query) -> Result<(), Failure> {
    match query.number("resourceVersion")? {
        Some(asked) if asked > world.version => Err(Failure::too_large(asked, world.version)),
        Some(_) | None => Ok(()),
    }
}

impl Listing<'_> {
    /// The list as it goes over the wire.
    pub(super) fn text(&self) -> Result<Bytes, Failure> {
        check_version(self.world, self.query)?;
        let kind = &self.world.kinds[self.id];
        let selector = Selector::parse(kind, self.query.text("labelSelector"), self.query.text("fieldSelector"))?;
        let page = self.page()?;
        let admitted = |object: &Arc<Object>| selector.admits(object);
        let found: Vec<(Key, Arc<Object>)> = if page.version >= self.world.version {
            let now = self.world.objects_now(self.id, self.namespace).filter(|(_, object)| admitted(object));
            now.map(|(key, object)| (key.clone(), object.clone())).collect()
        } else {
            let then = self.world.objects_at(self.id, self.namespace, page.version);
            then.into_iter().filter(|(_, object)| admitted(object)).collect()
        };
        self.written(page, found)
    }

    fn page(&self) -> Result<Page, Failure> {
        let token = self.query.text("continue");
        let page = if token.is_empty() {
            let exact = self.query.text("resourceVersionMatch") == "Exact";
            let asked = self.query.number("resourceVersion")?.filter(|_| exact);
            let version = asked.or(self.stale).unwrap_or(self.world.version).min(self.world.version);
            Page { version, after: None }
        } else {
            Page::parse(token).ok_or_else(|| Failure::bad_request("continue key is not valid"))?
        };
        let by_request = self.stale.is_none() || !token.is_empty();
        if by_request && page.version < self.world.oldest {
            return Err(Failure::expired(page.version, self.world.oldest));
        }
        Ok(page)
    }

    fn written(&self, page: Page, mut found: Vec<(Key, Arc<Object>)>) -> Result<Bytes, Failure> {
        if let Some((namespace, name)) = &page.after {
            found.retain(|((_, ns, n), _)| (ns, n) > (namespace, name));
        }
        let mut metadata = json!({"resourceVersion": page.version.to_string()});
        let limit = self.query.number("limit")?.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if found.len() > limit {
            let (_, namespace, name) = found[limit - 1].0.clone();
            metadata["remainingItemCount"] = json!(found.len() - limit);
            metadata["continue"] = json!(Page { version: page.version, after: Some((namespace, name)) }.token());
            found.truncate(limit);
        }
        let kind = &self.world.kinds[self.id];
        let head =
            json!({"apiVersion": kind.api_version(), "kind": format!("{}List", kind.kind), "metadata": metadata});
        Ok(joined(&head, found.iter().map(|(_, object)| object.text())))
    }
}

impl Page {
    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.version, self.after]).to_string())
    }

    fn parse(token: &str) -> Option<Page> {
        let text = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (version, after) = serde_json::from_slice(&text).ok()?;
        Some(Page { version, after })
    }
}

/// The head of a list with its items, put together from texts that are there already.
fn joined(head: &Value, items: impl Iterator<Item = Bytes>) -> Bytes {
    let mut text = head.to_string().into_bytes();
    text.pop();
    text.extend_from_slice(br#","items":["#);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&item);
    }
    text.extend_from_slice(b"]}");
    Bytes::from(text)
}
