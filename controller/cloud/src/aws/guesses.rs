//! What is assumed about AWS and was never checked on a real account: texts that are parsed, orders that are relied on. A
//! text may turn an error that needs a person into a look or a retry, or say which person; it never turns one into a
//! success.

/// Something that is believed of AWS.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// The predicate, or what relies on it.
    pub name: &'static str,
    /// What is believed.
    pub belief: &'static str,
    /// What follows if it is wrong.
    pub if_wrong: &'static str,
    /// Where the belief comes from.
    pub source: &'static str,
    /// A text of AWS's and the predicate that knows it, for those that read texts.
    pub text: Option<(&'static str, Knows)>,
}

/// A predicate over a text of AWS's.
pub type Knows = fn(&str) -> bool;

/// All of them.
pub const GUESSES: &[Guess] = &[
    Guess {
        name: "denied",
        belief: "a denial says \"is not authorized to perform: ACTION on resource: ARN\"",
        if_wrong: "the fault names the action and resource that were asked for, and AWS's own words",
        source: "IAM user guide, troubleshooting access denied messages",
        text: Some((
            "User: arn:aws:sts::123456789012:assumed-role/launchway/launchway is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/task because no identity-based policy allows the iam:PassRole action",
            |text| denied(text).is_some(),
        )),
    },
    Guess {
        name: "denied_for_good",
        belief: "a denial ends \"with an explicit deny in a TYPE policy\" or \"because no TYPE policy allows the ACTION action\"",
        if_wrong: "the message says to allow the action for the role, which does not help alone",
        source: "IAM user guide, access denied error message examples",
        text: Some((
            "User: arn:aws:sts::123456789012:assumed-role/launchway/launchway is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:us-east-2:123456789012:service/a/b with an explicit deny in a service control policy",
            |text| denied_for_good(text).is_some(),
        )),
    },
    Guess {
        name: "task_definition_is_absent",
        belief: "DescribeTaskDefinition of what is not there is a ClientException \"Unable to describe task definition\"",
        if_wrong: "nothing is registered, and the fault shows AWS's words",
        source: "general experience; the API reference names only ClientException",
        text: Some(("Unable to describe task definition.", task_definition_is_absent)),
    },
    Guess {
        name: "exported_image",
        belief: "BatchGetBuilds shows the variables that a buildspec exports as soon as it shows that the build has ended, or within a minute",
        if_wrong: "a Release with imageFrom fails as ImageMissing, one whose build gets a variable of a check as BuildFailed, and says that nothing was exported",
        source: "the API reference of Build does not say when",
        text: None,
    },
    Guess {
        name: "is_unhealthy",
        belief: "a task that the scheduler stopped for its health says \"failed … health checks\"",
        if_wrong: "the log of such a task is shown only where its ID is given",
        source: "Amazon ECS developer guide, stopped tasks error messages",
        text: Some((
            "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/a/1)",
            is_unhealthy,
        )),
    },
    Guess {
        name: "is_registered_at_once",
        belief: "two registrations of one family at once: ClientException \"Too many concurrent attempts to create a new revision of the specified family\"",
        if_wrong: "the user is asked for something that passes",
        source: "general experience",
        text: Some((
            "Too many concurrent attempts to create a new revision of the specified family.",
            is_registered_at_once,
        )),
    },
    Guess {
        name: "revision_is_inactive",
        belief: "UpdateService to a revision that was deregistered or deleted: \"TaskDefinition is inactive\", \"TaskDefinition not found\"",
        if_wrong: "the user is asked, until the spec changes",
        source: "general experience",
        text: Some(("TaskDefinition is inactive", revision_is_inactive)),
    },
    Guess {
        name: "world_lacks_something",
        belief: "a refused parameter that names a thing that is not there says so, or that a role cannot be assumed",
        if_wrong: "the user is asked instead of the operator: it is not tried again by itself",
        source: "general experience; CodeBuild: user guide, troubleshooting",
        text: Some((
            "The target group with targetGroupArn arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/a/1 does not have an associated load balancer.",
            world_lacks_something,
        )),
    },
    Guess {
        name: "token_has_other_parameters",
        belief: "StartBuild with a used token and other parameters: InvalidInputException with \"mismatch\" or \"idempotency\" in its text",
        if_wrong: "the user is asked although a build runs; the next change looks and finds it",
        source: "CodeBuild's API reference speaks of a \"parameter mismatch error\", class not named",
        text: Some((
            "Parameter mismatch: the idempotency token was used with other parameters",
            token_has_other_parameters,
        )),
    },
    Guess {
        name: "builds_are_allowed_at_all",
        belief: "AccountLimitExceededException \"Cannot have more than N builds in queue for the account\", N above zero: it passes",
        if_wrong: "the operator is asked for something that passes; it is tried again all the same, less often",
        source: "CodeBuild user guide, troubleshooting; public issues",
        text: Some(("Cannot have more than 20 builds in queue for the account", builds_are_allowed_at_all)),
    },
    Guess {
        name: "signature_is_of_another_time",
        belief: "a wrong clock: InvalidSignatureException \"Signature expired\" or \"Signature not yet current\"",
        if_wrong: "the operator is asked, and the next look is signed by AWS's time all the same",
        source: "IAM user guide, troubleshooting Signature Version 4",
        text: Some((
            "Signature expired: 20261121T100000Z is now earlier than 20261121T101000Z (20261121T101500Z - 5 min.)",
            signature_is_of_another_time,
        )),
    },
    Guess {
        name: "builds_since",
        belief: "ListBuildsForProject without sortOrder lists the newest first",
        if_wrong: "the search for a build in doubt ends early; the build's token then protects for 5 minutes",
        source: "CodeBuild's API reference",
        text: None,
    },
    Guess {
        name: "newest_deployments",
        belief: "the pages of ListServiceDeployments are the newest first, if the first one is",
        if_wrong: "deployments beyond the first hundred are not seen",
        source: "none; a page that is in another order is paged on from",
        text: None,
    },
    Guess {
        name: "describe_deployments",
        belief: "DescribeServiceDeployments and DescribeServiceRevisions take ARNs of several services of a cluster",
        if_wrong: "each is asked for alone: more calls",
        source: "the service model has no member for a service",
        text: None,
    },
    Guess {
        name: "who pushed an image",
        belief: "imagePushedAt lies between the start and the end of the build that pushed the image, by AWS's clocks",
        if_wrong: "an image is built again that need not be; or one that a failed build left counts as another's",
        source: "API_ImageDetail; that a tag put on an image that is there already does not change the time is not documented",
        text: None,
    },
    Guess {
        name: "image",
        belief: "DescribeImages by tag either leaves an archived image out or says ARCHIVED",
        if_wrong: "an image that cannot be pulled is rolled, and ECS says so",
        source: "ECR's service model",
        text: None,
    },
    Guess {
        name: "the path of an artifact",
        belief: "Build.artifacts.location is `arn:aws:s3:::<bucket>/<key>`, and with namespaceType BUILD_ID a part of the key is the build's UUID, or its whole ID",
        if_wrong: "the Release ends before any stage and says that another build may have overwritten the file",
        source: "API references of ProjectArtifacts and BuildArtifacts; the AWS CLI's examples of batch-get-builds",
        text: None,
    },
    Guess {
        name: "the hash of an artifact",
        belief: "a build shows sha256sum of its artifact if that is a zip, and only then",
        if_wrong: "a zip is looked at all the same once the folder is not there; a folder's file is told as missing",
        source: "API reference of BuildArtifacts",
        text: None,
    },
];

