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
pub const GUESSES: &[&[Guess]] = &[
    WIRE,
    crate::misfits::GUESSES,
    ECS,
    crate::codebuild::GUESSES,
    crate::codecommit::GUESSES,
    crate::ecr::GUESSES,
    crate::logs::GUESSES,
    crate::s3::GUESSES,
    crate::ssm::GUESSES,
];

const WIRE: &[Guess] = &[
    Guess {
        what: "The token of a page is good for 24 hours in every service but CodeBuild, then it is refused as one that was never given",
        source: "CloudWatch Logs documents the 24 hours; of the others it is not said",
    },
    Guess {
        what: "Signatures are not verified but at CodeCommit's door, nor is x-amz-date: the access key ID alone says who calls",
        source: "A choice: what Launchway sends is signed by the SDK, whose signatures AWS checks",
    },
    Guess {
        what: "A role that does not exist, does not trust the caller or misses its external ID: STS says AccessDenied to all three, after the caller's own policy was asked",
        source: "STS documentation; that the three look alike is general experience",
    },
    Guess {
        what: "AssumeRole looks at its parameters before rights, and at the role's maximum session duration after its trust",
        source: "Not documented; both sentences about durations are quoted by many users",
    },
    Guess {
        what: "A role's ID, AROA…, is made from its ARN: deleted and made again it would be another",
        source: "A choice: roles are not made anew here",
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
        what: "The circuit breaker counts tasks that exit within `Timing::settled` (40 s) of RUNNING, with or without health checks; with `CrashLoops::Overlooked` only those that something checks, and the others are replaced at once",
        source: "Reports of crashing images that trip it; the developer guide only names tasks that do not reach RUNNING or fail health checks, and throttles only the former",
    },
    Guess {
        what: "A task for which there is no room is not counted as failed; with `Unplaced::Counted` it is",
        source: "No task has failed; users report roll-backs of deployments that met their vCPU quota",
    },
    Guess {
        what: "How far failures are apart: `Timing::retry`, or with `Timing::observed` and `Timing::falling_silent` what one account each showed",
        source: "Events that users published in July and September 2026; AWS promises nothing",
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
        what: "The failed deployment is shown ACTIVE and FAILED until its rollback is over, with `FailedDeployments::Draining` as DRAINING and IN_PROGRESS; then not at all",
        source: "The same outputs show both",
    },
    Guess {
        what: "`Service.taskDefinition` and the other members that start a deployment are the old revision's from the moment the rollback begins",
        source: "Follows from `deployments[]` in the same outputs; the model does not say",
    },
    Guess {
        what: "With nothing to roll back to, the service deployment is ROLLBACK_FAILED and has a finishedAt, while `rolloutState` is FAILED; with `Unrollable::Stalls` it stays IN_PROGRESS",
        source: "Developer guide, \"Troubleshooting with Amazon ECS Action Logs\" and Terraform's acceptance tests: the sentence, the event SERVICE_DEPLOYMENT_ROLLBACK_FAILED; the status is in a console text that a user published, finishedAt is inferred. \"Deployment circuit breaker\": the deployment stalls; aws/containers-roadmap#1488 shows FAILED",
    },
    Guess {
        what: "A rollback whose tasks fail as often as the threshold is ROLLBACK_FAILED",
        source: "The status exists; when it is reached is not documented",
    },
    Guess {
        what: "After a task that ran well failedTasks stays 0, while the circuit breaker and the pauses count on",
        source: "API_Deployment: the count \"resets to zero and stops being evaluated\"; API_DeploymentCircuitBreaker, resetOnHealthyTask, speaks of each healthy task",
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
    Guess {
        what: "A deleted service is DRAINING for `Timing::yielding` at the least, so that DeleteService never answers INACTIVE",
        source: "API_DeleteService: it moves from ACTIVE to DRAINING, and to INACTIVE when all tasks are STOPPING or STOPPED; how soon is not documented",
    },
    Guess {
        what: "Tasks of an INACTIVE service that is created again are still seen under its name",
        source: "Stopped tasks are seen for an hour; of this case nothing is said",
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
    Guess {
        what: "Capacity is endless unless `Lack::Capacity` or `Lack::FargateVcpus` says otherwise; launch type EC2 and every capacity provider run tasks as Fargate does",
        source: "A choice",
    },
    Guess {
        what: "A task for which there is no room, whose role ECS can not take on, or whose subnet is gone is tried again every `Timing::unplaced`, and the event is said again after six hours",
        source: "Developer guide, \"Viewing Amazon ECS service event messages\", has the sentences and the six hours; how often it is tried is not said",
    },
    Guess {
        what: "Subnets and security groups are looked at by the calls that name them and before each task; the event then says EC2's sentence",
        source: "Users published the refusals of CreateService and RunTask; of later launches only the form \"failed to launch a task with (error …)\"",
    },
    Guess {
        what: "What a task does not get stops it in this order: secrets, the registry's token, log streams, images; after as long as a pull takes",
        source: "Users published each sentence; the order is that of Fargate's agent as far as \"unable to pull secrets or registry auth\" and the log driver's check tell it",
    },
    Guess {
        what: "Without an execution role, an instance's role may pull and log whatever is asked",
        source: "A choice: there are no instances here",
    },
    Guess {
        what: "logs:CreateLogStream is asked of `log-group:NAME:log-stream:*`, PutLogEvents not at all",
        source: "The agent makes the stream at the task's start, lines come later; streams of tasks are not kept here",
    },
    Guess {
        what: "A change to an empty capacityProviderStrategy must be forced too; a service that CreateService was told neither of is one of launch type EC2",
        source: "AWS::ECS::Service, CapacityProviderStrategy: \"making a change to a capacity provider strategy … you must force a new deployment\"; clusters here have no default strategy",
    },
    Guess {
        what: "DescribeServices shows the field of a placement strategy as `instanceId` where `host` was asked for, and `CPU` and `MEMORY` in capitals",
        source: "API_PlacementStrategy: `host` \"has the same effect\"; how it is shown is general experience",
    },
    Guess {
        what: "A rollback brings back launch type and capacity provider strategy",
        source: "API_ServiceRevision has them; that the rollback restores them is an inference",
    },
    Guess {
        what: "Failing health checks are acted upon after RUNNING or at the end of the grace period, whichever is later: a target group's after `Timing::unhealthy`, a container's after (interval x retries) + startPeriod",
        source: "API_UpdateService: until then the scheduler ignores them; whether the count begins anew is not documented",
    },
    Guess {
        what: "A task that fails several checks is stopped for the one that has failed first, at a tie for the target group's",
        source: "Not documented",
    },
    Guess {
        what: "A task that is stopped shows the health that was last heard of",
        source: "API_HealthCheck says so of agents that are disconnected",
    },
    Guess {
        what: "ListTasks takes startedBy beside desiredStatus, and beside nothing else; \"cannot specify startedBy with other arguments\"; serviceName beside containerInstance is refused likewise",
        source: "API_ListTasks: \"it must be the only filter that you use\"; users saw the sentence for serviceName",
    },
    Guess {
        what: "The 51st tag of a resource is LimitExceededException in TagResource, InvalidParameterException in calls that create",
        source: "The first from the errors that the model lists for TagResource; the second from general experience",
    },
    Guess {
        what: "A health check or an image's digest that is out of bounds is ClientException in RegisterTaskDefinition",
        source: "The bounds are API_HealthCheck's and API_ContainerDefinition's; the operation lists InvalidParameterException too",
    },
    Guess {
        what: "pendingTasksCount of a cluster counts tasks that are PROVISIONING or ACTIVATING too",
        source: "API_Cluster names PENDING only; pendingCount of a service counts so",
    },
    Guess {
        what: "Only the ECS controller, REPLICA scheduling and ROLLING deployments without lifecycle hooks and early success are known; others are UnsupportedFeatureException",
        source: "A choice",
    },
    Guess {
        what: "Deployment alarms are watched and never go off; that they exist is not looked at",
        source: "A choice: there is no CloudWatch here",
    },
    Guess {
        what: "availabilityZoneRebalancing is DISABLED on a service that is created with a maximumPercent of 100 and does not name it; together with ENABLED such a percent is refused",
        source: "API_CreateService: the default is ENABLED; developer guide, \"Balancing an Amazon ECS service across Availability Zones\": a maximumPercent of 100 is not supported; of the default then nothing is said",
    },
    Guess {
        what: "A change of monitoring or gatewayConnectors starts a deployment",
        source: "API_ServiceRevision has both, and a revision does not change; UpdateService's documentation does not say",
    },
    Guess {
        what: "A definition is compatible with Fargate if it has what Fargate demands and nothing that it refuses, required or not",
        source: "API_TaskDefinition, compatibilities: checked at registration; what is checked is not listed",
    },
    Guess {
        what: "HEALTHY of a container without a health check, COMPLETE or SUCCESS of an essential one, and circular dependencies are ClientException",
        source: "API_ContainerDependency demands the first two; when they are looked at is not documented",
    },
    Guess {
        what: "Containers whose cpu, or whose memory reservations, are together more than the task's are refused; so is one whose memory is",
        source: "API_ContainerDefinition: the total must be lower than the task's; equal is taken, as users do it",
    },
    Guess {
        what: "A container needs 6 MiB",
        source: "API_ContainerDefinition: 6 MiB since Docker 20.10.0, 4 MiB before; which of them is demanded is not said",
    },
    Guess {
        what: "An essential container with a restart policy that exits after `restartAttemptPeriod` with a code that is not ignored is started again, and the task counts as if it had not ended; its restartCount is not shown",
        source: "Developer guide, \"Restart individual containers in Amazon ECS tasks with container restart policies\"; a container that exits sooner is not restarted",
    },
    Guess {
        what: "An ID of a task that is neither 32 nor 36 characters long is `taskId length should be one of [32,36]`",
        source: "Users published the sentence, of DescribeTasks; StopTask is taken to say it too",
    },
    Guess {
        what: "RunTask's overrides of command, environment, cpu and memory are shown and change nothing that is played; those of roles do",
        source: "A choice: images have stories, whatever their command",
    },
    Guess {
        what: "What is not played is refused: settings, statistics and attachments of DescribeClusters as InvalidParameterException; daemons of ListTasks and volumes of RunTask as UnsupportedFeatureException",
        source: "A choice: AWS answers them",
    },
    Guess {
        what: "A namespace that Service Connect names and that is not there is NamespaceNotFoundException, of CreateService and UpdateService",
        source: "The error is in both models; the sentence is its documentation's",
    },
    Guess {
        what: "A volume of which only the name is given is shown with an empty host; an EFS volume without rootDirectory with /",
        source: "Outputs of DescribeTaskDefinition that users published; API_EFSVolumeConfiguration",
    },
    Guess {
        what: "awslogs without a group, and on Fargate without a region, is refused at registration, one without a stream prefix is not",
        source: "Developer guide, \"Send Amazon ECS logs to CloudWatch\", demands all three; when is not said, and files without a region are in use on EC2",
    },
    Guess {
        what: "The sentences about roles, placement, volumes and strategies that a service can not have",
        source: "The rules are API_CreateService's; of the sentences, those about the service linked role and placement on Fargate are quoted by users",
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
