//! Where the controller runs, and how it finds Kubernetes from there: as a program of this machine with a kubeconfig, or in the
//! file system of an image as a Pod. Starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use launchway_test_kube::real::Cluster;

use super::Program;
use super::pod::Pod;
use crate::build;
use crate::shape::repository;

/// A place for a controller.
pub(crate) struct Place {
    kind: Kind,
    kubernetes: Vec<(&'static str, OsString)>,
}

enum Kind {
    Here(PathBuf),
    Pod(Pod),
}

impl Place {
    /// This machine, for a program that has a kubeconfig.
    pub(crate) fn here(program: &Path, kubeconfig: &Path) -> Place {
        Place { kind: Kind::Here(program.to_owned()), kubernetes: vec![("KUBECONFIG", kubeconfig.into())] }
    }

    /// The place that such a program runs in; compiles or unpacks it. It knows of no Kubernetes yet.
    pub(super) async fn of(program: &Program) -> anyhow::Result<Place> {
        let kind = match program {
            Program::Built => {
                let (root, selection) = (repository(), ["--package", "launchway", "--bin", "launchway"]);
                Kind::Here(build::program(&root, &build::target(&root), &selection).await?)
            }
            Program::Image(layout) => Kind::Pod(Pod::unpack(layout)?),
        };
        Ok(Place { kind, kubernetes: Vec::new() })
    }

    /// Gives it a service account of a cluster.
    pub(super) async fn mount(&mut self, cluster: &Cluster, namespace: &str, account: &str) -> anyhow::Result<()> {
        self.kubernetes = match &self.kind {
            Kind::Here(_) => {
                vec![("KUBECONFIG", cluster.kubeconfig_for_service_account(namespace, account).await?.into())]
            }
            Kind::Pod(pod) => pod.mount(cluster, namespace, account).await?,
        };
        Ok(())
    }

    /// Whether it is the file system of an image.
    pub(super) fn is_pod(&self) -> bool {
        matches!(self.kind, Kind::Pod(_))
    }

    /// The words that start it.
    pub(super) fn command(&self) -> anyhow::Result<Vec<OsString>> {
        match &self.kind {
            Kind::Here(program) => Ok(vec![program.into()]),
            Kind::Pod(pod) => pod.command(),
        }
    }

    /// How it finds Kubernetes.
    pub(super) fn kubernetes(&self) -> impl Iterator<Item = (&'static str, OsString)> {
        self.kubernetes.iter().cloned()
    }
}
