//! Where the simulator only guesses at AWS: one table, each row with what the guess rests on.

/// One guess.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// What the simulator does.
    pub what: &'static str,
    /// What it rests on.
    pub source: &'static str,
}

/// All guesses: one slice per part.
pub const GUESSES: &[&[Guess]] =
    &[WIRE, ECS, crate::codebuild::GUESSES, crate::ecr::GUESSES, crate::logs::GUESSES, crate::ssm::GUESSES];

const WIRE: &[Guess] = &[Guess {
    what: "Signatures are not verified: the access key ID alone says who calls",
    source: "A choice: what Launchway sends is signed by the SDK, whose signatures AWS checks",
}];

const ECS: &[Guess] = &[];
