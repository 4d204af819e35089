//! Where the simulator only guesses at AWS: one table, each row with what the guess rests on.

/// One guess.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// What the simulator does.
    pub what: &'static str,
    /// What it rests on.
    pub source: &'static str,
}

/// All guesses: one slice per part.
pub const GUESSES: &[&[Guess]] =
    &[WIRE, ECS, crate::codebuild::GUESSES, crate::ecr::GUESSES, crate::logs::GUESSES, crate::ssm::GUESSES];

const WIRE: &[Guess] = &[
    Guess {
        what: "Signatures are not verified, nor x-amz-date: the access key ID alone says who calls",
        source: "A choice: what Launchway sends is signed by the SDK, whose signatures AWS checks",
    },
    Guess {
        what: "A role that does not exist, does not trust the caller or misses its external ID: STS says AccessDenied to all three, after the caller's own policy was asked",
        source: "STS documentation; that the three look alike is general experience",
    },
    Guess {
        what: "A session lasts exactly its DurationSeconds; role chaining is not cut to an hour",
        source: "STS documentation; chaining left out",
    },
    Guess {
        what: "A denied right is said in IAM's sentence \"because no identity-based policy allows\"",
        source: "IAM documentation, \"Access denied error message examples\"",
    },
    Guess {
        what: "An error carries `__type` without a namespace and `message` in lower case",
        source: "Seen of ECS and ECR; both forms are read by the SDK",
    },
];

const ECS: &[Guess] = &[
    Guess {
        what: "A role that is given by its short name is shown and checked by its ARN, in the caller's account",
        source: "API_RegisterTaskDefinition takes \"the short name or full ARN\"; what is shown is not documented",
    },
    Guess {
        what: "How long a task is PROVISIONING, PENDING, ACTIVATING, STOPPING: `Timing`'s defaults",
        source: "Fargate as seen; AWS promises nothing",
    },
    Guess {
        what: "The circuit breaker counts tasks that exit within `Timing::settled` of RUNNING, with or without health checks",
        source: "Reports of crashing images that trip it; the developer guide only names tasks that do not reach RUNNING or fail health checks",
    },
    Guess {
        what: "The scheduler pauses `Timing::retry` after a failed round, doubling from the fourth, up to 27 minutes, with or without a circuit breaker",
        source: "Reports of growing pauses with the breaker on; 27 minutes from \"Service throttle logic\"",
    },
    Guess {
        what: "A rollback's PRIMARY deployment carries the old revision's own number, and `rolling back to deploymentId ecs-svc/<that>.`",
        source: "Outputs of DescribeServices during and after a rollback that users published",
    },
    Guess {
        what: "The failed deployment is shown ACTIVE and FAILED until its rollback is over, then not at all",
        source: "The same outputs; one of them shows it as DRAINING for a while",
    },
    Guess {
        what: "`Service.taskDefinition` and the other members that start a deployment are the old revision's from the moment the rollback begins",
        source: "Follows from `deployments[]` in the same outputs; the model does not say",
    },
    Guess {
        what: "With nothing to roll back to, the service deployment stays IN_PROGRESS while `rolloutState` is FAILED",
        source: "Developer guide: the deployment stalls; aws/containers-roadmap#1488 shows FAILED",
    },
    Guess {
        what: "A rollback whose tasks fail as often as the threshold is ROLLBACK_FAILED",
        source: "The status exists; when it is reached is not documented",
    },
    Guess {
        what: "A deployment that supersedes a rollback and fails has nothing to roll back to",
        source: "Developer guide: only a deployment in the COMPLETED state can be rolled back to",
    },
    Guess {
        what: "UpdateService with unchanged members and no force starts no deployment; lists in another order are unchanged",
        source: "The model says that the members trigger one if they differ; order is a guess",
    },
    Guess {
        what: "A partial deploymentConfiguration in UpdateService leaves the members that it does not name",
        source: "The model does not say",
    },
    Guess {
        what: "A new service deployment is shown by no call for `Timing::pending`, and currentServiceDeployment is blank for as long",
        source: "Spinnaker polls for it; how long it takes is not documented",
    },
    Guess {
        what: "StopServiceDeployment with nothing to roll back to ends STOPPED without new tasks",
        source: "Not documented",
    },
    Guess {
        what: "The sentences of statusReason for stopped and superseded service deployments",
        source: "Only the circuit breaker's is known, from Terraform's acceptance tests",
    },
    Guess {
        what: "CreateService's client token works as long as the service exists",
        source: "Its lifetime is not documented",
    },
    Guess {
        what: "CreateService without a token for a name that is taken is never idempotent",
        source: "Documentation names the token as the only way",
    },
    Guess {
        what: "DeleteService on a DRAINING service gives the service back; on an INACTIVE one ServiceNotFoundException",
        source: "The model lists no ServiceNotActiveException for it",
    },
    Guess { what: "An INACTIVE service is purged after an hour", source: "\"May be cleaned up\", says the model" },
    Guess {
        what: "The ARN of a missing service in `failures` is the long one",
        source: "Documentation shows both forms",
    },
    Guess { what: "DeregisterTaskDefinition takes effect at once", source: "The model: up to ten minutes" },
    Guess {
        what: "Registering an unknown role is refused as `Role is not valid`",
        source: "General experience; Terraform retries that sentence",
    },
    Guess {
        what: "iam:PassRole for the task definition's roles is checked by UpdateService only if it names a task definition",
        source: "The service authorization reference lists it under both calls",
    },
    Guess {
        what: "RegisterTaskDefinition and tagging on it are asked of `task-definition/FAMILY:*`",
        source: "The service authorization reference's resource type; that the revision is a star is general experience",
    },
    Guess { what: "EC2 capacity is endless: launch type EC2 runs tasks as Fargate does", source: "A choice" },
    Guess {
        what: "Only the ECS controller, REPLICA scheduling and ROLLING deployments are known; others are UnsupportedFeatureException",
        source: "A choice",
    },
    Guess {
        what: "Old tasks are stopped as new ones become healthy, and before that only if there is no room for new ones",
        source: "Developer guide on the two percents; the order is the scheduler's own affair",
    },
    Guess {
        what: "Tasks of a service whose PRIMARY deployment has failed for good are not replaced",
        source: "The model: a FAILED deployment does not launch any new tasks; of the old one it says nothing",
    },
    Guess {
        what: "Images outside ECR can always be pulled and have no digest unless one is given",
        source: "A choice",
    },
    Guess {
        what: "Sentences of refusals that are not quoted in documentation or issue threads",
        source: "General experience; codes first, text second",
    },
];
