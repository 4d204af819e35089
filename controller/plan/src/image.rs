//! Images: the reference by which ECS pulls one, put together from facts.

use crate::condition::brief;
use crate::hash;
use crate::partition;
use launchway_crds::pipeline::ImageStatus;

/// `<account>.dkr.ecr.<region>.<domain>/<repository>@sha256:<digest>`.
pub fn reference(image: &ImageStatus) -> String {
    let ImageStatus { name: _, registry, region, repository, digest } = image;
    format!("{}/{repository}@{digest}", partition::registry(registry, region))
}

/// What a Pipeline remembers the image of a commit under: a hash of commit and repository.
pub fn key(commit: &str, repository: &str) -> String {
    hash::of(&(commit, repository)).chars().take(16).collect()
}

/// A reference without its tag and digest.
pub fn untagged(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    match name.rsplit_once(':') {
        // A colon before a slash is that of a registry's port.
        Some((before, tag)) if !tag.contains('/') => before,
        Some(_) | None => name,
    }
}

/// The repository of an image in a private registry of ECR; none: it is elsewhere. Source: ECR's user guide, "Amazon ECR
/// registries": `<account>.dkr.ecr.<region>.<domain>`, `<account>.dkr-ecr.<region>.<domain>` for IPv6, and `ecr-fips` for both.
pub fn in_private_ecr(reference: &str) -> Option<&str> {
    let (host, repository) = untagged(reference).split_once('/')?;
    let host = host.to_ascii_lowercase();
    let (account, rest) = host.split_once(".dkr")?;
    let is_ecr = rest.starts_with(".ecr") || rest.starts_with("-ecr");
    (is_ecr && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(repository)
}

/// A reference as people say it: without its registry, and with twelve digits of its digest.
pub fn short(reference: &str) -> String {
    let is_registry = |host: &str| host.contains(['.', ':']);
    let name = reference.split_once('/').filter(|(host, _)| is_registry(host)).map_or(reference, |(_, name)| name);
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@sha256:{}", brief(digest)),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(region: &str) -> ImageStatus {
        ImageStatus {
            name: "web".into(),
            registry: "123456789012".into(),
            region: region.into(),
            repository: "shop/web".into(),
            digest: format!("sha256:{}", "a".repeat(64)).into(),
        }
    }

    #[test]
    fn a_reference_has_the_domain_of_the_regions_partition() {
        let domains = [
            ("us-east-2", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("us-west-2", "amazonaws.com"),
            ("eu-central-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "amazonaws.eu"),
        ];
        for (region, domain) in domains {
            let wanted = format!("123456789012.dkr.ecr.{region}.{domain}/shop/web@sha256:{}", "a".repeat(64));
            assert_eq!(reference(&image(region)), wanted);
        }
    }

    #[test]
    fn a_repository_of_a_private_registry_is_known_by_its_host() {
        for (given, name, repository) in [
            ("123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/web:1", "shop/web", Some("shop/web")),
            ("123456789012.dkr.ecr-fips.us-east-2.amazonaws.com/web@sha256:00", "web", Some("web")),
            ("123456789012.dkr-ecr.us-east-2.on.aws/web:1@sha256:00", "web", Some("web")),
            ("123456789012.dkr-ecr-fips.us-east-2.on.aws/web:1", "web", Some("web")),
            ("123456789012.DKR.ECR.us-east-2.amazonaws.com/web:1", "web", Some("web")),
            ("public.ecr.aws/shop/web:1", "public.ecr.aws/shop/web", None),
            ("localhost:5000/web", "localhost:5000/web", None),
            ("nginx:1.27", "nginx", None),
        ] {
            assert_eq!(in_private_ecr(given), repository, "{given}");
            assert!(untagged(given).ends_with(name), "{given}");
        }
    }

    #[test]
    fn people_see_twelve_digits_and_no_registry() {
        assert_eq!(short(&reference(&image("us-east-2"))), "shop/web@sha256:aaaaaaaaaaaa");
        assert_eq!(short(&format!("localhost:5000/web@sha256:{}", "b".repeat(64))), "web@sha256:bbbbbbbbbbbb");
        assert_eq!(short("library/nginx:1.27"), "library/nginx:1.27");
    }
}
