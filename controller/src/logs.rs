//! Which lines are logged. What is told of requests and answers by those who send them is never among them: it holds
//! credentials, whatever the level.

use tracing_subscriber::EnvFilter;

/// What is logged where nothing else is asked for.
const USUAL: &str = "info,kube_runtime=warn";

/// Crates that write headers, bodies or credentials into their debug and trace lines.
const TALKATIVE: [&str; 8] = ["aws_", "hyper", "h2", "http", "reqwest", "rustls", "kube_client", "tower"];

/// As much of them as is logged.
const QUIET: &str = "aws_config=warn,aws_credential_types=warn,aws_runtime=warn,aws_sdk_codebuild=warn,\
    aws_sdk_cloudwatchlogs=warn,aws_sdk_ecr=warn,aws_sdk_ecs=warn,aws_sdk_sts=warn,aws_sigv4=warn,\
    aws_smithy_async=warn,aws_smithy_http=warn,aws_smithy_http_client=warn,aws_smithy_runtime=warn,\
    aws_smithy_runtime_api=warn,aws_smithy_types=warn,aws_types=warn,h2=warn,http=warn,hyper=warn,hyper_rustls=warn,\
    hyper_util=warn,kube_client=warn,reqwest=warn,rustls=warn,tower=warn,tower_http=warn";

/// The filter that `RUST_LOG` asks for, as far as it may be given: no more than warnings of those who talk. Directives for
/// spans are left out, since a span is entered by everyone below it; so is what cannot be read.
pub fn filter(asked: Option<&str>) -> EnvFilter {
    let asked = asked.filter(|asked| !asked.trim().is_empty()).unwrap_or(USUAL);
    let talks = |directive: &&str| TALKATIVE.iter().any(|name| directive.trim_start().starts_with(name));
    let kept: Vec<&str> = asked.split(',').filter(|one| !talks(one) && !one.contains('[')).collect();
    EnvFilter::builder().parse_lossy(format!("{},{QUIET}", kept.join(",")))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn what_is_asked_for_is_given_but_for_those_who_talk() {
        let given =
            filter(Some("debug,launchway=trace,aws_smithy_runtime::client=trace,[try_attempt]=trace")).to_string();
        assert!(given.contains("launchway=trace") && given.contains("aws_smithy_runtime=warn"), "{given}");
        assert!(!given.contains("aws_smithy_runtime::client") && !given.contains("try_attempt"), "{given}");
        assert!(filter(None).to_string().contains("info") && filter(Some(" ")).to_string().contains("info"));
    }
}
