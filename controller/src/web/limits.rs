//! How long and how large an exchange with a user's URL may be.

use std::time::Duration;

/// Timeout of one request, redirects and body included: the same as for one AWS operation.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many redirects are followed: one for a renamed repository, one for a missing `.git` or slash, and some.
pub const REDIRECTS: usize = 5;

/// How many bytes of a body are read, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap(pub usize);

impl Cap {
    /// For a list of refs: about 60 000 branches.
    pub const GIT: Cap = Cap(4 << 20);
    /// For git's objects that are asked for at a time: some hundred folders of a few files, or one of ten thousand.
    pub const OBJECTS: Cap = Cap(1 << 20);
    /// For a page of a hundred commit statuses or checks of a git host, of 5 to 20 KiB each.
    pub const STATUSES: Cap = Cap(4 << 20);
    /// For a health check whose body is looked at.
    pub const VERIFY: Cap = Cap(64 << 10);
    /// For a health check that looks at the status only: the body is not read.
    pub const STATUS: Cap = Cap(0);
}
