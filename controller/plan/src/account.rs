//! AwsAccounts as objects may use them: who is admitted, which Region is meant, what may be named. No call is made here.

use crate::allow::{self, Missing, resource};
use crate::condition::{Answer, Statement, Truth, merge};
use crate::fault::Fault;
use crate::image;
use crate::partition;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::account::{Allow, AssumeRole, AwsAccountSpec, AwsAccountStatus};
use std::collections::BTreeMap;

/// The name of the AwsAccount that is meant where an object names none.
pub const DEFAULT: &str = "default";

/// Credentials and Region of a call, which a client of AWS is made from, and how much may be asked there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The AWS Region.
    pub region: String,
    /// The role to assume; absent: the controller's own credentials.
    pub role: Option<Assumed>,
    /// How much of AWS's quotas is ours.
    pub share: Share,
}

/// A share of AWS's documented quotas, in percent. The rest is left to whoever else works in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u8);

impl Default for Share {
    fn default() -> Self {
        Self(60)
    }
}

/// A role that is assumed. `Debug` does not show the external ID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assumed {
    /// Its ARN.
    pub arn: String,
    /// The external ID that its trust policy asks for.
    pub external_id: Option<String>,
}

impl std::fmt::Debug for Assumed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assumed").field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// What an object may do in an account: where, and what it may name.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The AwsAccount's name.
    pub account: String,
    /// Where calls go.
    pub place: Place,
    /// What may be named.
    pub allow: Allow,
    /// The ID of the AWS account that is called, as far as it is known.
    pub id: Option<String>,
}

/// What was found of an AwsAccount and of the namespace that wants to use it, both read live.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSeen {
    /// The account's name.
    pub name: String,
    /// Its spec; absent: there is none of that name.
    pub spec: Option<AwsAccountSpec>,
    /// The ID of the AWS account, as the account's status has it.
    pub id: Option<String>,
    /// The namespace that wants to use it.
    pub namespace: String,
    /// The namespace's labels; only looked at where the account selects by label.
    pub namespace_labels: BTreeMap<String, String>,
}

/// What the namespace may do in the account, in that Region or in the account's first.
pub fn scope(seen: &AccountSeen, region: Option<&str>) -> Result<Scope, Refusal> {
    let spec = seen
        .spec
        .as_ref()
        .ok_or_else(|| Refusal::NoAccount { account: seen.name.clone(), namespace: seen.namespace.clone() })?;
    if !admits(spec, seen) {
        return Err(Refusal::NamespaceNotAdmitted { account: seen.name.clone(), namespace: seen.namespace.clone() });
    }
    let first = place(spec);
    let region = region.map_or_else(|| first.region.clone(), str::to_owned);
    if !spec.regions.iter().any(|listed| listed.as_str() == region) {
        return Err(Refusal::RegionNotListed { account: seen.name.clone(), region });
    }
    let place = Place { region, ..first };
    let role = spec.assume_role.as_ref().and_then(|role| role.arn.split(':').nth(4).map(str::to_owned));
    let id = role.or_else(|| seen.id.clone());
    Ok(Scope { account: seen.name.clone(), place, allow: spec.allow.clone(), id })
}

/// Where an AwsAccount leads, in its first Region.
pub fn place(spec: &AwsAccountSpec) -> Place {
    Place {
        region: spec.regions.first().map(ToString::to_string).unwrap_or_default(),
        role: spec.assume_role.as_ref().map(assumed),
        share: share(spec),
    }
}

/// The API server has checked its bounds.
fn share(spec: &AwsAccountSpec) -> Share {
    let given = spec.budget.as_ref().and_then(|budget| u8::try_from(budget.share?).ok());
    given.map_or_else(Share::default, Share)
}

fn assumed(role: &AssumeRole) -> Assumed {
    Assumed { arn: role.arn.to_string(), external_id: role.external_id.as_ref().map(ToString::to_string) }
}

