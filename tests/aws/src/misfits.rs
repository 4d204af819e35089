//! Requests that the service's model does not know are refused before anything else is looked at.

use serde_json::Value;

use crate::guesses::Guess;
use crate::model::{self, Misfit};
use crate::{Call, Refusal};

/// What is guessed here.
pub(crate) const GUESSES: &[Guess] = &[
    Guess {
        what: "A member that the model does not have is refused as SerializationException",
        source: "A choice: AWS's JSON services overlook it, and with it every misspelt member",
    },
    Guess {
        what: "A value of another kind is SerializationException, with the path of the member",
        source: "AWS's JSON protocols name the exception; the sentence there names kinds only",
    },
    Guess {
        what: "A value that an enum does not have, a required member of a structure that is absent, or a union with several members is ClientException in RegisterTaskDefinition, InvalidParameterException in the rest of ECS, in ECR and in Logs, InvalidInputException in CodeBuild, ValidationException in SSM; STS says ValidationError to all that does not fit",
        source: "The errors that the models list; the sentence is a guess",
    },
];

/// Refuses what does not fit the operation's model, if its model is here. Members that the operation itself demands, it refuses with its own
/// words.
pub(crate) fn refused(call: &Call) -> Result<(), Refusal> {
    let Some(model) = model::find(call.service, &call.operation) else {
        return Ok(());
    };
    let misfit = match (call.service, call.input.as_object()) {
        ("sts", Some(fields)) => model::misfit(model, &model::typed(model, fields)),
        _ => model::misfit(model, &call.input),
    };
    match misfit {
        None => Ok(()),
        Some(misfit @ (Misfit::Unknown(_) | Misfit::Kind { .. })) if call.service != "sts" => {
            Err(Refusal::new("SerializationException", misfit.to_string()))
        }
        Some(Misfit::Missing(path)) if !path.contains('.') => Ok(()),
        Some(misfit) => Err(Refusal::new(invalid(call), misfit.to_string())),
    }
}

/// How an answer does not fit the operation's model, if it does not.
pub(crate) fn of_answer(call: &Call, answer: &Value) -> Option<Misfit> {
    let model = model::given_by(call.service, &call.operation)?;
    let misfit = match call.service {
        "sts" => model::misfit(model, &model::untyped(model, answer)),
        _ => model::misfit(model, answer),
    };
    misfit.filter(|misfit| !beyond_the_model(misfit))
}

/// AWS itself sends phases that are CLIENT_ERROR, which the model lacks: seen in published output of BatchGetBuilds.
fn beyond_the_model(misfit: &Misfit) -> bool {
    matches!(misfit, Misfit::Value { path, found, .. } if path.ends_with(".phaseStatus") && found == "CLIENT_ERROR")
}

fn invalid(call: &Call) -> &'static str {
    match (call.service, call.operation.as_str()) {
        ("ecs", "RegisterTaskDefinition") => "ClientException",
        ("codebuild", _) => "InvalidInputException",
        ("ssm", _) => "ValidationException",
        ("sts", _) => "ValidationError",
        _ => "InvalidParameterException",
    }
}
