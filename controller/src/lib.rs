//! The Launchway controller: a git commit becomes a running Amazon ECS service.
