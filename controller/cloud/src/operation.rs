//! The operations that are asked of AWS, as a table: one row an operation. How one is sent is in `aws`, how much of a
//! bucket is ours is in `budget`.

use crate::budget::Bucket;

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Nothing: it may be sent again.
    Look,
    /// It changes AWS: it is sent once.
    Effect,
}

/// Makes the enums `Service` and `Operation` and all that is known of them from the rows.
macro_rules! operations {
    ($($service:ident $prefix:literal {
        $($name:ident: $nature:ident, $bucket:ident, $rights:ident $([$($right:literal),+])?;)+
    })+) => {
        /// A service of AWS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Service { $($service),+ }

        /// An operation of AWS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Operation { $($($name),+),+ }

        impl Operation {
            /// All of them.
            #[cfg(test)]
            pub const ALL: &[Self] = &[$($(Self::$name),+),+];

            /// Its name in IAM.
            pub const fn action(self) -> &'static str {
                match self { $($(Self::$name => concat!($prefix, ":", stringify!($name))),+),+ }
            }

            /// The service that is asked.
            pub const fn service(self) -> Service {
                match self { $($(Self::$name)|+ => Service::$service),+ }
            }

            /// Whether it changes anything.
            pub const fn nature(self) -> Nature {
                match self { $($(Self::$name => Nature::$nature),+),+ }
            }

            /// Whether the operation of that name only looks. One that is not in the table counts as a change.
            pub fn is_look(name: &str) -> bool {
                match name { $($(stringify!($name) => matches!(Nature::$nature, Nature::Look)),+),+, _ => false }
            }

            /// The bucket of AWS's quotas that it draws on.
            pub const fn bucket(self) -> Bucket {
                match self { $($(Self::$name => Bucket::$bucket),+),+ }
            }

            /// The IAM actions that it needs: its own, those of what it does on the way, none where AWS asks for none.
            pub const fn needs(self) -> &'static [&'static str] {
                match self {
                    $($(Self::$name => rights!($rights concat!($prefix, ":", stringify!($name)) $(, $($right),+)?)),+),+
                }
            }
        }

        /// Every operation that is asked of AWS, as IAM names it, with the IAM actions that it needs.
        pub fn actions() -> &'static [(&'static str, &'static [&'static str])] {
            const ACTIONS: &[(&str, &[&str])] = &[$($((Operation::$name.action(), Operation::$name.needs())),+),+];
            ACTIONS
        }
    };
}

/// The IAM actions of one row.
macro_rules! rights {
    (own $own:expr) => { &[$own] };
    (own_and $own:expr, $($other:literal),+) => { &[$own, $($other),+] };
    (none $own:expr) => { &[] };
}

// Buckets of ECS: Amazon ECS developer guide, "Request throttling". The other services document none: one for what reads
// and one for what changes.
//
// operation: nature, bucket, IAM actions (its own, own_and more, or none)
operations! {
    Ecs "ecs" {
        DescribeServices: Look, ServiceRead, own;
        ListServiceDeployments: Look, ServiceDeployment, own;
        DescribeServiceDeployments: Look, ServiceDeployment, own;
        DescribeServiceRevisions: Look, ServiceRevision, own;
        ListTasks: Look, ClusterResourceRead, own;
        DescribeTasks: Look, ClusterResourceRead, own;
        DescribeTaskDefinition: Look, TaskDefinitionRead, own;
        ListTaskDefinitions: Look, TaskDefinitionRead, own;
        RegisterTaskDefinition: Effect, TaskDefinitionModify, own_and ["ecs:TagResource", "iam:PassRole"];
        CreateService: Effect, ServiceModify, own_and ["ecs:TagResource", "iam:PassRole"];
        UpdateService: Effect, ServiceModify, own_and ["iam:PassRole"];
        DeleteService: Effect, ServiceModify, own;
        TagResource: Effect, TagModify, own;
    }
    CodeBuild "codebuild" {
        BatchGetBuilds: Look, BuildRead, own;
        ListBuildsForProject: Look, BuildRead, own;
        BatchGetProjects: Look, BuildRead, own;
        BatchGetReports: Look, BuildRead, own;
        StartBuild: Effect, BuildModify, own_and ["iam:PassRole"];
        StopBuild: Effect, BuildModify, own;
    }
    Ecr "ecr" {
        DescribeImages: Look, ImageRead, own;
        DescribeRepositories: Look, ImageRead, own;
        DescribeImageScanFindings: Look, ImageRead, own;
    }
    // Without the right to list the bucket, an object that is not there is denied.
    S3 "s3" {
        GetObject: Look, ObjectRead, own_and ["s3:ListBucket"];
    }
    Logs "logs" {
        GetLogEvents: Look, LogRead, own;
    }
    Sts "sts" {
        AssumeRole: Look, Identity, own;
        GetCallerIdentity: Look, Identity, none;
    }
    // No operation of an SDK: git's requests to CodeCommit.
    CodeCommit "codecommit" {
        GitPull: Look, GitRead, own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_all_there_is_to_know_of_an_operation() {
        let update = Operation::UpdateService;
        assert_eq!((update.action(), update.service()), ("ecs:UpdateService", Service::Ecs));
        assert_eq!((update.nature(), update.bucket()), (Nature::Effect, Bucket::ServiceModify));
        assert_eq!(update.needs(), ["ecs:UpdateService", "iam:PassRole"]);
        assert!(Operation::is_look("ListTasks") && !Operation::is_look("UpdateService"));
        assert!(!Operation::is_look("AnotherOne"));
        assert_eq!(Operation::StopBuild.needs(), ["codebuild:StopBuild"]);
        assert_eq!(Operation::GetCallerIdentity.needs(), [""; 0]);
    }
}
