//! The manifests: what is written, what is there beside it, and the words of the refusal.

use launchway_tests::world::sample::{self, NAMESPACE, PIPELINE};
use serde_json::{Value, json};

/// What may be asked of AWS for the sake of a manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Nothing at all.
    None,
    /// Looks.
    Looks,
}

/// A manifest that is refused.
pub struct Case {
    /// The variant that refuses it.
    pub variant: &'static str,
    /// What is wrong with it.
    pub name: &'static str,
    /// What is there beside it.
    pub others: Vec<Value>,
    /// Whether those have half an hour for themselves first.
    pub settles: bool,
    /// The manifest.
    pub bad: Value,
    /// The reason.
    pub reason: &'static str,
    /// What the message says: the field, and the remedy.
    pub words: &'static [&'static str],
    /// What may be asked of AWS.
    pub calls: Calls,
}

/// A case of a manifest alone, for which AWS is not asked.
fn alone(
    variant: &'static str,
    name: &'static str,
    bad: Value,
    reason: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { variant, name, others: Vec::new(), settles: false, bad, reason, words, calls: Calls::None }
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let of_aws = [of_names(), of_sizes(), of_projects(), of_commits(), of_what_is_not_driven()];
    let of_ours = [
        of_admission(),
        of_urls(),
        of_hosts(),
        of_stages(),
        of_expectations(),
        of_secrets(),
        of_values(),
        of_branches(),
    ];
    of_aws.into_iter().chain(of_ours).flatten().collect()
}

/// Accounts and Regions that are not there for the namespace.
fn of_admission() -> Vec<Case> {
    vec![
        alone(
            "Refusal::NoAccount",
            "Pipeline",
            with(sample::pipeline(), "/spec/account", json!("team")),
            "NoAccount",
            &["spec.account", "\"kind\": \"AwsAccount\"", "\"name\": \"team\"", "\"names\": [\"shop\"]"],
        ),
        alone(
            "Refusal::NoAccount",
            "Service",
            with(literal(), "/spec/account", json!("team")),
            "NoAccount",
            &["spec.account", "\"kind\": \"AwsAccount\""],
        ),
        Case {
            others: vec![closed_account()],
            settles: true,
            ..alone(
                "Refusal::NamespaceNotAdmitted",
                "Pipeline",
                with(sample::pipeline(), "/spec/account", json!("closed")),
                "NotAllowed",
                &["spec.account", "does not admit namespace shop", "spec.namespaces"],
            )
        },
        Case {
            others: vec![closed_account()],
            settles: true,
            ..alone(
                "Refusal::NamespaceNotAdmitted",
                "Service",
                with(literal(), "/spec/account", json!("closed")),
                "NotAllowed",
                &["spec.account", "spec.namespaces"],
            )
        },
        alone(
            "Refusal::RegionNotListed",
            "Pipeline",
            with(sample::pipeline(), "/spec/region", json!("us-west-2")),
            "NotAllowed",
            &["spec.region", "us-west-2", "spec.regions"],
        ),
        alone(
            "Refusal::RegionNotListed",
            "Service",
            with(literal(), "/spec/region", json!("us-west-2")),
            "NotAllowed",
            &["spec.region", "us-west-2", "spec.regions"],
        ),
    ]
}

/// Names that the account does not allow.
fn of_names() -> Vec<Case> {
    vec![
        alone(
            "Refusal::NotAllowed",
            "a project",
            with(sample::pipeline(), "/spec/build/codeBuild/project", json!("other-build")),
            "NotAllowed",
            &["project", "other-build", "spec.allow.projects"],
        ),
        alone(
            "Refusal::NotAllowed",
            "a check's project",
            with(sample::pipeline(), "/spec/checks/0/codeBuild/project", json!("other-check")),
            "NotAllowed",
            &["project", "other-check", "spec.allow.projects"],
        ),
        alone(
            "Refusal::NotAllowed",
            "a repository",
            with(sample::pipeline(), "/spec/images/0/repository", json!("other")),
            "NotAllowed",
            &["repository", "other", "spec.allow.repositories"],
        ),
        alone(
            "Refusal::NotAllowed",
            "a cluster",
            with(literal(), "/spec/cluster", json!("payments")),
            "NotAllowed",
            &["cluster", "payments", "spec.allow.clusters"],
        ),
        alone(
            "Refusal::NotAllowed",
            "a role",
            with(literal(), "/spec/taskDefinition/taskRoleArn", json!("admin")),
            "NotAllowed",
            &["role", "admin", "spec.allow.roles"],
        ),
        alone(
            "Refusal::NotAllowed",
            "a role of another account",
            with(literal(), "/spec/taskDefinition/executionRoleArn", json!("arn:aws:iam::999999999999:role/shop-exec")),
            "NotAllowed",
            &["role", "999999999999", "spec.allow.roles"],
        ),
    ]
}

