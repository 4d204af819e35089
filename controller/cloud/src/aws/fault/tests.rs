use super::*;
use crate::aws::failure;
use crate::aws::fault::guesses::GUESSES;
use launchway_plan::fault::Remedy::{AskOperator, AskUser, LookAgain, Retry};

/// What becomes of a refusal by AWS with HTTP status 400, as far as the code says.
fn helps(operation: Operation, code: &str, message: &str) -> Remedy {
    remedy(operation, &failure::refused(400, Some(code), Some(message)))
}

/// Every error that the service model lists for an operation that is used, with what helps when its text says nothing.
/// The models: aws-sdk-ecs 1.157, aws-sdk-codebuild 1.145, aws-sdk-ecr 1.138, aws-sdk-cloudwatchlogs 1.162,
/// aws-sdk-sts 1.124.
const MODELLED: &[(Operation, &[(&str, Remedy)])] = &[
    (
        Operation::DescribeServices,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
        ],
    ),
    (
        Operation::ListServiceDeployments,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
            ("ServiceNotFoundException", Retry),
            ("UnsupportedFeatureException", AskOperator),
        ],
    ),
    (
        Operation::DescribeServiceDeployments,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
            ("ServiceNotFoundException", Retry),
            ("UnsupportedFeatureException", AskOperator),
        ],
    ),
    (
        Operation::DescribeServiceRevisions,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
            ("ServiceNotFoundException", Retry),
            ("UnsupportedFeatureException", AskOperator),
        ],
    ),
    (
        Operation::ListTasks,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
            ("ServiceNotFoundException", Retry),
        ],
    ),
    (
        Operation::DescribeTasks,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
        ],
    ),
    (
        Operation::DescribeTaskDefinition,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
        ],
    ),
    (
        Operation::ListTaskDefinitions,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("ServerException", Retry),
        ],
    ),
    (
        Operation::RegisterTaskDefinition,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskUser),
            ("InvalidParameterException", AskUser),
            ("LimitExceededException", AskOperator),
            ("ServerException", LookAgain),
        ],
    ),
    (
        Operation::CreateService,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskUser),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", LookAgain),
            ("NamespaceNotFoundException", AskOperator),
            ("PlatformTaskDefinitionIncompatibilityException", AskUser),
            ("PlatformUnknownException", AskUser),
            ("ServerException", LookAgain),
            ("UnsupportedFeatureException", AskUser),
        ],
    ),
    (
        Operation::UpdateService,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskUser),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskUser),
            ("NamespaceNotFoundException", AskOperator),
            ("PlatformTaskDefinitionIncompatibilityException", AskUser),
            ("PlatformUnknownException", AskUser),
            ("ServerException", LookAgain),
            ("ServiceNotActiveException", LookAgain),
            ("ServiceNotFoundException", LookAgain),
            ("UnsupportedFeatureException", AskUser),
        ],
    ),
    (
        Operation::DeleteService,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskUser),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskUser),
            ("ServerException", LookAgain),
            ("ServiceNotFoundException", LookAgain),
        ],
    ),
    (
        Operation::TagResource,
        &[
            ("AccessDeniedException", AskOperator),
            ("ClientException", AskUser),
            ("ClusterNotFoundException", AskOperator),
            ("InvalidParameterException", AskUser),
            ("LimitExceededException", AskOperator),
            ("ResourceNotFoundException", LookAgain),
            ("ServerException", LookAgain),
        ],
    ),
    (Operation::BatchGetBuilds, &[("InvalidInputException", AskOperator)]),
    (
        Operation::ListBuildsForProject,
        &[("InvalidInputException", AskOperator), ("ResourceNotFoundException", AskOperator)],
    ),
    (
        Operation::StartBuild,
        &[
            ("AccountLimitExceededException", AskOperator),
            ("InvalidInputException", AskOperator),
            ("ResourceNotFoundException", AskOperator),
        ],
    ),
    (Operation::StopBuild, &[("InvalidInputException", LookAgain), ("ResourceNotFoundException", AskOperator)]),
    (
        Operation::DescribeImages,
        &[
            ("ImageNotFoundException", AskOperator),
            ("InvalidParameterException", AskOperator),
            ("RepositoryNotFoundException", AskOperator),
            ("ServerException", Retry),
        ],
    ),
    (
        Operation::GetLogEvents,
        &[
            ("InvalidParameterException", AskOperator),
            ("ResourceNotFoundException", AskOperator),
            ("ServiceUnavailableException", Retry),
        ],
    ),
    (
        Operation::AssumeRole,
        &[
            ("ExpiredTokenException", Retry),
            ("MalformedPolicyDocument", AskOperator),
            ("PackedPolicyTooLarge", AskOperator),
            ("RegionDisabledException", AskOperator),
        ],
    ),
    (Operation::GetCallerIdentity, &[]),
];

