//! How a service is found and reached beside load balancers: Service Connect, VPC Lattice, gateways.

use super::container::LogConfiguration;
use super::shape::{Count, List, Port, words};
use super::task::Enabled;
use crate::name::{Line, Role, Word};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// How the service finds others, and is found, in a Service Connect namespace.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceConnectConfiguration {
    /// Whether Service Connect is used.
    pub enabled: bool,
    /// The namespace of Cloud Map: a name or an ARN. Absent: the cluster's default.
    pub namespace: Option<Word>,
    /// The ports under which the service is found.
    pub services: Option<List<ServiceConnectService, 20>>,
    /// Where the proxy's output goes.
    pub log_configuration: Option<LogConfiguration>,
    /// What the proxy logs of each request.
    pub access_log_configuration: Option<AccessLogConfiguration>,
    /// Settings of the proxy, one in each item.
    pub container_configurations: Option<List<ProxyContainerConfiguration, 5>>,
}

/// A port under which the service is found.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceConnectService {
    /// The name of a port of the task definition.
    pub port_name: Line,
    /// The name in Cloud Map. Absent: the port's.
    pub discovery_name: Option<Line>,
    /// The names and ports that clients use.
    pub client_aliases: Option<List<ClientAlias, 10>>,
    /// The port on which the proxy listens.
    pub ingress_port_override: Option<Port>,
    /// When the proxy gives up.
    pub timeout: Option<ConnectTimeout>,
    /// The certificates of encrypted traffic.
    pub tls: Option<ConnectTls>,
}

/// A name and a port that clients use.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ClientAlias {
    /// The port.
    pub port: Port,
    /// The name.
    pub dns_name: Option<Line>,
    /// Which requests are test traffic.
    pub test_traffic_rules: Option<TestTrafficRules>,
}

/// Which requests are test traffic.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TestTrafficRules {
    /// Those with this header.
    pub header: Option<TestTrafficHeader>,
}

/// A header of test traffic.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TestTrafficHeader {
    /// The header's name.
    pub name: Line,
    /// Its value. Absent: any.
    pub value: Option<TestTrafficHeaderValue>,
}

/// The value of a header of test traffic.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TestTrafficHeaderValue {
    /// Exactly this.
    pub exact: Line,
}

/// When the proxy gives up.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectTimeout {
    /// After so many seconds without traffic.
    pub idle_timeout_seconds: Option<Count>,
    /// After so many seconds without an answer.
    pub per_request_timeout_seconds: Option<Count>,
}

/// The certificates of encrypted traffic.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectTls {
    /// Who signs them.
    pub issuer_certificate_authority: CertificateAuthority,
    /// The key with which they are kept.
    pub kms_key: Option<Word>,
    /// The role with which they are asked for. The AwsAccount must allow it.
    pub role_arn: Option<Role>,
}

/// Who signs certificates.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CertificateAuthority {
    /// The ARN of an authority of AWS Private CA.
    pub aws_pca_authority_arn: Option<Word>,
}

/// What the proxy logs of each request.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AccessLogConfiguration {
    /// The form of a line.
    pub format: AccessLogFormat,
    /// Whether query parameters are logged. AWS's default: DISABLED.
    pub include_query_parameters: Option<Enabled>,
}

/// A setting of the proxy.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ProxyContainerConfiguration {
    /// How much the proxy logs.
    pub log_level: Option<ProxyLogLevel>,
}

/// A target group of VPC Lattice.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VpcLatticeConfiguration {
    /// The role with which ECS registers tasks. The AwsAccount must allow it.
    pub role_arn: Role,
    /// The target group's ARN.
    pub target_group_arn: Word,
    /// The name of a port of the task definition.
    pub port_name: Line,
    /// The second target group and the listener rules of blue/green deployments.
    pub advanced_configuration: Option<LatticeAdvancedConfiguration>,
}

/// The second target group and the listener rules of blue/green deployments.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LatticeAdvancedConfiguration {
    /// The ARN of the second target group.
    pub alternate_target_group_arn: Option<Word>,
    /// The ARN of the rule or listener of production traffic.
    pub production_listener_rule: Option<Word>,
    /// The ARN of the rule or listener of test traffic.
    pub test_listener_rule: Option<Word>,
}

/// A gateway through which the service is reached.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GatewayConnector {
    /// The name of a port of the task definition.
    pub port_name: Line,
    /// How the gateway finds out whether a task is well.
    pub health_check: Option<GatewayHealthCheck>,
    /// From where it may be reached.
    pub filters: Option<GatewayFilters>,
}

/// How a gateway finds out whether a task is well.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GatewayHealthCheck {
    /// The protocol.
    pub health_check_protocol: Option<GatewayProtocol>,
    /// The port.
    pub health_check_port: Option<Port>,
    /// The path.
    pub health_check_path: Option<Word>,
    /// How long an answer may take, in seconds.
    pub health_check_timeout_seconds: Option<Count>,
    /// How often it is asked, in seconds.
    pub health_check_interval_seconds: Option<Count>,
    /// How many good answers make a task well.
    pub healthy_threshold_count: Option<Count>,
    /// How many bad ones make it unwell.
    pub unhealthy_threshold_count: Option<Count>,
    /// Which answers are good.
    pub matcher: Option<GatewayMatcher>,
}

/// Which answers are good.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GatewayMatcher {
    /// HTTP status codes.
    pub http_code: Option<Line>,
    /// Status codes of gRPC.
    pub grpc_code: Option<Line>,
}

/// From where a gateway may be reached.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GatewayFilters {
    /// From the internet, from the VPC, or both.
    pub access_types: Option<List<AccessType, 2>>,
}

words! {
    /// The form of a log line.
    AccessLogFormat: "TEXT", "JSON";
    /// How much a proxy logs.
    ProxyLogLevel: "info", "debug";
    /// The protocol of a health check.
    GatewayProtocol: "HTTP", "HTTPS";
    /// From where something may be reached.
    AccessType: "PUBLIC", "PRIVATE";
}
