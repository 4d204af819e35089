//! Completion: the words that may stand where the cursor is, in the form that kubectl and our scripts take them.

mod scripts;

use crate::args::{Cli, Connection, Shell};
use crate::ask::Scope;
use crate::connect::{Cluster, connect};
use crate::explain;
use crate::failure::Failure;
use crate::item::{Item, Kind};
use crate::print::say;
use clap::{Arg, ArgAction, Command, CommandFactory};
use launchway_crds::{Pipeline, Release, Service};

/// What is said of a word beside it.
type Offer = (String, String);

/// Prints the script for a shell.
pub fn script(shell: Shell) -> Result<(), Failure> {
    say(match shell {
        Shell::Bash => scripts::BASH,
        Shell::Zsh => scripts::ZSH,
        Shell::Fish => scripts::FISH,
        Shell::Kubectl => scripts::KUBECTL,
    })
}

/// Completes the last of the words, the one under the cursor. `:4` tells kubectl to offer no files.
pub async fn run(words: &[String]) -> Result<(), Failure> {
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    for (word, about) in offers(before, last).await.into_iter().filter(|(word, _)| word.starts_with(last)) {
        say(&format!("{word}\t{about}"))?;
    }
    say(":4")
}

/// What may be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Pipelines,
    Commits,
    Retried,
    Logged,
    Reasons,
}

async fn offers(before: &[String], last: &str) -> Vec<Offer> {
    let root = Cli::command();
    let (command, given) = place(&root, before);
    if let Some(flag) = before.last().and_then(|word| valued(&root, command, word)) {
        return match flag.get_id().as_str() {
            "pipeline" => objects(before, Wanted::Pipelines).await,
            _ => choices(flag),
        };
    }
    match command {
        _ if last.starts_with('-') => flags(&root, command),
        None => root
            .get_subcommands()
            .filter(|one| !one.is_hide_set())
            .map(|one| offer(one.get_name(), one.get_about()))
            .collect(),
        Some(_) if given > 0 => Vec::new(),
        Some(command) => match wanted(command.get_name()) {
            Some(Wanted::Reasons) => {
                explain::words().map(|(word, about, _)| (word.to_owned(), about.to_owned())).collect()
            }
            Some(wanted) => objects(before, wanted).await,
            None => command.get_positionals().flat_map(choices).collect(),
        },
    }
}

fn wanted(command: &str) -> Option<Wanted> {
    match command {
        "status" | "releases" | "suspend" | "resume" => Some(Wanted::Pipelines),
        "wait" | "release" => Some(Wanted::Commits),
        "retry" => Some(Wanted::Retried),
        "logs" => Some(Wanted::Logged),
        "explain" => Some(Wanted::Reasons),
        _ => None,
    }
}

fn offer(word: &str, about: Option<&clap::builder::StyledStr>) -> Offer {
    let about = about.map(ToString::to_string).unwrap_or_default();
    (word.to_owned(), about.lines().next().unwrap_or_default().to_owned())
}

/// The subcommand, and how many words were given to it already.
fn place<'a>(root: &'a Command, before: &[String]) -> (Option<&'a Command>, usize) {
    let (mut command, mut given, mut skip) = (None, 0, false);
    for word in before {
        match command {
            _ if std::mem::take(&mut skip) => {}
            _ if word.starts_with('-') => skip = valued(root, command, word).is_some(),
            None => command = root.find_subcommand(word),
            Some(_) => given += 1,
        }
    }
    (command, given)
}

fn known<'a>(root: &'a Command, command: Option<&'a Command>) -> impl Iterator<Item = &'a Arg> {
    command
        .into_iter()
        .chain([root])
        .flat_map(Command::get_opts)
        .chain(command.into_iter().flat_map(Command::get_arguments))
}

/// The flag that the word is, if its value is the next word.
fn valued<'a>(root: &'a Command, command: Option<&'a Command>, word: &str) -> Option<&'a Arg> {
    let is = |arg: &&Arg| {
        let long = arg.get_long().is_some_and(|long| word == format!("--{long}"));
        long || arg.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    known(root, command).find(is).filter(|arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append))
}

fn flags(root: &Command, command: Option<&Command>) -> Vec<Offer> {
    let mut all: Vec<Offer> =
        known(root, command).filter_map(|arg| Some(offer(&format!("--{}", arg.get_long()?), arg.get_help()))).collect();
    all.sort();
    all.dedup();
    all
}

fn choices(arg: &Arg) -> Vec<Offer> {
    arg.get_possible_values().iter().map(|value| offer(value.get_name(), value.get_help())).collect()
}

/// The objects of the namespace that was typed; none if they cannot be had: nobody completes an error.
async fn objects(before: &[String], wanted: Wanted) -> Vec<Offer> {
    let Ok(cluster) = connect(&connection(before)).await else { return Vec::new() };
    match wanted {
        Wanted::Pipelines => names::<Pipeline>(&cluster, "").await,
        Wanted::Retried => {
            [names::<Service>(&cluster, "service").await, names::<Release>(&cluster, "release").await].concat()
        }
        Wanted::Logged => {
            [names::<Release>(&cluster, "release").await, names::<Service>(&cluster, "service").await].concat()
        }
        Wanted::Commits => items::<Release>(&cluster).await.into_iter().filter_map(commit).collect(),
        Wanted::Reasons => Vec::new(),
    }
}

async fn items<K: Kind>(cluster: &Cluster) -> Vec<Item<K>> {
    cluster.list(&Scope::Namespace(cluster.namespace.clone())).await.unwrap_or_default()
}

async fn names<K: Kind>(cluster: &Cluster, about: &str) -> Vec<Offer> {
    items::<K>(cluster).await.into_iter().map(|item| (item.name, about.to_owned())).collect()
}

fn commit(item: Item<Release>) -> Option<Offer> {
    Some((item.body.ok()?.spec.commit?.to_string(), item.name))
}

/// The flags of the connection that were typed so far.
fn connection(before: &[String]) -> Connection {
    let value = |names: &[&str]| {
        let joined =
            |word: &String| names.iter().find_map(|name| Some(word.strip_prefix(&format!("{name}="))?.to_owned()));
        let apart = || before.windows(2).find(|pair| names.contains(&pair[0].as_str())).map(|pair| pair[1].clone());
        before.iter().find_map(joined).or_else(apart)
    };
    Connection {
        namespace: value(&["-n", "--namespace"]),
        context: value(&["--context"]),
        kubeconfig: value(&["--kubeconfig"]).map(Into::into),
        user: value(&["--as"]),
        groups: value(&["--as-group"]).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn offered(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (last, before) = words.split_last().unwrap();
        let all = offers(before, last).await;
        all.into_iter().map(|(word, _)| word).filter(|word| word.starts_with(last.as_str())).collect()
    }

    #[tokio::test]
    async fn commands_flags_and_values_are_offered_where_they_may_stand() {
        assert_eq!(offered(&["re"]).await, ["releases", "release", "resume", "retry"]);
        assert_eq!(offered(&["-n", "shop", "sus"]).await, ["suspend"]);
        assert_eq!(offered(&["status", "--w"]).await, ["--watch"]);
        assert_eq!(offered(&["status", "--as"]).await, ["--as", "--as-group"]);
        assert_eq!(offered(&["releases", "-o", ""]).await, ["json", "wide"]);
        assert_eq!(offered(&["explain", "Rolled"]).await, ["RolledBack", "RolledOut"]);
        assert_eq!(offered(&["completion", "f"]).await, ["fish"]);
        assert_eq!(offered(&["explain", "RolledBack", ""]).await, [""; 0]);
    }
}
