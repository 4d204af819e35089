//! The heads of branches in a git repository over smart HTTP, and what a commit says and changes: without a checkout, without the
//! files themselves. No other refs, no SSH.

use std::collections::{BTreeMap, BTreeSet};

use crate::web::Web;

mod advice;
mod app;
mod changes;
mod compare;
mod credential;
mod fault;
mod listing;
mod objects;
mod pack;
mod packet;
mod polls;
mod remote;
mod standing;

pub use app::{App, AppFault};
pub use compare::Untold;
pub use credential::{Access, Credential, CredentialFault};
pub use fault::{GitFault, NoSuchBranch, Offered};
pub use listing::Head;
pub use packet::Malformed;
pub use polls::{Ask, GRACE, LANDS, Poll, Polls, WAITS};

/// The head of each branch that was asked for, or that there is no such branch.
pub type Heads = BTreeMap<String, Result<Head, NoSuchBranch>>;

/// The head of `branch` in the repository at `url`. Two requests to a server of protocol version 2, one to an older
/// one, and one more if there is no such branch.
pub async fn head(web: &Web, url: &str, branch: &str, credential: Option<&Credential>) -> Result<Head, GitFault> {
    let wanted = BTreeSet::from([branch.to_owned()]);
    let mut heads = heads(web, url, &wanted, credential).await?;
    let found = heads.remove(branch).ok_or(GitFault::BranchName)?;
    found.map_err(GitFault::NoSuchBranch)
}

/// The heads of all `wanted` branches, with as many requests as one branch takes.
pub async fn heads(
    web: &Web,
    url: &str,
    wanted: &BTreeSet<String>,
    credential: Option<&Credential>,
) -> Result<Heads, GitFault> {
    if !wanted.iter().all(|branch| listing::is_branch_name(branch)) {
        return Err(GitFault::BranchName);
    }
    let remote = remote::Remote::of(web, url, credential).await?;
    let mut listing = remote.listing(wanted).await?;
    let missed = wanted.iter().any(|branch| !listing.branches.contains_key(branch));
    if missed && let Some(wide) = remote.everything(&listing).await {
        listing = wide;
    }
    Ok(listing.heads(wanted))
}

#[cfg(test)]
mod tests;
