//! The forms of names, texts and durations: pattern and length of each, once. No meaning beyond the form.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What a text must not be although its pattern admits it: a rule of CEL, and what to write instead. A pattern that is
/// not met is shown as it stands, so that it admits the mistakes that people make, and a remedy refuses them in words.
type Remedy = (&'static str, &'static str);

/// Names stand in AWS's output as ARNs.
const NO_ARN: Remedy = ("!self.startsWith('arn:')", "this is an ARN: write the name alone");

/// The schema of a text.
fn form(least: u32, most: u32, pattern: &str, remedies: &[Remedy]) -> Schema {
    let mut schema = json_schema!({"type": "string", "minLength": least, "maxLength": most, "pattern": pattern});
    if !remedies.is_empty() {
        let rules = remedies.iter().map(|(rule, message)| json!({"rule": rule, "message": message}));
        schema.insert("x-kubernetes-validations".to_owned(), rules.collect::<Value>());
    }
    schema
}

/// Defines a text whose form the API server checks. Deserialising does not check it again: one stored object of an
/// older form must not make every list fail.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, $pattern:literal $(, $remedy:expr)* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The longest that the API server admits, in characters.
            pub const MAX: usize = $max;
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                form($min, $max, $pattern, &[$($remedy),*])
            }
        }
    };
}

