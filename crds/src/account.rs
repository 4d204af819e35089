//! AwsAccount: which namespaces reach which part of an AWS account. Written by administrators only.

use crate::condition::{Condition, conditions, unseen};
use crate::name::{ExternalId, LabelValue, Name, Region, RoleArn};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod allow;

pub use allow::*;

/// An AWS account as some namespaces may use it: Regions, the role to assume, and what may be named in it.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "launchway.dev",
    version = "v1alpha1",
    kind = "AwsAccount",
    plural = "awsaccounts",
    singular = "awsaccount",
    shortname = "lwaa",
    category = "launchway",
    status = "AwsAccountStatus",
    derive = "PartialEq",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Account", type_ = "string", json_path = ".status.accountId"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct AwsAccountSpec {
    /// The Regions that may be named. The first one is used where an object names none.
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub regions: Vec<Region>,

    /// The role to assume for every call. Absent: the controller's own credentials are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,

    /// The namespaces whose objects may use this account.
    pub namespaces: Namespaces,

    /// What objects of those namespaces may name. What is not allowed here is refused before any call is made.
    pub allow: Allow,

    /// How much of AWS's quotas Launchway may use. Absent: 60 percent of what AWS documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// How much of AWS's quotas Launchway may use in an account. AWS counts an account's calls for everybody who works in it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// The part of AWS's documented rates and bursts, in percent, 1 to 100. Absent: 60. AwsAccounts of one account need the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub share: Option<i32>,

    /// How much of each namespace may be at work in this account at a time. Absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_namespace: Option<PerNamespace>,
}

/// How much of one namespace may be at work in an account at a time. What is above it waits, and says so.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PerNamespace {
    /// How many of its Releases may be checked and built, 1 to 10,000. One that has its image does not count. Absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub releases: Option<i32>,

    /// How many of its builds may run, those of checks included, 1 to 10,000. Absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub builds: Option<i32>,
}

/// The role that is assumed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// The ARN of the role.
    pub arn: RoleArn,

    /// The external ID that the role's trust policy asks for. Absent: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

/// Which namespaces may use an account.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.names) != has(self.selector)").message("set exactly one of names and selector"))]
pub struct Namespaces {
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub names: Option<Vec<Name>>,

    /// Namespaces by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// Namespaces that carry all of these labels.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// The labels and their values, all of which a namespace must carry.
    #[schemars(with = "BTreeMap<String, LabelValue>", extend("minProperties" = 1, "maxProperties" = 20))]
    pub match_labels: BTreeMap<String, String>,
}

/// What is known of an account.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AwsAccountStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of an account: Ready, Reconciling, Stalled.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// The ID of the account that the credentials belong to, from STS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    pub account_id: Option<String>,
}
