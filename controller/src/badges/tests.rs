//! Badges over HTTP.

#![allow(clippy::unwrap_used)]

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

fn pipeline(report: Value, status: Value) -> Pipeline {
    serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "metadata": {"name": "iridium", "namespace": "shop"},
        "spec": {
            "source": {"git": {"url": "https://git.example.com/iridium", "branch": "main"}},
            "images": [{"name": "iridium", "repository": "iridium"}],
            "stages": [{"name": "prod", "targets": [{"service": "iridium"}]}],
            "report": report,
        },
        "status": status,
    }))
    .unwrap()
}

fn status(conditions: Value) -> Value {
    let summary = json!({"commit": "0123456789ab", "stage": "prod", "reason": "Succeeded", "message": "secret words"});
    json!({"observedGeneration": 1, "conditions": conditions, "summary": summary})
}

fn condition(kind: &str, status: &str) -> Value {
    because(kind, status, "Succeeded")
}

fn because(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "secret words",
        "lastTransitionTime": "2026-11-21T10:00:00Z"})
}

async fn asked(badges: &Arc<Badges>, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router(Arc::clone(badges)).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap())
}

fn following(pipeline: Pipeline) -> Arc<Badges> {
    let badges = Arc::<Badges>::default();
    badges.follow(&Event::Apply(Item::Read(pipeline)));
    badges
}

const PATH: &str = "/badges/shop/iridium.svg";

#[tokio::test]
async fn it_says_how_the_newest_commit_fares_and_nothing_else_of_the_pipeline() {
    for (conditions, said) in [
        (json!([condition("Released", "True")]), "iridium: 0123456"),
        (json!([condition("Released", "Unknown")]), "iridium: deploying 0123456"),
        (json!([condition("Released", "Unknown"), condition("Held", "True")]), "iridium: waiting 0123456"),
        (json!([condition("Released", "False"), condition("Stalled", "True")]), "iridium: failed 0123456"),
        // Stalled may be about the commit before, or about the source.
        (json!([condition("Released", "Unknown"), condition("Stalled", "True")]), "iridium: deploying 0123456"),
        (json!([condition("Released", "True"), condition("Stalled", "True")]), "iridium: 0123456"),
        (json!([because("Released", "Unknown", "Suspended"), condition("Held", "True")]), "iridium: suspended 0123456"),
    ] {
        let badges = following(pipeline(json!({"badge": "Public"}), status(conditions)));
        let (code, picture) = asked(&badges, PATH).await;
        assert_eq!(code, 200);
        assert!(picture.contains(&format!("<title>{said}</title>")), "{picture}");
        assert!(!picture.contains("secret") && !picture.contains("89ab"), "{picture}");
    }
    let new = following(pipeline(json!({"badge": "Public"}), Value::Null));
    assert!(asked(&new, PATH).await.1.contains("<title>iridium: no release yet</title>"));
}

#[tokio::test]
async fn a_pipeline_without_a_badge_and_one_that_is_not_there_are_answered_alike() {
    let secret = json!({"commitStatus": {"provider": "GitHub", "secretRef": {"name": "a"}}});
    let badges = following(pipeline(secret, status(json!([]))));
    let without = asked(&badges, PATH).await;
    assert_eq!(without.0, 404);
    for path in
        ["/badges/shop/other.svg", "/badges/shop/iridium", "/badges/shop/iridium.png", "/badges/other/iridium.svg"]
    {
        assert_eq!(asked(&badges, path).await, without, "{path}");
    }
}

#[tokio::test]
async fn a_badge_that_is_taken_back_and_a_pipeline_that_is_gone_have_none() {
    let with = || pipeline(json!({"badge": "Public"}), status(json!([condition("Released", "True")])));
    let badges = following(with());
    badges.follow(&Event::Apply(Item::Read(pipeline(Value::Null, Value::Null))));
    assert_eq!(asked(&badges, PATH).await.0, 404);
    badges.follow(&Event::Apply(Item::Read(with())));
    assert_eq!(asked(&badges, PATH).await.0, 200);
    badges.gone(&Key { kind: Kind::Pipeline, namespace: "shop".to_owned(), name: "iridium".to_owned() });
    assert_eq!(asked(&badges, PATH).await.0, 404);
}
