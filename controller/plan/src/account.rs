//! AwsAccounts as objects may use them: who is admitted, which Region is meant, what may be named. No call is made here.

use crate::condition::{Answer, Statement, Truth, merge};
use crate::fault::Fault;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::account::{Allow, AssumeRole, AwsAccountSpec, AwsAccountStatus};
use launchway_crds::name::Glob;
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
}

/// What was found of an AwsAccount and of the namespace that wants to use it, both read live.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSeen {
    /// The account's name.
    pub name: String,
    /// Its spec; absent: there is none of that name.
    pub spec: Option<AwsAccountSpec>,
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
    Ok(Scope { account: seen.name.clone(), place, allow: spec.allow.clone() })
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
    /// Refuses a cluster that the account does not allow.
    pub fn cluster(&self, name: &str) -> Result<(), Refusal> {
        self.named("cluster", "clusters", &self.allow.clusters, name)
    }

    /// Refuses a CodeBuild project that the account does not allow.
    pub fn project(&self, name: &str) -> Result<(), Refusal> {
        self.named("CodeBuild project", "projects", &self.allow.projects, name)
    }

    /// Refuses an ECR repository that the account does not allow.
    pub fn repository(&self, name: &str) -> Result<(), Refusal> {
        self.named("ECR repository", "repositories", &self.allow.repositories, name)
    }

    /// Refuses a role that the account does not allow. A bare name is matched against the last part of the patterns
    /// that name no other account than any: roles are always those of the account that is called.
    pub fn role(&self, role: &str) -> Result<(), Refusal> {
        let allowed = match role.starts_with("arn:") {
            true => self.allow.roles.iter().any(|pattern| matches(pattern, role)),
            false => self.allow.roles.iter().any(|pattern| {
                pattern.rsplit_once(":role/").is_some_and(|(_, name)| matches(&Glob::from(name), role))
                    || pattern.as_str() == "*"
            }),
        };
        if allowed { Ok(()) } else { Err(self.refusal("role", "roles", role)) }
    }

    fn named(&self, what: &'static str, list: &'static str, patterns: &[Glob], name: &str) -> Result<(), Refusal> {
        if patterns.iter().any(|pattern| matches(pattern, name)) { Ok(()) } else { Err(self.refusal(what, list, name)) }
    }

    fn refusal(&self, what: &'static str, list: &'static str, name: &str) -> Refusal {
        Refusal::NotAllowed { account: self.account.clone(), what, list, name: name.to_owned() }
    }
}

/// Whether a name has the form of a pattern, in which `*` stands for any characters.
pub fn matches(pattern: &Glob, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
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

    #[test]
    fn a_pattern_matches_what_its_stars_can_stand_for_and_nothing_else() {
        let hit = |pattern: &str, name: &str| matches(&pattern.into(), name);
        assert!(hit("interstella-*", "interstella-iridium"));
        assert!(hit("*", "anything"));
        assert!(hit("a*b*c", "a1b2c"));
        assert!(hit("exact", "exact"));
        assert!(!hit("exact", "exactly"));
        assert!(!hit("interstella-*", "other-interstella-x"));
        assert!(!hit("a*b*c", "ab"));
        assert!(!hit("a*a", "a"));
    }
}
