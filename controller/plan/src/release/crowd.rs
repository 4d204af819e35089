//! How much of a namespace is at work at a time, and how much may be: bounds that an AwsAccount sets, so that one namespace leaves
//! room for the others.

use super::record::{Progress, Record};
use crate::account::AccountSeen;

/// What is counted of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Releases that are being checked and built.
    Releases,
    /// Their builds, those of checks included, that run or may run.
    Builds,
}

/// How much of a namespace is at work in one AwsAccount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Releases that have begun and have no image yet. What becomes of them at a stage costs little, and may take for ever: it
    /// must not keep the next commit out, which perhaps mends it.
    pub releases: usize,
    /// Their builds, those of checks included, that run or may run.
    pub builds: usize,
}

impl Load {
    /// What a Release with this record adds.
    pub fn of(record: &Record) -> Self {
        let Some(work) = record.work.as_ref().filter(|_| record.ended.is_none()) else { return Self::default() };
        let is_built = !record.images.is_empty();
        let runs = |progress: &Progress| matches!(progress, Progress::Intended(_) | Progress::Running(_));
        Self { releases: usize::from(!is_built), builds: work.steps.iter().filter(|step| runs(&step.progress)).count() }
    }

    /// How many there are of what is counted.
    pub fn count(self, counted: Counted) -> usize {
        match counted {
            Counted::Releases => self.releases,
            Counted::Builds => self.builds,
        }
    }
}

/// How many the AwsAccount lets a namespace have at a time; absent: any number.
pub fn most(account: &AccountSeen, counted: Counted) -> Option<i32> {
    let bounds = account.spec.as_ref()?.budget.as_ref()?.per_namespace.as_ref()?;
    match counted {
        Counted::Releases => bounds.releases,
        Counted::Builds => bounds.builds,
    }
}

/// The most that the AwsAccount allows, if as many are at work.
pub fn full(account: &AccountSeen, load: Load, counted: Counted) -> Option<i32> {
    most(account, counted).filter(|most| usize::try_from(*most).is_ok_and(|most| load.count(counted) >= most))
}

/// Why a Release waits that may not begin, or start a build, before others of its namespace have ended.
pub(super) fn words(account: &AccountSeen, load: Load, counted: Counted, most: i32) -> String {
    let (what, member) = match counted {
        Counted::Releases => ("Releases", "releases"),
        Counted::Builds => ("builds", "builds"),
    };
    format!(
        "waits until others have ended: namespace {} has {} {what} at work in AwsAccount {}, whose spec.budget.perNamespace.{member} is {most}",
        account.namespace,
        load.count(counted),
        account.name
    )
}
