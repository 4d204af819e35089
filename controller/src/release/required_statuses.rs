//! Looks at what others report of a Release's commit at its git host. Changes nothing.

use crate::access::at_host;
use crate::context::Context;
use crate::git_hosts::{HostFault, Reporter};
use launchway_plan::look::Looked;
use launchway_plan::release::Desired;
use launchway_plan::release::commit_status::Host;
use launchway_plan::world::LiveStatuses;

/// How the commit statuses and checks of these names stand.
pub async fn look(host: &Host, names: &[String], desired: &Desired, context: &Context) -> Looked<LiveStatuses> {
    let access = match at_host(&desired.namespace, host, context).await {
        Ok(access) => access,
        Err(fault) => return blind(host, &fault),
    };
    let (hosts, metrics, commit) = (&context.git_hosts, &context.metrics, desired.commit.as_str());
    match (Reporter { hosts, host, access: &access, commit, metrics }).read(names, (context.clock)()).await {
        Ok(seen) => Looked::Seen(seen),
        Err(fault) => blind(host, &fault),
    }
}

fn blind(host: &Host, fault: &HostFault) -> Looked<LiveStatuses> {
    Looked::Blind(fault.at_reading(&host.repository))
}
