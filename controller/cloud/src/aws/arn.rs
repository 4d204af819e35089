//! ARNs of what was asked for. None is parsed but for a name in it.

use launchway_plan::partition;

/// The ARN of something in a Region. What is one already stays as it is. That of an object in S3 names neither Region nor account.
pub(crate) fn of(service: &str, region: &str, account: &str, rest: &str) -> String {
    if rest.starts_with("arn:") {
        return rest.to_owned();
    }
    let partition = partition::of(region).id;
    match service {
        "s3" => format!("arn:{partition}:s3:::{rest}"),
        _ => format!("arn:{partition}:{service}:{region}:{account}:{rest}"),
    }
}

/// The cluster in the ARN of a service deployment or revision: `…:service-deployment/CLUSTER/SERVICE/ID`.
pub(crate) fn cluster(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or_default()
}

/// The last part of an ARN or a path.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_partition_region_and_account() {
        assert_eq!(of("ecs", "us-east-2", "1", "service/a/b"), "arn:aws:ecs:us-east-2:1:service/a/b");
        assert_eq!(of("ecs", "cn-north-1", "*", "cluster/a"), "arn:aws-cn:ecs:cn-north-1:*:cluster/a");
        assert_eq!(of("ecs", "us-east-2", "1", "arn:aws:x"), "arn:aws:x");
        assert_eq!(of("s3", "cn-north-1", "1", "builds/a/b"), "arn:aws-cn:s3:::builds/a/b");
    }
}
