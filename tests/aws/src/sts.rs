//! STS: AssumeRole and GetCallerIdentity. Federation, MFA and session policies are not here.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::faults::glob;
use crate::iam::{Caller, Credential, denied};
use crate::{Answer, Call, Refusal, World};

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
    let (Some(role), Some(session)) = (call.text("RoleArn"), call.text("RoleSessionName")) else {
        return Err(Refusal::new(
            "ValidationError",
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ));
    };
    session_name(session)?;
    let seconds = duration(call)?;
    world.allow(call, "sts:AssumeRole", role, &[])?;
    trusted(world, call, role)?;
    let expires = call.now + SignedDuration::from_secs(seconds);
    let (key, secret, token) = (format!("ASIA{}", world.fresh(16).to_uppercase()), world.fresh(40), world.fresh(64));
    let caller = assumed(world, role, session);
    let reply = json!({
        "Credentials": {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()},
        "AssumedRoleUser": {"AssumedRoleId": caller.user_id, "Arn": caller.arn},
        "PackedPolicySize": 6,
    });
    forget_expired(&mut world.iam.credentials, call.now);
    world.iam.credentials.insert(key, Credential { caller, token: Some(token), expires: Some(expires) });
    Ok(reply)
}

fn session_name(name: &str) -> Result<(), Refusal> {
    let fits =
        (2..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_=,.@-".contains(c));
    if fits {
        return Ok(());
    }
    Err(Refusal::new(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        ),
    ))
}

fn duration(call: &Call) -> Result<i64, Refusal> {
    let seconds = match call.text("DurationSeconds") {
        None => 3600,
        Some(text) => text.parse().unwrap_or(0),
    };
    match seconds {
        900..=43_200 => Ok(seconds),
        other => Err(Refusal::new(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{other}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"
            ),
        )),
    }
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

fn assumed(world: &mut World, role: &str, session: &str) -> Caller {
    let name = role.rsplit('/').next().unwrap_or(role);
    let account = account_of(role).to_owned();
    Caller {
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        user_id: format!("AROA{}:{session}", world.fresh(17).to_uppercase()),
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
