//! Authorities that a user names because their host's certificate is signed by none that everybody trusts.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// How many certificates are taken. Each is parsed for every client that trusts them.
const MOST: usize = 100;

/// How long the PEM file may be, in bytes: 64 KiB. A certificate has one or two, and what is taken stays in memory with a client.
const LONGEST: usize = 64 << 10;

/// Certificates of authorities that are trusted for one host besides those of the system. They are no secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Those in a PEM file; `None` if it is longer than 64 KiB, or holds none, more than a hundred, or something that is no
    /// certificate.
    pub fn parse(pem: &[u8]) -> Option<Authorities> {
        if pem.len() > LONGEST {
            return None;
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
        let mut store = RootCertStore::empty();
        let are_taken = certificates.iter().all(|certificate| store.add(certificate.clone()).is_ok());
        (are_taken && (1..=MOST).contains(&certificates.len())).then_some(Authorities(certificates))
    }

    /// The certificates in DER.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

/// The certificate of an authority whose key nobody has.
#[cfg(test)]
pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBhDCCASugAwIBAgIUHFpku0aqw+IdQm4kdYjK4YE0wK8wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMQW4gYXV0aG9yaXR5MCAXDTI2MTEyOTA4NTIwNFoYDzIxMjYx
MTA1MDg1MjA0WjAXMRUwEwYDVQQDDAxBbiBhdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASdFTw/F1EFGVI06BX6YXDlWxaD9F/e+3c6uqmnB5T5IJ1w
gA/LdwCbB5/8GFdsgsDorK/77ugZuX/x4m/wJwXro1MwUTAdBgNVHQ4EFgQU8rVa
FXnSHRJxpyfyc1Cl7atReYQwHwYDVR0jBBgwFoAU8rVaFXnSHRJxpyfyc1Cl7atR
eYQwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAF3q6uJmKgZn3Z
DgMcr0ZcFtDd32M8yPrUV3Kk8c2b8gIga34h+kabW92LW6+11S41Vo5I965fe4p3
SQMXM+BQP6g=
-----END CERTIFICATE-----
";
