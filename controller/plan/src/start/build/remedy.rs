//! What mends a failed build, where CodeBuild's message or the end of its log says something that is known. Each is something that
//! people have met again and again.
//!
//! Sources: CodeBuild's user guide, "Troubleshooting AWS CodeBuild", "Use AWS CodeBuild with Amazon Virtual Private Cloud", "Allow users
//! to interact with CodeBuild"; ECR's user guide, "Troubleshooting errors with Docker commands", "IAM permissions for pushing an image".
//! Docker's, git's and the shell's own words are as these programs print them.

use super::Run;
use crate::condition::cut;

/// The longest name that is repeated from what a build said, in bytes.
const NAME: usize = 160;
/// What a push to ECR needs. The first of them that is missing is refused, and then the next.
const PUSH: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
];

/// A text that a build says, and what to do about it.
struct Known {
    /// All of these stand in one message or line.
    says: &'static [&'static str],
    remedy: fn(&str, &Run) -> String,
}

/// The role that commands run with.
fn role(run: &Run) -> String {
    let own = run.given.as_ref().and_then(|given| given.service_role.as_ref());
    own.map_or_else(|| format!("the role of project {}", run.project), |role| format!("role {role}"))
}

/// The more exact ones come first.
const KNOWN: &[Known] = &[
    Known { says: &["arn:aws", "is not authorized to perform:"], remedy: |text, _| missing_right(text) },
    Known {
        says: &["VPC_CLIENT_ERROR", "UnauthorizedOperation"],
        remedy: |_, run| {
            format!(
                "{} may not make network interfaces: add ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DeleteNetworkInterface, \
         ec2:DescribeSubnets, ec2:DescribeSecurityGroups, ec2:DescribeDhcpOptions, ec2:DescribeVpcs and ec2:CreateNetworkInterfacePermission",
                role(run)
            )
        },
    },
    Known {
        says: &["does not allow AWS CodeBuild to create Amazon CloudWatch Logs"],
        remedy: |_, run| {
            format!("add logs:CreateLogGroup, logs:CreateLogStream and logs:PutLogEvents to {}", role(run))
        },
    },
    Known {
        says: &["Cannot connect to the Docker daemon"],
        remedy: |_, run| {
            format!(
                "project {} may not run Docker: switch its privileged mode on (aws codebuild update-project), or say override: {{privilegedMode: true}} in the \
         Pipeline and allow Machine among the AwsAccount's overrides",
                run.project
            )
        },
    },
    Known { says: &["already exists in the", "immutable"], remedy: |text, _| tag_taken(text) },
    Known {
        says: &["unexpected status from", "403 Forbidden", ".dkr.ecr."],
        remedy: |_, run| statement(&role(run), &PUSH, "*"),
    },
    Known { says: &["no basic auth credentials"], remedy: |_, _| login() },
    Known { says: &["authorization token has expired"], remedy: |_, _| login() },
    Known {
        says: &["The repository with name", "does not exist"],
        remedy: |text, _| {
            format!(
                "make the repository (aws ecr create-repository --repository-name {}), or correct the name in the buildspec",
                quoted(text)
            )
        },
    },
    Known {
        says: &["toomanyrequests", "pull rate limit"],
        remedy: |_, _| {
            "Docker Hub limits pulls of who does not log in: take the base image from public.ecr.aws/docker/library/, or from ECR".to_owned()
        },
    },
    Known {
        says: &["toomanyrequests", "Rate exceeded"],
        remedy: |_, _| {
            "the registry limits pulls: log in to it (for public.ecr.aws: aws ecr-public get-login-password --region us-east-1), or try \
             again later"
                .to_owned()
        },
    },
    Known {
        says: &["exec format error"],
        remedy: |_, _| {
            "something in the image is for another processor: build it with --platform, or on a machine of that kind (override: \
             {environmentType: ARM_CONTAINER, image: aws/codebuild/amazonlinux-aarch64-standard:3.0}, with Machine among the \
             AwsAccount's overrides)"
                .to_owned()
        },
    },
    Known {
        says: &["no space left on device"],
        remedy: |_, _| {
            "the machine's disk is full: take a larger one (override: {computeType: BUILD_GENERAL1_LARGE}, with Machine among the \
             AwsAccount's overrides)"
                .to_owned()
        },
    },
    Known {
        says: &["no matching artifact paths found"],
        remedy: |_, _| {
            "the build left none of the files that artifacts.files of the buildspec names: they are looked for below \
             artifacts.base-directory, and the commands that write them have to run before"
                .to_owned()
        },
    },
    Known {
        says: &["no definition for primary artifacts"],
        remedy: |_, _| {
            "the buildspec has secondary-artifacts alone, and what the build leaves is the primary one: name the files under \
             artifacts.files too"
                .to_owned()
        },
    },
    Known { says: &["YAML_FILE_ERROR", "no such file or directory"], remedy: |_, _| no_buildspec() },
    Known { says: &["YAML_FILE_ERROR", "does not exist"], remedy: |_, _| no_buildspec() },
    Known {
        says: &["selecting at least one runtime version"],
        remedy: |_, _| "say phases.install.runtime-versions in the buildspec, or take a newer build image".to_owned(),
    },
    Known {
        says: &["YAML_FILE_ERROR"],
        remedy: |_, _| {
            "the buildspec is not as CodeBuild wants it: mend it where it stands: in the repository, in the Pipeline or in the project".to_owned()
        },
    },
    Known { says: &["reference not found", "primary source"], remedy: |_, run| other_source(run) },
    Known { says: &["authentication required", "primary source"], remedy: |_, run| source_access(run) },
    Known { says: &["epository not found", "primary source"], remedy: |_, run| source_access(run) },
    Known { says: &["Failed to get access token"], remedy: |_, run| source_access(run) },
    Known {
        says: &["parameter does not exist"],
        remedy: |_, _| {
            "make the parameter in the Parameter Store of this account and Region, or correct its name in environment or in the buildspec's env".to_owned()
        },
    },
    Known {
        says: &["Secrets Manager can't find the specified secret"],
        remedy: |_, _| {
            "make the secret in Secrets Manager of this account and Region, or correct its name in environment or in the buildspec's env".to_owned()
        },
    },
    Known {
        says: &["BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"],
        remedy: |_, run| {
            format!(
                "the build image of project {} cannot be pulled: look at its name, at the policy of its repository, and at imagePullCredentialsType",
                run.project
            )
        },
    },
    Known { says: &["Could not resolve host"], remedy: |_, run| no_way_out(run) },
    Known { says: &["i/o timeout"], remedy: |_, run| no_way_out(run) },
    Known { says: &["Connection timed out"], remedy: |_, run| no_way_out(run) },
];

