//! What an AwsAccount allows to be named, list by list. Whether a name is in a list is decided elsewhere.

use crate::name::Glob;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be named in an account: patterns in which `*` stands for any characters. An absent or empty list allows nothing, unless it says otherwise. Where a spec names an ARN, a pattern stands for the whole of it, or for what comes after the account ID: `targetgroup/shop-*`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.roles) || self.roles.all(role, role.startsWith('arn:') || role.startsWith('*'))")
    .message("roles are allowed by ARN: write arn:aws:iam::<account>:role/<name>, with * for any characters"))]
#[x_kube(validation = Rule::new("!has(self.sources) || self.sources.all(source, source == '*' || source.matches('^https://[^*/]+/'))")
    .message("sources are repositories by URL: write https://<host>/ in full, and * only behind it, or * alone for all"))]
pub struct Allow {
    /// ECS clusters, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub clusters: Vec<Glob>,

    /// CodeBuild projects, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub projects: Vec<Glob>,

    /// ECR repositories of Pipelines' images and of images in private ECR registries, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub repositories: Vec<Glob>,

    /// Literal images, without tag and digest: `public.ecr.aws/nginx/nginx`, `123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/*`. Absent: any image that is in no private ECR registry; one that is there must be listed here, or its repository under repositories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub images: Vec<Glob>,

    /// IAM roles that AWS is told to use, by ARN. A role that is named without an ARN is one of the account that is called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Vec<Glob>,

    /// Families of task definitions that a Service may name, beside those that begin with `<installation>_<namespace>_`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub families: Vec<Glob>,

    /// On what tasks run: launch types, capacity providers by name, and `default` for Services that leave it to the cluster. Default: FARGATE and FARGATE_SPOT.
    #[serde(default = "fargate")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub capacity: Vec<Glob>,

    /// Subnets, by ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub subnets: Vec<Glob>,

    /// Security groups, by ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub security_groups: Vec<Glob>,

    /// What tasks are registered with, by ARN: target groups, listeners and rules, VPC Lattice's too; Classic Load Balancers by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub load_balancers: Vec<Glob>,

    /// Cloud Map: services by ARN, namespaces by name or ARN, and `default` for Service Connect in the cluster's default namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub cloud_map: Vec<Glob>,

    /// CloudWatch log groups, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub log_groups: Vec<Glob>,

    /// Streams and whatever else options of log drivers name, but for log groups and buckets: names or ARNs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub log_destinations: Vec<Glob>,

    /// Parameters of the Parameter Store, by name: `/shop/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub parameters: Vec<Glob>,

    /// Secrets of Secrets Manager, by name: `shop/db-*`. The name in an ARN has six more characters at its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub secrets: Vec<Glob>,

    /// Files and folders in S3, as `bucket/key`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub buckets: Vec<Glob>,

    /// File systems of EFS, FSx and S3 Files: `fs-1` with every access point, `fs-1/fsap-2` through that access point only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub file_systems: Vec<Glob>,

    /// Snapshots of EBS from which disks are made, by ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub snapshots: Vec<Glob>,

    /// KMS keys, by ARN, ID or alias.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub keys: Vec<Glob>,

    /// Authorities of AWS Private CA, by ARN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub certificate_authorities: Vec<Glob>,

    /// Lambda functions that hooks of a rollout call, by ARN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub functions: Vec<Glob>,

    /// CloudWatch alarms that fail a rollout, by name. Default: all.
    #[serde(default = "all")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub alarms: Vec<Glob>,

    /// What tasks on container instances may ask of the host. All of it leads to what other tasks there have. Fargate knows none of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub host_access: Vec<HostAccess>,

    /// Repositories that builds fetch in place of their projects' sources, by URL: `https://github.com/shop/*`. Whoever writes one runs its commands with the project's role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub sources: Vec<Glob>,

    /// Repositories of AWS CodeCommit whose branches Pipelines follow, by name. They are read with the account's role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub code_commit_repositories: Vec<Glob>,

    /// Connections to git hosts that builds sign in by, by ARN: `connection/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub connections: Vec<Glob>,

    /// What Pipelines may say in place of what a CodeBuild project says. It runs with the project's role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub overrides: Vec<Override>,

    /// Which commits a person may release. Default: Any.
    #[serde(default)]
    pub commits: Commits,
}

fn fargate() -> Vec<Glob> {
    vec!["FARGATE".into(), "FARGATE_SPOT".into()]
}

fn all() -> Vec<Glob> {
    vec!["*".into()]
}

/// What a task on a container instance asks of the host.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAccess {
    /// networkMode host: the ports and the credentials of the instance.
    NetworkMode,
    /// privileged: the host's root rights.
    Privileged,
    /// pidMode host: every process of the host.
    PidMode,
    /// ipcMode host: shared memory of the host.
    IpcMode,
    /// Volumes that are a path of the host, that outlive the task, or that have a driver with options.
    Volumes,
    /// Devices of the host.
    Devices,
    /// Added capabilities of the Linux kernel, but for SYS_PTRACE, which Fargate has too.
    Capabilities,
    /// Options of SELinux and AppArmor, and credential specs that are files of the host.
    SecurityOptions,
}

/// What a Pipeline says in place of what a CodeBuild project says.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// The buildspec: inline, or another file.
    Buildspec,
    /// Environment variables.
    Environment,
    /// The submodules of a repository, fetched too: then whatever the project's credentials reach.
    Submodules,
    /// What the build runs on: its image, its size, whether it may use Docker.
    Machine,
    /// Where what the build leaves goes.
    Artifacts,
    /// Where its log goes.
    Logs,
    /// The role whose rights it has, which `roles` has to name too.
    ServiceRole,
    /// What earlier builds left for it, and what it leaves for later ones.
    Cache,
    /// What CodeBuild reports to the git host, and under which name.
    BuildStatus,
    /// That the git host's certificate is not checked.
    InsecureSsl,
}

/// Which commits a person may release.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Commits {
    /// Any that the project can fetch. Some git hosts give out those of forks, too.
    #[default]
    Any,
    /// Those that the Pipeline has on record as a head of its branch, or that a stage runs or ran last.
    Branch,
}
