//! `kubectl launchway`: where a commit is, and what a person can do about it. Flags become questions to the API server here;
//! what the answers mean is decided in pure functions, file by file.

mod args;
mod ask;
mod complete;
mod connect;
mod explain;
mod failure;
#[cfg(test)]
mod fuzz;
mod item;
mod logs;
mod model;
mod named;
mod person;
mod print;
mod releases;
mod render;
#[cfg(test)]
mod samples;
mod status;
mod text;
mod wait;

use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use connect::connect;
use failure::Failure;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only if there is one already, and then that one is used.
    let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.told(),
    }
}

/// Help and version succeed. What was typed wrong ends with 1, as kubectl ends; of `wait`, where 1 is an answer, with 3.
fn usage(error: &clap::Error) -> ExitCode {
    let _unheard = error.print();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return ExitCode::SUCCESS;
    }
    let waits = std::env::args().any(|word| word == "wait");
    if waits { ExitCode::from(wait::NO_ANSWER) } else { ExitCode::FAILURE }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Explain { reason } => explain::run(reason.as_deref()),
        Command::Completion { shell } => complete::script(shell),
        Command::Complete { words } => complete::run(&words).await,
        Command::Status(asked) => status::run(&connect(&cli.connection).await?, &asked).await,
        Command::Releases(asked) => releases::run(&connect(&cli.connection).await?, &asked).await,
        Command::Release { commit, pipeline } => {
            person::release(&connect(&cli.connection).await?, &commit, pipeline).await
        }
        Command::Suspend { pipeline } => {
            person::suspend(&connect(&cli.connection).await?, &pipeline, person::Flow::Held).await
        }
        Command::Resume { pipeline } => {
            person::suspend(&connect(&cli.connection).await?, &pipeline, person::Flow::Free).await
        }
        Command::Retry { name } => person::retry(&connect(&cli.connection).await?, &name).await,
        Command::Logs(asked) => logs::run(&connect(&cli.connection).await?, &asked).await,
        Command::Wait(asked) => wait::run(&cli.connection, &asked).await,
    }
}
