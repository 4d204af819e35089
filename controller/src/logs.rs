//! Which lines are logged. HTTP and AWS libraries write headers and bodies into their debug lines, and so credentials:
//! those lines are never logged, whatever RUST_LOG says.

use tracing_subscriber::EnvFilter;

/// The filter when RUST_LOG is not set.
const DEFAULT: &str = "info,kube_runtime=warn";

/// Crates that write headers, bodies or credentials into their debug and trace lines.
const LEAKY: [&str; 8] = ["aws_", "hyper", "h2", "http", "reqwest", "rustls", "kube_client", "tower"];

/// How much those crates may log. A name stands for all that begin with it.
const WARNINGS: &str = "aws_config=warn,aws_credential_types=warn,aws_runtime=warn,aws_sdk=warn,aws_sigv4=warn,\
    aws_smithy_async=warn,aws_smithy_http=warn,aws_smithy_http_client=warn,aws_smithy_runtime=warn,\
    aws_smithy_runtime_api=warn,aws_smithy_types=warn,aws_types=warn,h2=warn,http=warn,hyper=warn,hyper_rustls=warn,\
    hyper_util=warn,kube_client=warn,reqwest=warn,rustls=warn,tower=warn,tower_http=warn";

/// kube's client logs the whole text of an answer that it cannot decode, Secrets too, as a warning (kube-client 5.0,
/// `Client::request`). What went wrong is in its errors as well.
const BODIES: &str = "kube_client::client=off";

/// The filter that `RUST_LOG` asks for, but only warnings from the crates that log credentials. Directives for spans are
/// dropped, because a span also covers the crates called inside it; so are directives that do not parse.
pub fn filter(asked: Option<&str>) -> EnvFilter {
    let asked = asked.filter(|asked| !asked.trim().is_empty()).unwrap_or(DEFAULT);
    let leaks = |directive: &&str| LEAKY.iter().any(|name| directive.trim_start().starts_with(name));
    let kept: Vec<&str> = asked.split(',').filter(|one| !leaks(one) && !one.contains('[')).collect();
    EnvFilter::builder().parse_lossy(format!("{},{WARNINGS},{BODIES}", kept.join(",")))
}

#[cfg(test)]
mod tests {
    use super::filter;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, PoisonError};

    /// Keeps what is written to it.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is kept of those lines where RUST_LOG is that.
    fn kept(asked: Option<&str>, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt().with_env_filter(filter(asked)).with_writer(move || writer.clone());
        tracing::subscriber::with_default(lines.finish(), log);
        String::from_utf8_lossy(&kept.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    #[test]
    fn no_body_of_kubernetes_is_logged_whatever_rust_log_says() {
        for asked in [None, Some("trace"), Some("kube_client::client=trace"), Some("debug, kube_client=trace")] {
            let text = kept(asked, || {
                tracing::error!(target: "kube_client::client", "a body");
                tracing::warn!(target: "kube_client::client", "a body");
                tracing::warn!(target: "kube_client::config", "a warning");
            });
            assert!(text.contains("a warning") && !text.contains("a body"), "{asked:?}: {text}");
        }
    }

    #[test]
    fn no_client_of_aws_logs_more_than_warnings() {
        let text = kept(Some("trace"), || {
            tracing::debug!(target: "aws_sdk_s3::operation::get_object", "a body");
            tracing::debug!(target: "aws_sdk_ssooidc::operation", "a body");
            tracing::warn!(target: "aws_sdk_s3::operation", "a warning");
        });
        assert!(text.contains("a warning") && !text.contains("a body"), "{text}");
    }

    #[test]
    fn rust_log_is_obeyed_except_for_crates_that_log_credentials() {
        let given =
            filter(Some("debug,launchway=trace,aws_smithy_runtime::client=trace,[try_attempt]=trace")).to_string();
        assert!(given.contains("launchway=trace") && given.contains("aws_smithy_runtime=warn"), "{given}");
        assert!(!given.contains("aws_smithy_runtime::client") && !given.contains("try_attempt"), "{given}");
        assert!(filter(None).to_string().contains("info") && filter(Some(" ")).to_string().contains("info"));
    }
}
