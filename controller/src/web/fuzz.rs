//! Fuzz targets of redirects, and of authorities that Secrets bring.

#![allow(clippy::unwrap_used)]

use super::authorities::{Authorities, CERTIFICATE};
use super::redirect::target;
use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use launchway_test_fuzz::fuzz;
use std::future::ready;
use tower::service_fn;

#[test]
fn a_redirect_leads_to_the_same_origin_or_nowhere() {
    let asked = Url::parse("https://git.example.com/team/app/info/refs?service=git-upload-pack").unwrap();
    let web =
        Web::over(Rules::strict(), service_fn(|_: Request<Bytes>| ready(Err::<Response<Bytes>, _>(WebFault::Timeout))));
    let seeds = [
        "/team/app.git/info/refs?service=git-upload-pack",
        "https://git.example.com/team/app.git/info/refs",
        "https://git.example.com:443/",
        "../web#x",
        "//git.example.com/a",
        "?service=x",
    ];
    fuzz(&seeds, |bytes| {
        let Ok(location) = HeaderValue::from_bytes(bytes) else { return false };
        let headers = HeaderMap::from_iter([(LOCATION, location)]);
        let answer = Answer { url: asked.clone(), status: StatusCode::FOUND, headers, body: Bytes::new() };
        assert_eq!(target(&Method::POST, &answer), Ok(None), "nothing is sent twice");
        let found = match target(&Method::GET, &answer) {
            Ok(found) => found.unwrap(),
            Err(fault) => {
                assert!(fault.to_string().len() < 600, "{fault}");
                return false;
            }
        };
        assert_eq!(found.origin(), asked.origin());
        // What is asked next is admitted as if a user had written it, or nothing is.
        if let Ok(uri) = uri(&found)
            && let Ok(next) = web.admitted(&uri.to_string())
        {
            assert_eq!((next.origin(), next.username(), next.password()), (asked.origin(), "", None));
            return true;
        }
        false
    });
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn authorities_are_some_certificates_and_are_read_again_as_they_are_written() {
    let seeds = [CERTIFICATE.to_owned(), format!("# One\n{CERTIFICATE}\n# and the same\n{CERTIFICATE}")];
    fuzz(&seeds, |bytes| {
        let Some(read) = Authorities::parse(bytes) else { return false };
        let certificates: Vec<&[u8]> = read.certificates().collect();
        assert!((1..=100).contains(&certificates.len()), "{}", certificates.len());
        let again: String = certificates.iter().map(|der| pem(der)).collect();
        assert_eq!(Authorities::parse(again.as_bytes()), Some(read));
        true
    });
}

#[test]
fn a_certificate_may_hold_anything() {
    let der = Authorities::parse(CERTIFICATE.as_bytes()).unwrap().certificates().next().unwrap().to_vec();
    fuzz(&[der], |bytes| {
        let Some(read) = Authorities::parse(pem(bytes).as_bytes()) else { return false };
        assert_eq!(read.certificates().collect::<Vec<_>>(), [bytes]);
        true
    });
}
