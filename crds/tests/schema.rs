//! What holds for every field of every definition: that it is explained, bounded, and merges as a user expects.
//! Whether the API server takes the definitions is asked elsewhere, of a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Words that YAML 1.1, which kubectl reads, takes for booleans.
const BOOLEANS: [&str; 6] = ["on", "off", "yes", "no", "y", "n"];

/// Where AWS's own requests begin: what stands below is named as AWS names it.
const AWS_REQUESTS: [&str; 3] = ["Service.spec.taskDefinition.", "Service.spec.service.", ".codeBuild.override."];

/// A place in a definition, and the schema that stands there.
struct Place {
    path: String,
    schema: Value,
}

impl Place {
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap()
    }

    fn is_field(&self) -> bool {
        !self.path.ends_with("[]") && !self.path.ends_with("{}")
    }

    fn is(&self, type_: &str) -> bool {
        self.schema["type"] == type_
    }

    /// Whether AWS chose the name and the words.
    fn is_awss(&self) -> bool {
        AWS_REQUESTS.iter().any(|request| self.path.contains(request))
    }
}

fn definitions() -> Vec<Value> {
    launchway_crds::all().iter().map(|crd| serde_json::to_value(crd).unwrap()).collect()
}

fn version(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]
}

fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for crd in definitions() {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        walk(kind, &version(&crd)["schema"]["openAPIV3Schema"], &mut places);
    }
    places
}

fn walk(path: String, schema: &Value, places: &mut Vec<Place>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(format!("{path}.{name}"), field, places);
    }
    if schema["items"].is_object() {
        walk(format!("{path}[]"), &schema["items"], places);
    }
    if schema["additionalProperties"].is_object() {
        walk(format!("{path}{{}}"), &schema["additionalProperties"], places);
    }
    places.push(Place { path, schema: schema.clone() });
}

/// The places for which `wrong` has something to say, with what it says.
fn wrongs(wrong: impl Fn(&Place) -> Option<String>) -> Vec<String> {
    places().iter().filter_map(|place| wrong(place).map(|what| format!("{}: {what}", place.path))).collect()
}

/// The words to choose from, whether a null may stand in their place or not.
fn words(place: &Place) -> Vec<Value> {
    let all = [&place.schema["enum"], &place.schema["allOf"][0]["enum"]];
    all.into_iter().filter_map(Value::as_array).flatten().cloned().collect()
}

