use super::*;
use crate::aws::failure;
use crate::aws::guesses::GUESSES;
use launchway_plan::fault::FaultKind::{
    Absent, Credentials, Dubious, Gone, Invalid, Outage, Quota, Refused, Throttled, Unanswered,
};
use launchway_plan::fault::Remedy::{AskOperator, AskUser, LookAgain, Retry};
use launchway_plan::fault::Thing;

const DENIED: FaultKind = FaultKind::Denied { needs: None };

/// What kind of fault a refusal by AWS with HTTP status 400 is.
fn refused(operation: Operation, code: &str, message: &str) -> FaultKind {
    kind(operation, &failure::refused(400, Some(code), Some(message)))
}

/// Every error that the service model lists for an operation that is used, with its kind when its text says nothing.
/// The models: aws-sdk-ecs 1.157, aws-sdk-codebuild 1.145, aws-sdk-ecr 1.138, aws-sdk-cloudwatchlogs 1.162,
/// aws-sdk-sts 1.124.
const MODELLED: &[(Operation, &[(&str, FaultKind)])] = &[
    (
        Operation::DescribeServices,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::ListServiceDeployments,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotFoundException", Gone),
            ("UnsupportedFeatureException", Invalid),
        ],
    ),
    (
        Operation::DescribeServiceDeployments,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotFoundException", Gone),
            ("UnsupportedFeatureException", Invalid),
        ],
    ),
    (
        Operation::DescribeServiceRevisions,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotFoundException", Gone),
            ("UnsupportedFeatureException", Invalid),
        ],
    ),
    (
        Operation::ListTasks,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotFoundException", Gone),
        ],
    ),
    (
        Operation::DescribeTasks,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::DescribeTaskDefinition,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::ListTaskDefinitions,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::RegisterTaskDefinition,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("InvalidParameterException", Invalid),
            ("LimitExceededException", Quota),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::CreateService,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Dubious),
            ("NamespaceNotFoundException", Absent(Thing::Namespace)),
            ("PlatformTaskDefinitionIncompatibilityException", Invalid),
            ("PlatformUnknownException", Invalid),
            ("ServerException", Outage),
            ("UnsupportedFeatureException", Invalid),
        ],
    ),
    (
        Operation::UpdateService,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("NamespaceNotFoundException", Absent(Thing::Namespace)),
            ("PlatformTaskDefinitionIncompatibilityException", Invalid),
            ("PlatformUnknownException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotActiveException", Gone),
            ("ServiceNotFoundException", Gone),
            ("UnsupportedFeatureException", Invalid),
        ],
    ),
    (
        Operation::DeleteService,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("ServerException", Outage),
            ("ServiceNotFoundException", Gone),
        ],
    ),
    (
        Operation::TagResource,
        &[
            ("AccessDeniedException", DENIED),
            ("ClientException", Invalid),
            ("ClusterNotFoundException", Absent(Thing::Cluster)),
            ("InvalidParameterException", Invalid),
            ("LimitExceededException", Quota),
            ("ResourceNotFoundException", Gone),
            ("ServerException", Outage),
        ],
    ),
    (Operation::BatchGetBuilds, &[("InvalidInputException", Refused)]),
    (Operation::BatchGetProjects, &[("InvalidInputException", Refused)]),
    (Operation::BatchGetReports, &[("InvalidInputException", Refused)]),
    (
        Operation::ListBuildsForProject,
        &[("InvalidInputException", Refused), ("ResourceNotFoundException", Absent(Thing::Project))],
    ),
    (
        Operation::StartBuild,
        &[
            ("AccountLimitExceededException", Quota),
            ("InvalidInputException", Refused),
            ("ResourceNotFoundException", Absent(Thing::Project)),
        ],
    ),
    (Operation::StopBuild, &[("InvalidInputException", Gone), ("ResourceNotFoundException", Absent(Thing::Project))]),
    (
        Operation::DescribeImages,
        &[
            ("ImageNotFoundException", Gone),
            ("InvalidParameterException", Invalid),
            ("RepositoryNotFoundException", Absent(Thing::Repository)),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::DescribeRepositories,
        &[
            ("InvalidParameterException", Invalid),
            ("RepositoryNotFoundException", Absent(Thing::Repository)),
            ("ServerException", Outage),
        ],
    ),
    (
        Operation::DescribeImageScanFindings,
        &[
            ("ImageNotFoundException", Gone),
            ("InvalidParameterException", Invalid),
            ("RepositoryNotFoundException", Absent(Thing::Repository)),
            ("ScanNotFoundException", Refused),
            ("ServerException", Outage),
            ("ValidationException", Invalid),
        ],
    ),
    (
        Operation::GetObject,
        &[
            ("ExpiredToken", Throttled),
            ("InternalError", Outage),
            ("InvalidAccessKeyId", Credentials),
            ("InvalidObjectState", Refused),
            ("InvalidRange", Invalid),
            ("NoSuchBucket", Absent(Thing::Other)),
            ("NoSuchKey", Refused),
            ("PermanentRedirect", Refused),
            ("PreconditionFailed", Gone),
            ("RequestTimeTooSkewed", Throttled),
            ("ServiceUnavailable", Outage),
            ("SlowDown", Throttled),
        ],
    ),
    (
        Operation::GetLogEvents,
        &[
            ("InvalidParameterException", Invalid),
            ("ResourceNotFoundException", Refused),
            ("ServiceUnavailableException", Outage),
        ],
    ),
    (
        Operation::AssumeRole,
        &[
            ("ExpiredTokenException", Throttled),
            ("MalformedPolicyDocument", Refused),
            ("PackedPolicyTooLarge", Refused),
            ("RegionDisabledException", Refused),
        ],
    ),
    (Operation::GetCallerIdentity, &[]),
    (Operation::GitPull, &[]),
];

