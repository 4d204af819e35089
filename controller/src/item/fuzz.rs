//! The fuzz target of objects as the API server sends them.

use super::*;
use launchway_crds::Pipeline;
use launchway_test_fuzz::fuzz;

#[test]
fn an_object_is_read_or_is_one_that_cannot_be_and_what_is_wrong_is_said_without_its_values() {
    let seeds = [
        r#"{"apiVersion":"launchway.dev/v1alpha1","kind":"Pipeline","metadata":{"name":"web","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,
        "creationTimestamp":"2026-11-21T10:00:00Z","labels":{"a":"Hunter2"},"managedFields":[{"time":"9999-12-31T23:59:59Z"}]},
        "spec":{"source":{"git":{"url":"https://git.example.com/a.git","branch":"main"}},"build":{"codeBuild":{"project":"web"}},
        "images":[{"name":"web","repository":"shop/web"}],"stages":[{"name":"prod","targets":[{"service":"web"}]}]},"status":{"webhookAt":"2026-11-21T10:00:00Z"}}"#,
        r#"{"metadata":{"name":"web","namespace":"shop"},"spec":{"source":"Hunter2","stages":[]}}"#,
        r#"{"metadata":{"name":"web"},"status":{"webhookAt":"Hunter2"}}"#,
    ];
    fuzz(&seeds, |bytes| match serde_json::from_slice::<Item<Pipeline>>(bytes) {
        Ok(Item::Read(_)) => true,
        Ok(Item::Unreadable(unreadable)) => {
            let told = format!("{} {unreadable:?}", unreadable.note());
            // Of a member that somebody made up its name is said.
            assert!(unreadable.member.len() <= MEMBER && (!told.contains("Hunter2") || is_a_name(bytes)), "{told}");
            true
        }
        Err(error) => {
            assert!(!error.to_string().contains("Hunter2"), "{error}");
            false
        }
    });
}

/// Whether the mark stands where an object's name or a member's stands, or may do so: what is nested too deep is not looked at.
fn is_a_name(bytes: &[u8]) -> bool {
    fn names(value: &serde_json::Value) -> bool {
        let of_object = |(name, value): (&String, &serde_json::Value)| name.contains("Hunter2") || names(value);
        value.as_object().is_some_and(|all| all.iter().any(of_object))
            || value.as_array().is_some_and(|all| all.iter().any(names))
    }
    serde_json::from_slice::<serde_json::Value>(bytes).map_or(true, |value| {
        names(&value) || value["metadata"]["name"].as_str().is_some_and(|name| name.contains("Hunter2"))
    })
}
