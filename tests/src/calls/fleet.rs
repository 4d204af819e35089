//! Many Services in one cluster, by the controller as it runs: only there passes go on side by side and share calls.

use std::sync::Arc;

use launchway::context::Clock;
use tokio::time::Instant;

use super::{Counted, GOOD, count, service, world};
use crate::running::Running;
use crate::world::{World, sample};

/// How many.
const SERVICES: usize = 100;

/// What they ask for when they are all made at once, and at rest.
pub fn of_a_fleet() -> Vec<Counted> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(counted())
}

async fn counted() -> Vec<Counted> {
    let world = world();
    let running = Running::start_with(&world, world.store.client(), clock(&world));
    let names: Vec<String> = (0..SERVICES).map(|number| format!("web-{number}")).collect();
    let manifests = names.iter().map(|name| service(name, GOOD[0])).chain([sample::aws_account()]);
    for manifest in manifests {
        world.store.apply_json(&manifest).expect("a manifest that is admitted");
    }
    running.until(|world| names.iter().all(|name| world.is("Service", name, "RolledOut", "True"))).await;
    let first = count(&world, 0, "a first release of 100 Services at once", "ACK 9 each");
    running.for_minutes(20).await;
    let before = world.aws().log.len();
    running.for_minutes(60).await;
    let idle =
        count(&world, before, "an hour of rest, 100 Services of one cluster", "ACK 0: drift is seen after 10 hours");
    running.stopped().await;
    vec![first, idle]
}

/// The world's time to the fraction of a second: who wakes together has to be seen to.
fn clock(world: &World) -> Clock {
    let (from, began) = (world.now(), Instant::now());
    Arc::new(move || from + began.elapsed())
}