#[test]
fn every_field_is_explained_by_a_sentence() {
    let wrong = wrongs(|place| {
        let text = place.schema["description"].as_str().unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let is_sentence =
            first.starts_with(|c: char| c.is_uppercase() || c == '`' || c.is_ascii_digit()) && first.ends_with('.');
        let is_derived = text.contains("Auto-generated");
        (place.is_field() && (!is_sentence || is_derived)).then(|| format!("{text:?}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_list_has_an_end_and_says_how_it_merges() {
    let wrong = wrongs(|place| {
        let (most, merge) = (&place.schema["maxItems"], &place.schema["x-kubernetes-list-type"]);
        let is_right = most.is_u64() && ["map", "set", "atomic"].iter().any(|known| merge == known);
        (place.is("array") && !is_right).then(|| format!("maxItems {most}, list type {merge}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_list_of_things_that_must_have_a_name_is_a_map_by_name() {
    let wrong = wrongs(|place| {
        let required = place.schema["items"]["required"].as_array();
        let is_named = required.is_some_and(|names| names.contains(&json!("name")));
        let keys = &place.schema["x-kubernetes-list-map-keys"];
        (place.is("array") && is_named && *keys != json!(["name"])).then(|| format!("keys {keys}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_string_has_an_end() {
    let wrong = wrongs(|place| {
        let bounded = ["maxLength", "format"].iter().any(|bound| !place.schema[*bound].is_null());
        let bounded = bounded || !words(place).is_empty();
        let is_text = place.is("string") || place.schema["x-kubernetes-int-or-string"] == true;
        (is_text && !bounded).then(|| "no maxLength, enum or format".to_owned())
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_map_has_an_end() {
    let wrong = wrongs(|place| {
        let is_map = place.schema["additionalProperties"].is_object();
        (is_map && !place.schema["maxProperties"].is_u64()).then(|| "no maxProperties".to_owned())
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_number_that_a_user_writes_has_its_ends() {
    let wrong = wrongs(|place| {
        let is_spec = place.path.split('.').nth(1) == Some("spec");
        let (least, most) = (&place.schema["minimum"], &place.schema["maximum"]);
        let is_number = place.is("integer") || place.is("number");
        (is_spec && is_number && (least.is_null() || most.is_null())).then(|| format!("{least} to {most}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_field_is_called_what_yaml_takes_for_a_boolean() {
    let wrong = wrongs(|place| BOOLEANS.contains(&place.name()).then(|| "a boolean in YAML 1.1".to_owned()));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_field_is_in_camel_case() {
    let is_camel = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let wrong = wrongs(|place| {
        let is_kind = !place.path.contains('.');
        (place.is_field() && !is_kind && !is_camel(place.name())).then(|| "not camelCase".to_owned())
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_word_to_choose_is_in_camel_case_or_awss_own() {
    let is_camel = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let wrong = wrongs(|place| {
        let all = words(place);
        let odd: Vec<&str> = all.iter().filter_map(Value::as_str).filter(|word| !is_camel(word)).collect();
        (!odd.is_empty() && !place.is_awss()).then(|| format!("{odd:?}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// People are told the words when they write another one.
#[test]
fn no_word_to_choose_is_a_null() {
    let wrong = wrongs(|place| words(place).contains(&Value::Null).then(|| "null".to_owned()));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_pattern_is_of_the_whole_text() {
    let wrong = wrongs(|place| {
        let pattern = place.schema["pattern"].as_str()?;
        // `a|b` between the anchors would be "begins with a, or ends with b".
        let mut depth = 0;
        let splits = pattern.chars().any(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == '|' && depth == 0
        });
        (!pattern.starts_with('^') || !pattern.ends_with('$') || splits).then(|| pattern.to_owned())
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_rule_says_in_words_what_is_wrong() {
    let mut seen = BTreeSet::new();
    let wrong = wrongs(|place| {
        let rules = place.schema["x-kubernetes-validations"].as_array()?;
        rules
            .iter()
            .find(|rule| rule["message"].as_str().is_none_or(str::is_empty))
            .map(|rule| rule["rule"].to_string())
    });
    for place in places() {
        let rules = place.schema["x-kubernetes-validations"].as_array().cloned().unwrap_or_default();
        seen.extend(rules.iter().map(|rule| (rule["message"].to_string(), rule["rule"].to_string())));
    }
    assert_eq!(wrong, Vec::<String>::new());
    let messages: BTreeSet<&String> = seen.iter().map(|(message, _)| message).collect();
    assert_eq!(messages.len(), seen.len(), "two rules with one message cannot be told apart");
}

#[test]
fn every_status_begins_as_not_looked_at() {
    for place in places().iter().filter(|place| place.name() == "status" && place.path.matches('.').count() == 1) {
        assert_eq!(place.schema["default"], json!({"observedGeneration": -1}), "{}", place.path);
        assert_eq!(place.schema["properties"]["observedGeneration"]["default"], json!(-1), "{}", place.path);
        assert!(place.schema["nullable"].is_null(), "{}", place.path);
    }
}

#[test]
fn every_default_is_one_that_its_schema_admits() {
    let wrong = wrongs(|place| {
        let default = place.schema["default"].as_object()?;
        let of_fields = default.iter().filter(|(name, _)| *name != "observedGeneration");
        let other = of_fields.filter(|(name, value)| place.schema["properties"][name.as_str()]["default"] != **value);
        let odd: Vec<String> = other.map(|(name, value)| format!("{name}: {value}")).collect();
        (!odd.is_empty()).then(|| odd.join(", "))
    });
    assert_eq!(wrong, Vec::<String>::new(), "the default of an object differs from those of its fields");
}

#[test]
fn a_default_is_told_where_there_is_one() {
    let wrong = wrongs(|place| {
        let (default, text) = (&place.schema["default"], place.schema["description"].as_str()?);
        let told = default.as_str().map_or_else(|| default.to_string(), ToOwned::to_owned);
        let is_plain =
            place.path.contains(".spec.") && !default.is_null() && !default.is_object() && !default.is_array();
        (is_plain && !text.contains(&told)).then(|| format!("{told} is not in {text:?}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn get_launchway_lists_every_kind() {
    for crd in definitions() {
        assert_eq!(crd["spec"]["names"]["categories"], json!(["launchway"]));
        assert_eq!(crd["spec"]["group"], launchway_crds::GROUP);
        assert_eq!(version(&crd)["name"], launchway_crds::VERSION);
    }
}

#[test]
fn the_columns_answer_what_people_ask() {
    let columns: Vec<(String, String)> = definitions()
        .iter()
        .map(|crd| {
            let all = version(crd)["additionalPrinterColumns"].as_array().unwrap();
            let shown = all.iter().filter(|column| column["priority"].as_i64().unwrap_or(0) == 0);
            let names: Vec<&str> = shown.map(|column| column["name"].as_str().unwrap()).collect();
            (crd["spec"]["names"]["kind"].as_str().unwrap().to_owned(), names.join(" "))
        })
        .collect();
    let expected = [
        ("AwsAccount", "Ready Account Reason Age"),
        ("Pipeline", "Ready Released Commit Stage Reason Age"),
        ("Release", "Ready Released Commit Stage Reason Age"),
        ("Service", "Ready RolledOut Commit Stage Reason Age"),
        ("LogRequest", "Ready Of Reason Age"),
    ];
    assert_eq!(columns, expected.map(|(kind, names)| (kind.to_owned(), names.to_owned())));
}

#[test]
fn the_names_are_those_that_people_type() {
    let names: Vec<String> = definitions()
        .iter()
        .map(|crd| {
            let names = &crd["spec"]["names"];
            let [plural, singular, short] = [&names["plural"], &names["singular"], &names["shortNames"][0]];
            format!("{} {} {} {}", plural, singular, short, crd["spec"]["scope"]).replace('"', "")
        })
        .collect();
    let expected = [
        "awsaccounts awsaccount lwaa Cluster",
        "pipelines pipeline lwp Namespaced",
        "releases release lwr Namespaced",
        "ecsservices ecsservice esvc Namespaced",
        "logrequests logrequest lwlog Namespaced",
    ];
    assert_eq!(names, expected);
}

/// A plain `kubectl apply` writes the whole definition into an annotation, and the API server bounds annotations: 256 KiB.
#[test]
fn every_definition_is_small_enough_for_a_plain_apply() {
    for crd in definitions() {
        let size = serde_json::to_string(&crd).unwrap().len();
        assert!(size < 250_000, "{}: {size} bytes", crd["metadata"]["name"]);
    }
}

#[test]
fn a_set_of_words_has_room_for_all_of_them() {
    let wrong = wrongs(|place| {
        let words = place.schema["items"]["enum"].as_array()?.len();
        let most = place.schema["maxItems"].as_u64()?;
        (most < words as u64).then(|| format!("{most} of {words} words"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
