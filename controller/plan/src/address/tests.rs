#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn rules(extra: &[&str], plain_http: Scheme) -> Rules {
    let extra_hosts = extra.iter().map(|host| (*host).to_owned()).collect();
    Rules::parse(&Allowed { extra_hosts, plain_http }, &["eks.example.com".into(), "52.10.20.30:443".into()]).unwrap()
}

fn said(url: &str) -> String {
    refusal(url, &rules(&[], Scheme::HttpsOnly)).map_or_else(String::new, |refusal| refusal.to_string())
}

#[test]
fn public_hosts_are_dialled() {
    for url in [
        "https://github.com/interstella/iridium.git",
        "https://git-codecommit.us-east-2.amazonaws.com/v1/repos/interstella-iridium-repo",
        "https://git.example.com:8443/a?b=c",
        "https://GitHub.com./x",
        "https://52.1.2.3/x",
        "https://[2600:1f14::1]/x",
        "https://internal.example.com/",
        "https://svc.example.com/",
    ] {
        assert_eq!(said(url), "", "{url}");
    }
}

#[test]
fn what_is_near_is_not_dialled() {
    for host in [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.127.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.51.100.7",
        "203.0.113.9",
        "198.18.0.1",
        "192.0.0.8",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:52.1.2.3]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "[fc00::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[100::1]",
        "[5f00::1]",
    ] {
        assert!(said(&format!("https://{host}/x")).contains("--allow-host"), "{host}");
    }
}

#[test]
fn local_names_are_not_dialled() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "kubernetes",
        "kubernetes.default.svc",
        "git.team.svc.",
        "kubernetes.default.svc.cluster.local",
        "ip-10-0-0-1.ec2.internal",
        "printer.local",
        "router.home.arpa",
        "eks.example.com",
        "EKS.example.com.",
        "52.10.20.30",
    ] {
        assert!(said(&format!("https://{host}/x")).contains("--allow-host"), "{host}");
    }
}

#[test]
fn addresses_in_disguise_are_not_dialled() {
    for host in
        ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "%31%32%37.0.0.1", "１２７.0.0.1", "127.0.0.1."]
    {
        assert!(
            said(&format!("https://{host}/")).contains("write 127.0.0.1"),
            "{host}: {}",
            said(&format!("https://{host}/"))
        );
    }
    assert!(said("https://875770417/").contains("unusual"), "a public one too");
}

#[test]
fn only_https_unless_an_administrator_says_so() {
    assert!(said("http://github.com/x").contains("--allow-http"));
    assert_eq!(refusal("http://github.com/x", &rules(&[], Scheme::HttpToo)), None);
    for url in ["ssh://git@github.com/x", "git://github.com/x", "file:///etc/passwd", "data:text/plain,x"] {
        assert!(said(url).contains("https"), "{url}");
    }
    assert!(refusal("http://169.254.169.254/", &rules(&[], Scheme::HttpToo)).is_some());
}

#[test]
fn a_url_never_carries_a_user_and_the_refusal_does_not_repeat_it() {
    for url in [
        "https://alice:hunter2@github.com/x",
        "https://hunter2@github.com/",
        "https://@github.com/",
        "https://:hunter2@a.b/",
    ] {
        assert!(said(url).contains("Secret"), "{url}");
        assert!(!said(url).contains("hunter2"), "{url}");
    }
}

#[test]
fn text_that_parsers_read_differently_is_refused() {
    for url in [
        "",
        "github.com/x",
        "https:github.com",
        "https:/github.com",
        "https:///github.com",
        "https://a.b\\@c.d/",
        "https://a.b/ c",
        "https://a\n.b/",
        "https://",
    ] {
        assert!(said(url).contains("cannot be read"), "{url:?}: {}", said(url));
    }
}

#[test]
fn a_listed_host_is_dialled_wherever_it_points_except_to_the_link() {
    let rules = rules(&["git.internal", "127.0.0.1:3000", "[::1]:3000", "fd12::7", "169.254.1.1"], Scheme::HttpsOnly);
    for url in [
        "https://git.internal/x",
        "https://GIT.internal.:8443/x",
        "https://127.0.0.1:3000/",
        "https://[::1]:3000/",
        "https://[fd12::7]/",
        "https://169.254.1.1/",
    ] {
        assert_eq!(refusal(url, &rules), None, "{url}");
    }
    assert_eq!(address_refusal("git.internal", "10.0.0.1".parse().unwrap(), &rules), None);
    assert!(address_refusal("git.internal", "169.254.169.254".parse().unwrap(), &rules).is_some());
    assert!(address_refusal("github.com", "10.0.0.1".parse().unwrap(), &rules).is_some());
}

