//! Reads that are mixed and not monotonic: each call, and each resource that it names, is answered from another time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Answer, Call, World};

/// The member with which a call names several resources.
fn plural(call: &Call) -> Option<&'static str> {
    match (call.service, call.operation.as_str()) {
        ("ecs", "DescribeServices") => Some("services"),
        ("ecs", "DescribeTasks") => Some("tasks"),
        ("ecs", "DescribeClusters") => Some("clusters"),
        ("ecs", "DescribeServiceDeployments") => Some("serviceDeploymentArns"),
        ("ecs", "DescribeServiceRevisions") => Some("serviceRevisionArns"),
        ("codebuild", "BatchGetBuilds") => Some("ids"),
        ("codebuild", "BatchGetProjects") => Some("names"),
        ("codebuild", "BatchGetReports") => Some("reportArns"),
        ("ecr", "BatchGetImage") => Some("imageIds"),
        ("ssm", "GetParameters") => Some("Names"),
        _ => None,
    }
}

/// One call for each resource that the call names.
fn parts(call: &Call) -> Vec<Call> {
    let Some(member) = plural(call).filter(|member| call.list(member).len() > 1) else {
        return vec![call.clone()];
    };
    let part = |resource: &Value| {
        let mut input = (*call.input).clone();
        input[member] = json!([resource]);
        Call { input: Arc::new(input), ..call.clone() }
    };
    call.list(member).iter().map(part).collect()
}

/// The lists of all answers, one behind the other; of other members the first answer's.
fn joined(answers: Vec<Value>) -> Value {
    let mut all = answers.into_iter();
    let mut whole = all.next().unwrap_or_default();
    for (name, value) in all.filter_map(|answer| answer.as_object().cloned()).flatten() {
        if let (Some(list), Value::Array(more)) = (whole.get_mut(&name).and_then(Value::as_array_mut), value) {
            list.extend(more);
        }
    }
    whole
}

impl World {
    /// Answers a read from several times within `up_to`. Refused as a whole if the present refuses it.
    pub(crate) fn mixed(&mut self, call: &Call, up_to: Duration, seed: u64) -> Answer {
        let present = self.perform(call)?;
        let mut ages = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.requests());
        let mut answers = Vec::new();
        for part in parts(call) {
            let age = up_to.mul_f64(ages.f64());
            answers.push(self.as_it_was(age, |world| world.act(&Call { now: world.now(), ..part }))?);
        }
        Ok(if answers.is_empty() { present } else { joined(answers) })
    }
}
