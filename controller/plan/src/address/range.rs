//! What kind of place an IP address is, by the special-purpose registries of IANA. No exceptions are known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of place that an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Reachable from anywhere.
    Public,
    /// This machine.
    Loopback,
    /// This link; clouds keep their metadata and credentials there.
    LinkLocal,
    /// Private networks (RFC 1918), unique local and site-local IPv6.
    Private,
    /// The provider's shared range 100.64.0.0/10 (RFC 6598), which some clusters use for pods.
    Shared,
    /// Groups.
    Multicast,
    /// "This network" and `::`.
    Unspecified,
    /// Documentation, benchmarks, future use, broadcast, and IPv6 outside of the global unicast range.
    Reserved,
    /// IPv6 that carries an IPv4 address or a tunnel (mapped, compatible, 6to4, Teredo, local NAT64).
    Translated,
}

/// The kind of place that `address` is. Of the IPv6 forms that carry an IPv4 address, only the well-known NAT64 prefix
/// is looked into, since a cluster without IPv4 reaches the public IPv4 Internet only by it.
pub fn range(address: IpAddr) -> Range {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry/>
fn of_v4(address: Ipv4Addr) -> Range {
    match address.octets() {
        [0, ..] => Range::Unspecified,
        [127, ..] => Range::Loopback,
        [169, 254, ..] => Range::LinkLocal,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Range::Private,
        [100, 64..=127, ..] => Range::Shared,
        [224..=239, ..] => Range::Multicast,
        [192, 0, 0, _] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Range::Reserved,
        [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => Range::Reserved,
        _ => Range::Public,
    }
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>
fn of_v6(address: Ipv6Addr) -> Range {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Range::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Range::Loopback,
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Range::Translated,
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => behind_nat64(high, low),
        [0x64, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..] => Range::Translated,
        [0xfe80..=0xfebf, ..] => Range::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Range::Private,
        [0xff00..=0xffff, ..] => Range::Multicast,
        [0x2001, 1..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Range::Reserved,
        [0x2000..=0x3fff, ..] => Range::Public,
        _ => Range::Reserved,
    }
}

fn behind_nat64(high: u16, low: u16) -> Range {
    of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}
