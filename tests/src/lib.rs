//! What Launchway promises: scenarios, searches, cluster tests and the quick start's world.