/// URLs whose form is refused.
fn of_urls() -> Vec<Case> {
    vec![
        source("Refusal::Url", "in user info", "https://me:word@git.example.com/a", &["spec.source.git.url", "Secret"]),
        alone(
            "Refusal::Url",
            "of a verification",
            with(
                sample::pipeline(),
                "/spec/stages/0/verify/0/http/url",
                json!("https://169.254.169.254/latest/meta-data/"),
            ),
            "UrlRefused",
            &["verify", "health", "169.254.169.254", "--allow-host"],
        ),
        source("Address::NotAUrl", "no URL", "git.example.com/a", &["spec.source.git.url", "https://host/path"]),
        source("Address::Scheme", "ssh", "ssh://git.example.com/a", &["spec.source.git.url", "https"]),
        source("Address::PlainHttp", "http", "http://git.example.com/a", &["spec.source.git.url", "--allow-http"]),
        source("Address::Userinfo", "a user", "https://me@git.example.com/a", &["spec.source.git.url", "Secret"]),
        source("Address::UnusualAddress", "a number", "https://134744072/a", &["spec.source.git.url", "write 8.8.8.8"]),
    ]
}

/// URLs whose host is refused.
fn of_hosts() -> Vec<Case> {
    vec![
        source(
            "Address::LocalName",
            "a cluster's name",
            "https://git.tools.svc.cluster.local/a",
            &["spec.source.git.url", "--allow-host"],
        ),
        source(
            "Address::ApiServer",
            "the API server",
            "https://kubernetes.example.com/api",
            &["spec.source.git.url", "API server"],
        ),
        source(
            "Address::Port",
            "another port",
            "https://git.listed.example.com:9443/a",
            &["spec.source.git.url", "9443", "--allow-host"],
        ),
        source(
            "Address::Address",
            "a private address",
            "https://10.0.0.7/a",
            &["spec.source.git.url", "10.0.0.7", "--allow-host"],
        ),
        source(
            "Address::Address",
            "where clouds keep credentials",
            "https://169.254.169.254/latest",
            &["spec.source.git.url", "169.254.169.254"],
        ),
        source("Address::Address", "this machine", "https://127.0.0.1/a", &["spec.source.git.url", "127.0.0.1"]),
    ]
}

/// Sizes, and stages that cannot be followed together.
fn of_sizes() -> Vec<Case> {
    vec![
        alone(
            "Refusal::PlanTooLarge",
            "inline buildspecs",
            large(),
            "InvalidSpec",
            &["spec.checks", "spec.build", "buildspec.path"],
        ),
        alone(
            "Refusal::Value",
            "a variable of a check that is not there",
            with(
                sample::pipeline(),
                "/spec/build/codeBuild/environment",
                json!([{"name": "VERSION", "value": "$(steps.version.TAG)"}]),
            ),
            "InvalidSpec",
            &["spec.build.codeBuild.environment: $(steps.version.TAG)", "there is no check version"],
        ),
        alone(
            "Refusal::TagKey",
            "in another case",
            with(literal(), "/spec/service/tags", json!([{"key": "Launchway.dev/Owner", "value": "lw/other/web"}])),
            "InvalidSpec",
            &["Launchway.dev/Owner", "launchway.dev/"],
        ),
        alone(
            "Refusal::FargateSize",
            "memory",
            with(literal(), "/spec/taskDefinition/memory", json!("5000")),
            "InvalidSpec",
            &["spec.taskDefinition", "256", "5000", "512, 1024 or 2048"],
        ),
        alone(
            "Refusal::FargateSize",
            "cpu",
            with(literal(), "/spec/taskDefinition/cpu", json!(300)),
            "InvalidSpec",
            &["spec.taskDefinition", "cpu is 256, 512"],
        ),
        alone(
            "Refusal::SeveralStages",
            "two stages",
            several_stages(),
            "InvalidSpec",
            &["imageFrom", "more than one", "one stage"],
        ),
    ]
}

