//! Hashes of values: short names for what something says. Not for secrets.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The first 32 hexadecimal digits of the SHA-256 of the value's JSON. Fields stand in the order of the type.
pub fn of<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(&json).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
