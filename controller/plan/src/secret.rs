//! To which hosts a Secret may be sent. It is read, and sent, elsewhere.

use url::Url;

/// The annotation of a Secret that names the hosts to which it may be sent, with commas or blanks between them: `github.com`, or
/// `git.example.com:8443` for another port than the scheme's own.
pub const HOSTS: &str = "launchway.dev/hosts";

/// What becomes of a Secret without that annotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unbound {
    /// It may be sent to any host that a Pipeline of its namespace names.
    #[default]
    Sent,
    /// It is sent nowhere.
    Kept,
}

/// Refuses to send a Secret to the host of a URL. The text says why, and what to do.
pub fn sendable(hosts: Option<&str>, url: &str, unbound: Unbound) -> Result<(), String> {
    let Ok(url) = Url::parse(url) else { return Err("is sent nowhere: the URL cannot be read".to_owned()) };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let Some(hosts) = hosts else {
        return match unbound {
            Unbound::Sent => Ok(()),
            Unbound::Kept => Err(format!(
                "does not say where it may be sent, which is asked for here: whoever may write it gives it the annotation {HOSTS}: {host}"
            )),
        };
    };
    let named = |entry: &str| {
        let entry = entry.to_ascii_lowercase();
        // Without a port, that of https is meant: where http is allowed, the Secret would be sent for all to read.
        entry == with_port || (entry == host && url.port().is_none() && url.scheme() == "https")
    };
    if hosts.split([',', ' ']).any(|entry| !entry.is_empty() && named(entry)) {
        return Ok(());
    }
    Err(format!(
        "may not be sent to {with_port}: its annotation {HOSTS} names other hosts; correct the URL, or the annotation"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_to_the_hosts_that_it_names_and_to_no_others() {
        let sent = |hosts, url| sendable(Some(hosts), url, Unbound::Sent).is_ok();
        assert!(sent("github.com", "https://github.com/a/b.git"));
        assert!(sent("gitlab.com, GitHub.com", "https://GITHUB.com:443/a"));
        assert!(sent("git.example.com:8443", "https://git.example.com:8443/a"));
        assert!(sent("github.com", "https://github.com./a"));
        for (hosts, url) in [
            ("github.com", "https://evil.example.com/github.com"),
            ("github.com", "https://github.com.evil.example.com/"),
            ("github.com", "https://evilgithub.com/"),
            ("github.com", "https://github.com:8443/a"),
            ("git.example.com:8443", "https://git.example.com/a"),
            ("*", "https://github.com/"),
            ("", "https://github.com/"),
            ("github.com", "no URL"),
        ] {
            assert!(!sent(hosts, url), "{hosts:?} {url}");
        }
    }

    #[test]
    fn an_administrator_can_ask_that_every_secret_says_where_it_may_be_sent() {
        assert_eq!(sendable(None, "https://github.com/a", Unbound::Sent), Ok(()));
        let told = sendable(None, "https://github.com/a", Unbound::Kept).unwrap_err();
        assert!(told.contains("launchway.dev/hosts: github.com"), "{told}");
        assert_eq!(sendable(Some("github.com"), "https://github.com/a", Unbound::Kept), Ok(()));
    }
}