/// What a command ended with. It says less than what the command printed.
const EXITS: &[Known] = &[
    Known {
        says: &["exit status 127"],
        remedy: |_, _| {
            "a command of the buildspec is not in the build image: install it in the buildspec, or take another image"
                .to_owned()
        },
    },
    Known {
        says: &["exit status 126"],
        remedy: |_, _| {
            "a script may not be executed: git update-index --chmod=+x FILE, and commit that; or call it with sh"
                .to_owned()
        },
    },
];

impl Known {
    fn is_in(&self, text: &str) -> bool {
        self.says.iter().all(|part| text.contains(part))
    }
}

/// What mends a build that ended with these messages of its phases and these last lines of its log; none: nothing of it is known. The
/// line nearest to the end counts: an earlier one may be of a command whose failure did not matter.
pub fn remedy(run: &Run, contexts: &[&str], log: &[String]) -> Option<String> {
    let texts = || log.iter().rev().map(String::as_str).chain(contexts.iter().copied());
    let told = |all: &[Known]| {
        texts().find_map(|text| all.iter().find(|known| known.is_in(text)).map(|known| (known.remedy)(text, run)))
    };
    told(KNOWN).or_else(|| told(EXITS))
}

fn login() -> String {
    "the build is not logged in at ECR: aws ecr get-login-password | docker login --username AWS --password-stdin \
     $AWS_ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com before the push; a login lasts 12 hours, and is for one account and Region"
        .to_owned()
}

fn no_buildspec() -> String {
    "the commit has no such buildspec: say where it is in buildspec.path, or write it into buildspec.inline".to_owned()
}

fn other_source(run: &Run) -> String {
    format!(
        "the source of project {} has no such commit: it has to be the Pipeline's repository, or say override: {{sourceType: …, sourceLocation: …}}",
        run.project
    )
}

fn source_access(run: &Run) -> String {
    format!(
        "CodeBuild may not read the source of project {}: give it a connection or credentials (aws codebuild import-source-credentials), and its role \
         codeconnections:UseConnection or codecommit:GitPull",
        run.project
    )
}

fn no_way_out(run: &Run) -> String {
    format!(
        "a host was not reached: if project {} is in a VPC, its subnets need a route through a NAT gateway or VPC endpoints, and its security groups have to \
         allow port 443 outwards",
        run.project
    )
}

