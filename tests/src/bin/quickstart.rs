//! `cargo quickstart`: what is asked for on the command line. What is done is in the library.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use launchway_tests::quickstart::{
    Monitor, Onlooker, Options, PACE, Parts, Program, SPEED, Screen, play, plugin, stay, svg,
};
use tokio::signal::unix::{SignalKind, signal};

/// A whole Launchway on this machine: a commit in a git repository goes to a rolled ECS service, on a real Kubernetes
/// API server and an AWS in memory. Stays until Ctrl-C, and leaves nothing behind.
#[derive(Parser)]
#[command(name = "cargo quickstart", bin_name = "cargo quickstart")]
struct Arguments {
    /// Play the stories by yourself: the first release, a good commit, a failing build, a crash loop that ECS rolls
    /// back, a person's release. Exits with 0 only if each ended as it should.
    #[arg(long)]
    play: bool,

    /// How many times as fast as AWS's the builds and tasks are.
    #[arg(long, default_value_t = SPEED, value_parser = clap::value_parser!(u32).range(1..=100))]
    speed: u32,

    /// The controller's polling speed-up factor.
    #[arg(long, default_value_t = PACE, value_parser = clap::value_parser!(u32).range(1..=30))]
    pace: u32,

    /// How long --play may take at most, in seconds, without what it compiles and fetches first.
    #[arg(long, default_value_t = 600)]
    deadline: u64,

    /// Run the controller of an image, in the image's file system and as its user: an OCI layout, such as target/image/oci
    /// after `cargo image`.
    #[arg(long, value_name = "LAYOUT")]
    image: Option<PathBuf>,

    /// Only measure the controller: the time to its first status, and its memory after a minute without work.
    #[arg(long, conflicts_with = "play")]
    figures: bool,

    /// Draw what was told of the stories into this SVG file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Let a Prometheus look on, and draw the Grafana dashboard with what it saw into this SVG file.
    #[arg(long, value_name = "FILE", requires = "play")]
    dashboard: Option<PathBuf>,

    /// Look on with kubectl launchway, and draw what it showed into status.svg and failure.svg of this folder.
    #[arg(long, value_name = "FOLDER", requires = "play")]
    plugin: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::of_terminal();
    let done = tokio::select! {
        done = run(&arguments, &screen) => done,
        name = told_to_end() => {
            screen.blank();
            screen.progress(&format!("{name}: ending everything that was started …"));
            return if arguments.play { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe quick start failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, screen: &Screen) -> anyhow::Result<()> {
    let program = arguments.image.clone().map_or(Program::Built, Program::Image);
    let (speed, pace) = (arguments.speed, arguments.pace);
    let options = Options { program, screen: screen.clone(), speed, pace, ..Options::default() };
    let mut parts = Parts::start(options).await?;
    if arguments.figures {
        let figures = parts.figures().await?;
        let told = format!(
            "the first status after {:.2} s, {} MiB after an idle minute",
            figures.first_pass.as_secs_f32(),
            figures.idle
        );
        screen.done("Measured", &told);
        return Ok(());
    }
    if !arguments.play {
        return stay(&parts).await;
    }
    let monitor = match &arguments.dashboard {
        Some(_) => Some(Monitor::start(&parts).await?),
        None => None,
    };
    let onlooker = match &arguments.plugin {
        Some(_) => Some(Onlooker::start(&parts).await?),
        None => None,
    };
    let deadline = Duration::from_secs(arguments.deadline);
    let played = parts.unless_ended(async {
        let played = tokio::time::timeout(deadline, play(&parts)).await;
        played.unwrap_or_else(|_| Err(anyhow::anyhow!("the stories were not over in {} s", arguments.deadline)))
    });
    played.await?;
    if let (Some(path), Some(monitor)) = (&arguments.dashboard, &monitor) {
        std::fs::write(path, monitor.picture()?)?;
    }
    if let (Some(folder), Some(onlooker)) = (&arguments.plugin, &onlooker) {
        std::fs::write(folder.join("status.svg"), onlooker.way())?;
        std::fs::write(folder.join("failure.svg"), onlooker.failure())?;
        std::fs::write(folder.join("logs.svg"), plugin::logs(&parts).await?)?;
    }
    match &arguments.record {
        Some(path) => Ok(std::fs::write(path, svg(&screen.kept()))?),
        None => Ok(()),
    }
}

/// The signal's name.
async fn told_to_end() -> &'static str {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).expect("signals"), signal(SignalKind::terminate()).expect("signals"));
    tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "SIGTERM",
    }
}
