//! Reads of objects that are not ours: only the members that are needed, so that nothing else in them can stop a read, and of a
//! Secret nothing more is ever in memory as a value.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Resource;
use kube::api::GetParams;
use kube::core::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;

/// What is needed of a Namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NamespaceSeen {
    /// Its UID.
    pub uid: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What is needed of a Secret. `Debug` shows nothing of its data.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SecretSeen {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its metadata.
    pub metadata: SecretMeta,
    /// The keys that a credential may have.
    pub data: Option<Keys>,
}

/// What is needed of a Secret's metadata.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SecretMeta {
    /// Its annotations.
    pub annotations: SecretAnnotations,
}

/// What is needed of a Secret's annotations, where `kubectl apply` may have left a copy of its data.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SecretAnnotations {
    /// To which hosts it may be sent ([`launchway_plan::secret::HOSTS`]).
    #[serde(rename = "launchway.dev/hosts")]
    pub hosts: Option<String>,
}

/// The keys that a credential may have.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Keys {
    /// With `password`: HTTP basic.
    pub username: Option<ByteString>,
    /// With `username`: HTTP basic.
    pub password: Option<ByteString>,
    /// A token that is sent as a password.
    pub token: Option<ByteString>,
    /// A token that is sent as `Bearer`.
    pub bearer_token: Option<ByteString>,
    /// A GitHub App's ID, or its client ID.
    #[serde(rename = "githubAppID")]
    pub app_id: Option<ByteString>,
    /// The installation of the App.
    #[serde(rename = "githubAppInstallationID")]
    pub app_installation_id: Option<ByteString>,
    /// The App's private key, in PEM.
    #[serde(rename = "githubAppPrivateKey")]
    pub app_private_key: Option<ByteString>,
    /// The API of a GitHub Enterprise Server.
    #[serde(rename = "githubAppBaseURL")]
    pub app_base_url: Option<ByteString>,
    /// The authorities that sign the host's certificate.
    #[serde(rename = "ca.crt")]
    pub authorities: Option<ByteString>,
}

impl Keys {
    /// Whether none of them is there.
    pub fn is_empty(&self) -> bool {
        let Keys { username, password, token, bearer_token, authorities, .. } = self;
        [username, password, token, bearer_token, authorities].into_iter().all(Option::is_none) && !self.is_an_app()
    }

    /// Whether any of a GitHub App's is there.
    pub fn is_an_app(&self) -> bool {
        let Keys { app_id, app_installation_id, app_private_key, app_base_url, .. } = self;
        [app_id, app_installation_id, app_private_key, app_base_url].into_iter().any(Option::is_some)
    }
}

impl fmt::Debug for SecretSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSeen({:?})", self.kind)
    }
}

/// The Namespace of that name; `None`: there is none.
///
/// # Errors
/// The API server was not reached, or refused; `SerdeError`: the answer is none of Kubernetes'.
pub async fn namespace(name: &str, kube: &kube::Client) -> kube::Result<Option<NamespaceSeen>> {
    #[derive(Deserialize)]
    struct Seen {
        metadata: NamespaceSeen,
    }
    Ok(members::<Namespace, Seen>(None, name, kube).await?.map(|seen| seen.metadata))
}

/// The Secret of that name; `None`: there is none.
///
/// # Errors
/// As for a Namespace.
pub async fn secret(namespace: &str, name: &str, kube: &kube::Client) -> kube::Result<Option<SecretSeen>> {
    members::<Secret, SecretSeen>(Some(namespace), name, kube).await
}

/// Types of Secrets that give access to the cluster. They are sent to no repository and compared with no webhook, because whoever
/// may write a Pipeline could have them sent, or guess at them.
const KUBERNETES_OWN: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// Whether a Secret of that type gives access to the cluster.
pub fn is_kubernetes_own(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| KUBERNETES_OWN.contains(&kind))
}

/// The secrets of a webhook, as the Secret of that name holds them: that of now, and the one before; none, if there is no such Secret,
/// or it is one of Kubernetes' own.
///
/// # Errors
/// As for a Namespace.
pub async fn webhook_secret(namespace: &str, name: &str, kube: &kube::Client) -> kube::Result<Vec<String>> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Keys {
        token: Option<ByteString>,
        previous_token: Option<ByteString>,
    }
    #[derive(Deserialize)]
    struct Seen {
        #[serde(rename = "type")]
        kind: Option<String>,
        data: Option<Keys>,
    }
    let found = members::<Secret, Seen>(Some(namespace), name, kube)
        .await?
        .filter(|seen| !is_kubernetes_own(seen.kind.as_deref()));
    let keys = found.and_then(|found| found.data).unwrap_or_default();
    let texts = [keys.token, keys.previous_token].into_iter().flatten();
    Ok(texts.filter_map(|text| String::from_utf8(text.0).ok()).collect())
}

/// Decoded here and not by kube's client, which logs what it cannot decode.
async fn members<K, T>(namespace: Option<&str>, name: &str, kube: &kube::Client) -> kube::Result<Option<T>>
where
    K: Resource<DynamicType = ()>,
    T: DeserializeOwned,
{
    let request = Request::new(K::url_path(&(), namespace)).get(name, &GetParams::default());
    match kube.request_text(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(kube::Error::SerdeError),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
