//! The words of conditions: their types and their reasons, with meaning and remedy. One table, printed into the docs.

use crate::fault::{Fault, FaultKind};

/// Defines an enum of words, each with what it means and what helps.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($word:ident: $meaning:literal, $remedy:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $meaning] $word),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$word),*];
            /// The word as it stands in a condition.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word)),* }
            }
            /// The word that stands in a condition, if it is one of ours.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$word => $meaning),* }
            }
            /// What helps.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$word => $remedy),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The types of conditions.
    ConditionType {
        Ready: "The object is as its spec wants it: a summary of the others.", "";
        Reconciling: "Work is going on. Present only while True.", "";
        Stalled: "It cannot go on until somebody changes something. Present only while True.", "";
        Held: "It is kept out on purpose, and waits for a person. Present only while True.", "";
        Unreported: "Release: the git host lacks commit statuses of it, which it does not wait for. Present only while True.", "";
        SourceReady: "Pipeline: the source could be looked at.", "";
        Released: "Pipeline: the newest commit runs in the last stage, verified.", "";
        ChecksPassed: "Release: all checks succeeded, and what spec.requiredStatuses names.", "";
        Built: "Release: the image of the commit is in ECR.", "";
        Deployed: "Release: the targets of every stage run the image.", "";
        Verified: "Release: every stage's verification succeeded.", "";
        RolledOut: "Service: ECS runs what is wanted, proved by its service revision.", "";
        InSync: "Service: what was last seen in AWS is what is wanted.", "";
    }
}