#[test]
fn each_error_of_the_service_models_has_its_kind() {
    for operation in Operation::ALL.iter().copied() {
        let rows = MODELLED.iter().filter(|(other, _)| *other == operation);
        assert_eq!(rows.clone().count(), 1, "{operation:?} has one row");
        for (code, expected) in rows.flat_map(|(_, errors)| errors.iter()) {
            assert_eq!(refused(operation, code, ""), *expected, "{operation:?} {code}");
        }
    }
}

#[test]
fn each_service_gives_the_common_errors_the_same_kind() {
    let common = [
        ("Throttling", Throttled),
        ("ThrottlingException", Throttled),
        ("TooManyRequestsException", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("ExpiredToken", Throttled),
        ("ExpiredTokenException", Throttled),
        ("RequestExpired", Throttled),
        ("AccessDenied", DENIED),
        ("AccessDeniedException", DENIED),
        ("UnrecognizedClientException", Credentials),
        ("InvalidClientTokenId", Credentials),
        ("InvalidSignatureException", Credentials),
        ("LimitExceededException", Quota),
        ("OptInRequired", Refused),
        ("ValidationException", Invalid),
        ("SomethingThatAwsInventsTomorrow", Refused),
    ];
    for operation in Operation::ALL.iter().copied() {
        for (code, expected) in &common {
            assert_eq!(refused(operation, code, ""), *expected, "{operation:?} {code}");
        }
    }
}

#[test]
fn what_helps_follows_from_the_kind_and_for_some_from_whether_something_was_to_change() {
    for (kind, look, effect) in [
        (DENIED, AskOperator, AskOperator),
        (Credentials, AskOperator, AskOperator),
        (Quota, AskOperator, AskOperator),
        (Absent(Thing::Other), AskOperator, AskOperator),
        (Refused, AskOperator, AskOperator),
        (Invalid, AskOperator, AskUser),
        (Gone, Retry, LookAgain),
        (Dubious, Retry, LookAgain),
        (Outage, Retry, LookAgain),
        (Unanswered, Retry, LookAgain),
        (Throttled, Retry, Retry),
    ] {
        let helps = [Nature::Look, Nature::Effect].map(|nature| against(&kind, nature));
        assert_eq!(helps, [look, effect], "{kind:?}");
    }
}

#[test]
fn what_awss_own_failures_leave_open_is_doubt_for_an_effect_and_another_look_for_a_look() {
    for operation in Operation::ALL.iter().copied() {
        let expected = if operation.nature() == Nature::Look { Retry } else { LookAgain };
        for (status, code) in [
            (500, Some("InternalFailure")),
            (503, None),
            (502, None),
            (403, None),
            (400, Some("ServerException")),
            (400, Some("RequestTimeout")),
            (503, Some("ThrottlingException")),
        ] {
            assert_eq!(remedy(operation, &failure::refused(status, code, None)), expected, "{operation:?} {status}");
        }
        let unreadable = Failure::unreadable("");
        assert_eq!(remedy(operation, &unreadable), expected, "{operation:?}");
    }
}

#[test]
fn texts_say_what_a_code_alone_does_not() {
    let update = Operation::UpdateService;
    let register = Operation::RegisterTaskDefinition;
    let start = Operation::StartBuild;
    for (operation, code, message, expected) in [
        (update, "ClientException", "TaskDefinition is inactive", Dubious),
        (update, "InvalidSignatureException", "Signature not yet current: 20261121T101500Z is still later", Throttled),
        (update, "InvalidParameterException", "The specified target group does not exist.", Absent(Thing::Other)),
        (update, "InvalidParameterException", "The container web does not exist in the task definition.", Invalid),
        (
            update,
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            Absent(Thing::Other),
        ),
        (
            register,
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
            Throttled,
        ),
        (register, "ClientException", "Role is not valid", Absent(Thing::Other)),
        (register, "ClientException", "No Fargate configuration exists for given values.", Invalid),
        (Operation::CreateService, "InvalidParameterException", "Creation of service was not idempotent.", Dubious),
        (start, "InvalidInputException", "parameter mismatch for the idempotency token", Dubious),
        (start, "InvalidInputException", "Invalid environment variable name", Refused),
        (
            start,
            "InvalidInputException",
            "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::123456789012:role/build",
            Refused,
        ),
        (start, "AccountLimitExceededException", "Cannot have more than 60 builds in queue for the account", Throttled),
        (start, "AccountLimitExceededException", "Cannot have more than 0 builds in queue for the account", Quota),
    ] {
        assert_eq!(refused(operation, code, message), expected, "{code}: {message}");
    }
}

#[test]
fn each_text_that_is_read_is_listed_with_an_example_and_knows_no_other_text() {
    for guess in GUESSES {
        let Some((example, knows)) = guess.text else { continue };
        assert!(knows(example), "{}", guess.name);
        assert!(!knows("Rate exceeded"), "{}", guess.name);
        assert!(!knows(""), "{}", guess.name);
    }
}

#[test]
fn a_denial_names_the_action_and_the_resource_that_are_missing() {
    let said = "User: arn:aws:sts::1:assumed-role/l/l is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/task because no identity-based policy allows the iam:PassRole action";
    let failure = failure::refused(400, Some("AccessDeniedException"), Some(said));
    let fault = of(Operation::RegisterTaskDefinition, &failure, "arn:aws:ecs:r:1:task-definition/f:*".to_owned());
    assert_eq!(fault.operation, "ecs:RegisterTaskDefinition");
    assert_eq!(fault.kind, FaultKind::Denied { needs: Some("iam:PassRole".to_owned()) });
    assert_eq!(fault.resource, "arn:aws:iam::1:role/task");
}

#[test]
fn a_denial_that_says_nothing_names_what_was_asked_for() {
    let failure = failure::refused(403, Some("AccessDenied"), Some("Access Denied"));
    let fault = of(Operation::DescribeImages, &failure, "arn:aws:ecr:r:1:repository/a".to_owned());
    assert_eq!((fault.message.as_str(), fault.resource.as_str()), ("Access Denied", "arn:aws:ecr:r:1:repository/a"));
    assert_eq!(fault.kind, DENIED);
    let silent = of(Operation::DescribeImages, &failure::refused(403, Some("AccessDenied"), None), String::new());
    assert_eq!(silent.kind, FaultKind::Denied { needs: Some("ecr:DescribeImages".to_owned()) });
}

#[test]
fn a_denial_that_no_statement_for_the_role_helps_against_says_why() {
    let said = "User: arn:aws:sts::1:assumed-role/l/l is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:r:1:service/a/b with an explicit deny in a service control policy";
    let failure = failure::refused(400, Some("AccessDeniedException"), Some(said));
    let fault = of(Operation::UpdateService, &failure, String::new());
    assert_eq!(fault.kind, DENIED);
    assert_eq!(fault.message, "ecs:UpdateService is denied with an explicit deny in a service control policy");
}

#[test]
fn a_faults_message_is_short_and_holds_no_credential() {
    let said = format!("key AKIAIOSFODNN7EXAMPLE {}", "word ".repeat(500));
    let failure = failure::refused(400, Some("ClientException"), Some(&said));
    let fault = of(Operation::UpdateService, &failure, String::new());
    assert!(fault.message.len() <= 512 && !fault.message.contains("AKIA"), "{}", fault.message);
}
