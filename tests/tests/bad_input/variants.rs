//! Every way in which a spec can be refused, counted: a new variant does not compile until it stands here, and fails the
//! tests until it has a manifest.

use std::collections::BTreeSet;

/// The names of an enum's variants, checked by an exhaustive match.
macro_rules! variants {
    ($all:ident, $enum:path as $short:ident, $($variant:ident),* $(,)?) => {
        fn $all() -> Vec<String> {
            use $enum as $short;
            fn _every_variant_is_named(one: &$short) {
                match one { $($short::$variant { .. } => {})* }
            }
            vec![$(format!("{}::{}", stringify!($short), stringify!($variant))),*]
        }
    };
}

variants!(
    of_specs,
    launchway_plan::refusal::Refusal as Refusal,
    NoAccount,
    NamespaceNotAdmitted,
    RegionNotListed,
    NotAllowed,
    Commit,
    TagKey,
    Url,
    Unknown,
    Expectation,
    PlanTooLarge,
    FargateSize,
    NotDriven,
    Project,
    Artifact,
    SeveralStages,
    NotListed,
    NoSuchImage,
    Secret,
    NoSuchBranch,
    NoObjects,
    Range,
    Value,
    NoPipeline,
    NotMade,
);

variants!(
    of_urls,
    launchway_plan::address::AddressRefusal as Address,
    NotAUrl,
    Scheme,
    PlainHttp,
    Userinfo,
    UnusualAddress,
    LocalName,
    ApiServer,
    Port,
    Address,
    NotPublic,
);

variants!(
    of_credentials,
    launchway::git::CredentialFault as CredentialFault,
    Missing,
    Ambiguous,
    Authorities,
    AppKey,
    TooLong,
    Value,
);

/// Those that the user alone can mend; the others are of the world, and tested there.
fn of_sources() -> Vec<String> {
    use launchway::git::GitFault;
    let spec = |fault: &GitFault| match fault {
        GitFault::Url | GitFault::BranchName => true,
        GitFault::NoSuchBranch(_)
        | GitFault::AuthenticationFailed { .. }
        | GitFault::NotSigned(_)
        | GitFault::App(_)
        | GitFault::NotFound
        | GitFault::NotGit { .. }
        | GitFault::Unavailable { .. }
        | GitFault::Protocol(_)
        | GitFault::NoObjects
        | GitFault::NoTag(_)
        | GitFault::Moved(_)
        | GitFault::Web(_) => false,
    };
    let all = [(GitFault::Url, "GitFault::Url"), (GitFault::BranchName, "GitFault::BranchName")];
    all.iter().filter(|(fault, _)| spec(fault)).map(|(_, name)| (*name).to_owned()).collect()
}

/// All of them, but for one that shows only once a name was resolved, and one of servers that are older than any here: see
/// `git/changes.rs`.
pub fn all() -> BTreeSet<String> {
    let all = [of_specs(), of_urls(), of_credentials(), of_sources()].into_iter().flatten();
    all.filter(|name| !["Address::NotPublic", "Refusal::NoObjects"].contains(&name.as_str())).collect()
}
