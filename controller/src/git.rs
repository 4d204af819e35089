//! The heads of branches, and the newest tags, in a git repository over smart HTTP, and what a commit says and changes: without a
//! checkout, without the files themselves. No other refs, no SSH.

use std::collections::{BTreeMap, BTreeSet};

use launchway_plan::pipeline::refs::Refs;

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

pub(crate) use app::Tokens;
pub use app::{App, AppFault, Right};
pub use compare::Untold;
pub use credential::{Access, Credential, CredentialFault};
pub(crate) use credential::{Key, basic};
pub use fault::{GitFault, NoSuchBranch, Offered};
pub(crate) use fault::{REFUSED, shown, soon};
pub use listing::Head;
pub use packet::Malformed;
pub use polls::{Ask, GRACE, LANDS, Poll, Polls, WAITS};

/// The head of what was asked for, or that there is none.
pub type Heads = BTreeMap<Refs, Result<Head, GitFault>>;

/// The head of `branch` in the repository at `url`. Two requests to a server of protocol version 2, one to an older
/// one, and one more if there is no such branch.
pub async fn head(web: &Web, url: &str, branch: &str, credential: Option<&Credential>) -> Result<Head, GitFault> {
    let refs = Refs::Branch(branch.to_owned());
    let wanted = BTreeSet::from([refs.clone()]);
    let mut heads = heads(web, url, &wanted, credential).await?;
    heads.remove(&refs).unwrap_or(Err(GitFault::BranchName))
}

/// The heads of all that is `wanted`, with as many requests as one branch takes.
pub async fn heads(
    web: &Web,
    url: &str,
    wanted: &BTreeSet<Refs>,
    credential: Option<&Credential>,
) -> Result<Heads, GitFault> {
    if !wanted.iter().all(listing::can_be_asked_for) {
        return Err(GitFault::BranchName);
    }
    let remote = remote::Remote::of(web, url, credential).await?;
    let mut listing = remote.listing(wanted).await?;
    let mut heads = listing.heads(wanted);
    let missing: BTreeSet<Refs> =
        heads.iter().filter(|(_, head)| head.is_err()).map(|(refs, _)| refs.clone()).collect();
    let unasked: BTreeSet<String> = missing.iter().filter(|refs| refs.prefix() != refs.all()).map(Refs::all).collect();
    if !unasked.is_empty()
        && let Some(others) = remote.besides(&listing, &unasked).await
    {
        listing.add_others(others);
        heads.extend(listing.heads(&missing));
    }
    Ok(heads)
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
