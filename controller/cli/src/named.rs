//! Objects as people name them.

use crate::failure::Failure;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    Pipeline(&'a str),
    Service(&'a str),
    Release(&'a str),
    /// Whichever there is.
    Any(&'a str),
}

/// As kubectl takes names: `NAME`, or with any of the kind's names before it.
pub fn named(text: &str) -> Result<Named<'_>, Failure> {
    let Some((kind, name)) = text.split_once('/') else { return Ok(Named::Any(text)) };
    match kind.trim_end_matches(".launchway.dev") {
        "pipeline" | "pipelines" | "lwp" => Ok(Named::Pipeline(name)),
        "service" | "services" | "ecsservice" | "ecsservices" | "esvc" => Ok(Named::Service(name)),
        "release" | "releases" | "lwr" => Ok(Named::Release(name)),
        other => {
            Err(Failure::error(format!("\"{other}\" is none of Launchway's kinds: say pipeline, service or release")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_for_kubectl() {
        assert_eq!(named("a"), Ok(Named::Any("a")));
        for kind in ["service", "esvc", "ecsservices.launchway.dev"] {
            assert_eq!(named(&format!("{kind}/a")), Ok(Named::Service("a")), "{kind}");
        }
        assert_eq!((named("lwr/a"), named("lwp/a")), (Ok(Named::Release("a")), Ok(Named::Pipeline("a"))));
        assert!(named("pod/a").is_err());
    }
}
