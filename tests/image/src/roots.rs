//! The certificate authorities that Mozilla trusts, as the file that TLS libraries read. Which ones is decided by the version of
//! webpki-root-certs in Cargo.lock, so that the same commit trusts the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// So many characters have the lines of a PEM file (RFC 7468).
const WIDTH: usize = 64;

/// All of them, in PEM.
pub(crate) fn pem() -> String {
    TLS_SERVER_ROOT_CERTS.iter().map(|certificate| block(certificate)).collect()
}

fn block(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(WIDTH).map(|line| format!("{}\n", String::from_utf8_lossy(line)));
    format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_authority_is_in_the_file_in_lines_of_64() {
        let pem = pem();
        assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----\nMII").count(), TLS_SERVER_ROOT_CERTS.len());
        assert!(pem.lines().all(|line| line.len() <= WIDTH));
        assert!(TLS_SERVER_ROOT_CERTS.len() > 100);
    }
}
