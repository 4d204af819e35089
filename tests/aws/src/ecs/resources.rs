//! What a task must get before its containers run: secrets, the registry's leave, log streams, images. What it is told if it does not get them.

use serde_json::Value;

use super::definition_rules::items;
use super::definitions::Definition;
use super::lacks::Lacks;
use super::stories::ecr_reference;
use crate::Place;
use crate::iam::Iam;

/// Who gets it, from where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Getting<'a> {
    pub place: &'a Place,
    pub lacks: &'a Lacks,
    pub iam: &'a Iam,
    pub definition: &'a Definition,
    pub network: &'a Value,
    pub task: &'a str,
}

const UNABLE: &str = "ResourceInitializationError: unable to pull secrets or registry auth: ";
const LOGGER: &str = "ResourceInitializationError: failed to validate logger args: ";

/// What pulling an image from ECR takes [developer guide, "Amazon ECS task execution IAM role"].
const PULLS: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Why something is not got: ECS's `stoppedReason`.
type Got = Result<(), String>;

impl Getting<'_> {
    /// Why the task stops before a container runs, if it does; in the order in which Fargate's agent goes.
    pub(super) fn fault(&self) -> Option<String> {
        let containers = self.definition.containers();
        let all = || {
            containers.iter().try_for_each(|container| self.secrets(container))?;
            containers.iter().try_for_each(|container| self.registry(container))?;
            containers.iter().try_for_each(|container| self.logs(container))?;
            containers.iter().try_for_each(|container| self.image(container))
        };
        all().err()
    }

    /// Whether the task reaches nothing outside of its subnet.
    fn cut_off(&self) -> bool {
        let vpc = &self.network["awsvpcConfiguration"];
        let subnet = vpc["subnets"][0].as_str();
        vpc["assignPublicIp"] != "ENABLED" && subnet.is_some_and(|subnet| self.lacks.way_out(subnet))
    }

    /// Whether the execution role may do this; without one, the instance's role may.
    fn may(&self, action: &str, resource: &str) -> Got {
        let Some(role) = self.definition.text("executionRoleArn") else {
            return Ok(());
        };
        if self.iam.role_may(role, action, resource) {
            return Ok(());
        }
        let name = role.rsplit('/').next().unwrap_or(role);
        Err(format!(
            "AccessDeniedException: User: arn:aws:sts::{}:assumed-role/{name}/{} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
            self.place.0, self.task
        ))
    }

    fn reaches(&self) -> Got {
        if self.cut_off() {
            return Err("RequestCanceled: request context canceled caused by: context deadline exceeded. Please check your task network configuration.".to_owned());
        }
        Ok(())
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.place.1, self.place.0)
    }

    /// The secrets that a container, its registry and its log driver name.
    fn secrets(&self, container: &Value) -> Got {
        let logs = items(&container["logConfiguration"], "secretOptions");
        let named = items(container, "secrets").iter().chain(logs).map(|secret| &secret["valueFrom"]);
        let registry = std::iter::once(&container["repositoryCredentials"]["credentialsParameter"]);
        registry.chain(named).filter_map(Value::as_str).try_for_each(|from| self.secret(from))
    }

    /// A secret of Secrets Manager by its ARN; anything else is a parameter's name or ARN.
    fn secret(&self, from: &str) -> Got {
        let (what, got) = if from.contains(":secretsmanager:") {
            let arn = from.split(':').take(7).collect::<Vec<_>>().join(":");
            let got = self.secret_itself(&arn);
            (
                "secret from asm",
                got.map_err(|error| format!("failed to fetch secret {arn} from secrets manager: {error}")),
            )
        } else {
            ("secrets from ssm", self.parameter(from))
        };
        got.map_err(|error| {
            format!("{UNABLE}execution resource retrieval failed: unable to retrieve {what}: service call has been retried 1 time(s): {error}")
        })
    }

    fn secret_itself(&self, arn: &str) -> Got {
        self.reaches()?;
        self.may("secretsmanager:GetSecretValue", arn)?;
        let missing = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
        if self.lacks.secret(arn) { Err(missing.to_owned()) } else { Ok(()) }
    }

    fn parameter(&self, from: &str) -> Got {
        self.reaches()?;
        let name = from.split_once(":parameter/").map_or(from, |(_, name)| name).trim_start_matches('/');
        let arn = self.arn("ssm", &format!("parameter/{name}"));
        self.may("ssm:GetParameters", &arn)?;
        if self.lacks.parameter(&arn) { Err(format!("invalid ssm parameters: {from}")) } else { Ok(()) }
    }

    /// A token for the registry of an image in ECR.
    fn registry(&self, container: &Value) -> Got {
        let Some((place, ..)) = container["image"].as_str().and_then(ecr_reference) else {
            return Ok(());
        };
        if self.cut_off() {
            return Err(format!(
                "{UNABLE}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post \"https://api.ecr.{}.amazonaws.com/\": dial tcp: i/o timeout",
                place.1
            ));
        }
        self.may("ecr:GetAuthorizationToken", "*").map_err(|error| {
            format!("{UNABLE}execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): {error}")
        })
    }

    /// The stream that awslogs writes to, and its group if that is to be made.
    fn logs(&self, container: &Value) -> Got {
        let logs = &container["logConfiguration"];
        let Some(group) = logs["options"]["awslogs-group"].as_str().filter(|_| logs["logDriver"] == "awslogs") else {
            return Ok(());
        };
        if self.cut_off() {
            return Err(format!(
                "{LOGGER}The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check your network configuration. signal: killed"
            ));
        }
        let arn = self.arn("logs", &format!("log-group:{group}"));
        let makes = logs["options"]["awslogs-create-group"].as_str() == Some("true");
        if makes {
            self.may("logs:CreateLogGroup", &arn)
                .map_err(|error| format!("{LOGGER}failed to create Cloudwatch log group: {error}"))?;
        }
        let stream = |error: String| {
            format!(
                "{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: {error} : exit status 1"
            )
        };
        self.may("logs:CreateLogStream", &format!("{arn}:log-stream:*")).map_err(stream)?;
        if !makes && self.lacks.log_group(group) {
            return Err(stream("ResourceNotFoundException: The specified log group does not exist.".to_owned()));
        }
        Ok(())
    }

    /// The image's layers.
    fn image(&self, container: &Value) -> Got {
        let image = container["image"].as_str().unwrap_or_default();
        let failed = |error: &str| {
            Err(format!(
                "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: {error}"
            ))
        };
        if self.cut_off() {
            return failed("failed to do request: dial tcp: i/o timeout");
        }
        let Some(((account, region), repository, _)) = ecr_reference(image) else {
            return Ok(());
        };
        let arn = format!("arn:aws:ecr:{region}:{account}:repository/{repository}");
        match PULLS.iter().find(|action| self.may(action, &arn).is_err()) {
            Some(_) => failed("unexpected status from HEAD request: 403 Forbidden"),
            None => Ok(()),
        }
    }
}
