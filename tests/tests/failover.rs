//! Two replicas on a real API server, of which the leader is asked to end, killed, and paused, each in the middle of work: nothing is
//! done twice, and the other one goes on in time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use launchway_tests::scale::{Blow, Options, failovers};

/// Longer than a lease lasts that is not renewed.
const PAUSE: Duration = Duration::from_secs(22);
/// On a machine with other work: a lease lasts 14 s, and is looked at each second.
const TAKEN: Duration = Duration::from_secs(17);
const HANDED_OVER: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_befalls_the_leader_the_other_replica_goes_on_and_nothing_is_done_twice() {
    let options = Options { sizes: vec![], shares: vec![], converge: vec![], edits: 0, resync: 600, controller: None };
    for one in failovers(&options, 1, PAUSE).await.unwrap() {
        println!(
            "{:?}: the lease was taken after {:?}, the next effect came after {:?}",
            one.blow, one.taken, one.effect
        );
        assert_eq!(one.duplicates, 0, "{one:?}");
        let longest = if one.blow == Blow::Asked { HANDED_OVER } else { TAKEN };
        assert!(one.taken[0] < longest, "{one:?}");
    }
}
