//! Whether the answer to a verification is the expected one. Its body is compared and never shown.

use launchway_crds::pipeline::Expectation;
use serde_json::Value;

/// `Ok` if the answer is the expected one, otherwise how it differs. The text names members of the body, never their
/// values.
pub fn judge(expect: &Expectation, status: u16, body: &[u8]) -> Result<(), String> {
    if i32::from(status) != expect.status {
        return Err(format!("answered status {status}, not {}", expect.status));
    }
    if expect.json.is_empty() {
        return Ok(());
    }
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else {
        return Err("did not answer with a JSON object".to_owned());
    };
    match expect.json.iter().find(|(name, value)| members.get(*name) != Some(value)) {
        Some((name, _)) if members.contains_key(name) => Err(format!("answered with an unexpected value of {name}")),
        Some((name, _)) => Err(format!("answered without {name}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(status: i32, json: Value) -> Expectation {
        Expectation { status, json: serde_json::from_value(json).unwrap() }
    }

    #[test]
    fn only_the_expected_status_and_members_pass_and_the_body_is_not_shown() {
        let wanted = expect(200, serde_json::json!({"success": true}));
        assert_eq!(judge(&wanted, 200, br#"{"success": true, "more": 1}"#), Ok(()));
        for (status, body) in [(503, "{}"), (200, "secret"), (200, "{}"), (200, r#"{"success": "secret"}"#)] {
            let told = judge(&wanted, status, body.as_bytes()).unwrap_err();
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
