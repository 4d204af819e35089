//! How long things take. AWS promises next to none of this: the defaults are what Fargate was seen to take, and tests may set them.

use jiff::SignedDuration;

/// Durations of the state machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Until a new service deployment has an ARN that calls show, and starts.
    pub pending: SignedDuration,
    /// PROVISIONING: the network interface is attached.
    pub provisioning: SignedDuration,
    /// PENDING: images are pulled.
    pub pulling: SignedDuration,
    /// From PENDING until a task that does not get its image, or something else that it needs, is given up; absent is as long as `pulling`.
    pub giving_up: Option<SignedDuration>,
    /// ACTIVATING: targets are registered; only behind a load balancer.
    pub activating: SignedDuration,
    /// A task without a health check counts as healthy this long after RUNNING: 40 s [API_DeploymentConfiguration, minimumHealthyPercent].
    pub settled: SignedDuration,
    /// From RUNNING until a target group's failing health checks have a task replaced. A container's own check says itself how long it takes.
    pub unhealthy: SignedDuration,
    /// DEACTIVATING: targets are drained; only behind a load balancer. AWS's default is 300 s.
    pub draining: SignedDuration,
    /// STOPPING: from SIGTERM to the exit.
    pub stopping: SignedDuration,
    /// DEPROVISIONING: the network interface is taken off.
    pub deprovisioning: SignedDuration,
    /// From the last task's change until the scheduler speaks of a steady state.
    pub steady: SignedDuration,
    /// Until a task that failed is tried again; grows after the third round, up to 27 minutes.
    pub retry: SignedDuration,
    /// The pauses after the first failed round, the second and so on, instead of `retry`; the last holds for all that follow.
    pub pauses: Vec<SignedDuration>,
    /// Until a task for which there was no room is tried again.
    pub unplaced: SignedDuration,
    /// From STOP_REQUESTED to STOPPED, from ROLLBACK_REQUESTED to ROLLBACK_IN_PROGRESS, and from DRAINING to INACTIVE at the least.
    pub yielding: SignedDuration,
    /// How long an INACTIVE service can still be described.
    pub inactive: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = SignedDuration::from_secs;
        Self {
            pending: seconds(1),
            provisioning: seconds(10),
            pulling: seconds(15),
            giving_up: None,
            activating: seconds(5),
            settled: seconds(40),
            unhealthy: seconds(60),
            draining: seconds(60),
            stopping: seconds(5),
            deprovisioning: seconds(10),
            steady: seconds(5),
            retry: seconds(10),
            pauses: Vec::new(),
            unplaced: seconds(60),
            yielding: seconds(3),
            inactive: SignedDuration::from_hours(1),
        }
    }
}

impl Timing {
    /// Failures minutes apart, as an account was seen to have them in July 2026: an image that can not be pulled failed 2:34, 4:46 and 11:00
    /// minutes after UpdateService, here 2:34, 4:44 and 11:00; checks of a load balancer failed 5.5 minutes apart.
    pub fn observed() -> Self {
        let seconds = SignedDuration::from_secs;
        Self {
            giving_up: Some(seconds(118)),
            unhealthy: seconds(290),
            provisioning: seconds(10),
            pending: seconds(26),
            pauses: vec![seconds(2), seconds(248)],
            ..Self::default()
        }
    }

    /// Two failures, then nothing for a quarter of an hour at a time: IN_PROGRESS all the while, without an event. Seen in September 2026, for
    /// 11 minutes and more.
    pub fn falling_silent() -> Self {
        Self { pauses: vec![SignedDuration::from_secs(2), SignedDuration::from_mins(15)], ..Self::observed() }
    }

    /// How long a task is PENDING before it is given up.
    pub(super) fn failing_pull(&self) -> SignedDuration {
        self.giving_up.unwrap_or(self.pulling)
    }

    /// The pause before the next round after `rounds` that failed: as told, or constant for three, then doubling.
    pub(super) fn pause(&self, rounds: u32) -> SignedDuration {
        let round = usize::try_from(rounds.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(pause) = self.pauses.get(round).or(self.pauses.last()) {
            return *pause;
        }
        const LONGEST: SignedDuration = SignedDuration::from_mins(27);
        let doublings = rounds.saturating_sub(3).min(16);
        self.retry.checked_mul(1 << doublings).unwrap_or(LONGEST).min(LONGEST)
    }
}
