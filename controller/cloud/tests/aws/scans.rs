use super::site::{ACCOUNT, REGION, Site, pass};

use launchway_plan::fault::{FaultKind, Remedy};
use launchway_plan::world::Scanned;
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecr::{Scan, Scanner};
use launchway_test_aws::{Fault, When};

/// A site with an image, in a repository that is scanned so.
fn site(scan: Option<Scan>) -> (Site, String) {
    let site = Site::new();
    let now = site.own().now();
    let mut world = site.world();
    let images = world.ecr.entry((ACCOUNT.to_owned(), REGION.to_owned())).or_default();
    let digest = images.push("web", "1", "1", TaskStory::default(), now).unwrap();
    images.scan("web", scan);
    drop(world);
    (site, digest)
}

fn finds(by: Scanner, findings: Vec<(String, String)>) -> Option<Scan> {
    Some(Scan { by, seconds: 0, findings, settles: 0, ends: None })
}

#[tokio::test(start_paused = true)]
async fn findings_of_ecr_and_of_inspector_are_read_alike_and_only_the_bad_ones() {
    for by in [Scanner::Ecr, Scanner::Inspector] {
        let found = [("CVE-1", "HIGH"), ("CVE-2", "LOW"), ("CVE-3", "CRITICAL"), ("CVE-4", "UNDEFINED")];
        let found = found.map(|(name, severity)| (name.to_owned(), severity.to_owned())).to_vec();
        let (site, digest) = site(finds(by, found));
        let seen = site.own().scan("web", &digest, "HIGH").await.unwrap();
        let names: Vec<&str> = seen.findings.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((seen.scanned, names), (Scanned::Done, vec!["CVE-3", "CVE-1"]));
        assert_eq!((seen.counts["LOW"], seen.counts.len()), (1, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn many_findings_are_read_in_pages_where_bad_ones_are_among_them() {
    for (severity, calls) in [("LOW", 1), ("HIGH", 3), ("URGENT", 3)] {
        let found = (0..2500).map(|number| (format!("CVE-{number}"), severity.to_owned())).collect();
        let (site, digest) = site(finds(Scanner::Ecr, found));
        let before = site.world().log.len();
        let seen = site.own().scan("web", &digest, "HIGH").await.unwrap();
        assert_eq!(seen.findings.len(), if severity == "LOW" { 0 } else { 2500 });
        assert_eq!((seen.counts[severity], site.world().log.len() - before), (2500, calls));
    }
}

#[tokio::test(start_paused = true)]
async fn how_far_a_scan_is_and_what_is_never_scanned_are_told_apart() {
    let (none, digest) = site(None);
    assert_eq!(none.own().scan("web", &digest, "HIGH").await.unwrap().scanned, Scanned::Not);
    let (under, digest) =
        site(Some(Scan { by: Scanner::Ecr, seconds: 600, findings: Vec::new(), settles: 0, ends: None }));
    assert_eq!(under.own().scan("web", &digest, "HIGH").await.unwrap().scanned, Scanned::Under);
    for (word, is_never) in
        [("UNSUPPORTED_IMAGE", true), ("FAILED", true), ("LIMIT_EXCEEDED", true), ("PENDING", false)]
    {
        let ends = Some(word.to_owned());
        let (site, digest) = site(Some(Scan { by: Scanner::Ecr, seconds: 0, findings: Vec::new(), settles: 0, ends }));
        let seen = site.own().scan("web", &digest, "HIGH").await.unwrap();
        assert_eq!(matches!(&seen.scanned, Scanned::Never(why) if why.starts_with(word)), is_never, "{word}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_findings_from_being_read_is_told() {
    let (site, digest) = site(finds(Scanner::Ecr, Vec::new()));
    let gone = site.own().scan("web", &format!("sha256:{}", "0".repeat(64)), "HIGH").await.unwrap_err();
    assert_eq!((gone.kind, gone.remedy), (FaultKind::Gone, Remedy::Retry));
    site.world().faults.add("ecr:DescribeImageScanFindings", When::Always, Fault::Deny);
    let denied = site.own().scan("web", &digest, "HIGH").await.unwrap_err();
    assert_eq!(denied.kind, FaultKind::Denied { needs: Some("ecr:DescribeImageScanFindings".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_done_and_shows_nothing_yet_is_under_way_and_a_clean_one_is_done() {
    for by in [Scanner::Ecr, Scanner::Inspector] {
        for findings in [Vec::new(), vec![("CVE-1".to_owned(), "HIGH".to_owned())]] {
            let (site, digest) = site(Some(Scan { by, seconds: 0, findings, settles: 30, ends: None }));
            assert_eq!(site.own().scan("web", &digest, "HIGH").await.unwrap().scanned, Scanned::Under);
            pass(31).await;
            assert_eq!(site.own().scan("web", &digest, "HIGH").await.unwrap().scanned, Scanned::Done);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_findings_than_are_read_let_nothing_pass() {
    let found = (0..10_001).map(|number| (format!("CVE-{number}"), "HIGH".to_owned())).collect();
    let (site, digest) = site(finds(Scanner::Inspector, found));
    let seen = site.own().scan("web", &digest, "HIGH").await.unwrap();
    assert!(matches!(&seen.scanned, Scanned::Never(why) if why.contains("more findings")), "{:?}", seen.scanned);
}