/// What ECS knows and this version does not drive: refused by name, before anything is called.
fn of_what_is_not_driven() -> Vec<Case> {
    let asks = |name, service, words| {
        alone("Refusal::NotDriven", name, with(literal(), "/spec/service", service), "NotDriven", words)
    };
    vec![
        asks(
            "a strategy",
            json!({"deploymentConfiguration": {"strategy": "CANARY"}}),
            &["spec.service.deploymentConfiguration.strategy", "CANARY", "set it to ROLLING"],
        ),
        asks(
            "a deployment controller",
            json!({"deploymentController": {"type": "CODE_DEPLOY"}}),
            &["spec.service.deploymentController.type", "CODE_DEPLOY", "set it to ECS"],
        ),
        asks(
            "a daemon",
            json!({"schedulingStrategy": "DAEMON"}),
            &["spec.service.schedulingStrategy", "DAEMON", "set it to REPLICA"],
        ),
    ]
}

/// Stages and images that do not name each other.
fn of_stages() -> Vec<Case> {
    vec![
        Case {
            others: vec![sample::pipeline()],
            settles: true,
            calls: Calls::Looks,
            ..alone(
                "Refusal::NotListed",
                "a stage that lists another",
                with(sample::service(0), "/metadata/name", json!("stranger")),
                "NotListed",
                &["imageFrom", "{service: stranger}", "targets"],
            )
        },
        Case {
            others: vec![without_commits()],
            settles: true,
            calls: Calls::Looks,
            ..alone(
                "Refusal::NoSuchImage",
                "a name",
                with(
                    sample::service(0),
                    "/spec/taskDefinition/containerDefinitions/0/imageFrom/image",
                    json!("greeeter"),
                ),
                "NotListed",
                &["imageFrom.image", "greeeter", "spec.images"],
            )
        },
        alone(
            "Refusal::Unknown",
            "a source of a newer version",
            with(sample::pipeline(), "/spec/source", json!({})),
            "InvalidSpec",
            &["spec.source", "git", "upgrade"],
        ),
        alone(
            "Refusal::NoPipeline",
            "a Release of nothing",
            release(),
            "NoPipeline",
            &["spec.pipeline", "there is no Pipeline nothing"],
        ),
        Case {
            others: vec![sample::pipeline(), sample::service(0), sample::service(1)],
            settles: true,
            calls: Calls::Looks,
            ..alone(
                "Refusal::NotMade",
                "a Release that says that the Pipeline made it",
                json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
                    "metadata": {"name": format!("{PIPELINE}-2"), "namespace": NAMESPACE},
                    "spec": {"pipeline": PIPELINE, "number": 2, "commit": sample::commit("good-1"), "reason": "NewCommit"}}),
                "NotMadeByPipeline",
                &["spec.reason", "reason Manual"],
            )
        },
    ]
}

/// A project that takes its source from S3.
pub const ARCHIVES: &str = "shop-archives";

