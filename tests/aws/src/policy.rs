//! IAM policy documents: Allow and Deny with globs and the conditions that matter here. NotAction, NotResource and principals are refused.

use serde_json::Value;

use crate::faults::glob;

/// A parsed policy document.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    effect: Effect,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

impl Policy {
    /// Parses a document; the error says what the simulator does not understand.
    pub fn parse(document: &Value) -> Result<Self, String> {
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().map(Statement::parse).collect::<Result<_, _>>()?,
            Some(one @ Value::Object(_)) => vec![Statement::parse(one)?],
            _ => return Err("the policy has no Statement".to_owned()),
        };
        Ok(Self { statements })
    }

    /// Whether it allows this; an explicit Deny wins.
    pub fn allows(&self, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
        let holds = |effect| {
            self.statements
                .iter()
                .any(|statement| statement.effect == effect && statement.matches(action, resource, context))
        };
        holds(Effect::Allow) && !holds(Effect::Deny)
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Self, String> {
        let effect = match value.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            other => return Err(format!("Effect is {other:?}")),
        };
        let (actions, resources) = (strings(value.get("Action")), strings(value.get("Resource")));
        if actions.is_empty() || resources.is_empty() {
            return Err(format!("a statement lacks Action or Resource: {value}"));
        }
        Ok(Self { effect, actions, resources, conditions: conditions(value.get("Condition"))? })
    }

    fn matches(&self, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|pattern| glob(pattern, resource))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

fn conditions(value: Option<&Value>) -> Result<Vec<Condition>, String> {
    let mut found = Vec::new();
    for (operator, keys) in value.and_then(Value::as_object).into_iter().flatten() {
        if !OPERATORS.contains(&operator.as_str()) {
            return Err(format!("the condition operator {operator} is not known here"));
        }
        for (key, values) in keys.as_object().into_iter().flatten() {
            found.push(Condition { operator: operator.clone(), key: key.clone(), values: strings(Some(values)) });
        }
    }
    Ok(found)
}

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "ArnEquals",
    "ArnLike",
    "Bool",
    "StringEqualsIfExists",
    "StringLikeIfExists",
    "ArnEqualsIfExists",
    "ArnLikeIfExists",
    "ForAnyValue:StringEquals",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringLike",
    "ForAllValues:StringLike",
    "Null",
];

impl Condition {
    /// A key may stand several times in the context: it then has several values.
    fn holds(&self, context: &[(&str, &str)]) -> bool {
        let present: Vec<&str> =
            context.iter().filter(|(key, _)| key.eq_ignore_ascii_case(&self.key)).map(|(_, value)| *value).collect();
        if self.operator == "Null" {
            return self.values.iter().any(|value| value == "true") == present.is_empty();
        }
        let all = self.operator.starts_with("ForAllValues:");
        if present.is_empty() {
            return all || self.operator.ends_with("IfExists") || self.operator == "StringNotEquals";
        }
        if all { present.iter().all(|value| self.fits(value)) } else { present.iter().any(|value| self.fits(value)) }
    }

    fn fits(&self, value: &str) -> bool {
        let operator = self
            .operator
            .trim_start_matches("ForAnyValue:")
            .trim_start_matches("ForAllValues:")
            .trim_end_matches("IfExists");
        match operator {
            "StringLike" | "ArnLike" | "ArnEquals" => self.values.iter().any(|pattern| glob(pattern, value)),
            "StringNotEquals" => self.values.iter().all(|other| other != value),
            _ => self.values.iter().any(|other| other == value),
        }
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::Bool(flag)) => vec![flag.to_string()],
        Some(Value::Null | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}