fn admits(spec: &AwsAccountSpec, seen: &AccountSeen) -> bool {
    let named =
        spec.namespaces.names.as_ref().is_some_and(|names| names.iter().any(|name| name.as_str() == seen.namespace));
    let selected = spec.namespaces.selector.as_ref().is_some_and(|selector| {
        !selector.match_labels.is_empty()
            && selector.match_labels.iter().all(|(key, value)| seen.namespace_labels.get(key) == Some(value))
    });
    named || selected
}

impl Scope {
    /// Refuses a spec that names what the account does not allow: all of it at once, so that an administrator adds it at once.
    pub fn refuse(&self, missing: Vec<Missing>) -> Result<(), Refusal> {
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::NotAllowed { account: self.account.clone(), missing })
    }

    /// Refuses a cluster that the account does not allow.
    pub fn cluster(&self, name: &str) -> Result<(), Refusal> {
        self.refuse(allow::CLUSTERS.missing(&self.allow, &[name]).into_iter().collect())
    }

    /// A role that the account does not allow. A bare name is that of a role of the account that is called, as AWS reads it. While
    /// the ID of that account is not known, only a pattern that stands for any account allows it.
    pub fn role(&self, role: &str) -> Option<Missing> {
        if role.starts_with("arn:") {
            return allow::ROLES.missing(&self.allow, &[role]);
        }
        let partition = partition::of(&self.place.region).id;
        let id = self.id.as_deref().unwrap_or("*");
        // No account ID is a star, so that only a star matches it.
        allow::ROLES.missing(&self.allow, &[&format!("arn:{partition}:iam::{id}:role/{role}")])
    }

    /// A parameter that the account does not allow, by its name or its ARN. The Parameter Store also hands out secrets. A version
    /// or a label after the name is not compared: it is any text, and could end as a pattern does.
    pub fn parameter(&self, name: &str) -> Option<Missing> {
        let name = without_rest(name, 6);
        let path = resource(name).map_or(name, |rest| rest.strip_prefix("parameter").unwrap_or(rest));
        let bare = path.strip_prefix('/').unwrap_or(path);
        if let Some(secret) = bare.strip_prefix("aws/reference/secretsmanager/") {
            return self.secret(secret);
        }
        allow::PARAMETERS.missing(&self.allow, &[&format!("/{bare}"), bare, name])
    }

    /// A secret of Secrets Manager that the account does not allow, by its name or its ARN. What follows says what is read of it: a
    /// key of its JSON, a stage, a version. That is not compared.
    pub fn secret(&self, name: &str) -> Option<Missing> {
        let name = without_rest(name, 7);
        let id = resource(name).map_or(name, |rest| rest.strip_prefix("secret:").unwrap_or(rest));
        allow::SECRETS.missing(&self.allow, &[id, name])
    }

    /// A file of S3 that the account does not allow, by its ARN.
    pub fn file(&self, arn: &str) -> Option<Missing> {
        allow::BUCKETS.missing(&self.allow, &[resource(arn).unwrap_or(arn), arn])
    }

    /// An image that the account does not allow. An image in a private registry of ECR is somebody's; any other is the world's.
    pub fn image(&self, reference: &str) -> Option<Missing> {
        let (name, repository) = (image::untagged(reference), image::in_private_ecr(reference));
        match repository {
            Some(repository) if allow::REPOSITORIES.missing(&self.allow, &[repository]).is_none() => None,
            None if allow::IMAGES.is_empty(&self.allow) => None,
            Some(_) | None => allow::IMAGES.missing(&self.allow, &[name]),
        }
    }
}

/// A name, or an ARN of so many parts, without what follows after a colon.
fn without_rest(name: &str, parts: usize) -> &str {
    let parts = if name.starts_with("arn:") { parts } else { 1 };
    name.match_indices(':').nth(parts - 1).map_or(name, |(end, _)| &name[..end])
}

