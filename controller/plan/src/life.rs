//! Whether an object stays, by its metadata, and whether we guard it. What its end takes is each kind's own business.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The annotation with which a person lets an object go although AWS could not be cleaned up.
pub const ABANDON: &str = "launchway.dev/abandon";

/// Whether an object stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It does.
    Stays,
    /// It is being deleted.
    Ends,
    /// It is being deleted, and a person said that AWS is to be left alone.
    Abandoned,
}

impl Life {
    /// Whether it stays.
    pub fn stays(self) -> bool {
        self == Self::Stays
    }
}

/// Whether an object of that metadata stays.
pub fn life(meta: &ObjectMeta) -> Life {
    let abandoned = meta.annotations.as_ref().and_then(|all| all.get(ABANDON)).is_some_and(|value| value == "true");
    match (&meta.deletion_timestamp, abandoned) {
        (None, _) => Life::Stays,
        (Some(_), false) => Life::Ends,
        (Some(_), true) => Life::Abandoned,
    }
}

/// Whether an object of that metadata carries our finalizer.
pub fn finalizer(meta: &ObjectMeta) -> bool {
    meta.finalizers.as_ref().is_some_and(|all| all.iter().any(|one| one == launchway_crds::FINALIZER))
}

/// The command that asks for a new try at once: any annotation does, if it says something new.
pub fn again_command(namespace: &str, kind: &str, name: &str) -> String {
    format!("kubectl -n {namespace} annotate --overwrite {kind} {name} launchway.dev/again=\"$(date)\"")
}

/// The command that ends the suspension of a Pipeline.
pub fn resume_command(namespace: &str, pipeline: &str) -> String {
    format!("kubectl -n {namespace} patch lwp {pipeline} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'")
}