text!(
    /// The name of an entry in a list, or of another object of the same namespace.
    Name, 1..=63, r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$",
    ("self.matches('^[-a-z0-9]+$')", "a name is of lower case letters, digits and -, as names in Kubernetes are")
);
text!(
    /// A Kubernetes object's name, dots allowed.
    ObjectName, 1..=253, r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
);
text!(
    /// The UID that the API server gave an object.
    Uid, 1..=64, r"^[-0-9A-Za-z]+$"
);
text!(
    /// An image, as a build said it.
    SaidImage, 1..=512, r"^[!-~]+$"
);
text!(
    /// What a finding of a scan is called.
    FindingName, 1..=64, r"^[!-~]+$"
);
text!(
    /// A reason for people.
    Sentence, 1..=256, r"^[^\x00-\x1f\x7f]+$"
);
text!(
    /// What somebody else's commit status or check is called at a git host.
    StatusName, 1..=255, r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
);
text!(
    /// A full commit ID: 40 or 64 hexadecimal digits.
    CommitId, 40..=64, r"^([0-9a-f]{40}|[0-9a-f]{64})$"
);
text!(
    /// A branch of a git repository, without `refs/heads/`: what git itself allows, but no `-` at the front.
    Branch, 1..=200, r"^[^\x00-\x20\x7f~^:?*\[\\/-][^\x00-\x20\x7f~^:?*\[\\]*$"
);
text!(
    /// The names of tags in a git repository, without `refs/tags/`: one name, or many with `*` for the part in which they differ.
    TagNames, 1..=100, r"^[!-~]+$",
    ("self.matches('^[A-Za-z0-9._/+@#=*-]+$')", "write the tag's name, with one * for the part that changes, such as v*: it is no regular expression"),
    ("!self.matches('[*].*[*]')", "one * stands for the part in which the tags differ: there is no second one"),
    ("!self.startsWith('refs/')", "write the tag's name without refs/tags/, such as v*")
);
text!(
    /// A range of versions as Semantic Versioning has them.
    VersionRange, 1..=100, r"^[ -~]+$",
    (r"self.matches('^ *((=|>=|<=|>|<|~|\\^)? *v?(0|[1-9][0-9]*)([.](0|[1-9][0-9]*|[xX*]))?([.](0|[1-9][0-9]*|[xX*])|[.](0|[1-9][0-9]*)(-[0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?([+][0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?)?|[xX*])(( *, *| +| *[|][|] *)((=|>=|<=|>|<|~|\\^)? *v?(0|[1-9][0-9]*)([.](0|[1-9][0-9]*|[xX*]))?([.](0|[1-9][0-9]*|[xX*])|[.](0|[1-9][0-9]*)(-[0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?([+][0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?)?|[xX*]))* *$')", "write a range of versions, such as >=1.0.0 <2.0.0, or 1.x, or ^1.2.0 || ^2.0.0")
);
text!(
    /// The name of a tag in a git repository, without `refs/tags/`.
    GitTag, 1..=200, r"^[^\x00-\x20\x7f~^:?*\[\\]+$"
);
text!(
    /// The first seven digits of commit IDs, one after the other.
    CommitDigits, 0..=700, r"^([0-9a-f]{7})*$"
);
text!(
    /// A pattern of paths in a git repository, from its root.
    PathPattern, 1..=200, r"^[^\x00-\x1f\x7f\\]+$",
    (r"!self.matches('[?{}\\[\\]]|^!')", "write names, * for any characters of a name and ** for any folders: there is no ?, [], {} and no ! (what does not count goes into exclude)"),
    (r"!self.matches('[^/][*][*]')", "** stands alone between two /, or at the beginning of a name: write a/** for all that is in a"),
    (r"!self.matches('(^|/)[.][.]?(/|$)|//|^/?$')", "write the path from the repository's root, such as services/iridium, without ./, ../ and //")
);
text!(
    /// A text in a commit's message that keeps it from being released.
    SkipWord, 3..=60, r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
);
text!(
    /// The full name of a branch or a tag in a git repository, such as `refs/heads/main`; or what stands for it where images are
    /// followed, `refs/images/<repository>/<tag>`.
    RefName, 6..=220, r"^refs/[^\x00-\x20\x7f~^:?*\[\\]+$"
);
text!(
    /// An http(s) URL without user, password, query or fragment.
    Url, 8..=500,
    r"^(https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~:/%+-]*)?|https?://[^/@\x00]*@[^\x00]*|(ssh|git)://[^\x00]*|[A-Za-z0-9._-]+@[^\x00]*)$",
    ("self.matches('^https?://')", "only https is spoken, not ssh: write the repository's https URL, and name a Secret with a token in secretRef"),
    ("!self.matches('^https?://[^/]*@')", "no user, password or token in the URL: put them into a Secret, and name it in secretRef")
);
text!(
    /// The https URL of a repository as CodeBuild takes it, without anything that programs read in different ways.
    RepositoryUrl, 9..=500, r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)+/?$"
);
text!(
    /// What a source or an artifact of a build is called among others.
    Identifier, 1..=128, r"^[A-Za-z_][A-Za-z0-9_]*$"
);
text!(
    /// A place in S3, `<bucket>/<key>`, without `..`.
    ObjectPath, 3..=512, r"^[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9!_*'()=@+-][A-Za-z0-9!_.*'()=@+-]*)*/?$",
    ("!self.contains('..')", "write <bucket>/<prefix>, without ..")
);
text!(
    /// A bucket of S3.
    Bucket, 3..=63, r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$"
);
text!(
    /// The name under which projects share what their builds keep.
    CacheNamespace, 1..=128, r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
);
text!(
    /// The image that commands of a build run in, as `docker pull` takes it.
    BuildImage, 1..=512, r"^[A-Za-z0-9]([A-Za-z0-9._:@-]|/[A-Za-z0-9._-])*$"
);
text!(
    /// An http(s) URL that may have a query, without user and password.
    HealthUrl, 8..=500, r"^https?://[A-Za-z0-9.:\[\]_-]+([/?][A-Za-z0-9._~:/?%&=+,;-]*)?$"
);
text!(
    /// An AWS Region.
    Region, 5..=25, r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"
);
text!(
    /// The ID of an AWS account: twelve digits.
    AccountId, 12..=12, r"^[0-9]{12}$"
);
text!(
    /// The digest of an image.
    Digest, 71..=71, r"^sha256:[0-9a-f]{64}$"
);
text!(
    /// The ARN of an IAM role.
    RoleArn, 20..=512, r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"
);
text!(
    /// An IAM role: its name, or its ARN.
    Role, 1..=512, r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/)?[A-Za-z0-9+=,.@_/-]+$"
);
text!(
    /// A pattern of names or ARNs, in which `*` stands for any characters.
    Glob, 1..=512, r"^[A-Za-z0-9+=,.@_:/*#!$~-]+$"
);
text!(
    /// An external ID that a role's trust policy asks for.
    ExternalId, 2..=1224, r"^[A-Za-z0-9+=,.@:/_-]+$"
);
text!(
    /// A CodeBuild project's name.
    Project, 2..=150, r"^(arn:[^\x00]*|[A-Za-z0-9][A-Za-z0-9_-]*)$", NO_ARN
);
text!(
    /// An ECR repository's name.
    Repository, 2..=256, r"^(arn:[^\x00]*|[0-9]+[.]dkr[.-]ecr[.][^\x00]*|[a-z0-9]+([._/-][a-z0-9]+)*)$",
    NO_ARN,
    ("!self.matches('^[0-9]+[.]dkr[.-]ecr[.]')", "the repository's name alone: leave out the registry, which is all up to the first /")
);
text!(
    /// The name of a repository of CodeCommit. Source: its API reference, RepositoryMetadata and CreateRepository.
    CodeCommitRepository, 1..=100, r"^(arn:[^\x00]*|(https?|ssh|codecommit)(://|::)[^\x00]*|[A-Za-z0-9._-]+)$",
    NO_ARN,
    ("!self.matches('^[a-z]+:[:/]')", "the repository's name alone: what stands at the end of its URL"),
    ("!self.endsWith('.git')", "CodeCommit's names do not end in .git: leave it out")
);
text!(
    /// The tag of a commit's image: text around one of `$(commit)`, `$(shortCommit)` and `$(shortCommit:N)`.
    TagPattern, 1..=60, r"^[A-Za-z0-9_.:$(){}-]+$",
    (r"self.matches('[$][({]')", "the tag of an image says its commit: put $(commit) or $(shortCommit:7) into it"),
    (r"!self.matches('[$][({]') || self.matches('^([A-Za-z0-9_][A-Za-z0-9_.-]*)?[$][(](commit|shortCommit(:([7-9]|[1-3][0-9]|40))?)[)][A-Za-z0-9_.-]*$')", "write letters, digits, _, . and - around one of $(commit), $(shortCommit) and $(shortCommit:N), with N from 7 to 40")
);
text!(
    /// The name of an environment variable of a build, whose commands are a shell's.
    EnvName, 1..=100, r"^[A-Za-z_][A-Za-z0-9_]*$"
);
text!(
    /// The name of an environment variable of a container: what ECS takes, but for `=`.
    VariableName, 1..=255, r"^[^=\x00]+$"
);
text!(
    /// The plain value of an environment variable of a container. ECS bounds the whole task definition: 64 KiB.
    VariableValue, 0..=65536, r"^[^\x00]*$"
);
text!(
    /// A word of a container's command. ECS bounds the whole task definition: 64 KiB.
    Argument, 0..=65536, r"^[^\x00]*$"
);
text!(
    /// The plain value of an environment variable.
    EnvValue, 0..=4096, r"^[^\x00]*$",
    ("!self.matches('#[{][A-Za-z0-9@_-]+[.][A-Za-z0-9@_.-]+[}]')", "#{…} is a variable of CodePipeline, which nothing fills in here: write $(commit), $(branch), $(release), $(steps.CHECK.VARIABLE) for what a check exported, or the value itself (docs/pipelines.md, Values of the environment)"),
    (r"self.matches('^([^$]|[$]+[^$(]|[$][$]+[(]|[$][(][\\w.:-]+[)])*[$]*$')", "$( begins what stands for something, such as $(commit): write $$( for the characters themselves, which no shell reads here")
);
text!(
    /// The value of a variable that a build exported.
    ExportedValue, 0..=255, r"^[^\x00]*$"
);
text!(
    /// A reference into the Parameter Store or Secrets Manager. The names of secrets that AWS manages have a `!`.
    SecretRef, 1..=512, r"^[A-Za-z0-9/_.:@+=!-]+$"
);
text!(
    /// A path in the repository, relative to its root.
    Path, 1..=255, r"^[A-Za-z0-9_.][A-Za-z0-9_./-]*$"
);
text!(
    /// Files of the repository, by a path from its root in which `*` and `?` stand for any text and any character, `/` too.
    ScanPath, 1..=128, r"^[A-Za-z0-9_.*?][A-Za-z0-9_./*?-]*$",
    ("!self.startsWith('./') && !self.endsWith('/') && !self.contains('**')", "a path from the root of the repository, without ./ before it and / after it; one * stands for any text, folders too")
);
text!(
    /// A file of a build's artifact, by its path from the artifact's root.
    ArtifactPath, 1..=255, r"^[A-Za-z0-9_.][A-Za-z0-9_./+-]*$",
    ("!self.startsWith('./') && !self.endsWith('/') && !self.contains('//') && !self.contains('..')", "the path from the artifact's root as it stands there, such as imagedefinitions.json or out/images.json: without ./ before it, .. and //")
);
text!(
    /// A text that is no secret although it looks like one.
    ScanText, 8..=64, r"^[A-Za-z0-9/+=_.][A-Za-z0-9/+=_.-]*$"
);
text!(
    /// A buildspec, inline.
    Buildspec, 1..=8192, r"^[^\x00]*$"
);
text!(
    /// An ECS name: of a cluster, a service, a container or a family.
    EcsName, 1..=255, r"^(arn:[^\x00]*|[A-Za-z0-9_-]+)$", NO_ARN
);
text!(
    /// An image, with a tag or a digest. 255 is what ECS documents for a tag; a digest of a long repository is longer.
    ImageRef, 1..=512, r"^([A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?|[^\x00]*[<>{}$%][^\x00]*)$",
    ("!self.matches('[<>{}$%]')", "this is a placeholder of another tool, which Launchway does not fill in: put imageFrom in its place"),
    ("self.matches('[<>{}$%@]|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$')", "an image without a tag means whatever is the latest: name a tag or a digest, or use imageFrom"),
    ("!self.endsWith(':latest')", "the tag latest says nothing about what runs: name another tag or a digest, or use imageFrom")
);
text!(
    /// The ARN of a load balancer's target group.
    TargetGroupArn, 20..=512,
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:(targetgroup|loadbalancer|listener|listener-rule)/.+$",
    ("self.contains(':targetgroup/')", "this is the ARN of a load balancer, a listener or a rule: write that of the target group")
);
text!(
    /// The ID of a subnet.
    SubnetId, 8..=64, r"^subnet-[A-Za-z0-9]+$"
);
text!(
    /// The ID of a security group.
    SecurityGroupId, 4..=64, r"^sg-[A-Za-z0-9]+$"
);
text!(
    /// A CloudWatch log group, or the prefix of its streams.
    LogName, 1..=512, r"^[A-Za-z0-9_/.#-]+$"
);
text!(
    /// A short text for people or programs, of one line.
    Line, 0..=256, r"^[^\x00\n]*$"
);
text!(
    /// A text of AWS's whose form AWS alone checks: a path, an ARN, an expression.
    Word, 0..=4096, r"^[^\x00]*$"
);
text!(
    /// The ID of an ECS task: the last part of its ARN.
    TaskId, 1..=64, r"^[A-Za-z0-9-]+$"
);
text!(
    /// The ID of a build: `<project>:<uuid>`.
    BuildId, 3..=255, r"^[A-Za-z0-9_-]+:[A-Za-z0-9-]+$"
);
text!(
    /// Where to go on in a log: what CloudWatch Logs calls a forward token.
    PageToken, 1..=1024, r"^[!-~]+$"
);
text!(
    /// The value of a label of Kubernetes.
    LabelValue, 0..=63, r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$"
);
text!(
    /// A tag's key. Keys that begin with `aws:` or `launchway.dev/` are not the user's.
    TagKey, 1..=128, r"^[\p{L}\p{N}\p{Z}_.:/=+@-]+$"
);
text!(
    /// A duration such as `90s`, `20m` or `1h30m`. Six digits, because CEL fails on what is longer than 292 years.
    Duration, 2..=12, r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"
);

impl CommitId {
    /// The first twelve digits: what people tell commits apart by.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl Duration {
    /// The duration in seconds; `None` where the text has another form or does not fit.
    pub fn seconds(&self) -> Option<i64> {
        let mut rest = self.0.as_str();
        let mut total = 0i64;
        for (unit, seconds) in [('h', 3600i64), ('m', 60), ('s', 1)] {
            if let Some((digits, after)) = rest.split_once(unit) {
                total = total.checked_add(digits.parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(seconds)?)?;
                rest = after;
            }
        }
        (rest.is_empty() && !self.0.is_empty()).then_some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::Duration;

    #[test]
    fn a_duration_is_the_sum_of_its_parts_and_nothing_else_is_a_duration() {
        let seconds = |text: &str| Duration::from(text).seconds();
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("1h1m1s"), Some(3661));
        for wrong in ["", "1d", "m", "1m1h", "99999999999999999h", "-1s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
