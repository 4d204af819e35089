//! Ways in: clients, kubeconfigs and tokens, for the administrator and for service accounts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::config::AuthInfo;
use kube::{Api, Client, Config};
use serde_json::json;

use super::Cluster;

/// Longer than a quick start that somebody forgot in a terminal over lunch; nothing here renews tokens.
const TOKEN_LIVES: Duration = Duration::from_secs(24 * 60 * 60);

impl Cluster {
    /// `https://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's kubeconfig. The file goes with the cluster.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("admin.kubeconfig")
    }

    /// The administrator's client. Each call makes a new one, because a client belongs to the runtime that made it, and
    /// each test has its own.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn client(&self) -> Client {
        Client::try_from(self.config(&self.token)).expect("a cluster that started has a certificate")
    }

    /// A client with the rights of a service account, which must be there.
    ///
    /// # Errors
    /// As [`Cluster::service_account_token`].
    pub async fn client_for_service_account(&self, namespace: &str, name: &str) -> anyhow::Result<Client> {
        let token = self.service_account_token(namespace, name).await?;
        Ok(Client::try_from(self.config(&token))?)
    }

    /// A kubeconfig with the rights of a service account: for a controller that is to run with no more than those.
    ///
    /// # Errors
    /// As [`Cluster::service_account_token`].
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> anyhow::Result<PathBuf> {
        let token = self.service_account_token(namespace, name).await?;
        self.write(&format!("{namespace}.{name}.kubeconfig"), &self.kubeconfig_with(name, namespace, &token)?)
    }

    /// A token of a service account, good for 24 hours.
    ///
    /// # Errors
    /// There is no such service account.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> anyhow::Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client(), namespace);
        let lives = i64::try_from(TOKEN_LIVES.as_secs())?;
        let spec = TokenRequestSpec { expiration_seconds: Some(lives), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let made = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let made = made.with_context(|| format!("no token for service account {namespace}/{name}: was it applied?"))?;
        Ok(made.status.context("a token request without its answer")?.token)
    }

    /// Writes what a kubelet mounts into a Pod of that service account, into `folder`; and returns the environment that goes with
    /// it. Everybody may read the files, as a user without a name has to.
    ///
    /// # Errors
    /// As [`Cluster::service_account_token`]; or the files cannot be written.
    pub async fn mount(
        &self,
        namespace: &str,
        name: &str,
        folder: &Path,
    ) -> anyhow::Result<[(&'static str, String); 2]> {
        let token = self.service_account_token(namespace, name).await?;
        let certificate = std::fs::read_to_string(self.certificate()).context("the server's certificate")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
        for (name, text) in [("token", token.as_str()), ("ca.crt", &certificate), ("namespace", namespace)] {
            let file = folder.join(name);
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let (host, port) =
            self.url.trim_start_matches("https://").rsplit_once(':').context("an address without a port")?;
        Ok([("KUBERNETES_SERVICE_HOST", host.to_owned()), ("KUBERNETES_SERVICE_PORT", port.to_owned())])
    }

    pub(super) fn write_kubeconfig(&self) -> anyhow::Result<PathBuf> {
        self.write("admin.kubeconfig", &self.kubeconfig_with("admin", "default", &self.token)?)
    }

    /// For looking whether the server is there: fails at once instead of trying again.
    pub(super) fn quick_client(&self) -> anyhow::Result<Client> {
        let mut config = self.config(&self.token);
        config.default_retry = false;
        Ok(Client::try_from(config)?)
    }

    /// Made by hand: what is read from a kubeconfig obeys the proxy variables of the environment, even for loopback.
    fn config(&self, token: &str) -> Config {
        let mut config = Config::new(self.url.parse().expect("an address that was printed by us"));
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        config.root_cert_file = Some(self.certificate());
        config
    }

    /// JSON, which is YAML too.
    fn kubeconfig_with(&self, user: &str, namespace: &str, token: &str) -> anyhow::Result<String> {
        let certificate = STANDARD.encode(std::fs::read(self.certificate()).context("the server's certificate")?);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "launchway", "cluster": {"server": self.url, "certificate-authority-data": certificate}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "launchway", "context": {"cluster": "launchway", "user": user, "namespace": namespace}}],
            "current-context": "launchway",
        });
        Ok(serde_json::to_string_pretty(&config)?)
    }

    /// The server makes it for itself when it starts, together with the authority that signs it.
    fn certificate(&self) -> PathBuf {
        self.folder().join("certs/apiserver.crt")
    }
}