/// The action that was denied, and on which resource, if it says so.
pub(crate) fn denied(text: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = text.split_once("is not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    let named = rest.split_once(" on resource: ").and_then(|(_, rest)| rest.split_whitespace().next());
    let resource = named.map(|arn| arn.trim_matches(['"', '\'', ',', '.'])).filter(|arn| !arn.is_empty());
    action.contains(':').then_some((action, resource))
}

/// Why a denial cannot be helped by another statement for the role alone, in AWS's words: something denies explicitly, or
/// another policy than the role's does not allow.
pub(crate) fn denied_for_good(text: &str) -> Option<&str> {
    let at = text.find("with an explicit deny").or_else(|| text.find("because no "))?;
    let why = &text[at..];
    (!why.starts_with("because no identity-based policy")).then_some(why)
}

/// Whether a signature is refused for the time it names.
pub(crate) fn signature_is_of_another_time(text: &str) -> bool {
    text.contains("Signature expired") || text.contains("Signature not yet current")
}

/// Whether there is no such task definition.
pub(crate) fn task_definition_is_absent(text: &str) -> bool {
    text.contains("Unable to describe task definition")
}

/// Whether somebody else registers in the family.
pub(crate) fn is_registered_at_once(text: &str) -> bool {
    text.contains("Too many concurrent attempts")
}

/// Whether the revision was deregistered.
pub(crate) fn revision_is_inactive(text: &str) -> bool {
    text.contains("TaskDefinition is inactive") || text.contains("TaskDefinition not found")
}

/// Whether something is missing that is not in the spec: a target group, a subnet, a role that can be assumed. A
/// container that is missing in the task definition is the spec's.
pub(crate) fn world_lacks_something(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if text.contains("in the task definition") {
        return false;
    }
    [
        "does not exist",
        "doesn't exist",
        "not found",
        "cannot be found",
        "could not be found",
        "does not have an associated load balancer",
        "unable to assume",
        "not authorized to perform",
        "role is not valid",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Whether a task was stopped because its health checks failed.
pub(crate) fn is_unhealthy(text: &str) -> bool {
    text.contains("failed") && text.contains("health checks")
}

/// Whether a build of that token runs, with other parameters.
pub(crate) fn token_has_other_parameters(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("mismatch") || text.contains("idempotency")
}

/// Whether the account may have builds, only not one more now.
pub(crate) fn builds_are_allowed_at_all(text: &str) -> bool {
    let number = text.split_once("more than ").and_then(|(_, rest)| rest.split_whitespace().next());
    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number > 0)
}