words! {
    /// The reasons of conditions.
    Reason {
        Succeeded: "It is as it should be.", "Nothing to do.";
        Progressing: "Work is going on.", "Wait.";
        Checking: "Checks are running.", "Wait.";
        WaitingForBuild: "As many commits of the Pipeline are being built as spec.concurrency allows, or as much of the namespace is at work as its AwsAccount allows.", "Wait; or delete a Release that is at work.";
        WaitingForStatuses: "The checks succeeded; what spec.requiredStatuses names at the git host has not yet.", "Wait, or look there; spec.requiredStatuses.timeout says how long.";
        Building: "The image is being built.", "Wait.";
        Scanning: "The image is there, and ECR's findings about it are waited for.", "Wait; spec.imageScan.timeout says how long.";
        BuildDoubtful: "StartBuild was not answered; the build is looked for in CodeBuild.", "Wait: at most six minutes.";
        StartedTwice: "CodeBuild started two builds of one attempt; the younger one was stopped.", "Nothing to do; please report it.";
        WaitingForStage: "The image is there; an older release still holds the next stage.", "Wait.";
        Rolling: "ECS brings the service to the new task definition.", "Wait.";
        Verifying: "The targets run the image; the verification is asked.", "Wait.";
        WaitingForImage: "The stage has no image yet.", "Wait for the Pipeline's first release, or look at it if it failed.";
        WaitingForRollout: "Another rollout of the service is in progress.", "Wait; if it hangs, stop it as the message says.";
        Draining: "An ECS service of this name is being deleted.", "Wait until ECS has ended its tasks.";
        Deleting: "The ECS service is being deleted.", "Wait.";
        NoCommitYet: "The source was not seen yet; or there is no image or no tag yet of those that are followed; or the first head of the branch is passed over.", "Wait for the first look; or push an image or a tag that is named as source says; or push a commit that counts.";
        PassedOver: "The head of the branch is not released: no file that the Pipeline is about has changed, or its message says so.", "Nothing to do; make a Manual Release to release it after all.";
        Suspended: "spec.suspend is set.", "Set spec.suspend to false.";
        Superseded: "A newer Release took its place.", "Nothing to do; make a Manual Release to release this commit after all.";
        Cancelled: "What it belongs to is gone.", "Nothing to do.";
        CheckFailed: "A check failed.", "Read the message and the log lines in the Release's status; push a new commit.";
        StatusMissed: "A commit status or check of somebody else, which spec.requiredStatuses names, failed or did not come.", "Read the message; push a commit that mends it, or make another Release once it has succeeded.";
        BuildFailed: "The build failed.", "Read the message and the log lines in the Release's status; push a new commit.";
        ScanFailed: "ECR's scan of the image found what spec.imageScan does not let pass, or did not come.", "Read the message: mend the image and push a new commit, or except the finding until a day and make another Release.";
        ImageMissing: "The build succeeded but did not push the image; or somebody else should have, and it is not there.", "Let the build push IMAGE_REPO_NAME:IMAGE_TAG, or say in spec.build.tag how it tags; an image of another CI has to be pushed as spec.source.image says.";
        ImageChanged: "The tag of the commit names another image than when the commit was released before.", "Give the tag back to that image, or push a new commit.";
        MutableRepository: "Tags of the ECR repository can be moved. Said once, in an Event of the Pipeline's first Release.", "Set its tag mutability to IMMUTABLE.";
        RolloutFailed: "ECS gave the rollout up or rolled it back; it is held.", "Read the stopped tasks' reasons; push a new commit, change the spec, or set spec.rollout.retry.";
        RolloutHangs: "ECS is at a rollout for longer than spec.rollout.deadline.", "Read the message: give ECS what it lacks, or stop the rollout as it says; a change of the spec replaces it.";
        RolledBack: "ECS rolled the rollout back; it is held.", "Read the stopped tasks' reasons; push a new commit, change the spec, or set spec.rollout.retry.";
        Unproved: "The stage is set to the commit, and no task runs that could prove it.", "Set the desired count above 0, or take the Service out of the stage's targets.";
        TooFewTasks: "Fewer tasks run than should, for longer than spec.rollout.deadline.", "Read why tasks stopped; give ECS what it lacks, push a new commit, or make a Manual Release of an older one.";
        ReleaseGone: "The Release that a stage was given to was deleted before it had proved the stage.", "Push a commit, or make a Manual Release, as the message says.";
        VerificationFailed: "The verification did not answer as expected in time.", "Read the message; push a new commit, or make a Manual Release of an older one.";
        NoAccount: "There is no AwsAccount of that name.", "An administrator applies the one that the message shows.";
        NotAllowed: "The AwsAccount does not allow what the spec names.", "An administrator extends the AwsAccount, or name something else.";
        NotListed: "The stage and the Service do not name each other.", "Name the Service in the stage's targets, or correct imageFrom.";
        NotOurs: "An ECS service of this name exists and is not ours.", "Set the tag that the message names, or choose another name.";
        Unreadable: "The API server keeps a value in the object, or in one that it depends on, that Launchway cannot read.", "Correct or take out the value that the message names.";
        TargetStalled: "A Service of the stage cannot go on.", "Do what the Service's own condition says.";
        UrlRefused: "A URL may not be asked.", "Correct it, or an administrator allows the host with --allow-host.";
        SecretRefused: "The Secret of the source is missing or lacks a key.", "Make the Secret as the message says.";
        NotDriven: "ECS knows what the spec or the service names, and this version of Launchway does not drive it yet.", "Set what the message names, or leave the service to who deploys it now.";
        InvalidSpec: "The spec cannot be carried out.", "Correct the field that the message names.";
        NoLog: "There is no log that the LogRequest could show.", "Read the message: name another step, task or container, or look where the log goes.";
        NoPipeline: "There is no such Pipeline.", "Make it, or correct the name.";
        NotMadeByPipeline: "The Release says that its Pipeline made it, and the Pipeline has not recorded that. It does not begin.", "Delete it, and make one with reason Manual.";
        SourceRefused: "The repository or the branch is not there, or the credential is refused, or the git server gives no single objects, which `paths` and `skip` need.", "Correct the source or the Secret; or allow filters on the server, or take out `paths` and `skip`.";
        AccessDenied: "AWS denies a call.", "Allow the action that the message names on the resource that it names.";
        AwsRefused: "AWS refuses a call.", "Correct what the message names.";
        KubernetesRefused: "Kubernetes refuses a write of the controller.", "Read the message: a webhook, a quota of the namespace, or a right that is missing.";
        StageNotReached: "The last release ended before the Pipeline had this stage.", "Push a commit, or make a Manual Release, as the message says.";
        QuotaReached: "A quota of AWS is reached.", "Raise it, or wait until something ends.";
        Unavailable: "AWS, git or a health check could not be reached.", "Wait; if it lasts, look at the network and at AWS's status page.";
        OldDefinitions: "The CRDs in the cluster are older than the controller and drop a part of its statuses.", "An administrator applies the CRDs of the controller's version.";
        NotReported: "The git host did not take a commit status.", "Do what the message says; it is tried again until a day after the release ended.";
        NotSeen: "It could not be looked at; what was known is kept.", "Wait; if it lasts, read the message.";
        Differs: "ECS took a setting and shows another value for it. It is not sent again.", "Write the value as ECS shows it; the message has both.";
        Drifted: "Settings that start no rollout differ from the spec, because the spec or AWS was changed; they are being updated.", "Wait. If somebody else keeps setting them, take them out of the spec or end what sets them.";
    }
}

impl Reason {
    /// The word for a fault.
    pub fn of(fault: &Fault) -> Self {
        match fault.kind {
            FaultKind::Kubernetes => Self::KubernetesRefused,
            FaultKind::Denied { .. } => Self::AccessDenied,
            FaultKind::Quota => Self::QuotaReached,
            FaultKind::Credentials
            | FaultKind::Absent(_)
            | FaultKind::Invalid
            | FaultKind::Refused
            | FaultKind::Bug => Self::AwsRefused,
            FaultKind::Gone
            | FaultKind::Dubious
            | FaultKind::Throttled
            | FaultKind::Outage
            | FaultKind::Unanswered
            | FaultKind::NoToken
            | FaultKind::NotLeading => Self::Unavailable,
        }
    }
}
