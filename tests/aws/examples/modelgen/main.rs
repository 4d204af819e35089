//! `cargo modelgen`: reads the models of ECS, CodeBuild, ECR, Logs and STS out of the SDK's source and writes what the simulator is held to.
//! With `--check` it writes nothing and fails if a committed file says something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Rust's grammar grows with syn: what is not looked for is passed over.
#![allow(clippy::wildcard_enum_match_arm)]

mod read;
mod sdk;

use std::path::PathBuf;
use std::process::ExitCode;

/// The operations of ECS that the simulator answers, and one that Launchway will use.
const ECS: &[&str] = &[
    "ContinueServiceDeployment",
    "CreateService",
    "DeleteService",
    "DeregisterTaskDefinition",
    "DescribeClusters",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeServices",
    "DescribeTaskDefinition",
    "DescribeTasks",
    "ListServiceDeployments",
    "ListServices",
    "ListTagsForResource",
    "ListTaskDefinitions",
    "ListTasks",
    "RegisterTaskDefinition",
    "RunTask",
    "StopServiceDeployment",
    "StopTask",
    "TagResource",
    "UntagResource",
    "UpdateService",
];

/// The operations of CodeBuild that the simulator answers.
const CODEBUILD: &[&str] =
    &["BatchGetBuilds", "BatchGetProjects", "BatchGetReports", "ListBuildsForProject", "StartBuild", "StopBuild"];

/// The operations of ECR that the simulator answers.
const ECR: &[&str] = &["BatchGetImage", "DescribeImageScanFindings", "DescribeImages", "DescribeRepositories"];

/// The operations of CloudWatch Logs that the simulator answers.
const LOGS: &[&str] = &["GetLogEvents"];

/// The operations of STS that the simulator answers.
const STS: &[&str] = &["AssumeRole", "GetCallerIdentity"];

/// The committed files with what they should say, and the crate that says it. `ssm.json` is written by hand: no SDK of SSM is used here.
fn files() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("model");
    let models = [
        ("ecs.json", "aws-sdk-ecs", ECS),
        ("codebuild.json", "aws-sdk-codebuild", CODEBUILD),
        ("ecr.json", "aws-sdk-ecr", ECR),
        ("logs.json", "aws-sdk-cloudwatchlogs", LOGS),
        ("sts.json", "aws-sdk-sts", STS),
    ];
    models
        .map(|(file, package, operations)| (folder.join(file), read::model(&sdk::source(package), operations)))
        .to_vec()
}

fn committed(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let mut code = ExitCode::SUCCESS;
    for (path, model) in files() {
        if committed(&path) == model {
            continue;
        }
        if check {
            eprintln!("{} is not what the SDK says: run cargo modelgen", path.display());
            code = ExitCode::FAILURE;
        } else {
            std::fs::write(&path, model).expect("the model can be written");
            println!("wrote {}", path.display());
        }
    }
    code
}

#[test]
fn the_committed_models_are_what_the_sdks_in_the_lock_file_say() {
    for (path, model) in files() {
        let committed = committed(&path);
        let (old, new): (Vec<&str>, Vec<&str>) = (committed.lines().collect(), model.lines().collect());
        let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {}", line.trim()));
        let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {}", line.trim()));
        let lines: Vec<String> = gone.chain(come).collect();
        assert_eq!(committed, model, "run cargo modelgen; {} differs in:\n{}", path.display(), lines.join("\n"));
    }
}
