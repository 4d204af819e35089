//! How AWS is reached: credentials, network, clock. No flag or variable is read here but those that
//! the SDK itself reads.

use crate::told::Tell;
use aws_config::BehaviorVersion;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How AWS is reached.
#[derive(Clone)]
pub struct Settings {
    /// The controller's own credentials, endpoint and the rest, as the SDK's loader finds them. Its Region only counts
    /// for the credentials themselves: each call says its own.
    pub base: SdkConfig,
    /// The HTTP client; absent: that of `base`, or the SDK's own.
    pub http_client: Option<SharedHttpClient>,
    /// The clock; absent: that of `base`, or the system's.
    pub time_source: Option<SharedTimeSource>,
    /// How waiting is done; absent: that of `base`, or tokio's.
    pub sleep_impl: Option<SharedAsyncSleep>,
    /// Where git's requests to CodeCommit go in place of its own hosts, for which they are signed all the same. For tests.
    pub codecommit_url: Option<String>,
    /// The name of this installation, for the sessions of roles.
    pub installation: String,
    /// Where jitter comes from: the same seed gives the same run.
    pub seed: u64,
    /// How long a look waits at the most for others to share its call, while a call of the same kind is under way.
    pub linger: Duration,
    /// How long a look at an object that has nothing to do waits for others.
    pub sweep: Duration,
    /// Whether anything may be changed now. Asked on the line before each change.
    pub may_change: MayChange,
    /// Is told of each call.
    pub tell: Tell,
}

/// Says whether anything may be changed now.
pub type MayChange = Arc<dyn Fn() -> bool + Send + Sync>;

impl Settings {
    /// The settings of a controller at work, over a loaded configuration.
    pub fn new(base: SdkConfig) -> Self {
        Self {
            base,
            http_client: None,
            time_source: None,
            sleep_impl: None,
            codecommit_url: None,
            installation: String::new(),
            seed: 0,
            linger: LINGER,
            sweep: SWEEP,
            may_change: Arc::new(|| true),
            tell: Arc::new(|_| {}),
        }
    }

    /// The same, over what the environment, the profile files and the machine say: `AWS_PROFILE`, `AWS_REGION`,
    /// credentials, `AWS_ENDPOINT_URL`, proxies.
    pub async fn from_environment() -> Self {
        Self::new(aws_config::defaults(behavior()).load().await)
    }
}

/// The SDK's behaviour is pinned: a newer SDK must not change timeouts or retries by itself.
pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Long enough that passes which were woken together share calls, short enough that nobody sees it.
const LINGER: Duration = Duration::from_millis(20);

/// Long enough that checks for drift which are due together fill calls, and nobody waits for them.
const SWEEP: Duration = Duration::from_secs(1);

/// Without `base`: it holds credentials.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("seed", &self.seed)
            .field("linger", &self.linger)
            .field("sweep", &self.sweep)
            .finish_non_exhaustive()
    }
}