/// Projects that cannot be told to build a commit.
fn of_projects() -> Vec<Case> {
    let pipeline = with(without_commits(), "/spec/build/codeBuild/project", json!(ARCHIVES));
    let listed = with(without_commits(), "/spec/build/imageFrom", json!({"artifact": "imagedefinitions.json"}));
    let mut bad = release();
    bad["spec"]["pipeline"] = json!(PIPELINE);
    let of = |pipeline, case| Case {
        others: vec![with(pipeline, "/spec/source/git/interval", json!("1h"))],
        settles: true,
        calls: Calls::Looks,
        ..case
    };
    vec![
        of(
            pipeline,
            alone(
                "Refusal::Project",
                "that takes its source from S3",
                bad.clone(),
                "InvalidSpec",
                &["project shop-archives", "takes its source from S3", "override: {sourceType"],
            ),
        ),
        of(
            listed,
            alone(
                "Refusal::Artifact",
                "that leaves nothing in S3",
                bad,
                "InvalidSpec",
                &[
                    "spec.build.imageFrom.artifact",
                    "project shop-greeter-build leaves nothing in S3",
                    "namespaceType: BUILD_ID",
                ],
            ),
        ),
    ]
}

/// Commits that a person names.
fn of_commits() -> Vec<Case> {
    let mut bad = release();
    bad["spec"]["pipeline"] = json!(PIPELINE);
    let account = with(sample::aws_account(), "/spec/allow/commits", json!("Branch"));
    // Each look of the Pipeline at its branch is a look at its Releases, too.
    let pipeline = with(without_commits(), "/spec/source/git/interval", json!("1h"));
    vec![Case {
        others: vec![account, pipeline],
        settles: true,
        ..alone(
            "Refusal::Commit",
            "that the branch was not seen at",
            bad,
            "NotAllowed",
            &["spec.commit", "spec.allow.commits: Any", "push it there"],
        )
    }]
}

/// Verifications that expect what cannot be compared.
fn of_expectations() -> Vec<Case> {
    let expects = |name, value| {
        let bad = with(sample::pipeline(), "/spec/stages/0/verify/0/http/expect/json", json!({"parts": value}));
        let words = &["spec.stages.verify[health].http.expect.json.parts", "expect one"];
        alone("Refusal::Expectation", name, bad, "InvalidSpec", words)
    };
    vec![expects("a list", json!([1, 2])), expects("a long text", json!("x".repeat(257)))]
}

/// Secrets.
fn of_secrets() -> Vec<Case> {
    vec![
        Case {
            calls: Calls::None,
            ..alone(
                "Refusal::Secret",
                "is not there",
                private(),
                "SecretRefused",
                &["spec.source.git.secretRef", "git-login", "is not there", "username and password"],
            )
        },
        secret(
            "Refusal::Secret",
            "a service account's own token",
            vec![with(secret_of(json!({"token": "dG9r"})), "/type", json!("kubernetes.io/service-account-token"))],
            &["spec.source.git.secretRef", "git-login", "make another"],
        ),
        secret(
            "Refusal::Secret",
            "one for another host",
            vec![with(
                secret_of(json!({"token": "dG9r"})),
                "/metadata/annotations",
                json!({"launchway.dev/hosts": "gitlab.example.org"}),
            )],
            &["spec.source.git.secretRef", "git-login", "may not be sent to", "launchway.dev/hosts"],
        ),
        secret(
            "CredentialFault::Missing",
            "half of a pair",
            vec![secret_of(json!({"password": "cHc="}))],
            &["username and password"],
        ),
        secret("CredentialFault::Missing", "no key", vec![secret_of(json!({}))], &["username and password"]),
        secret(
            "CredentialFault::Ambiguous",
            "two ways",
            vec![secret_of(json!({"username": "bWU=", "password": "cHc=", "token": "dG9r"}))],
            &["keep one"],
        ),
    ]
}

/// What stands under the keys of a Secret.
fn of_values() -> Vec<Case> {
    vec![
        secret(
            "CredentialFault::Authorities",
            "an authority that is none",
            vec![secret_of(json!({"ca.crt": "bm9uZQ=="}))],
            &["ca.crt", "PEM"],
        ),
        secret(
            "CredentialFault::AppKey",
            "a key that is none",
            vec![secret_of(
                json!({"githubAppID": "MQ==", "githubAppInstallationID": "Mg==", "githubAppPrivateKey": "bm9uZQ=="}),
            )],
            &["githubAppPrivateKey", "PEM"],
        ),
        secret(
            "CredentialFault::TooLong",
            "a file in place of a token",
            // 9216 bytes of nothing but zeros, as base64.
            vec![secret_of(json!({"token": "AAAA".repeat(3072)}))],
            &["token", "8 KiB"],
        ),
        secret("CredentialFault::Value", "an empty token", vec![secret_of(json!({"token": ""}))], &["token", "empty"]),
    ]
}

