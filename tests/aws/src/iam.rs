//! Who calls, and what they may: credentials, roles, policies, and a record of every right that was used. Assuming roles is in `sts`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::faults::glob;
use crate::policy::Policy;
use crate::wire::Parsed;
use crate::{Call, Refusal};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `arn:aws:iam::…:user/…` or `arn:aws:sts::…:assumed-role/ROLE/SESSION`.
    pub arn: String,
    /// 12 digits.
    pub account: String,
    /// `AIDA…`, or `AROA…:SESSION`.
    pub user_id: String,
    /// The role's ARN, if the credentials came from AssumeRole.
    pub role: Option<String>,
}

/// What an access key stands for.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose it is.
    pub caller: Caller,
    /// Its secret; `None`: nobody verifies what it signed.
    pub secret: Option<String>,
    /// The session token that must come with it.
    pub token: Option<String>,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

/// A role.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// ARN globs of those who may assume it, and names of AWS's services; empty lets anyone of its own account, and any service.
    pub trusts: Vec<String>,
    /// The `sts:ExternalId` that its trust asks for.
    pub external_id: Option<String>,
    /// What it may do; `None` lets it do everything.
    pub policy: Option<Policy>,
}

/// Credentials, roles, and what was checked.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// By access key ID.
    pub credentials: BTreeMap<String, Credential>,
    /// By ARN.
    pub roles: BTreeMap<String, Role>,
    /// Roles' `MaxSessionDuration` in seconds, by ARN; absent is AWS's 3600.
    pub longest_sessions: BTreeMap<String, i64>,
    /// What users (callers without a role) may do, by their ARN; absent lets them do everything.
    pub users: BTreeMap<String, Policy>,
    used: BTreeSet<(String, String)>,
    pub(crate) mood: Mood,
}

/// Whether rights count at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// They do.
    #[default]
    Fair,
    /// Whatever is asked is denied: a fault.
    Denying,
}

impl Iam {
    /// Every action that was checked, with the resource it was checked on: what a policy must allow, and nothing more.
    pub fn used_actions(&self) -> &BTreeSet<(String, String)> {
        &self.used
    }

    /// Forgets what was used.
    pub fn forget_used(&mut self) {
        self.used.clear();
    }

    /// Whether a service of AWS, e.g. `ecs-tasks.amazonaws.com`, can take on this role.
    pub(crate) fn serves(&self, role: &str, service: &str) -> bool {
        let trusts = |role: &Role| role.trusts.is_empty() || role.trusts.iter().any(|trusted| glob(trusted, service));
        self.roles.get(role).is_some_and(trusts)
    }

    /// Whether a role may do this. Not written down as used: it is not the caller's right.
    pub(crate) fn role_may(&self, role: &str, action: &str, resource: &str) -> bool {
        let policy = self.roles.get(role).and_then(|role| role.policy.as_ref());
        policy.is_none_or(|policy| policy.allows(action, resource, &[]))
    }

    /// Whose key a request was signed with.
    pub(crate) fn caller(&self, parsed: &Parsed, now: Timestamp) -> Result<Caller, Refusal> {
        let Some(key) = &parsed.key else {
            return Err(unsigned(parsed.service));
        };
        let known = self.credentials.get(key).filter(|credential| credential.token == parsed.token);
        match known {
            None => Err(unrecognized(parsed.service)),
            Some(credential) if credential.expires.is_some_and(|expires| expires <= now) => {
                Err(expired(parsed.service))
            }
            Some(credential) => Ok(credential.caller.clone()),
        }
    }

    /// Whether the caller may do this; `context` are the condition keys that AWS fills for it.
    pub fn allow(
        &mut self,
        call: &Call,
        action: &str,
        resource: &str,
        context: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        let entry = (action.to_owned(), resource.to_owned());
        let policy = match &call.caller.role {
            Some(role) => self.roles.get(role).and_then(|role| role.policy.as_ref()),
            None => self.users.get(&call.caller.arn),
        };
        let allowed = self.mood == Mood::Fair && policy.is_none_or(|policy| policy.allows(action, resource, context));
        if self.mood == Mood::Fair {
            self.used.insert(entry);
        }
        if allowed { Ok(()) } else { Err(denied(call, action, resource)) }
    }
}

/// AWS's sentence for a missing right.
pub fn denied(call: &Call, action: &str, resource: &str) -> Refusal {
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
        call.caller.arn
    );
    match call.service {
        "s3" => Refusal {
            status: 403,
            ..Refusal::new("AccessDenied", message.replace(resource, &format!("\"{resource}\"")))
        },
        "sts" => Refusal {
            status: 403,
            ..Refusal::new(
                "AccessDenied",
                format!("User: {} is not authorized to perform: {action} on resource: {resource}", call.caller.arn),
            )
        },
        _ => Refusal::new("AccessDeniedException", message),
    }
}

fn unsigned(service: &str) -> Refusal {
    match service {
        "s3" => Refusal { status: 403, ..Refusal::new("AccessDenied", "Access Denied") },
        "sts" => Refusal {
            status: 403,
            ..Refusal::new("MissingAuthenticationToken", "Request is missing Authentication Token")
        },
        _ => Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token"),
    }
}

fn unrecognized(service: &str) -> Refusal {
    match service {
        "s3" => Refusal {
            status: 403,
            ..Refusal::new("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        },
        "sts" => Refusal {
            status: 403,
            ..Refusal::new("InvalidClientTokenId", "The security token included in the request is invalid.")
        },
        _ => Refusal::new("UnrecognizedClientException", "The security token included in the request is invalid."),
    }
}

fn expired(service: &str) -> Refusal {
    match service {
        "s3" => Refusal::new("ExpiredToken", "The provided token has expired."),
        "sts" => Refusal {
            status: 403,
            ..Refusal::new("ExpiredToken", "The security token included in the request is expired")
        },
        _ => Refusal::new("ExpiredTokenException", "The security token included in the request is expired"),
    }
}
