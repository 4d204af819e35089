//! A person with an access key to the account, who looks at AWS and changes it behind the controller's back.

use launchway_test_aws::{LogEntry, WireRequest};
use serde_json::Value;

use super::World;
use super::sample::{ACCOUNT, REGION};

/// The person's access key.
const KEY: &str = "AKIAPERSON0000000000";
/// The person's user.
const USER: &str = "person";

impl World {
    /// Gives the person a key to the account.
    pub fn admit_person(&self) {
        self.aws().add_user(ACCOUNT, USER, KEY);
    }

    /// Asks AWS as the person does: `operation` is like `ecs:UpdateService`. The answer, or the refusal as AWS sends it.
    ///
    /// # Errors
    /// What AWS refuses, as it sends it.
    pub fn person(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        let reply = self.aws().answer(self.now(), &signed(KEY, operation, input));
        let body = serde_json::from_slice(&reply.body).expect("AWS answers in JSON");
        if reply.status == 200 { Ok(body) } else { Err(body) }
    }
}

/// Whether the person asked.
pub fn is_by_person(entry: &LogEntry) -> bool {
    entry.caller.ends_with(&format!(":user/{USER}"))
}

/// A request of whoever has the key, as it goes over the wire.
pub fn signed(key: &str, operation: &str, input: &Value) -> WireRequest {
    let (service, name) = operation.split_once(':').expect("service:Operation");
    let target = match service {
        "ecs" => "AmazonEC2ContainerServiceV20141113",
        "ecr" => "AmazonEC2ContainerRegistry_V20150921",
        "codebuild" => "CodeBuild_20161006",
        other => panic!("the service {other} is not known here"),
    };
    let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20261123/{REGION}/{service}/aws4_request, Signature=0");
    let headers = vec![("authorization".to_owned(), scope), ("x-amz-target".to_owned(), format!("{target}.{name}"))];
    WireRequest { headers, body: input.to_string().into(), ..WireRequest::default() }
}
