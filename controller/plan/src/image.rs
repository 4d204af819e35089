//! Images: the reference by which ECS pulls one, put together from facts.

use crate::condition::brief;
use crate::hash;
use crate::partition;
use launchway_crds::pipeline::ImageStatus;
use serde_json::Value;

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

/// Where an image of a private registry of ECR is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered<'a> {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The repository.
    pub repository: &'a str,
}

/// Where an image is, if that is a private registry of ECR. Source: ECR's user guide, "Amazon ECR registries":
/// `<account>.dkr.ecr.<region>.<domain>`, `<account>.dkr-ecr.<region>.<domain>` for IPv6, and `ecr-fips` for both.
fn registered(reference: &str) -> Option<Registered<'_>> {
    let (host, repository) = untagged(reference).split_once('/')?;
    let host = host.to_ascii_lowercase();
    let (account, rest) = host.split_once(".dkr")?;
    let rest = rest.strip_prefix(['.', '-'])?.strip_prefix("ecr")?;
    let region = rest.strip_prefix("-fips").unwrap_or(rest).strip_prefix('.')?.split('.').next()?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| Registered { account: account.to_owned(), region: region.to_owned(), repository })
}

/// The repository of an image in a private registry of ECR; none: it is elsewhere.
pub fn in_private_ecr(reference: &str) -> Option<&str> {
    registered(reference).map(|image| image.repository)
}

/// The longest text that is taken for an image, in bytes.
const LONGEST: usize = 512;

/// An image that a build said it pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// Where it is; absent: only a digest was said.
    pub place: Option<Registered<'a>>,
    /// Which image of the repository.
    pub id: ImageId,
}

/// Which image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageId {
    /// The one that this tag names.
    Tag(String),
    /// The one of this digest.
    Digest(String),
}

/// Reads a text as an image of a private registry of ECR, or as a digest alone. Any other text is none, so that no secret that a
/// build exports is taken for one.
pub fn said(text: &str) -> Option<Said<'_>> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let text = Some(text.trim()).filter(|text| text.len() <= LONGEST && text.chars().all(is_known))?;
    if is_digest(text) {
        return Some(Said { place: None, id: ImageId::Digest(text.to_owned()) });
    }
    let place = registered(text)?;
    let id = match text.split_once('@') {
        Some((_, digest)) => ImageId::Digest(Some(digest).filter(|digest| is_digest(digest))?.to_owned()),
        None => ImageId::Tag(text[untagged(text).len()..].strip_prefix(':').filter(|tag| is_tag(tag))?.to_owned()),
    };
    Some(Said { place: Some(place), id })
}

/// The images that a file of a build's artifact lists: CodePipeline's `imagedefinitions.json`, a list of `{name, imageUri}`, or
/// `imageDetail.json`, an object with `ImageURI` (CodePipeline's user guide, "Image definitions file reference"). Only
/// images of private registries of ECR are kept, each once.
///
/// # Errors
/// It is neither, or lists no such image: what it is instead, in words that follow on its name.
pub fn listed(text: &[u8]) -> Result<Vec<String>, &'static str> {
    let entries: Vec<(&'static str, Value)> = match serde_json::from_slice(text) {
        Ok(Value::Array(list)) => list.into_iter().map(|entry| ("imageUri", entry)).collect(),
        Ok(entry @ Value::Object(_)) => vec![("ImageURI", entry)],
        Ok(_) => return Err("is neither a JSON list nor an object"),
        Err(_) => return Err("is no JSON"),
    };
    let mut images: Vec<String> = Vec::new();
    for (member, entry) in entries {
        let image = entry[member].as_str().map(str::trim).filter(|text| registered(text).is_some());
        let Some(image) = image.filter(|text| said(text).is_some()) else { continue };
        if !images.iter().any(|known| *known == *image) {
            images.push(image.to_owned());
        }
    }
    if images.is_empty() {
        Err("names no image of a private registry of ECR with a tag or a digest")
    } else {
        Ok(images)
    }
}

fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:");
    digits.is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// The form of a tag: OCI Distribution Specification, "Pulling manifests".
fn is_tag(text: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.starts_with(is_first)
        && text.chars().all(|c| is_first(c) || ".-".contains(c))
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
    fn what_a_build_says_is_an_image_of_ecr_or_a_digest_and_nothing_else() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let host = "123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/web";
        let there =
            || Some(Registered { account: "123456789012".into(), region: "us-east-2".into(), repository: "shop/web" });
        let (with_digest, with_both) = (format!("{host}@{digest}"), format!("{host}:v1@{digest}"));
        for text in [&with_digest, &with_both, &format!(" {with_digest}\n")] {
            assert_eq!(said(text), Some(Said { place: there(), id: ImageId::Digest(digest.clone()) }), "{text}");
        }
        assert_eq!(said(&digest), Some(Said { place: None, id: ImageId::Digest(digest.clone()) }));
        assert_eq!(said(&format!("{host}:v1")), Some(Said { place: there(), id: ImageId::Tag("v1".into()) }));
        let odd = [
            "",
            "v1",
            "hunter2",
            "AKIAIOSFODNN7EXAMPLE",
            "nginx:1.27",
            "sha256:abc",
            host,
            &format!("{host}:"),
            &format!("{host}@sha256:abc"),
            &format!("{host}:v1 and more"),
            &format!("{host}:{}", "x".repeat(129)),
            &format!("{host}:-x"),
            &format!("sha256:{}", "A".repeat(64)),
        ];
        for odd in odd {
            assert_eq!(said(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_file_of_codepipelines_lists_images_and_nothing_else_of_it_is_kept() {
        let web = "123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/web:v1";
        let api = format!("123456789012.dkr.ecr.us-east-2.amazonaws.com/api@sha256:{}", "a".repeat(64));
        let list = |text: &str| listed(text.as_bytes());
        let definitions = format!(
            r#"[{{"name":"web","imageUri":"{web}"}}, {{"name":"api","imageUri":" {api}\n"}}, {{"name":"web","imageUri":"{web}"}},
            {{"name":"proxy","imageUri":"nginx:1.27"}}, {{"name":"x","imageUri":5}}, "hunter2", null]"#
        );
        assert_eq!(list(&definitions), Ok(vec![web.to_owned(), api]));
        assert_eq!(list(&format!(r#"{{"ImageURI":"{web}","more":[1]}}"#)), Ok(vec![web.to_owned()]));
        for (odd, why) in [
            ("", "no JSON"),
            ("[", "no JSON"),
            ("\u{feff}[]", "no JSON"),
            ("5", "neither"),
            ("[]", "names no image"),
            ("{}", "names no image"),
            (&format!(r#"[{{"name":"web","imageURI":"{web}"}}]"#), "names no image"),
            (
                r#"[{"name":"web","imageUri":"123456789012.dkr.ecr.us-east-2.amazonaws.com/shop/web"}]"#,
                "names no image",
            ),
            (&format!(r#"[{{"name":"web","imageUri":"sha256:{}"}}]"#, "a".repeat(64)), "names no image"),
        ] {
            assert!(list(odd).unwrap_err().contains(why), "{odd}: {:?}", list(odd));
        }
        assert!(list(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn people_see_twelve_digits_and_no_registry() {
        assert_eq!(short(&reference(&image("us-east-2"))), "shop/web@sha256:aaaaaaaaaaaa");
        assert_eq!(short(&format!("localhost:5000/web@sha256:{}", "b".repeat(64))), "web@sha256:bbbbbbbbbbbb");
        assert_eq!(short("library/nginx:1.27"), "library/nginx:1.27");
    }
}
