//! One client for each service of AWS, at one place. Which credentials it has is in `assume`.

use super::agent::Agent;
use super::assume::{Assuming, session};
use super::credentials::Kept;
use super::dates::Dates;
use super::fence::Fence;
use crate::clock::Corrected;
use crate::settings::behavior;
use crate::shared::Shared;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::checksum_config::ResponseChecksumValidation;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use launchway_plan::account::Place;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// One client for each service, made when it is first used: an account that only builds never needs that of ECS.
pub(crate) struct Clients {
    pub ecs: Lazy<aws_sdk_ecs::Client>,
    pub codebuild: Lazy<aws_sdk_codebuild::Client>,
    pub ecr: Lazy<aws_sdk_ecr::Client>,
    pub s3: Lazy<aws_sdk_s3::Client>,
    pub logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    pub sts: Lazy<aws_sdk_sts::Client>,
    /// What they all sign with.
    pub credentials: Kept,
}

/// What is made when it is first used.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// A client of one SDK crate, of what its own configuration begins with.
macro_rules! client {
    ($sdk:ident, $builder:expr, $shared:expr) => {{
        let config = $builder.interceptor(Dates::new($shared.clone())).interceptor(Agent);
        $sdk::Client::from_conf(config.interceptor(Fence::new($shared.clone())).build())
    }};
}

/// The same, made when it is first used.
macro_rules! lazy {
    ($sdk:ident, $site:ident) => {{
        let site = $site.clone();
        LazyLock::new(Box::new(move || client!($sdk, $sdk::config::Builder::from(&site.config), site.shared)))
    }};
}

/// As the SDK itself has it since its behaviour of January 2026.
const CONNECT: Duration = Duration::from_millis(3_100);

/// After this an effect is in doubt (docs/effects.md, rules 1 and 2). AWS answers each of these operations within a second
/// or two.
const OPERATION: Duration = Duration::from_secs(10);

impl Clients {
    /// Clients that have not called yet, for calls that are made for that namespace, or for no one.
    pub fn new(place: &Place, namespace: Option<&str>, shared: &Arc<Shared>) -> Self {
        let site = Arc::new(Site { config: config(place, namespace, shared), shared: shared.clone() });
        Self {
            ecs: lazy!(aws_sdk_ecs, site),
            codebuild: lazy!(aws_sdk_codebuild, site),
            ecr: lazy!(aws_sdk_ecr, site),
            s3: {
                let site = site.clone();
                LazyLock::new(Box::new(move || s3(&site)))
            },
            logs: lazy!(aws_sdk_cloudwatchlogs, site),
            sts: lazy!(aws_sdk_sts, site),
            credentials: Kept::new(&site.config),
        }
    }
}

/// That of S3. At an endpoint of one's own buckets have no hosts of their own.
fn s3(site: &Site) -> aws_sdk_s3::Client {
    let builder = aws_sdk_s3::config::Builder::from(&site.config);
    client!(aws_sdk_s3, builder.force_path_style(site.config.endpoint_url().is_some()), site.shared)
}

/// What the clients of a place are made from.
struct Site {
    config: SdkConfig,
    shared: Arc<Shared>,
}

fn config(place: &Place, namespace: Option<&str>, shared: &Arc<Shared>) -> SdkConfig {
    let own = own(place, shared);
    let Some(role) = &place.role else { return own };
    let session = session(&shared.settings.installation, namespace);
    let sts = client!(aws_sdk_sts, aws_sdk_sts::config::Builder::from(&own), shared);
    let assuming = Assuming::new(sts, role.clone(), session, place.clone(), shared.clone());
    // The provider's credentials end early by themselves: the cache's own margin has jitter, which no run could repeat.
    let cache = IdentityCache::lazy().buffer_time(Duration::ZERO).build();
    own.into_builder().credentials_provider(SharedCredentialsProvider::new(assuming)).identity_cache(cache).build()
}

/// The controller's own credentials, in the place's Region. The SDK makes one attempt: which looks are sent again is
/// decided in `call`, where each attempt takes a token.
fn own(place: &Place, shared: &Shared) -> SdkConfig {
    let settings = &shared.settings;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
    let mut config = settings
        .base
        .to_builder()
        .behavior_version(behavior())
        .region(Region::new(place.region.clone()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .time_source(Corrected(shared.clock.clone()))
        // Two corrections of the same clock would add up.
        .disable_clock_skew_correction(true)
        // Parts of objects are read, and S3's sums are those of the whole.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // The operation's timeout says it all, and S3's bodies have one of their own; watching each would only cost time.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_app_name(AppName::new("launchway").ok());
    if settings.http_client.is_some() {
        config.set_http_client(settings.http_client.clone());
    }
    if settings.sleep_impl.is_some() {
        config.set_sleep_impl(settings.sleep_impl.clone());
    }
    config.build()
}