#[test]
fn each_error_of_the_service_models_has_its_remedy() {
    for operation in Operation::ALL.iter().copied() {
        let rows = MODELLED.iter().filter(|(other, _)| *other == operation);
        assert_eq!(rows.clone().count(), 1, "{operation:?} has one row");
        for (code, expected) in rows.flat_map(|(_, errors)| errors.iter()) {
            assert_eq!(helps(operation, code, ""), *expected, "{operation:?} {code}");
        }
    }
}

#[test]
fn each_service_gives_the_common_errors_the_same_remedy() {
    let common = [
        ("Throttling", Retry),
        ("ThrottlingException", Retry),
        ("TooManyRequestsException", Retry),
        ("RequestLimitExceeded", Retry),
        ("ExpiredToken", Retry),
        ("ExpiredTokenException", Retry),
        ("RequestExpired", Retry),
        ("AccessDenied", AskOperator),
        ("AccessDeniedException", AskOperator),
        ("UnrecognizedClientException", AskOperator),
        ("InvalidClientTokenId", AskOperator),
        ("InvalidSignatureException", AskOperator),
        ("OptInRequired", AskOperator),
        ("SomethingThatAwsInventsTomorrow", AskOperator),
    ];
    for operation in Operation::ALL.iter().copied() {
        for (code, expected) in common {
            assert_eq!(helps(operation, code, ""), expected, "{operation:?} {code}");
        }
        let bad = if operation.nature() == Nature::Look { AskOperator } else { AskUser };
        assert_eq!(helps(operation, "ValidationException", ""), bad, "{operation:?}");
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
fn texts_say_whom_to_ask_or_to_look_again() {
    let update = Operation::UpdateService;
    let start = Operation::StartBuild;
    for (operation, code, message, expected) in [
        (update, "ClientException", "TaskDefinition is inactive", LookAgain),
        (update, "InvalidSignatureException", "Signature not yet current: 20261121T101500Z is still later", Retry),
        (update, "InvalidParameterException", "The specified target group does not exist.", AskOperator),
        (update, "InvalidParameterException", "The container web does not exist in the task definition.", AskUser),
        (
            update,
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            AskOperator,
        ),
        (
            Operation::RegisterTaskDefinition,
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
            Retry,
        ),
        (Operation::RegisterTaskDefinition, "ClientException", "Role is not valid", AskOperator),
        (
            Operation::RegisterTaskDefinition,
            "ClientException",
            "No Fargate configuration exists for given values.",
            AskUser,
        ),
        (Operation::CreateService, "InvalidParameterException", "Creation of service was not idempotent.", LookAgain),
        (start, "InvalidInputException", "parameter mismatch for the idempotency token", LookAgain),
        (start, "InvalidInputException", "Invalid environment variable name", AskOperator),
        (
            start,
            "InvalidInputException",
            "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::123456789012:role/build",
            AskOperator,
        ),
        (start, "AccountLimitExceededException", "Cannot have more than 60 builds in queue for the account", Retry),
        (
            start,
            "AccountLimitExceededException",
            "Cannot have more than 0 builds in queue for the account",
            AskOperator,
        ),
    ] {
        assert_eq!(helps(operation, code, message), expected, "{code}: {message}");
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
    assert_eq!(fault.message, "needs iam:PassRole");
    assert_eq!(fault.resource, "arn:aws:iam::1:role/task");
}

#[test]
fn a_denial_that_says_nothing_names_what_was_asked_for() {
    let failure = failure::refused(403, Some("AccessDenied"), Some("Access Denied"));
    let fault = of(Operation::DescribeImages, &failure, "arn:aws:ecr:r:1:repository/a".to_owned());
    assert_eq!((fault.message.as_str(), fault.resource.as_str()), ("Access Denied", "arn:aws:ecr:r:1:repository/a"));
}

#[test]
fn a_faults_message_is_short_and_holds_no_credential() {
    let said = format!("key AKIAIOSFODNN7EXAMPLE {}", "word ".repeat(500));
    let failure = failure::refused(400, Some("ClientException"), Some(&said));
    let fault = of(Operation::UpdateService, &failure, String::new());
    assert!(fault.message.len() <= 512 && !fault.message.contains("AKIA"), "{}", fault.message);
}
