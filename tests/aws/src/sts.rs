//! STS: AssumeRole and GetCallerIdentity. Federation, MFA and session policies are not here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::faults::glob;
use crate::iam::{Caller, Credential, denied};
use crate::{Answer, Call, Refusal, World};

/// Seconds that a session lasts unless it is asked for longer and its role allows that [API_AssumeRole].
const LONGEST: i64 = 3600;

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "AssumeRole" => assume_role(world, call),
        "GetCallerIdentity" => {
            Ok(json!({"Arn": call.caller.arn, "UserId": call.caller.user_id, "Account": call.caller.account}))
        }
        other => Err(Refusal::new("InvalidAction", format!("Could not find operation {other} for version 2011-06-15"))),
    }
}

fn assume_role(world: &mut World, call: &Call) -> Answer {
    known(call)?;
    let (role, session, seconds) = (ROLE.checked(call)?, SESSION.checked(call)?, duration(call)?);
    if call.text("ExternalId").is_some() {
        EXTERNAL_ID.checked(call)?;
    }
    world.allow(call, "sts:AssumeRole", role, &[])?;
    trusted(world, call, role)?;
    short_enough(world, call, role, seconds)?;
    let expires = call.now + SignedDuration::from_secs(seconds);
    let (key, secret, token) = (format!("ASIA{}", world.fresh(16).to_uppercase()), world.fresh(40), world.fresh(64));
    let caller = assumed(role, session);
    let reply = json!({
        "Credentials": {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()},
        "AssumedRoleUser": {"AssumedRoleId": caller.user_id, "Arn": caller.arn},
        "PackedPolicySize": 6,
    });
    forget_expired(&mut world.iam.credentials, call.now);
    let credential = Credential { caller, secret: Some(secret), token: Some(token), expires: Some(expires) };
    world.iam.credentials.insert(key, credential);
    Ok(reply)
}

/// Session policies, tags, MFA and what else is not played is refused.
fn known(call: &Call) -> Result<(), Refusal> {
    const PLAYED: &[&str] = &["Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId"];
    let mut members = call.input.as_object().into_iter().flat_map(|members| members.keys());
    match members.find(|name| !PLAYED.contains(&name.as_str())) {
        Some(name) => Err(invalid(format!("The simulator does not know {name} of AssumeRole."))),
        None => Ok(()),
    }
}

/// What a text member of AssumeRole must be like [API_AssumeRole].
struct Rule {
    member: &'static str,
    shown: &'static str,
    lengths: RangeInclusive<usize>,
    /// What it may hold beside letters and digits, and the pattern as AWS writes it.
    more: Option<(&'static str, &'static str)>,
}

const ROLE: Rule = Rule { member: "RoleArn", shown: "roleArn", lengths: 20..=2048, more: None };
const SESSION: Rule = Rule {
    member: "RoleSessionName",
    shown: "roleSessionName",
    lengths: 2..=64,
    more: Some(("_+=,.@-", "[\\w+=,.@-]*")),
};
const EXTERNAL_ID: Rule = Rule {
    member: "ExternalId",
    shown: "externalId",
    lengths: 2..=1224,
    more: Some(("_+=,.@:/-", "[\\w+=,.@:\\/-]*")),
};

impl Rule {
    /// The member, if it is there and as it must be.
    fn checked<'a>(&self, call: &'a Call) -> Result<&'a str, Refusal> {
        let text = call.text(self.member).ok_or_else(|| self.refusal("null", "not be null"))?;
        match self.broken_by(text) {
            None => Ok(text),
            Some(constraint) => Err(self.refusal(&format!("'{text}'"), &constraint)),
        }
    }

    fn broken_by(&self, text: &str) -> Option<String> {
        let length = text.chars().count();
        if length < *self.lengths.start() {
            return Some(format!("have length greater than or equal to {}", self.lengths.start()));
        }
        if length > *self.lengths.end() {
            return Some(format!("have length less than or equal to {}", self.lengths.end()));
        }
        let (more, pattern) = self.more?;
        let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        (!fits).then(|| format!("satisfy regular expression pattern: {pattern}"))
    }

    fn refusal(&self, value: &str, constraint: &str) -> Refusal {
        let shown = self.shown;
        invalid(format!(
            "1 validation error detected: Value {value} at '{shown}' failed to satisfy constraint: Member must {constraint}"
        ))
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

fn duration(call: &Call) -> Result<i64, Refusal> {
    let seconds = match call.text("DurationSeconds") {
        None => LONGEST,
        Some(text) => text.parse().unwrap_or(0),
    };
    let bound = match seconds {
        900..=43_200 => return Ok(seconds),
        ..900 => "greater than or equal to 900",
        _ => "less than or equal to 43200",
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
    )))
}

/// A session lasts no longer than its role allows; one that another role's session began, an hour at most [API_AssumeRole].
fn short_enough(world: &World, call: &Call, role: &str, seconds: i64) -> Result<(), Refusal> {
    if call.caller.role.is_some() && seconds > LONGEST {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    if seconds <= world.iam.longest_sessions.get(role).copied().unwrap_or(LONGEST) {
        return Ok(());
    }
    Err(invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."))
}

/// A role that does not exist, does not trust the caller or misses its external ID: AWS says the same of all three.
fn trusted(world: &World, call: &Call, arn: &str) -> Result<(), Refusal> {
    let granted = world.iam.roles.get(arn).is_some_and(|role| {
        let known = match role.trusts.as_slice() {
            [] => account_of(arn) == call.caller.account,
            trusts => trusts.iter().any(|pattern| {
                glob(pattern, &call.caller.arn) || call.caller.role.as_deref().is_some_and(|role| glob(pattern, role))
            }),
        };
        known && role.external_id.as_deref().is_none_or(|wanted| call.text("ExternalId") == Some(wanted))
    });
    if granted { Ok(()) } else { Err(denied(call, "sts:AssumeRole", arn)) }
}

/// Who a role's session is. A role has one ID, here made from its ARN.
fn assumed(role: &str, session: &str) -> Caller {
    let name = role.rsplit('/').next().unwrap_or(role);
    let account = account_of(role).to_owned();
    let hash = crate::ecr::digest(role).to_uppercase();
    let id: String = hash["sha256:".len()..].chars().take(17).collect();
    Caller {
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        user_id: format!("AROA{id}:{session}"),
        account,
        role: Some(role.to_owned()),
    }
}

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// An hour after its end a key is one that nobody knows.
fn forget_expired(credentials: &mut BTreeMap<String, Credential>, now: Timestamp) {
    credentials
        .retain(|_, credential| credential.expires.is_none_or(|expires| now < expires + SignedDuration::from_hours(1)));
}
