//! Requests that the service's model does not know are refused before anything else is looked at.

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
        what: "A value that an enum does not have, a required member of a structure that is absent, or a union with several members is ClientException in RegisterTaskDefinition, InvalidParameterException in the rest of ECS, InvalidInputException in CodeBuild",
        source: "The errors that the models list; the sentence is a guess",
    },
];

/// Refuses what does not fit the operation's model, if its model is here. Members that the operation itself demands, it refuses with its own
/// words.
pub(crate) fn refused(call: &Call) -> Result<(), Refusal> {
    let Some(model) = model::find(call.service, &call.operation) else {
        return Ok(());
    };
    match model::misfit(model, &call.input) {
        None => Ok(()),
        Some(misfit @ (Misfit::Unknown(_) | Misfit::Kind { .. })) => {
            Err(Refusal::new("SerializationException", misfit.to_string()))
        }
        Some(Misfit::Missing(path)) if !path.contains('.') => Ok(()),
        Some(misfit @ (Misfit::Value { .. } | Misfit::Missing(_) | Misfit::NotOne(_))) => {
            Err(Refusal::new(invalid(call), misfit.to_string()))
        }
    }
}

fn invalid(call: &Call) -> &'static str {
    match (call.service, call.operation.as_str()) {
        ("ecs", "RegisterTaskDefinition") => "ClientException",
        ("codebuild", _) => "InvalidInputException",
        _ => "InvalidParameterException",
    }
}