/// The statement that a role lacks, from AWS's own sentence: `User: arn:…:assumed-role/ROLE/SESSION is not authorized to perform: ACTION on
/// resource: ARN because …`.
fn missing_right(text: &str) -> String {
    let after = |mark: &str| {
        let word = text.split_once(mark).map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default());
        let word = word.map(|word| word.trim_matches(['.', ',', '"', '\'', '\\', '(', ')']));
        word.filter(|word| is_name(word)).map(str::to_owned)
    };
    let role =
        text.split_once("assumed-role/").and_then(|(_, rest)| rest.split('/').next()).filter(|role| is_name(role));
    let role = role.map_or_else(|| "the project's role".to_owned(), |role| format!("role {role}"));
    let action = after("is not authorized to perform:").filter(|action| action.contains(':'));
    let (Some(action), Some(resource)) = (action, after("on resource:")) else {
        return "a right is missing: the log says who may not do what, and on which resource".to_owned();
    };
    if let Some(by) = denier(text) {
        return format!(
            "the policy of {role} is not what is missing: no {by} allows {action}; look at the role's boundary, the organization's \
             policies and the VPC endpoint's policy"
        );
    }
    if text.contains("explicit deny") {
        return format!(
            "a policy denies {action} to {role} explicitly: look at its policies, its boundary and the organization's"
        );
    }
    let action = cut(&action, NAME);
    let actions = if PUSH.contains(&action.as_str()) { PUSH.to_vec() } else { vec![action.as_str()] };
    statement(&role, &actions, &cut(&resource, NAME))
}

/// What allows nothing, where that is not the role's own policy: `… because no permissions boundary allows the … action`.
fn denier(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("because no ")?;
    let (by, _) = rest.split_once(" allows")?;
    let is_word = |c: char| c.is_ascii_alphabetic() || " -".contains(c);
    (by != "identity-based policy" && by.len() <= 40 && by.chars().all(is_word)).then_some(by)
}

fn statement(role: &str, actions: &[&str], resource: &str) -> String {
    let actions = actions.iter().map(|action| format!("\"{action}\"")).collect::<Vec<_>>().join(", ");
    format!(r#"add to the policy of {role}: {{"Effect": "Allow", "Action": [{actions}], "Resource": "{resource}"}}"#)
}

/// Of the names in single quotes the first is the tag's and the second the repository's.
fn tag_taken(text: &str) -> String {
    let (tag, repository) = (quoted(text), text.split('\'').nth(3).filter(|name| is_name(name)).unwrap_or("NAME"));
    if tag == "latest" {
        return "tag latest is there already, and no tag of the repository can be moved: let the buildspec not push it, or make the \
                repository MUTABLE, or IMMUTABLE_WITH_EXCLUSION for latest"
            .to_owned();
    }
    format!(
        "the tag is there already, and no tag of the repository can be moved: if nothing else needs it, delete it (aws ecr \
         batch-delete-image --repository-name {} --image-ids imageTag={tag}; of several images in each repository), and make another \
         Release",
        cut(repository, NAME)
    )
}

/// The first text in single quotes; what to fill in, if there is none.
fn quoted(text: &str) -> String {
    text.split('\'').nth(1).filter(|name| is_name(name)).map_or_else(|| "NAME".to_owned(), |name| cut(name, NAME))
}

/// Whether it is a name or an ARN, and nothing that a build put in its place.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/*-".contains(c))
}

/// What builds say, as an example of each kind, for the documents.
pub const EXAMPLES: &[&str] = &[
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "denied: User: arn:aws:sts::123456789012:assumed-role/codebuild-iridium/AWSCodeBuild-1 is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-2:123456789012:repository/iridium because no identity-based policy allows the ecr:InitiateLayerUpload action",
    "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: arn:aws:sts::123456789012:assumed-role/codebuild-iridium/AWSCodeBuild-1 is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action",
    "User: arn:aws:sts::123456789012:assumed-role/codebuild-iridium/AWSCodeBuild-1 is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-east-2:123456789012:repository/iridium because no permissions boundary allows the ecr:PutImage action",
    "no basic auth credentials",
    "tag invalid: The image tag 'latest' already exists in the 'iridium' repository and cannot be overwritten because the repository is immutable.",
    "name unknown: The repository with name 'iridium' does not exist in the registry with id '123456789012'",
    "tag invalid: The image tag '0123456789abcdef' already exists in the 'iridium' repository and cannot be overwritten because the repository is immutable.",
    "toomanyrequests: You have reached your pull rate limit.",
    "toomanyrequests: Rate exceeded",
    "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-east-2.amazonaws.com/v2/iridium/manifests/latest: 403 Forbidden",
    "exec /bin/sh: exec format error",
    "write /var/lib/docker/tmp/x: no space left on device",
    "CLIENT_ERROR: no matching artifact paths found",
    "CLIENT_ERROR: no definition for primary artifacts in buildspec",
    "YAML_FILE_ERROR Message: stat /codebuild/output/src1/src/buildspec.yml: no such file or directory",
    "YAML_FILE_ERROR: This build image requires selecting at least one runtime version.",
    "reference not found for primary source and source version 0123456789abcdef",
    "authentication required for primary source and source version 0123456789abcdef",
    "Decrypted Variables Error: parameter does not exist: /iridium/apiKey",
    "Secrets Manager Error Message: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    "VPC_CLIENT_ERROR: Unexpected EC2 error: UnauthorizedOperation",
    "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image.",
    "Service role arn:aws:iam::123456789012:role/codebuild-iridium does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build",
    "COMMAND_EXECUTION_ERROR: Error while executing command: make image. Reason: exit status 127",
    "COMMAND_EXECUTION_ERROR: Error while executing command: ./build.sh. Reason: exit status 126",
    "curl: (6) Could not resolve host: registry.npmjs.org",
    "dial tcp 52.95.1.1:443: i/o timeout",
];

