//! `explain`: what a reason means and what helps, from the table that the conditions themselves are worded by.

use crate::failure::Failure;
use crate::print::say;
use launchway_plan::reason::{ConditionType, Reason};
use strsim::damerau_levenshtein;

/// How many are offered for one that is not known.
const NEAREST: usize = 3;

/// Explains a reason, or lists all.
pub fn run(reason: Option<&str>) -> Result<(), Failure> {
    match reason {
        Some(word) => say(&explained(word)?),
        None => words().try_for_each(|(word, meaning, _)| say(&format!("{word:<20} {meaning}"))),
    }
}

/// Every reason and every type of a condition, with meaning and remedy.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let reasons = Reason::ALL.iter().map(|one| (one.as_str(), one.meaning(), one.remedy()));
    reasons.chain(ConditionType::ALL.iter().map(|one| (one.as_str(), one.meaning(), one.remedy())))
}

fn explained(word: &str) -> Result<String, Failure> {
    let Some((word, meaning, remedy)) = words().find(|(known, _, _)| known.eq_ignore_ascii_case(word)) else {
        return Err(Failure::error(format!(
            "no condition has the reason \"{word}\"; nearest: {}",
            nearest(word).join(", ")
        )));
    };
    let remedy = if remedy.is_empty() { String::new() } else { format!("\nWhat helps: {remedy}") };
    Ok(format!("{word}: {meaning}{remedy}"))
}

fn nearest(word: &str) -> Vec<&'static str> {
    let word = word.to_lowercase();
    let mut all: Vec<&str> = words().map(|(known, _, _)| known).collect();
    all.sort_by_key(|known| damerau_levenshtein(&known.to_lowercase(), &word));
    all.truncate(NEAREST);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_explained_whatever_its_case_and_a_wrong_one_has_neighbours() {
        let said = explained("rolledback").unwrap();
        assert!(said.starts_with("RolledBack: ECS rolled the rollout back; it is held.\nWhat helps: "), "{said}");
        let wrong = explained("RoledBack").unwrap_err().message;
        assert!(
            wrong.starts_with("error: no condition has the reason \"RoledBack\"; nearest: RolledBack, "),
            "{wrong}"
        );
    }
}
