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

/// Makes each list from its row, and the list of all.
macro_rules! lists {
    ($($list:ident: $name:literal, $member:ident, $what:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`.")]
            pub const $list: List = List { name: $name, what: $what, of: |allow| &allow.$member };
        )+

        /// The lists of patterns.
        pub const LISTS: &[List] = &[$($list),+];
    };
}

// constant: its name in `spec.allow`, its member, what its entries name
lists! {
    CLUSTERS: "clusters", clusters, "cluster";
    PROJECTS: "projects", projects, "CodeBuild project";
    REPOSITORIES: "repositories", repositories, "ECR repository";
    IMAGES: "images", images, "image";
    ROLES: "roles", roles, "role";
    FAMILIES: "families", families, "family";
    CAPACITY: "capacity", capacity, "capacity";
    SUBNETS: "subnets", subnets, "subnet";
    SECURITY_GROUPS: "securityGroups", security_groups, "security group";
    LOAD_BALANCERS: "loadBalancers", load_balancers, "load balancing";
    CLOUD_MAP: "cloudMap", cloud_map, "Cloud Map's";
    LOG_GROUPS: "logGroups", log_groups, "log group";
    LOG_DESTINATIONS: "logDestinations", log_destinations, "log destination";
    PARAMETERS: "parameters", parameters, "parameter";
    SECRETS: "secrets", secrets, "secret";
    BUCKETS: "buckets", buckets, "S3's";
    FILE_SYSTEMS: "fileSystems", file_systems, "file system";
    SNAPSHOTS: "snapshots", snapshots, "snapshot";
    KEYS: "keys", keys, "KMS key";
    CERTIFICATE_AUTHORITIES: "certificateAuthorities", certificate_authorities, "certificate authority";
    FUNCTIONS: "functions", functions, "function";
    ALARMS: "alarms", alarms, "alarm";
    SOURCES: "sources", sources, "source repository";
    CODE_COMMIT_REPOSITORIES: "codeCommitRepositories", code_commit_repositories, "CodeCommit repository";
    CONNECTIONS: "connections", connections, "connection";
}

impl List {
    /// What is missing if nothing of the list matches the name, in any of the forms in which it may be listed. The first form
    /// is the one that messages propose.
    pub fn missing(&self, allow: &Allow, forms: &[&str]) -> Option<Missing> {
        let listed = (self.of)(allow).iter().any(|pattern| forms.iter().any(|form| matches(pattern, form)));
        (!listed).then(|| self.absent(forms.first().copied().unwrap_or_default()))
    }

    /// That the name is missing, whatever the list has.
    pub fn absent(&self, name: &str) -> Missing {
        Missing { list: self.name, what: self.what, entry: name.to_owned() }
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
