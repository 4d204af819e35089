//! Finds the programs of a cluster, or sees to it that they are there. Starts none of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Say;
use super::archive;
use super::cache::Cache;
use super::golang::{Build, Cgo};

/// One of the programs that a cluster is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// kube-apiserver.
    ApiServer,
    /// etcd.
    Etcd,
    /// kubectl.
    Kubectl,
    /// kube-controller-manager, of which only the collector of owned objects and of namespaces is used.
    ControllerManager,
}

impl Program {
    /// All of them, in the order in which they are built: the first one takes the longest, the others share its parts.
    pub const ALL: [Program; 4] = [Program::ApiServer, Program::Etcd, Program::Kubectl, Program::ControllerManager];

    /// What its file is called.
    pub fn name(self) -> &'static str {
        match self {
            Program::ApiServer => "kube-apiserver",
            Program::Etcd => "etcd",
            Program::Kubectl => "kubectl",
            Program::ControllerManager => "kube-controller-manager",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Program::ApiServer => "k8s.io/kubernetes/cmd/kube-apiserver",
            Program::Etcd => "go.etcd.io/etcd/server/v3",
            Program::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Program::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
        }
    }

    /// On two idle cores, with an empty build cache, in the order of [`Program::ALL`].
    fn takes(self) -> &'static str {
        match self {
            Program::ApiServer => "about 4 min on two cores",
            Program::Etcd | Program::Kubectl => "less than 1 min",
            Program::ControllerManager => "about 1 min, 4 if it is the first one built",
        }
    }

    /// The published archive has three of the four.
    fn is_published(self) -> bool {
        match self {
            Program::ApiServer | Program::Etcd | Program::Kubectl => true,
            Program::ControllerManager => false,
        }
    }
}

/// Where each program is.
#[derive(Clone, Debug)]
pub struct Programs(BTreeMap<Program, PathBuf>);

impl Programs {
    /// The file of one program.
    pub fn path(&self, program: Program) -> &Path {
        &self.0[&program]
    }
}

/// Looks in `KUBEBUILDER_ASSETS`, then in what was built or downloaded before; what is missing then is downloaded
/// (the published archive of envtest) and, where that cannot be, built with Go. Blocks for minutes the first time.
///
/// # Errors
/// A program is neither there nor can it be built; the message says why and what to do.
pub fn programs(say: &Say) -> anyhow::Result<Programs> {
    let cache = Cache::of_workspace();
    tell_of_assets(say);
    if let Ok(all) = found(&cache) {
        return Ok(all);
    }
    let _lock = cache.lock(say)?;
    if let Err(missing) = found(&cache) {
        download(&missing, &cache, say);
    }
    if let Err(missing) = found(&cache) {
        build(&missing, &cache, say)?;
    }
    found(&cache).map_err(|missing| anyhow::anyhow!("still missing after they were built: {missing:?}"))
}

/// All programs, or those that are missing.
fn found(cache: &Cache) -> Result<Programs, Vec<Program>> {
    let folders: Vec<PathBuf> =
        assets().into_iter().chain([cache.of(&version()), cache.of(archive::VERSION)]).collect();
    let mut all = BTreeMap::new();
    let mut missing = Vec::new();
    for program in Program::ALL {
        let mut places = folders.iter().map(|folder| folder.join(program.name()));
        match places.find(|place| place.is_file()) {
            Some(place) => drop(all.insert(program, place)),
            None => missing.push(program),
        }
    }
    if missing.is_empty() { Ok(Programs(all)) } else { Err(missing) }
}

fn assets() -> Option<PathBuf> {
    std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn tell_of_assets(say: &Say) {
    let Some(folder) = assets() else { return };
    let absent: Vec<&str> =
        Program::ALL.iter().map(|program| program.name()).filter(|name| !folder.join(name).is_file()).collect();
    if !absent.is_empty() {
        say.line(format!("KUBEBUILDER_ASSETS={} has no {}: looking elsewhere", folder.display(), absent.join(", ")));
    }
}

fn download(missing: &[Program], cache: &Cache, say: &Say) {
    if !missing.iter().any(|program| program.is_published()) {
        return;
    }
    let names: Vec<&str> = Program::ALL.iter().filter(|program| program.is_published()).map(|p| p.name()).collect();
    if let Err(error) = archive::unpack_into(&cache.of(archive::VERSION), &names, say) {
        say.line(format!("the published archive cannot be had ({error:#}): building with Go instead"));
    }
}

fn build(missing: &[Program], cache: &Cache, say: &Say) -> anyhow::Result<()> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/servers");
    let link = link_flags(&version()).context("tests/kube/go/servers/go.mod names no version of k8s.io/kubernetes")?;
    for program in missing {
        let (name, package, takes) = (program.name(), program.package(), program.takes());
        Build { name, module: &module, package, tags: "", link: &link, cgo: Cgo::Off, takes }
            .write_into(&cache.of(&version()), say)?;
    }
    Ok(())
}

/// Without these `/version` says `v0.0.0-master`, and clients that compare versions break.
fn link_flags(version: &str) -> Option<String> {
    let (major, rest) = version.strip_prefix('v')?.split_once('.')?;
    let (minor, _) = rest.split_once('.')?;
    let at = "-X k8s.io/component-base/version";
    Some(format!("-s -w {at}.gitVersion={version} {at}.gitMajor={major} {at}.gitMinor={minor} {at}.gitTreeState=clean"))
}

/// The version of Kubernetes, from the one place that pins it.
fn version() -> String {
    required(include_str!("../../go/servers/go.mod"), "k8s.io/kubernetes").unwrap_or_default()
}

/// The version of a module that a go.mod requires.
pub(super) fn required(go_mod: &str, module: &str) -> Option<String> {
    let version = |line: &str| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(module)).then(|| words.next().map(String::from)).flatten()
    };
    go_mod.lines().find_map(version).filter(|version| version.starts_with('v'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_kubernetes_comes_from_go_mod() {
        assert!(version().starts_with("v1."), "{}", version());
        let flags = link_flags("v1.36.3").unwrap();
        assert!(flags.contains("gitVersion=v1.36.3") && flags.contains("gitMinor=36 "), "{flags}");
    }

    #[test]
    fn the_published_archive_is_of_the_minor_version_that_is_built() {
        let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        assert_eq!(minor(&version()), minor(archive::VERSION.trim_start_matches("envtest-")));
    }
}