#[cfg(test)]
mod tests {
    use super::*;
    use launchway_crds::pipeline::CodeBuild;
    use serde_json::json;

    fn of(contexts: &[&str], log: &[&str]) -> Option<String> {
        let run: CodeBuild = serde_json::from_value(json!({"project": "iridium"})).unwrap();
        let log: Vec<String> = log.iter().map(|line| (*line).to_owned()).collect();
        remedy(&Run::parse(&run), contexts, &log)
    }

    #[test]
    fn each_example_has_a_remedy_and_each_remedy_that_is_known_an_example() {
        for known in KNOWN.iter().chain(EXITS) {
            let has_one = EXAMPLES.iter().any(|text| known.is_in(text));
            let alike = ["authorization token", "does not exist", "not found", "access token", "timed out"];
            assert!(
                has_one || known.says.iter().any(|part| alike.iter().any(|word| part.contains(word))),
                "{:?}",
                known.says
            );
        }
        for text in EXAMPLES {
            assert_eq!(of(&[text], &[]), of(&["COMMAND_EXECUTION_ERROR"], &[text]), "{text}");
            assert!(of(&[text], &[]).is_some_and(|remedy| remedy.len() <= 420), "{text}");
        }
        assert_eq!(of(&["exit status 1"], &["npm ERR! Test failed"]), None);
    }

    #[test]
    fn a_missing_right_becomes_the_statement_that_gives_it() {
        let said = |action: &str, resource: &str| {
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/builds/AWSCodeBuild-1 is not authorized to perform: {action} on \
                 resource: {resource} because no identity-based policy allows the {action} action"
            )
        };
        let remedy = of(&[], &[&said("s3:GetObject", "\"arn:aws:s3:::shop-artifacts/a.zip\"")]).unwrap();
        assert_eq!(
            remedy,
            r#"add to the policy of role builds: {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::shop-artifacts/a.zip"}"#
        );
        let push = of(&[], &[&said("ecr:PutImage", "arn:aws:ecr:us-east-2:123456789012:repository/web")]).unwrap();
        assert!(push.contains("ecr:UploadLayerPart") && push.contains("repository/web"), "{push}");
        let denied = said("s3:GetObject", "arn:aws:s3:::a")
            .replace("no identity-based policy allows", "with an explicit deny in");
        assert!(of(&[], &[&denied]).unwrap().starts_with("a policy denies s3:GetObject to role builds explicitly"));
        for odd in [
            "ecr:$(reboot) on resource: arn:aws:s3:::a",
            "orders.write on resource: arn:aws:s3:::a",
            "s3:GetObject on resource: a\"b",
        ] {
            let told = of(&[], &[&format!("arn:aws:iam::1:user/a is not authorized to perform: {odd}")]).unwrap();
            assert_eq!(told, "a right is missing: the log says who may not do what, and on which resource", "{odd}");
        }
        assert_eq!(of(&[], &["alice is not authorized to perform: orders.write"]), None);
        let bounded = said("ecr:PutImage", "arn:aws:ecr:us-east-2:1:repository/a")
            .replace("identity-based policy", "permissions boundary");
        assert!(of(&[], &[&bounded]).unwrap().contains("no permissions boundary allows ecr:PutImage"));
    }

    #[test]
    fn the_last_lines_of_the_log_say_more_than_the_message() {
        let context = "Error while executing command: docker build . Reason: exit status 127";
        let log = ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."];
        assert!(of(&[context], &log).unwrap().contains("privileged"));
        assert!(of(&[context], &[]).unwrap().contains("is not in the build image"));
        // That of a command whose failure did not matter stands further up.
        let log = ["no basic auth credentials", "write /a: no space left on device", context];
        assert!(of(&[context], &log).unwrap().contains("disk is full"));
    }
}
