//! What a Service names of the world, held to what its AwsAccount allows: every member of AWS's requests that names something.
//! What tasks ask of the host is in `host`.

use super::canonical::Members;
use super::host;
use crate::account::Scope;
use crate::allow::{self, List, Missing, resource};
use launchway_crds::account::HostAccess;
use launchway_crds::aws::{EcsService, TaskDefinition};
use serde_json::Value;

/// What a member names.
#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// An entry of that list, by its name or by an ARN.
    In(&'static List),
    /// A file system or an access point of one. Both together are one name, which is read with what they are in.
    FileSystem,
    /// An IAM role.
    Role,
    /// A parameter, or by an ARN a secret.
    Parameter,
    /// A secret by its name, or by an ARN a parameter.
    Secret,
    /// A file in S3.
    File,
    /// A file with the credentials of a Windows domain, in S3, the Parameter Store or on the host.
    CredentialSpec,
    /// A container image.
    Image,
}

/// The members of AWS's requests that name something, each with the member that it is in. Those that do not are listed in a
/// test, which holds both to AWS's model (`tests/tests/members.rs`).
pub const NAMED: [(&str, &str, Names); 38] = [
    ("taskDefinition", "executionRoleArn", Names::Role),
    ("taskDefinition", "taskRoleArn", Names::Role),
    ("containerDefinitions", "image", Names::Image),
    ("containerDefinitions", "credentialSpecs", Names::CredentialSpec),
    ("repositoryCredentials", "credentialsParameter", Names::Secret),
    ("environmentFiles", "value", Names::File),
    ("secrets", "valueFrom", Names::Parameter),
    ("secretOptions", "valueFrom", Names::Parameter),
    ("authorizationConfig", "credentialsParameter", Names::Secret),
    ("service", "role", Names::Role),
    ("service", "launchType", Names::In(&allow::CAPACITY)),
    ("capacityProviderStrategy", "capacityProvider", Names::In(&allow::CAPACITY)),
    ("awsvpcConfiguration", "subnets", Names::In(&allow::SUBNETS)),
    ("awsvpcConfiguration", "securityGroups", Names::In(&allow::SECURITY_GROUPS)),
    ("loadBalancers", "targetGroupArn", Names::In(&allow::LOAD_BALANCERS)),
    ("loadBalancers", "loadBalancerName", Names::In(&allow::LOAD_BALANCERS)),
    ("advancedConfiguration", "alternateTargetGroupArn", Names::In(&allow::LOAD_BALANCERS)),
    ("advancedConfiguration", "productionListenerRule", Names::In(&allow::LOAD_BALANCERS)),
    ("advancedConfiguration", "testListenerRule", Names::In(&allow::LOAD_BALANCERS)),
    ("advancedConfiguration", "roleArn", Names::Role),
    ("vpcLatticeConfigurations", "targetGroupArn", Names::In(&allow::LOAD_BALANCERS)),
    ("vpcLatticeConfigurations", "roleArn", Names::Role),
    ("serviceRegistries", "registryArn", Names::In(&allow::CLOUD_MAP)),
    ("serviceConnectConfiguration", "namespace", Names::In(&allow::CLOUD_MAP)),
    ("tls", "kmsKey", Names::In(&allow::KEYS)),
    ("tls", "roleArn", Names::Role),
    ("issuerCertificateAuthority", "awsPcaAuthorityArn", Names::In(&allow::CERTIFICATE_AUTHORITIES)),
    ("managedEBSVolume", "kmsKeyId", Names::In(&allow::KEYS)),
    ("managedEBSVolume", "snapshotId", Names::In(&allow::SNAPSHOTS)),
    ("managedEBSVolume", "roleArn", Names::Role),
    ("alarms", "alarmNames", Names::In(&allow::ALARMS)),
    ("lifecycleHooks", "hookTargetArn", Names::In(&allow::FUNCTIONS)),
    ("lifecycleHooks", "roleArn", Names::Role),
    ("efsVolumeConfiguration", "fileSystemId", Names::FileSystem),
    ("authorizationConfig", "accessPointId", Names::FileSystem),
    ("s3filesVolumeConfiguration", "fileSystemArn", Names::FileSystem),
    ("s3filesVolumeConfiguration", "accessPointArn", Names::FileSystem),
    ("fsxWindowsFileServerVolumeConfiguration", "fileSystemId", Names::FileSystem),
];

/// What a Service leaves to its cluster: the capacity, and the namespace of Service Connect.
const DEFAULT: &str = "default";

/// What the requests name and the account does not allow.
pub fn missing(
    scope: &Scope,
    task: &TaskDefinition,
    service: &EcsService,
    sent: [(&str, &Members); 2],
) -> Vec<Missing> {
    let mut reader = Reader { scope, missing: Vec::new() };
    for (request, members) in sent {
        reader.members(request, members);
    }
    reader.defaults(service);
    reader.missing.extend(host::missing(scope, task));
    reader.missing
}

/// What is missing of a family that is named. One below the namespace's own prefix is its own.
pub fn family(scope: &Scope, family: &str, own: &str) -> Option<Missing> {
    if family.starts_with(own) { None } else { allow::FAMILIES.missing(&scope.allow, &[family]) }
}

/// Reads requests, and gathers what is missing.
struct Reader<'a> {
    scope: &'a Scope,
    missing: Vec<Missing>,
}

