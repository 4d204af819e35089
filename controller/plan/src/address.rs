//! Which addresses may be dialled for a user, by text and by resolved address. Nothing is resolved or dialled here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

mod range;

pub use range::{Range, range};

/// Which schemes may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Only `https`: the default.
    HttpsOnly,
    /// `http` too, because the administrator said so.
    HttpToo,
}

/// What an administrator excepts from the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Hosts that may be dialled wherever they point, each `host` or `host:port` (`--allow-host`).
    pub extra_hosts: Vec<String>,
    /// Whether `http` is admitted.
    pub plain_http: Scheme,
}

/// The rules of one installation, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    scheme: Scheme,
    listed: Vec<Listed>,
    api_server: Vec<Host>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    host: Host,
    port: Option<u16>,
}

/// An entry of a list of hosts that is neither `host` nor `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host or host:port, such as git.example.com, 10.0.0.7:3000 or [::1]:3000")]
pub struct NotAHost(pub String);

/// Why a URL or an address is not dialled. Never holds userinfo, path or query of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// The text is not an absolute URL with a host.
    #[error("the URL cannot be read; write it as https://host/path")]
    NotAUrl,
    /// Neither `https` nor `http`.
    #[error("the scheme {0} is not spoken here; write the https address")]
    Scheme(String),
    /// `http` without the administrator's leave.
    #[error("http is not encrypted; write the https address, or ask an administrator to allow it with --allow-http")]
    PlainHttp,
    /// `user@` or `user:password@`.
    #[error("the URL carries a user name or password; remove it and name a Secret instead")]
    Userinfo,
    /// An IPv4 address in decimal, octal or hexadecimal, or otherwise not as it is commonly written.
    #[error("the host is an address written in an unusual way; write {0}")]
    UnusualAddress(Ipv4Addr),
    /// A name that only means something inside a cluster or a machine.
    #[error("the host {0} is local to a cluster or a machine; ask an administrator to list the host with --allow-host")]
    LocalName(String),
    /// The API server of this cluster.
    #[error("the host {0} is the Kubernetes API server; ask an administrator to list the host with --allow-host")]
    ApiServer(String),
    /// The administrator listed this host for other ports.
    #[error("the host {host} is listed, but not with port {port}; ask an administrator to list it with --allow-host")]
    Port {
        /// The host that is listed.
        host: String,
        /// The port that was asked for.
        port: u16,
    },
    /// The address that the URL holds is not a public one.
    #[error("the host {address} is {range}; ask an administrator to list the host with --allow-host")]
    Address {
        /// The address, as the URL holds it.
        address: IpAddr,
        /// What it is.
        range: Range,
    },
    /// The host's name does not lead to a public address. Which one it leads to is not told: it may be a secret of the
    /// network that the controller stands in.
    #[error("the host {0} has no public address; ask an administrator to list the host with --allow-host")]
    NotPublic(String),
}

impl Rules {
    /// The rules, from what an administrator allowed and the hosts of the API server (names or addresses; a port is
    /// ignored). Fails on the first entry that is not a host.
    pub fn parse(allowed: &Allowed, api_server: &[String]) -> Result<Rules, NotAHost> {
        let listed = allowed.extra_hosts.iter().map(|entry| listed(entry)).collect::<Result<_, _>>()?;
        let api_server = api_server.iter().map(|entry| listed_host(entry)).collect::<Result<_, _>>()?;
        Ok(Rules { scheme: allowed.plain_http, listed, api_server })
    }

    /// The strictest rules: https, and no exceptions.
    pub fn strict() -> Rules {
        Rules { scheme: Scheme::HttpsOnly, listed: vec![], api_server: vec![] }
    }

    fn listing(&self, host: &Host, port: u16) -> Listing {
        let ports: Vec<_> =
            self.listed.iter().filter(|listed| listed.host == *host).map(|listed| listed.port).collect();
        match ports.as_slice() {
            [] => Listing::Absent,
            ports if ports.iter().any(|listed| listed.is_none_or(|listed| listed == port)) => Listing::Listed,
            _ => Listing::OtherPort,
        }
    }
}

enum Listing {
    Listed,
    OtherPort,
    Absent,
}

/// Why `url` may not be dialled for a user, judged by its text alone. A name still has to pass [`address_refusal`]
/// with every address it resolves to.
pub fn refusal(url: &str, rules: &Rules) -> Option<AddressRefusal> {
    judged(url, rules).err()
}

/// Why the address that `host` resolved to may not be dialled. A host that an administrator listed may point to a
/// private or loopback address, but never to a link-local one, where clouds keep credentials.
pub fn address_refusal(host: &str, address: IpAddr, rules: &Rules) -> Option<AddressRefusal> {
    let name = bare_host(host);
    let listed = name.as_ref().is_some_and(|name| rules.listed.iter().any(|listed| listed.host == *name));
    let literal = name == Some(of_address(address));
    let refused = match literal {
        true => AddressRefusal::Address { address, range: range(address) },
        false => AddressRefusal::NotPublic(host.to_owned()),
    };
    match range(address) {
        Range::Public if listed => None,
        Range::Public if rules.api_server.contains(&of_address(address)) => {
            Some(AddressRefusal::ApiServer(host.to_owned()))
        }
        Range::Public => None,
        Range::LinkLocal | Range::Multicast | Range::Unspecified => (!(listed && literal)).then_some(refused),
        Range::Loopback | Range::Private | Range::Shared | Range::Reserved | Range::Translated => {
            (!listed).then_some(refused)
        }
    }
}