/// Branches and what stands behind the URL.
fn of_branches() -> Vec<Case> {
    vec![
        Case {
            reason: "SourceRefused",
            ..source("GitFault::Url", "a query", "https://git.example.com/a?b=c", &["git.example.com/a", "query"])
        },
        alone(
            "Refusal::NoSuchBranch",
            "a branch that nobody pushed",
            with(sample::pipeline(), "/spec/source/git/branch", json!("mian")),
            "SourceRefused",
            &["spec.source.git.branch", "no such branch: mian", "main"],
        ),
        alone(
            "Refusal::Range",
            "a number of twenty digits",
            with(
                sample::pipeline(),
                "/spec/source/git",
                json!({"url": sample::URL, "tags": {"semver": ">=99999999999999999999"}}),
            ),
            "InvalidSpec",
            &["spec.source.git.tags.semver", "write a range of versions"],
        ),
        alone(
            "GitFault::BranchName",
            "two dots",
            with(sample::pipeline(), "/spec/source/git/branch", json!("a..b")),
            "SourceRefused",
            &["branch", "write it without refs/heads/"],
        ),
    ]
}

/// A Pipeline with that source.
fn source(variant: &'static str, name: &'static str, url: &str, words: &'static [&'static str]) -> Case {
    alone(variant, name, with(sample::pipeline(), "/spec/source/git/url", json!(url)), "UrlRefused", words)
}

/// A Pipeline whose Secret is there and no good.
fn secret(variant: &'static str, name: &'static str, others: Vec<Value>, words: &'static [&'static str]) -> Case {
    Case { others, ..alone(variant, name, private(), "SecretRefused", words) }
}

/// A manifest with another value at that place.
fn with(mut manifest: Value, place: &str, value: Value) -> Value {
    let (parent, member) = place.rsplit_once('/').expect("a place");
    let parent = manifest.pointer_mut(parent).expect("a place of the manifest");
    match member.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[member] = value,
    }
    manifest
}

/// A Service that follows no stage.
fn literal() -> Value {
    with(
        sample::service(1),
        "/spec/taskDefinition/containerDefinitions/0",
        json!({"name": "greeter", "image": "public.example.com/greeter:1", "portMappings": [{"containerPort": 5000}]}),
    )
}

fn closed_account() -> Value {
    let account = with(sample::aws_account(), "/metadata/name", json!("closed"));
    with(account, "/spec/namespaces", json!({"selector": {"matchLabels": {"team": "payments"}}}))
}

/// A Pipeline that has nothing to release, so that its Services are looked at for their own sake alone.
fn without_commits() -> Value {
    with(sample::pipeline(), "/spec/source/git/branch", json!("nothing-yet"))
}

fn large() -> Value {
    let inline = format!("version: 0.2\n{}", "# a long story\n".repeat(900));
    with(sample::pipeline(), "/spec/build/codeBuild/buildspec", json!({"inline": inline}))
}

fn several_stages() -> Value {
    let container = |name: &str, stage: &str| json!({"name": name, "imageFrom": {"pipeline": PIPELINE, "stage": stage, "image": "greeter"}});
    with(
        sample::service(0),
        "/spec/taskDefinition/containerDefinitions",
        json!([container("a", "staging"), container("b", "prod")]),
    )
}

fn private() -> Value {
    with(sample::pipeline(), "/spec/source/git/secretRef", json!({"name": "git-login"}))
}

fn secret_of(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git-login", "namespace": NAMESPACE}, "data": data})
}

fn release() -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": "lonely", "namespace": NAMESPACE},
        "spec": {"pipeline": "nothing", "commit": sample::commit("good-1"), "reason": "Manual"},
    })
}
