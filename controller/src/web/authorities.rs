//! Authorities that a user names because their host's certificate is signed by none that everybody trusts.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

/// How many certificates are taken. Each is parsed for every client that trusts them.
const MOST: usize = 100;

/// Certificates of authorities that are trusted for one host besides those of the system. They are no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Those in a PEM file; `None` if it holds none, more than a hundred, or something that is no certificate.
    pub fn parse(pem: &[u8]) -> Option<Authorities> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
        let mut store = RootCertStore::empty();
        let are_taken = certificates.iter().all(|certificate| store.add(certificate.clone()).is_ok());
        (are_taken && (1..=MOST).contains(&certificates.len())).then_some(Authorities(certificates))
    }

    /// The certificates in DER.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// A name for them: equal only if they are.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for certificate in self.certificates() {
            hash.update((certificate.len() as u64).to_be_bytes());
            hash.update(certificate);
        }
        hash.finalize().into()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}
