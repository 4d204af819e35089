//! Objects that the API server keeps and serde refuses, thrown at the decoder among healthy ones.

use super::*;
use kube::ResourceExt;
use kube::core::{ObjectList, WatchEvent};
use launchway_crds::{AwsAccount, Pipeline, Release};
use proptest::prelude::*;

/// In every odd value that can hold a text: it must be in nothing that is said.
const MARK: &str = "marked-value";

/// An odd value, as JSON.
fn odd() -> impl Strategy<Value = String> {
    let fraction = (10_usize..40).prop_map(|digits| format!("\"2026-01-02T03:04:05.{}Z\"", "7".repeat(digits)));
    let offset = (24_u32..100, 0_u32..60).prop_map(|(h, m)| format!("\"2026-01-02T03:04:05+{h:02}:{m:02}\""));
    let year = "[0-9]{4}".prop_map(|year| format!("\"{year}-12-31T23:59:59Z\""));
    let deep = (1_usize..3000).prop_map(|depth| format!("{}\"{MARK}\"{}", "[".repeat(depth), "]".repeat(depth)));
    let nested =
        (1_usize..3000).prop_map(|depth| format!("{}\"{MARK}\"{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
    let number = "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?(e[0-9]{1,2})?";
    let word = Just(format!("\"{MARK}\""));
    let text = ".{0,20}".prop_map(|text| serde_json::to_string(&format!("{text}{MARK}")).unwrap_or_default());
    prop_oneof![
        Just("\"9999-12-31T23:59:59Z\"".to_owned()),
        Just("null".to_owned()),
        Just("{}".to_owned()),
        fraction,
        offset,
        year,
        deep,
        nested,
        number,
        word,
        text,
    ]
}

/// Where an odd value stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    ManagedTime,
    ManagedFields,
    Unknown,
    Spec,
    Status,
    Time,
    Count,
    Labels,
}

const PLACES: [Place; 8] = [
    Place::ManagedTime,
    Place::ManagedFields,
    Place::Unknown,
    Place::Spec,
    Place::Status,
    Place::Time,
    Place::Count,
    Place::Labels,
];

/// A Pipeline with that value in that place, and all that it needs elsewhere.
fn pipeline(name: &str, odd: Option<(Place, &str)>) -> String {
    let at = |place: Place, usual: &'static str| match odd {
        Some((there, value)) if there as u8 == place as u8 => value.to_owned(),
        Some(_) | None => usual.to_owned(),
    };
    let managed = format!(
        r#"[{{"manager":"m","operation":"Update","time":{},"fieldsV1":{}}}]"#,
        at(Place::ManagedTime, r#""2026-01-02T03:04:05Z""#),
        at(Place::ManagedFields, r#"{"f:spec":{}}"#),
    );
    let spec = format!(
        r#"{{"source":{{"git":{{"url":"https://git.example.com/a","branch":"main"}}}},"build":{{"codeBuild":{{"project":"p"}}}},
            "images":[{{"name":"web","repository":"web"}}],"stages":[{{"name":"prod","targets":[{{"service":"web"}}],
            "verify":[{{"name":"v","http":{{"url":"https://a.example.com/","expect":{{"json":{{"ok":{}}}}}}}}}]}}]}}"#,
        at(Place::Spec, "true"),
    );
    let conditions = format!(
        r#"[{{"type":"Ready","status":"True","reason":"R","message":"m","lastTransitionTime":{}}}]"#,
        at(Place::Time, r#""2026-01-02T03:04:05Z""#),
    );
    let status = format!(r#"{{"observedGeneration":{},"conditions":{conditions}}}"#, at(Place::Count, "1"));
    format!(
        r#"{{"apiVersion":"launchway.dev/v1alpha1","kind":"Pipeline","more":{},"metadata":{{"name":"{name}","namespace":"a",
            "uid":"u-{name}","resourceVersion":"7","generation":1,"labels":{},"managedFields":{managed}}},
            "spec":{spec},"status":{}}}"#,
        at(Place::Unknown, "1"),
        at(Place::Labels, "{}"),
        if matches!(odd, Some((Place::Status, _))) { at(Place::Status, "null") } else { status },
    )
}

