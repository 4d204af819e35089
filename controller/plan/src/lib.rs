//! What Launchway decides: pure functions from what is wanted and seen to at most one action.