fn judged(text: &str, rules: &Rules) -> Result<(), AddressRefusal> {
    let url = plain_url(text)?;
    match (url.scheme(), rules.scheme) {
        ("https", _) | ("http", Scheme::HttpToo) => {}
        ("http", Scheme::HttpsOnly) => return Err(AddressRefusal::PlainHttp),
        (other, _) => return Err(AddressRefusal::Scheme(other.chars().take(16).collect())),
    }
    let typed = authority(text).ok_or(AddressRefusal::NotAUrl)?;
    if typed.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return Err(AddressRefusal::Userinfo);
    }
    let host = url.host().map(without_dot).ok_or(AddressRefusal::NotAUrl)?;
    usual(&host, typed)?;
    let port = url.port_or_known_default().ok_or(AddressRefusal::NotAUrl)?;
    match rules.listing(&host, port) {
        Listing::Listed => Ok(()),
        Listing::OtherPort => Err(AddressRefusal::Port { host: host.to_string(), port }),
        Listing::Absent => unlisted(&host, rules),
    }
}

fn unlisted(host: &Host, rules: &Rules) -> Result<(), AddressRefusal> {
    if rules.api_server.contains(host) {
        return Err(AddressRefusal::ApiServer(host.to_string()));
    }
    match host {
        Host::Domain(name) if local_name(name) => Err(AddressRefusal::LocalName(name.clone())),
        Host::Domain(_) => Ok(()),
        Host::Ipv4(address) => address_refusal(&host.to_string(), IpAddr::V4(*address), rules).map_or(Ok(()), Err),
        Host::Ipv6(address) => address_refusal(&host.to_string(), IpAddr::V6(*address), rules).map_or(Ok(()), Err),
    }
}

/// The URL, if it holds nothing that one parser reads otherwise than another: spaces, control characters, backslashes.
fn plain_url(text: &str) -> Result<Url, AddressRefusal> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(AddressRefusal::NotAUrl);
    }
    let url = Url::parse(text).map_err(|_| AddressRefusal::NotAUrl)?;
    let rest = text.get(url.scheme().len()..).unwrap_or_default();
    let web = matches!(url.scheme(), "http" | "https");
    if web && (!rest.starts_with("://") || rest.starts_with(":///")) {
        return Err(AddressRefusal::NotAUrl);
    }
    Ok(url)
}

fn authority(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    rest.split(['/', '?', '#']).next()
}

/// Parsers turn `0x7f.1` and `2130706433` into 127.0.0.1; what is judged should be what was read by the person.
fn usual(host: &Host, typed: &str) -> Result<(), AddressRefusal> {
    let Host::Ipv4(address) = host else { return Ok(()) };
    let name = typed.rsplit_once(':').map_or(typed, |(name, _)| name);
    if name == address.to_string() { Ok(()) } else { Err(AddressRefusal::UnusualAddress(*address)) }
}

/// Suffixes that resolvers inside clusters, clouds and homes answer: Kubernetes' own (`svc`, `cluster.local`), RFC 6761
/// (`localhost`), RFC 6762 (`local`), ICANN's private `internal`, RFC 8375 (`home.arpa`), and the old `localdomain`.
const LOCAL: [&str; 7] = ["localhost", "localdomain", "svc", "cluster.local", "local", "internal", "home.arpa"];

fn local_name(name: &str) -> bool {
    let under = |suffix: &str| name.strip_suffix(suffix).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    !name.contains('.') || LOCAL.iter().any(|suffix| under(suffix))
}

fn listed(entry: &str) -> Result<Listed, NotAHost> {
    let not = || NotAHost(entry.to_owned());
    if let Some(host) = bare_host(entry) {
        return Ok(Listed { host, port: None });
    }
    let (host, port) = entry.rsplit_once(':').ok_or_else(not)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(not)?;
    Ok(Listed { host: bare_host(host).ok_or_else(not)?, port: Some(port) })
}

fn listed_host(entry: &str) -> Result<Host, NotAHost> {
    listed(entry).map(|listed| listed.host)
}

fn bare_host(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(Host::Ipv6(address));
    }
    let plain = !text.is_empty() && !text.contains(['/', '@', '?', '#', '*', '\\', '%']);
    let host = plain.then(|| Host::parse(text).ok()).flatten()?;
    Some(without_dot(host))
}

fn without_dot<S: AsRef<str>>(host: Host<S>) -> Host {
    match host {
        Host::Domain(name) => Host::Domain(name.as_ref().trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(address) => Host::Ipv4(address),
        Host::Ipv6(address) => Host::Ipv6(address),
    }
}

fn of_address(address: IpAddr) -> Host {
    match address {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Range::Public => "a public address",
            Range::Loopback => "a loopback address",
            Range::LinkLocal => "a link-local address",
            Range::Private => "a private address",
            Range::Shared => "an address of a provider's shared range",
            Range::Multicast => "a multicast address",
            Range::Unspecified => "an unspecified address",
            Range::Reserved => "a reserved address",
            Range::Translated => "an IPv6 address that stands for an IPv4 one",
        })
    }
}

#[cfg(test)]
mod tests;
