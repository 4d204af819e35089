//! SSM at the wire: no SDK client of it is among the workspace's crates, so the requests are written by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{Account, KEY, REGION};
use launchway_test_aws::WireRequest;
use serde_json::{Value, json};

fn parameters(account: &Account, input: Value) -> (u16, Value) {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20260901/{REGION}/ssm/aws4_request, SignedHeaders=host, Signature=0"
    );
    let headers = [("x-amz-target", "AmazonSSM.GetParameters".to_owned()), ("authorization", scope)];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let request = WireRequest { headers, body: input.to_string().into(), ..WireRequest::default() };
    let reply = account.world.lock().unwrap().answer(account.now(), &request);
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

#[test]
fn found_parameters_come_with_their_values_and_missing_ones_are_named() {
    let account = Account::new();
    account.parameters(|parameters| parameters.put("/web/colour", "blue"));
    let (status, answer) = parameters(&account, json!({ "Names": ["/web/colour", "/web/size"] }));
    assert_eq!(status, 200);
    let found = &answer["Parameters"][0];
    assert_eq!(
        (&found["Name"], &found["Value"], &found["Type"], &found["Version"]),
        (&json!("/web/colour"), &json!("blue"), &json!("String"), &json!(1))
    );
    assert_eq!(found["ARN"], "arn:aws:ssm:eu-west-1:123456789012:parameter/web/colour");
    assert_eq!(answer["InvalidParameters"], json!(["/web/size"]));
}

#[test]
fn a_secure_string_is_readable_only_when_decryption_is_asked_for() {
    let account = Account::new();
    account.parameters(|parameters| parameters.put_secure("/web/token", "s3cret"));
    let (_, closed) = parameters(&account, json!({ "Names": ["/web/token"] }));
    assert!(!closed.to_string().contains("s3cret"), "{closed}");
    assert_eq!(closed["Parameters"][0]["Type"], "SecureString");
    let (_, open) = parameters(&account, json!({ "Names": ["/web/token"], "WithDecryption": true }));
    assert_eq!(open["Parameters"][0]["Value"], "s3cret");
}

#[test]
fn a_parameter_is_found_by_its_arn_and_by_its_version() {
    let account = Account::new();
    account.parameters(|parameters| {
        parameters.put("plain", "one");
        parameters.put("plain", "two");
        parameters.put("/deep/name", "three");
    });
    let names = ["arn:aws:ssm:eu-west-1:123456789012:parameter/deep/name", "plain:2", "plain:1", "plain:3"];
    let (_, answer) = parameters(&account, json!({ "Names": names }));
    let values: Vec<_> = answer["Parameters"].as_array().unwrap().iter().map(|found| found["Value"].clone()).collect();
    assert_eq!(values, ["three", "two", "one"]);
    assert_eq!(answer["InvalidParameters"], json!(["plain:3"]));
}

#[test]
fn answers_are_in_alphabetical_order_and_a_version_asked_for_is_told() {
    let account = Account::new();
    account.parameters(|parameters| ["/b", "/c", "/a"].iter().for_each(|name| parameters.put(name, "x")));
    let (_, answer) = parameters(&account, json!({ "Names": ["/c", "/z", "/b:1", "/a", "/y"] }));
    let said = |member: &str| -> Vec<_> {
        answer["Parameters"].as_array().unwrap().iter().map(|found| found[member].clone()).collect()
    };
    assert_eq!(said("Name"), ["/a", "/b", "/c"]);
    assert_eq!(said("Selector"), [Value::Null, json!(":1"), Value::Null]);
    assert_eq!(answer["InvalidParameters"], json!(["/y", "/z"]));
}

#[test]
fn ten_names_are_the_most_and_one_the_least() {
    let account = Account::new();
    let names: Vec<String> = (0..11).map(|n| format!("n{n}")).collect();
    for input in [json!({ "Names": names }), json!({ "Names": [] }), json!({ "Names": ["a", "a"] })] {
        let (status, answer) = parameters(&account, input);
        assert_eq!((status, &answer["__type"]), (400, &json!("ValidationException")));
    }
}

#[test]
fn rights_are_asked_for_on_each_parameter() {
    let account = Account::new();
    account.parameters(|parameters| parameters.put("/web/colour", "blue"));
    account.restrict(json!({ "Statement": [{ "Effect": "Allow", "Action": "ssm:*", "Resource": "arn:aws:ssm:eu-west-1:123456789012:parameter/web/*" }] }));
    assert_eq!(parameters(&account, json!({ "Names": ["/web/colour"] })).0, 200);
    let (status, answer) = parameters(&account, json!({ "Names": ["/web/colour", "/api/key"] }));
    assert_eq!((status, &answer["__type"]), (400, &json!("AccessDeniedException")));
    assert!(answer["message"].as_str().unwrap().contains("parameter/api/key"), "{answer}");
}
