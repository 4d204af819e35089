//! Images in ECR. Facts only.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// An image that a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveImage {
    /// `sha256:<64 hex>`.
    pub digest: String,
    /// When it was pushed, under whatever tag; the beginning of time where ECR does not say.
    pub pushed_at: Timestamp,
}

/// What ECR's scan of an image found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveScan {
    /// How far it is.
    pub scanned: Scanned,
    /// How many findings there are of each severity, in ECR's words.
    pub counts: BTreeMap<String, i32>,
    /// The findings of the severity that was asked for, and worse ones.
    pub findings: Vec<LiveFinding>,
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// There is none, or none yet.
    Not,
    /// It is under way.
    Under,
    /// The findings are there.
    Done,
    /// ECR scans no such image, or not any more: why, in its words.
    Never(String),
}

/// A finding of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFinding {
    /// What it is called: `CVE-2026-1234`.
    pub name: String,
    /// How bad it is, in ECR's or Inspector's word.
    pub severity: String,
}

/// How bad a severity is: the higher, the worse. What ECR or Inspector has no rating for (`UNDEFINED`, `UNTRIAGED`) is the least, and
/// a word that is not known here the worst.
pub fn badness(severity: &str) -> u8 {
    match severity.to_ascii_uppercase().as_str() {
        "UNDEFINED" | "UNTRIAGED" => 0,
        "INFORMATIONAL" => 1,
        "LOW" => 2,
        "MEDIUM" => 3,
        "HIGH" => 4,
        _ => 5,
    }
}
