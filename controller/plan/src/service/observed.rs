//! What a pass over a Service saw. Faults are inside; nothing is judged.

use crate::account::AccountSeen;
use crate::look::Looked;
use crate::world::{Deployment, LiveService, LiveTaskDefinition, Revision, StoppedTask};
use jiff::Timestamp;
use launchway_crds::pipeline::{PipelineSpec, PipelineStatus};
use std::collections::BTreeMap;

/// The Pipeline that a Service follows, read live.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineSeen {
    /// Its spec and status; absent: there is none of that name.
    pub found: Option<(PipelineSpec, Option<PipelineStatus>)>,
}

/// What a pass over a Service saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The time, by AWS's clock.
    pub at: Timestamp,
    /// The AwsAccount and the namespace.
    pub account: AccountSeen,
    /// The Pipeline; absent for a Service with literal images only.
    pub pipeline: Option<PipelineSeen>,
    /// The deployment that is being followed. If it is at work still, nothing else was looked at.
    pub followed: Looked<Option<Deployment>>,
    /// The ECS service of that name.
    pub service: Looked<Option<LiveService>>,
    /// Task definitions, by the ARN or the family that was asked for.
    pub definitions: BTreeMap<String, Looked<Option<LiveTaskDefinition>>>,
    /// The ARNs of the family's newest task definitions, newest first.
    pub family: Looked<Vec<String>>,
    /// The service's current deployment.
    pub current: Looked<Option<Deployment>>,
    /// The service's deployments, newest first.
    pub deployments: Looked<Vec<Deployment>>,
    /// Revisions of deployments, by their ARNs.
    pub revisions: BTreeMap<String, Looked<Option<Revision>>>,
    /// Tasks of the service that stopped, newest first.
    pub stopped: Looked<Vec<StoppedTask>>,
}

/// A deployment with its revisions, as far as they could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenDeployment {
    /// The deployment.
    pub deployment: Deployment,
    /// What it brings.
    pub target: Option<Revision>,
    /// What it replaces.
    pub source: Option<Revision>,
}

impl Observed {
    /// Nothing seen yet.
    pub fn at(at: Timestamp, account: AccountSeen, pipeline: Option<PipelineSeen>) -> Self {
        Self {
            at,
            account,
            pipeline,
            followed: Looked::NotAsked,
            service: Looked::NotAsked,
            definitions: BTreeMap::new(),
            family: Looked::NotAsked,
            current: Looked::NotAsked,
            deployments: Looked::NotAsked,
            revisions: BTreeMap::new(),
            stopped: Looked::NotAsked,
        }
    }
}
