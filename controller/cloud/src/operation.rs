//! The operations that are asked of AWS: what IAM calls them, which bucket of AWS's quotas they draw on, how much they
//! matter. How one is sent is in `aws`.

use crate::budget::{Bucket, Rank};

/// An operation of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    DescribeServices,
    ListServiceDeployments,
    DescribeServiceDeployments,
    DescribeServiceRevisions,
    ListTasks,
    DescribeTasks,
    DescribeTaskDefinition,
    ListTaskDefinitions,
    RegisterTaskDefinition,
    CreateService,
    UpdateService,
    DeleteService,
    TagResource,
    BatchGetBuilds,
    ListBuildsForProject,
    StartBuild,
    StopBuild,
    DescribeImages,
    GetLogEvents,
    AssumeRole,
    GetCallerIdentity,
}

use Operation::*;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Ecs,
    CodeBuild,
    Ecr,
    Logs,
    Sts,
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Nothing: it may be sent again.
    Look,
    /// It changes AWS: it is sent once.
    Effect,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 21] = [
        DescribeServices,
        ListServiceDeployments,
        DescribeServiceDeployments,
        DescribeServiceRevisions,
        ListTasks,
        DescribeTasks,
        DescribeTaskDefinition,
        ListTaskDefinitions,
        RegisterTaskDefinition,
        CreateService,
        UpdateService,
        DeleteService,
        TagResource,
        BatchGetBuilds,
        ListBuildsForProject,
        StartBuild,
        StopBuild,
        DescribeImages,
        GetLogEvents,
        AssumeRole,
        GetCallerIdentity,
    ];

    /// Its name in IAM.
    pub const fn action(self) -> &'static str {
        match self {
            DescribeServices => "ecs:DescribeServices",
            ListServiceDeployments => "ecs:ListServiceDeployments",
            DescribeServiceDeployments => "ecs:DescribeServiceDeployments",
            DescribeServiceRevisions => "ecs:DescribeServiceRevisions",
            ListTasks => "ecs:ListTasks",
            DescribeTasks => "ecs:DescribeTasks",
            DescribeTaskDefinition => "ecs:DescribeTaskDefinition",
            ListTaskDefinitions => "ecs:ListTaskDefinitions",
            RegisterTaskDefinition => "ecs:RegisterTaskDefinition",
            CreateService => "ecs:CreateService",
            UpdateService => "ecs:UpdateService",
            DeleteService => "ecs:DeleteService",
            TagResource => "ecs:TagResource",
            BatchGetBuilds => "codebuild:BatchGetBuilds",
            ListBuildsForProject => "codebuild:ListBuildsForProject",
            StartBuild => "codebuild:StartBuild",
            StopBuild => "codebuild:StopBuild",
            DescribeImages => "ecr:DescribeImages",
            GetLogEvents => "logs:GetLogEvents",
            AssumeRole => "sts:AssumeRole",
            GetCallerIdentity => "sts:GetCallerIdentity",
        }
    }

    /// The service that is asked.
    pub const fn service(self) -> Service {
        match self {
            DescribeServices
            | ListServiceDeployments
            | DescribeServiceDeployments
            | DescribeServiceRevisions
            | ListTasks
            | DescribeTasks
            | DescribeTaskDefinition
            | ListTaskDefinitions
            | RegisterTaskDefinition
            | CreateService
            | UpdateService
            | DeleteService
            | TagResource => Service::Ecs,
            BatchGetBuilds | ListBuildsForProject | StartBuild | StopBuild => Service::CodeBuild,
            DescribeImages => Service::Ecr,
            GetLogEvents => Service::Logs,
            AssumeRole | GetCallerIdentity => Service::Sts,
        }
    }

    /// The IAM actions that it needs: its own, those of what it does on the way, none where AWS asks for none.
    pub const fn needs(self) -> &'static [&'static str] {
        match self {
            DescribeServices => &["ecs:DescribeServices"],
            ListServiceDeployments => &["ecs:ListServiceDeployments"],
            DescribeServiceDeployments => &["ecs:DescribeServiceDeployments"],
            DescribeServiceRevisions => &["ecs:DescribeServiceRevisions"],
            ListTasks => &["ecs:ListTasks"],
            DescribeTasks => &["ecs:DescribeTasks"],
            DescribeTaskDefinition => &["ecs:DescribeTaskDefinition"],
            ListTaskDefinitions => &["ecs:ListTaskDefinitions"],
            RegisterTaskDefinition => &["ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"],
            CreateService => &["ecs:CreateService", "ecs:TagResource", "iam:PassRole"],
            UpdateService => &["ecs:UpdateService", "iam:PassRole"],
            DeleteService => &["ecs:DeleteService"],
            TagResource => &["ecs:TagResource"],
            BatchGetBuilds => &["codebuild:BatchGetBuilds"],
            ListBuildsForProject => &["codebuild:ListBuildsForProject"],
            StartBuild => &["codebuild:StartBuild"],
            StopBuild => &["codebuild:StopBuild"],
            DescribeImages => &["ecr:DescribeImages"],
            GetLogEvents => &["logs:GetLogEvents"],
            AssumeRole => &["sts:AssumeRole"],
            GetCallerIdentity => &[],
        }
    }

    /// Whether it changes anything.
    pub const fn nature(self) -> Nature {
        match self {
            RegisterTaskDefinition
            | CreateService
            | UpdateService
            | DeleteService
            | TagResource
            | StartBuild
            | StopBuild => Nature::Effect,
            DescribeServices
            | ListServiceDeployments
            | DescribeServiceDeployments
            | DescribeServiceRevisions
            | ListTasks
            | DescribeTasks
            | DescribeTaskDefinition
            | ListTaskDefinitions
            | BatchGetBuilds
            | ListBuildsForProject
            | DescribeImages
            | GetLogEvents
            | AssumeRole
            | GetCallerIdentity => Nature::Look,
        }
    }

    /// The bucket that it draws on. Source for those of ECS: Amazon ECS developer guide, "Request throttling"; the other
    /// services name none.
    pub const fn bucket(self) -> Bucket {
        match self {
            DescribeServices => Bucket::ServiceRead,
            ListServiceDeployments | DescribeServiceDeployments => Bucket::ServiceDeployment,
            DescribeServiceRevisions => Bucket::ServiceRevision,
            ListTasks | DescribeTasks => Bucket::ClusterResourceRead,
            DescribeTaskDefinition | ListTaskDefinitions => Bucket::TaskDefinitionRead,
            RegisterTaskDefinition => Bucket::TaskDefinitionModify,
            CreateService | UpdateService | DeleteService => Bucket::ServiceModify,
            TagResource => Bucket::TagModify,
            BatchGetBuilds | ListBuildsForProject => Bucket::BuildRead,
            StartBuild | StopBuild => Bucket::BuildModify,
            DescribeImages => Bucket::ImageRead,
            GetLogEvents => Bucket::LogRead,
            AssumeRole | GetCallerIdentity => Bucket::Identity,
        }
    }

    /// Who goes first when a bucket runs dry: what stops something, then what rolls, then what tidies up.
    pub const fn rank(self) -> Rank {
        match self {
            StopBuild | AssumeRole | GetCallerIdentity => Rank::Rescue,
            DescribeServices
            | ListServiceDeployments
            | DescribeServiceDeployments
            | DescribeServiceRevisions
            | DescribeTaskDefinition
            | ListTaskDefinitions
            | RegisterTaskDefinition
            | CreateService
            | UpdateService
            | BatchGetBuilds
            | ListBuildsForProject
            | StartBuild
            | DescribeImages => Rank::Rollout,
            ListTasks | DescribeTasks | DeleteService | TagResource | GetLogEvents => Rank::Housekeeping,
        }
    }
}

/// An operation as IAM names it, with the IAM actions that it needs.
type Needed = (&'static str, &'static [&'static str]);

const ACTIONS: [Needed; Operation::ALL.len()] = {
    let mut table: [Needed; Operation::ALL.len()] = [("", &[]); Operation::ALL.len()];
    let mut at = 0;
    while at < table.len() {
        table[at] = (Operation::ALL[at].action(), Operation::ALL[at].needs());
        at += 1;
    }
    table
};

/// Every operation that is asked of AWS, as IAM names it, with the IAM actions that it needs.
pub fn actions() -> &'static [(&'static str, &'static [&'static str])] {
    &ACTIONS
}
