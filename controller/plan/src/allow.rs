//! The lists of an AwsAccount's `spec.allow`, and whether a name is in one. Which member of a spec belongs to which list is
//! decided where the spec is read.

use launchway_crds::account::{Allow, HostAccess, Override};
use launchway_crds::name::Glob;

/// A list of patterns.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Its name in `spec.allow`.
    pub name: &'static str,
    /// What its entries name, for messages.
    what: &'static str,
    of: fn(&Allow) -> &Vec<Glob>,
}

/// Something that a spec names and that its account does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The list in which it is missing.
    pub list: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The entry that would allow it.
    pub entry: String,
}

/// `clusters`.
pub const CLUSTERS: List = List { name: "clusters", what: "cluster", of: |allow| &allow.clusters };
/// `projects`.
pub const PROJECTS: List = List { name: "projects", what: "CodeBuild project", of: |allow| &allow.projects };
/// `repositories`.
pub const REPOSITORIES: List = List { name: "repositories", what: "ECR repository", of: |allow| &allow.repositories };
/// `images`.
pub const IMAGES: List = List { name: "images", what: "image", of: |allow| &allow.images };
/// `roles`.
pub const ROLES: List = List { name: "roles", what: "role", of: |allow| &allow.roles };
/// `families`.
pub const FAMILIES: List = List { name: "families", what: "family", of: |allow| &allow.families };
/// `capacity`.
pub const CAPACITY: List = List { name: "capacity", what: "capacity", of: |allow| &allow.capacity };
/// `subnets`.
pub const SUBNETS: List = List { name: "subnets", what: "subnet", of: |allow| &allow.subnets };
/// `securityGroups`.
pub const SECURITY_GROUPS: List =
    List { name: "securityGroups", what: "security group", of: |allow| &allow.security_groups };
/// `loadBalancers`.
pub const LOAD_BALANCERS: List =
    List { name: "loadBalancers", what: "load balancing", of: |allow| &allow.load_balancers };
/// `cloudMap`.
pub const CLOUD_MAP: List = List { name: "cloudMap", what: "Cloud Map's", of: |allow| &allow.cloud_map };
/// `logGroups`.
pub const LOG_GROUPS: List = List { name: "logGroups", what: "log group", of: |allow| &allow.log_groups };
/// `logDestinations`.
pub const LOG_DESTINATIONS: List =
    List { name: "logDestinations", what: "log destination", of: |allow| &allow.log_destinations };
/// `parameters`.
pub const PARAMETERS: List = List { name: "parameters", what: "parameter", of: |allow| &allow.parameters };
/// `secrets`.
pub const SECRETS: List = List { name: "secrets", what: "secret", of: |allow| &allow.secrets };
/// `buckets`.
pub const BUCKETS: List = List { name: "buckets", what: "S3's", of: |allow| &allow.buckets };
/// `fileSystems`.
pub const FILE_SYSTEMS: List = List { name: "fileSystems", what: "file system", of: |allow| &allow.file_systems };
/// `snapshots`.
pub const SNAPSHOTS: List = List { name: "snapshots", what: "snapshot", of: |allow| &allow.snapshots };
/// `keys`.
pub const KEYS: List = List { name: "keys", what: "KMS key", of: |allow| &allow.keys };
/// `certificateAuthorities`.
pub const CERTIFICATE_AUTHORITIES: List =
    List { name: "certificateAuthorities", what: "certificate authority", of: |allow| &allow.certificate_authorities };
/// `functions`.
pub const FUNCTIONS: List = List { name: "functions", what: "function", of: |allow| &allow.functions };
/// `alarms`.
pub const ALARMS: List = List { name: "alarms", what: "alarm", of: |allow| &allow.alarms };

/// The lists of patterns.
pub const LISTS: [List; 22] = [
    CLUSTERS,
    PROJECTS,
    REPOSITORIES,
    IMAGES,
    ROLES,
    FAMILIES,
    CAPACITY,
    SUBNETS,
    SECURITY_GROUPS,
    LOAD_BALANCERS,
    CLOUD_MAP,
    LOG_GROUPS,
    LOG_DESTINATIONS,
    PARAMETERS,
    SECRETS,
    BUCKETS,
    FILE_SYSTEMS,
    SNAPSHOTS,
    KEYS,
    CERTIFICATE_AUTHORITIES,
    FUNCTIONS,
    ALARMS,
];

impl List {
    /// What is missing if nothing of the list matches the name, in any of the forms in which it may be listed. The first form
    /// is the one that messages propose.
    pub fn missing(&self, allow: &Allow, forms: &[&str]) -> Option<Missing> {
        let listed = (self.of)(allow).iter().any(|pattern| forms.iter().any(|form| matches(pattern, form)));
        let entry = forms.first().copied().unwrap_or_default().to_owned();
        (!listed).then_some(Missing { list: self.name, what: self.what, entry })
    }

    /// The same for what is named as it is, or by an ARN. A pattern may stand for the whole ARN, or for what comes after the
    /// account ID.
    pub fn missing_name(&self, allow: &Allow, name: &str) -> Option<Missing> {
        match resource(name) {
            Some(rest) => self.missing(allow, &[name, rest]),
            None => self.missing(allow, &[name]),
        }
    }

    /// Whether the list has no entries.
    pub fn is_empty(&self, allow: &Allow) -> bool {
        (self.of)(allow).is_empty()
    }
}

/// What an ARN says after the account ID; none: it is no ARN.
pub fn resource(arn: &str) -> Option<&str> {
    arn.starts_with("arn:").then(|| arn.splitn(6, ':').nth(5)).flatten()
}

/// That access to the host is missing.
pub fn host(allow: &Allow, access: HostAccess) -> Option<Missing> {
    let missing = !allow.host_access.contains(&access);
    missing.then(|| Missing { list: "hostAccess", what: "access to the host", entry: format!("{access:?}") })
}

/// That a Pipeline may not say this in place of a CodeBuild project.
pub fn overriding(allow: &Allow, what: Override) -> Option<Missing> {
    let missing = !allow.overrides.contains(&what);
    missing.then(|| Missing { list: "overrides", what: "override of a CodeBuild project", entry: format!("{what:?}") })
}

/// Whether a name has the form of a pattern, in which `*` stands for any characters.
pub fn matches(pattern: &Glob, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_its_stars_can_stand_for_and_nothing_else() {
        let hit = |pattern: &str, name: &str| matches(&pattern.into(), name);
        assert!(hit("interstella-*", "interstella-iridium"));
        assert!(hit("*", "anything"));
        assert!(hit("a*b*c", "a1b2c"));
        assert!(hit("exact", "exact"));
        assert!(!hit("exact", "exactly"));
        assert!(!hit("interstella-*", "other-interstella-x"));
        assert!(!hit("a*b*c", "ab"));
        assert!(!hit("a*a", "a"));
    }
}
