//! What is asked of the API server, and what is changed there. What the answers mean is decided elsewhere.

use crate::connect::Cluster;
use crate::failure::Failure;
use crate::item::{Item, Kind};
use futures::stream::{self, Stream, StreamExt};
use kube::Api;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Request};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use launchway_crds::{Pipeline, Release, Service};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;

/// Who changed it, in `metadata.managedFields`.
const MANAGER: &str = "kubectl-launchway";

/// How often it is looked when no watch says that something changed: where watching is not allowed, and for the ages shown.
const LOOK: Duration = Duration::from_secs(5);

/// Which objects are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of a namespace.
    Namespace(String),
    /// All.
    Everywhere,
}

impl Scope {
    fn namespace(&self) -> Option<&str> {
        match self {
            Self::Namespace(name) => Some(name),
            Self::Everywhere => None,
        }
    }
}

#[derive(Deserialize)]
struct List {
    items: Vec<Box<RawValue>>,
}

impl Cluster {
    /// The namespace's objects, or everybody's.
    pub fn scope(&self, everywhere: bool) -> Scope {
        if everywhere { Scope::Everywhere } else { Scope::Namespace(self.namespace.clone()) }
    }

    /// The objects of a kind, as text.
    pub async fn texts<K: Kind>(&self, scope: &Scope) -> Result<Vec<Box<RawValue>>, Failure> {
        let path = K::url_path(&(), scope.namespace());
        let request = Request::new(path).list(&ListParams::default()).map_err(Failure::error)?;
        let text = self.client.request_text(request).await.map_err(|error| self.failure::<K>(&error))?;
        let list: List = serde_json::from_str(&text).map_err(|_| self.odd())?;
        Ok(list.items)
    }

    /// The objects of a kind.
    pub async fn list<K: Kind>(&self, scope: &Scope) -> Result<Vec<Item<K>>, Failure> {
        let texts = self.texts::<K>(scope).await?;
        texts.iter().map(|text| Item::parse(text.get()).map_err(|_| self.odd())).collect()
    }

    /// One object of the namespace.
    pub async fn one<K: Kind>(&self, name: &str) -> Result<Item<K>, Failure> {
        let text = self.text::<K>(name).await?.map_err(|error| self.failure::<K>(&error))?;
        Item::parse(&text).map_err(|_| self.odd())
    }

    /// One object of the namespace, if it is there.
    pub async fn one_if_there<K: Kind>(&self, name: &str) -> Result<Option<Item<K>>, Failure> {
        match self.text::<K>(name).await? {
            Ok(text) => Ok(Some(Item::parse(&text).map_err(|_| self.odd())?)),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
            Err(error) => Err(self.failure::<K>(&error)),
        }
    }

    async fn text<K: Kind>(&self, name: &str) -> Result<kube::Result<String>, Failure> {
        let path = K::url_path(&(), Some(&self.namespace));
        let request = Request::new(path).get(name, &GetParams::default()).map_err(Failure::error)?;
        Ok(self.client.request_text(request).await)
    }

    /// Makes an object, and says how it is called.
    pub async fn make<K: Kind>(&self, object: &Value) -> Result<String, Failure> {
        let body = serde_json::to_vec(object).map_err(Failure::error)?;
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let path = K::url_path(&(), Some(&self.namespace));
        let request = Request::new(path).create(&params, body).map_err(Failure::error)?;
        let text = self.client.request_text(request).await.map_err(|error| self.failure::<K>(&error))?;
        Ok(Item::<K>::parse(&text).map_err(|_| self.odd())?.name)
    }

    /// Deletes an object.
    pub async fn delete<K: Kind>(&self, name: &str) -> Result<(), Failure> {
        let path = K::url_path(&(), Some(&self.namespace));
        let request = Request::new(path).delete(name, &DeleteParams::default()).map_err(Failure::error)?;
        self.client.request_text(request).await.map_err(|error| self.failure::<K>(&error))?;
        Ok(())
    }

    /// Changes members of an object.
    pub async fn merge<K: Kind>(&self, name: &str, members: &Value) -> Result<(), Failure> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let path = K::url_path(&(), Some(&self.namespace));
        let request = Request::new(path).patch(name, &params, &Patch::Merge(members)).map_err(Failure::error)?;
        self.client.request_text(request).await.map_err(|error| self.failure::<K>(&error))?;
        Ok(())
    }

    /// Something may have changed: an item at once, then one for each change, or one every few seconds.
    pub fn changes(&self, scope: &Scope) -> impl Stream<Item = ()> + use<> {
        let all = [self.watch::<Pipeline>(scope), self.watch::<Release>(scope), self.watch::<Service>(scope)];
        // What is there already comes as changes too: together they are one.
        let changes = stream::select_all(all).ready_chunks(1000).boxed();
        let next = |mut changes: stream::BoxStream<'static, Vec<()>>| async move {
            // Only a wake: a watch that ended and one that is silent are the same here.
            let _silent = tokio::time::timeout(LOOK, changes.next()).await;
            Some(((), changes))
        };
        stream::once(async {}).chain(stream::unfold(changes, next))
    }

    fn watch<K>(&self, scope: &Scope) -> stream::BoxStream<'static, ()>
    where
        K: Kind + Clone + std::fmt::Debug + Send + Sync + 'static,
    {
        let api: Api<PartialObjectMeta<K>> = match scope {
            Scope::Namespace(name) => Api::namespaced(self.client.clone(), name),
            Scope::Everywhere => Api::all(self.client.clone()),
        };
        let events = watcher(api, watcher::Config::default()).default_backoff();
        // A watch that is refused says nothing: the look every few seconds tells why.
        events.filter_map(|event| async { event.ok().map(drop) }).boxed()
    }

    fn failure<K: Kind>(&self, error: &kube::Error) -> Failure {
        Failure::of_call(error, &self.server, &K::plural(&()))
    }

    fn odd(&self) -> Failure {
        Failure::error(format!("the server {} answered with something else than objects of Kubernetes", self.server))
    }
}