fn list<K: OfParts + Clone>(items: &[String]) -> serde_json::Result<ObjectList<Item<K>>> {
    let items = items.join(",");
    serde_json::from_str(&format!(
        r#"{{"kind":"List","apiVersion":"v1","metadata":{{"resourceVersion":"9"}},"items":[{items}]}}"#
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_anywhere_hides_another_object_or_is_told(place in prop::sample::select(&PLACES[..]), odd in odd()) {
        let bad = pipeline("odd", Some((place, &odd)));
        let items = [pipeline("first", None), bad.clone(), pipeline("last", None)];
        let all = list::<Pipeline>(&items).unwrap().items;
        let names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
        prop_assert_eq!(names, ["first", "odd", "last"]);
        let is_read = |at: usize| matches!(all[at], Item::Read(_));
        prop_assert!(is_read(0) && is_read(2));
        if let Item::Unreadable(unreadable) = &all[1] {
            let told = format!("{} {unreadable:?}", unreadable.note());
            prop_assert!(!told.contains(MARK), "{}", told);
            prop_assert!(unreadable.metadata.uid.is_some() && unreadable.metadata.resource_version.is_some());
        }
        let is_looked_at = !matches!(place, Place::ManagedTime | Place::ManagedFields | Place::Unknown);
        prop_assert!(is_looked_at || is_read(1), "nothing looks at {:?}", place);
        let event = format!(r#"{{"type":"MODIFIED","object":{bad}}}"#);
        let event = serde_json::from_str::<WatchEvent<Item<Pipeline>>>(&event);
        prop_assert!(matches!(&event, Ok(WatchEvent::Modified(item)) if item.name_any() == "odd"));
    }
}

#[test]
fn the_member_is_named_that_cannot_be_read() {
    for (place, odd, member) in [
        (Place::Time, r#""2026-01-02T03:04:05+99:00""#, "status.conditions[0].lastTransitionTime"),
        (Place::Time, r#""2026-01-02T03:04:05.0123456789Z""#, "status.conditions[0].lastTransitionTime"),
        (Place::Count, "9223372036854775808", "status.observedGeneration"),
        (Place::Labels, r#"{"a": 7}"#, "metadata.labels.a"),
    ] {
        let all = list::<Pipeline>(&[pipeline("odd", Some((place, odd)))]).unwrap().items;
        assert!(matches!(&all[0], Item::Unreadable(one) if one.member == member), "{all:?}");
    }
    let deep = format!("{}{}", "[".repeat(9000), "]".repeat(9000));
    let all = list::<Pipeline>(&[pipeline("odd", Some((Place::Spec, &deep)))]).unwrap().items;
    assert!(
        matches!(&all[0], Item::Unreadable(one) if one.member.starts_with("spec.stages[0].verify[0].http.expect")),
        "{all:?}"
    );
}

#[test]
fn the_same_objects_end_a_list_that_is_decoded_as_a_whole() {
    for (place, odd) in
        [(Place::ManagedTime, r#""9999-12-31T23:59:59Z""#), (Place::Time, r#""9999-12-31T23:59:59+99:00""#)]
    {
        let items = pipeline("odd", Some((place, odd)));
        let text = format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{{}},"items":[{items}]}}"#);
        assert!(serde_json::from_str::<ObjectList<Pipeline>>(&text).is_err(), "{place:?}");
    }
}

#[test]
fn of_one_that_cannot_be_read_what_can_be_is_known() {
    let release = r#"{"metadata":{"name":"web-3","namespace":"a","ownerReferences":[{"apiVersion":"v","kind":"k","name":"n","uid":"u"}]},
        "spec":{"pipeline":"web","number":3,"commit":"c","reason":"Unheard"}}"#;
    let item: Item<Release> = serde_json::from_str(release).unwrap();
    let Item::Unreadable(unreadable) = item else { panic!("{item:?}") };
    assert_eq!(unreadable.member, "spec.reason");
    assert_eq!((unreadable.of_spec("pipeline"), unreadable.of_spec("number")), (Some("web".to_owned()), Some(3)));
    assert_eq!(unreadable.of_spec::<String>("number"), None);
    assert_eq!(unreadable.metadata.owner_references.map(|all| all.len()), Some(1));
}

#[test]
fn what_is_no_object_at_all_is_an_error_without_its_text() {
    for text in [format!("\"{MARK}\""), format!(r#"{{"{MARK}": 1}}"#), format!(r#"{{"metadata": "{MARK}"}}"#)] {
        let error = serde_json::from_str::<Item<AwsAccount>>(&text).unwrap_err();
        assert!(!error.to_string().contains(MARK), "{error}");
    }
}