/// The next status of an AwsAccount: whose credentials these are, or why that is not known.
pub fn report(
    record: Option<&AwsAccountStatus>,
    generation: i64,
    identity: &Result<String, Fault>,
    at: Timestamp,
) -> AwsAccountStatus {
    let previous = record.map_or(&[][..], |status| &status.conditions);
    let known =
        record.filter(|status| status.observed_generation == generation).and_then(|status| status.account_id.clone());
    let say = |kind, truth, reason, message: &str| Statement::New(Answer::new(kind, truth, reason, message));
    let said = match identity {
        Ok(id) => vec![say(
            ConditionType::Ready,
            Truth::True,
            Reason::Succeeded,
            &format!("the credentials are those of AWS account {id}"),
        )],
        // What was Ready is not made unready by blindness.
        Err(fault) if known.is_some() => vec![say(
            ConditionType::Ready,
            Truth::True,
            Reason::NotSeen,
            &format!("the credentials were those of AWS account {}; now {fault}", known.as_deref().unwrap_or_default()),
        )],
        Err(fault) if fault.is_terminal() => {
            let (reason, message) = (Reason::of(fault), fault.to_string());
            vec![
                say(ConditionType::Ready, Truth::False, reason, &message),
                say(ConditionType::Stalled, Truth::True, reason, &message),
            ]
        }
        Err(fault) => {
            let message = fault.to_string();
            vec![
                say(ConditionType::Ready, Truth::False, Reason::Unavailable, &message),
                say(ConditionType::Reconciling, Truth::True, Reason::Unavailable, &message),
            ]
        }
    };
    AwsAccountStatus {
        observed_generation: generation,
        conditions: merge(previous, &said, generation, at),
        account_id: identity.as_ref().ok().cloned().or(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope(allow: &serde_json::Value) -> Scope {
        Scope {
            account: "default".into(),
            place: Place { region: "us-east-2".into(), role: None, share: Share::default() },
            allow: serde_json::from_value(allow.clone()).unwrap(),
            id: Some("123456789012".into()),
        }
    }

    #[test]
    fn a_role_without_an_arn_is_one_of_the_account_that_is_called() {
        let own = scope(&json!({"roles": ["arn:aws:iam::123456789012:role/web-*"]}));
        let others = scope(&json!({"roles": ["arn:aws:iam::999999999999:role/web-*"]}));
        let any = scope(&json!({"roles": ["arn:aws:iam::*:role/web-*"]}));
        let everything = scope(&json!({"roles": ["*"]}));
        assert_eq!((own.role("web-task"), any.role("web-task"), everything.role("web-task")), (None, None, None));
        assert_eq!(own.role("arn:aws:iam::123456789012:role/web-task"), None);
        assert_eq!(others.role("web-task").unwrap().entry, "arn:aws:iam::123456789012:role/web-task");
        assert!(own.role("arn:aws:iam::999999999999:role/web-task").is_some());
        let unknown = |scope: Scope| Scope { id: None, ..scope };
        assert!(unknown(own).role("web-task").is_some() && unknown(others).role("web-task").is_some());
        assert_eq!(unknown(any).role("web-task"), None);
    }

    #[test]
    fn what_follows_the_name_of_a_parameter_or_a_secret_allows_nothing() {
        let ends = scope(&json!({"parameters": ["*-shared"], "secrets": ["*-shared"]}));
        assert_eq!((ends.parameter("/a-shared:3"), ends.secret("a-shared:key")), (None, None));
        for given in ["theirs", "/theirs/key", "arn:aws:ssm:us-east-2:123456789012:parameter/theirs"] {
            assert!(ends.parameter(&format!("{given}:x-shared")).is_some(), "{given}");
        }
        for given in ["theirs/db", "arn:aws:secretsmanager:us-east-2:123456789012:secret:theirs/db-AbCdEf"] {
            assert!(ends.secret(&format!("{given}:x-shared:AWSCURRENT:")).is_some(), "{given}");
        }
        let whole = scope(
            &json!({"parameters": ["arn:aws:ssm:*:parameter/a"], "secrets": ["arn:aws:secretsmanager:*:secret:a-*"]}),
        );
        assert_eq!(whole.parameter("arn:aws:ssm:us-east-2:123456789012:parameter/a:2"), None);
        assert_eq!(whole.secret("arn:aws:secretsmanager:us-east-2:123456789012:secret:a-AbCdEf:k::"), None);
    }
}
