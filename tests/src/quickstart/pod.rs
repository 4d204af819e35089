//! The file system of an image with what a kubelet adds to it, and how a program is started in there without a container engine:
//! nothing of this machine but its network is seen inside.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use launchway_image::arch::Arch;
use launchway_image::unpack;
use launchway_test_kube::real::Cluster;
use serde_json::Value;
use tempfile::TempDir;

/// Where a kubelet mounts what a service account needs.
const MOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// An unpacked image.
pub struct Pod {
    root: TempDir,
    user: String,
    entrypoint: String,
}

impl Pod {
    /// The image for this machine from an OCI layout, in a folder of its own that goes with this value.
    ///
    /// # Errors
    /// There is no such image, or it cannot be unpacked.
    pub fn unpack(layout: &Path) -> anyhow::Result<Pod> {
        let root = tempfile::Builder::new().prefix("launchway-pod-").tempdir()?;
        std::fs::set_permissions(root.path(), Permissions::from_mode(0o755))?;
        let config = unpack(layout, Arch::of_this_machine()?, root.path())?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let user = text(&config["config"]["User"]).context("the image names no user")?;
        let entrypoint = text(&config["config"]["Entrypoint"][0]).context("the image has no entrypoint")?;
        Ok(Pod { root, user, entrypoint })
    }

    /// Gives it a service account of a cluster, and returns how a Pod finds that.
    pub(super) async fn mount(
        &self,
        cluster: &Cluster,
        namespace: &str,
        account: &str,
    ) -> anyhow::Result<Vec<(&'static str, OsString)>> {
        let variables = cluster.mount(namespace, account, &self.root.path().join(MOUNT)).await?;
        Ok(variables.map(|(name, value)| (name, value.into())).into())
    }

    /// Its root folder.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The words that start the image's program in the root folder, as the image's user. Who is root needs `chroot`; others
    /// need `unshare` and a system that lets them have namespaces of their own.
    pub(super) fn command(&self) -> anyhow::Result<Vec<OsString>> {
        let (user, group) = self.user.split_once(':').context("the image names no group")?;
        let mut words: Vec<OsString> = match is_root()? {
            true => vec!["chroot".into(), format!("--userspec={user}:{group}").into(), self.root.path().into()],
            false => {
                let map = [format!("--map-user={user}"), format!("--map-group={group}")].map(OsString::from);
                let root = format!("--root={}", self.root.path().display()).into();
                ["unshare".into()].into_iter().chain(map).chain([root]).collect()
            }
        };
        words.push((&self.entrypoint).into());
        Ok(words)
    }
}

fn is_root() -> anyhow::Result<bool> {
    let id = Command::new("id").arg("-u").output().context("`id` does not start")?;
    ensure!(id.status.success(), "`id -u` failed");
    Ok(id.stdout.trim_ascii() == b"0")
}
