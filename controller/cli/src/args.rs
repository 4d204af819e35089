//! What can be typed. The flags that kubectl has too mean the same here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Where a commit is on its way to Amazon ECS, and what a person can do about it.
#[derive(Parser, Debug)]
#[command(name = "kubectl-launchway", bin_name = "kubectl launchway", version)]
pub struct Cli {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub command: Command,
}

/// Which API server is asked, as whom, and for which namespace.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Flags as kubectl has them")]
pub struct Connection {
    /// The namespace. Default: that of the context.
    #[arg(short, long, global = true)]
    pub namespace: Option<String>,
    /// The context of the kubeconfig. Default: the current one.
    #[arg(long, global = true)]
    pub context: Option<String>,
    /// The kubeconfig. Default: what KUBECONFIG names, else ~/.kube/config.
    #[arg(long, global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// A user to ask as.
    #[arg(long = "as", value_name = "USER", global = true)]
    pub user: Option<String>,
    /// A group to ask as. May be repeated.
    #[arg(long = "as-group", value_name = "GROUP", global = true)]
    pub groups: Vec<String>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Shows Pipelines with their releases, stages and services as a tree.
    Status(Status),
    /// Lists Releases, newest first.
    Releases(Releases),
    /// Releases a commit: makes a Release with reason Manual.
    Release {
        /// The full commit ID: 40 or 64 hexadecimal digits.
        commit: String,
        /// The Pipeline. May be left out where there is only one.
        #[arg(short, long)]
        pipeline: Option<String>,
    },
    /// Holds everything back: sets spec.suspend of a Pipeline.
    Suspend {
        /// The Pipeline.
        pipeline: String,
    },
    /// Lets a Pipeline go on that was suspended.
    Resume {
        /// The Pipeline.
        pipeline: String,
    },
    /// Tries again: a Service's failed rollout, or a Release's commit, by a new Release.
    Retry {
        /// A Service or a Release: NAME, service/NAME or release/NAME.
        name: String,
    },
    /// Waits until a commit is verified in every stage. Exits with 0 then, 1 if its Release ended otherwise, 2 when the time is
    /// up, 3 if that cannot be told.
    Wait(Wait),
    /// Prints the log of a step of a Release, or of a container that stopped, whole. It is read by the controller: no credentials
    /// of AWS are needed, only the right to create LogRequests.
    Logs(Logs),
    /// Says what a reason of a condition means, and what helps.
    Explain {
        /// The reason, such as RolledBack. Absent: all of them.
        reason: Option<String>,
    },
    /// Prints a completion script.
    Completion {
        /// The shell; `kubectl` for the file kubectl_complete-launchway, which completes `kubectl launchway` in every shell.
        shell: Shell,
    },
    /// Completes the last of the words, in the form that kubectl asks for.
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub struct Status {
    /// The Pipeline. Absent: all of the namespace.
    pub pipeline: Option<String>,
    /// Those of all namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Goes on showing: redrawn in place on a terminal, else a line for each change.
    #[arg(short, long)]
    pub watch: bool,
    /// The form of the output.
    #[arg(short, long)]
    pub output: Option<TreeForm>,
}

#[derive(Args, Debug)]
pub struct Releases {
    /// The Pipeline. Absent: those of all Pipelines.
    pub pipeline: Option<String>,
    /// Those of all namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// The form of the output.
    #[arg(short, long)]
    pub output: Option<TableForm>,
}

#[derive(Args, Debug)]
pub struct Wait {
    /// The full commit ID: 40 or 64 hexadecimal digits.
    pub commit: String,
    /// The Pipeline. May be left out where there is only one.
    #[arg(short, long)]
    pub pipeline: Option<String>,
    /// How long to wait at most, such as 90s, 30m or 1h30m. 0s: look once.
    #[arg(long, default_value = "30m")]
    pub timeout: jiff::SignedDuration,
}

#[derive(Args, Debug)]
pub struct Logs {
    /// release/NAME, service/NAME, pipeline/NAME for its newest Release, or NAME alone. Absent: the newest Release of the
    /// namespace.
    pub name: Option<String>,
    /// The step of a Release: a check's name, or build. Absent: the one that failed, else the one that runs, else the last one.
    #[arg(short, long)]
    pub step: Option<String>,
    /// The container of a Service. Absent: the one that made the task stop.
    #[arg(short, long)]
    pub container: Option<String>,
    /// The ID of a stopped task of a Service. Absent: the newest that failed.
    #[arg(long)]
    pub task: Option<String>,
    /// Goes on until the step is over.
    #[arg(short, long)]
    pub follow: bool,
    /// How long to wait for the controller, such as 30s.
    #[arg(long, default_value = "30s")]
    pub timeout: jiff::SignedDuration,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeForm {
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableForm {
    Json,
    Wide,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Kubectl,
}
