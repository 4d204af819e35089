//! AWS's partitions: the part of an ARN and the end of a host name that a Region belongs to. The only place that knows
//! them.

/// A partition of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As it stands in ARNs: `aws`, `aws-cn`.
    pub id: &'static str,
    /// The end of its host names: `amazonaws.com`.
    pub suffix: &'static str,
    /// How the names of its Regions begin.
    prefix: &'static str,
}

/// All partitions but `aws`, which has the Regions that begin like none of these. Source: the SDK's own list of partitions,
/// version 1.1 (`endpoint_lib.rs` of aws-sdk-ecs 1.157).
const OTHERS: [Partition; 7] = [
    Partition { id: "aws-cn", suffix: "amazonaws.com.cn", prefix: "cn-" },
    Partition { id: "aws-us-gov", suffix: "amazonaws.com", prefix: "us-gov-" },
    Partition { id: "aws-iso", suffix: "c2s.ic.gov", prefix: "us-iso-" },
    Partition { id: "aws-iso-b", suffix: "sc2s.sgov.gov", prefix: "us-isob-" },
    Partition { id: "aws-iso-e", suffix: "cloud.adc-e.uk", prefix: "eu-isoe-" },
    Partition { id: "aws-iso-f", suffix: "csp.hci.ic.gov", prefix: "us-isof-" },
    Partition { id: "aws-eusc", suffix: "amazonaws.eu", prefix: "eusc-" },
];

const AWS: Partition = Partition { id: "aws", suffix: "amazonaws.com", prefix: "" };

/// The partition of a Region.
pub fn of(region: &str) -> Partition {
    OTHERS.into_iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(AWS)
}

/// The host of an account's ECR registry in a Region.
pub fn registry(account: &str, region: &str) -> String {
    format!("{account}.dkr.ecr.{region}.{}", of(region).suffix)
}

/// The host of AWS's console in a Region; none, where it is not known. Source: AWS's documentation, "AWS Management Console" endpoints of
/// the partitions aws, aws-cn and aws-us-gov.
pub fn console(region: &str) -> Option<String> {
    let suffix = match of(region).id {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => return None,
    };
    Some(format!("{region}.{suffix}"))
}

/// The host of CodeCommit's git server in a Region. Source: CodeCommit's user guide, "Regions and Git connection endpoints".
pub fn git_host(region: &str) -> String {
    format!("git-codecommit.{region}.{}", of(region).suffix)
}

/// The URL of a repository of CodeCommit in a Region, as git and CodeBuild take it.
pub fn git_url(region: &str, repository: &str) -> String {
    format!("https://{}{}", git_host(region), git_path(repository))
}

/// The path of a repository on CodeCommit's git server.
pub fn git_path(repository: &str) -> String {
    format!("/v1/repos/{repository}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_is_in_its_partition() {
        for (region, id) in [
            ("us-east-2", "aws"),
            ("eu-central-1", "aws"),
            ("mx-central-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(of(region).id, id, "{region}");
        }
    }

    #[test]
    fn a_repository_of_codecommit_is_on_a_host_of_its_partition() {
        assert_eq!(git_url("us-east-2", "web"), "https://git-codecommit.us-east-2.amazonaws.com/v1/repos/web");
        assert_eq!(git_url("cn-north-1", "web"), "https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/web");
    }

    #[test]
    fn a_registry_is_a_host_of_its_partition() {
        assert_eq!(registry("123456789012", "us-east-2"), "123456789012.dkr.ecr.us-east-2.amazonaws.com");
        assert_eq!(registry("123456789012", "cn-north-1"), "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
        assert_eq!(registry("123456789012", "eusc-de-east-1"), "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu");
    }
}