#[test]
fn a_host_listed_with_a_port_is_listed_with_no_other() {
    let rules = rules(&["127.0.0.1:3000", "git.example.com:3000"], Scheme::HttpsOnly);
    for url in ["https://127.0.0.1/", "https://127.0.0.1:3001/", "https://git.example.com/"] {
        assert!(matches!(refusal(url, &rules), Some(AddressRefusal::Port { .. })), "{url}");
    }
}

#[test]
fn a_refusal_does_not_tell_which_address_a_name_has_nor_what_kind_it_is() {
    let near = ["10.11.12.13", "127.0.0.1", "169.254.169.254", "100.64.0.1", "fd12::7", "::1", "fe80::1"];
    let told = near.map(|address| {
        let refused = address_refusal("db.corp.example.com", address.parse().unwrap(), &Rules::strict()).unwrap();
        (refused.to_string(), format!("{refused:?}"))
    });
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert!(told[0].0.contains("db.corp.example.com") && told[0].0.contains("--allow-host"), "{}", told[0].0);
    // Who writes the address itself learns nothing new.
    assert!(said("https://10.11.12.13/").contains("a private address"));
}

#[test]
fn a_name_that_resolves_to_the_api_server_is_refused() {
    let rules = rules(&[], Scheme::HttpsOnly);
    let found = address_refusal("rebound.example.com", "52.10.20.30".parse().unwrap(), &rules);
    assert_eq!(found, Some(AddressRefusal::ApiServer("rebound.example.com".into())));
}

#[test]
fn the_public_ipv4_internet_is_reached_through_nat64() {
    let rules = Rules::strict();
    assert_eq!(address_refusal("github.com", "64:ff9b::8c52:7903".parse().unwrap(), &rules), None);
    assert!(address_refusal("github.com", "64:ff9b::a9fe:a9fe".parse().unwrap(), &rules).is_some());
}

#[test]
fn a_list_with_something_else_than_hosts_is_refused() {
    for entry in [
        "",
        "https://git.internal",
        "a b",
        "*.internal",
        "host:0",
        "host:x",
        "user@host",
        "host:1:2",
        "[::1",
        "host/path",
    ] {
        let allowed = Allowed { extra_hosts: vec![entry.into()], plain_http: Scheme::HttpsOnly };
        assert_eq!(Rules::parse(&allowed, &[]), Err(NotAHost(entry.into())), "{entry}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_no_refusal_shows_a_password(text in "\\PC*") {
        let _ = refusal(&text, &Rules::strict());
        let url = format!("https://user:pAssw0rd{text}@github.com/");
        prop_assert!(!said(&url).contains("pAssw0rd"));
    }

    #[test]
    fn a_literal_is_judged_as_its_address_is(bits: u32) {
        let address = Ipv4Addr::from(bits);
        let by_text = refusal(&format!("https://{address}/"), &Rules::strict()).is_some();
        prop_assert_eq!(by_text, range(IpAddr::V4(address)) != Range::Public);
        let hidden = address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified();
        prop_assert!(!hidden || by_text);
    }

    #[test]
    fn no_disguise_of_a_near_ipv4_address_passes(bits: u32) {
        let address = Ipv4Addr::from(bits);
        let near = range(IpAddr::V4(address)) != Range::Public;
        let nat64 = (0x64_ff9b_u128 << 96) | u128::from(bits);
        for v6 in [address.to_ipv6_mapped(), address.to_ipv6_compatible(), Ipv6Addr::from(nat64)] {
            let passes = address_refusal("x.example.com", IpAddr::V6(v6), &Rules::strict()).is_none();
            prop_assert!(!(near && passes), "{}", v6);
        }
        for url in [format!("https://{bits}/"), format!("https://{bits:#x}/")] {
            prop_assert!(refusal(&url, &Rules::strict()).is_some());
        }
    }
}