impl Reader<'_> {
    fn members(&mut self, parent: &str, members: &Members) {
        if let Some((name, point)) = file_system(parent, members) {
            self.file_system(name, point);
        }
        for (member, value) in members {
            self.value(parent, member, value);
        }
    }

    fn value(&mut self, parent: &str, member: &str, value: &Value) {
        match value {
            Value::Object(options) if member == "options" => {
                let texts = options.iter().filter_map(|(key, value)| Some((key, value.as_str()?)));
                self.missing.extend(texts.filter_map(|(key, value)| option(self.scope, key, value)));
            }
            Value::Object(inner) => self.members(member, inner),
            Value::Array(items) => items.iter().for_each(|item| self.value(parent, member, item)),
            Value::String(text) => {
                let row = NAMED.iter().find(|(within, name, _)| *within == parent && *name == member);
                self.missing.extend(row.and_then(|(_, _, names)| named(self.scope, *names, text)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A file system is listed by its ID, or together with the access point through which it may be mounted.
    fn file_system(&mut self, name: &str, point: Option<&str>) {
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let whole = point.map_or_else(|| id(name), |point| format!("{}/{}", id(name), id(point)));
        self.missing.extend(allow::FILE_SYSTEMS.missing(&self.scope.allow, &[&whole, &id(name), name]));
    }

    fn defaults(&mut self, service: &EcsService) {
        let strategy = service.capacity_provider_strategy.as_ref().is_some_and(|strategy| !strategy.is_empty());
        if service.launch_type.is_none() && !strategy {
            self.missing.extend(allow::CAPACITY.missing(&self.scope.allow, &[DEFAULT]));
        }
        let connect = service.service_connect_configuration.as_ref();
        if connect.is_some_and(|connect| connect.enabled && connect.namespace.is_none()) {
            self.missing.extend(allow::CLOUD_MAP.missing(&self.scope.allow, &[DEFAULT]));
        }
    }
}

/// A volume's file system with its access point, each as it is written.
fn file_system<'a>(parent: &str, members: &'a Members) -> Option<(&'a str, Option<&'a str>)> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match parent {
        "efsVolumeConfiguration" => {
            let point = members.get("authorizationConfig").and_then(|config| config["accessPointId"].as_str());
            Some((text("fileSystemId")?, point))
        }
        "s3filesVolumeConfiguration" => Some((text("fileSystemArn")?, text("accessPointArn"))),
        "fsxWindowsFileServerVolumeConfiguration" => Some((text("fileSystemId")?, None)),
        _ => None,
    }
}

fn named(scope: &Scope, names: Names, text: &str) -> Option<Missing> {
    let is_secret = resource(text).is_some_and(|rest| rest.starts_with("secret:"));
    let is_parameter = resource(text).is_some_and(|rest| rest.starts_with("parameter/"));
    match names {
        Names::FileSystem => None,
        Names::In(list) => list.missing_name(&scope.allow, text),
        Names::Role => scope.role(text),
        Names::Parameter if is_secret => scope.secret(text),
        Names::Secret if is_parameter => scope.parameter(text),
        Names::Parameter => scope.parameter(text),
        Names::Secret => scope.secret(text),
        Names::File => scope.file(text),
        Names::CredentialSpec => credential_spec(scope, text),
        Names::Image => scope.image(text),
    }
}

/// `credentialspec:<ARN>` or `credentialspecdomainless:<ARN>`, and on container instances `credentialspec:file://<name>`. Source:
/// the API reference of ContainerDefinition.
fn credential_spec(scope: &Scope, text: &str) -> Option<Missing> {
    let place = text.split_once(':').map_or(text, |(_, place)| place);
    match resource(place) {
        Some(rest) if rest.starts_with("parameter/") => scope.parameter(place),
        Some(_) => scope.file(place),
        None => allow::host(&scope.allow, HostAccess::SecurityOptions),
    }
}

/// An option of a log driver or a log router. Fluent Bit reads its keys without regard to case. Source: Docker's and ECS's
/// documents of awslogs, and Fluent Bit's of its outputs for AWS.
fn option(scope: &Scope, key: &str, value: &str) -> Option<Missing> {
    // Of each option a line of a configuration file is written.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    match key.to_ascii_lowercase().replace('-', "_").as_str() {
        _ if !key.chars().all(is_plain) => allow::LOG_DESTINATIONS.missing(&scope.allow, &[key]),
        _ if value.starts_with("arn:") && value.contains(":iam:") => scope.role(value),
        "awslogs_group" | "log_group_name" | "log_group" | "log_group_template" => {
            allow::LOG_GROUPS.missing_name(&scope.allow, value)
        }
        "delivery_stream" | "delivery_stream_name" | "stream" => {
            allow::LOG_DESTINATIONS.missing_name(&scope.allow, value)
        }
        "bucket" | "s3_bucket" => scope.file(&format!("{value}/")),
        "role_arn" => scope.role(value),
        _ if value.starts_with("arn:aws:s3") || value.starts_with("arn:aws-cn:s3") => scope.file(value),
        _ if value.starts_with("arn:") => allow::LOG_DESTINATIONS.missing_name(&scope.allow, value),
        // A line of a configuration file is written of each option: a value of two lines would be two options.
        _ if value.contains(['\n', '\r']) => allow::LOG_DESTINATIONS.missing(&scope.allow, &[value]),
        _ => None,
    }
}
