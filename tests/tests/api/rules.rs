//! Every rule of the definitions, from both sides: what it admits, and what it refuses in its own words.

use super::server::{Keep, Sender};
use super::table::{Patch, Rule, base, messages, messages_with_culprits, patched, rules};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_rule_has_a_manifest_on_each_side_and_no_manifest_is_without_a_rule() {
    let mut sides: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for rule in rules() {
        let (good, bad) = sides.entry(rule.rule).or_default();
        *good += rule.good.len();
        *bad += rule.bad.len();
    }
    let tried: BTreeSet<String> = sides.keys().cloned().collect();
    assert_eq!(tried, messages(), "left: the rules of rules.yaml, right: those of the definitions");
    let gaps: Vec<&String> =
        sides.iter().filter(|(_, (good, bad))| *good == 0 || *bad == 0).map(|(rule, _)| rule).collect();
    assert_eq!(gaps, Vec::<&String>::new(), "rules without a manifest on one side");
    let (good, bad) = sides.values().fold((0, 0), |sum, side| (sum.0 + side.0, sum.1 + side.1));
    println!("{} rules: {good} manifests admitted, {bad} refused", sides.len());
}

#[test]
fn every_rule_that_names_what_is_wrong_is_held_to_it() {
    let named = |rule: &Rule| !rule.bad.is_empty() && rule.culprits.len() == rule.bad.len();
    let tried: BTreeSet<String> = rules().into_iter().filter(named).map(|rule| rule.rule).collect();
    assert_eq!(tried, messages_with_culprits(), "left: the rules of rules.yaml, right: those of the definitions");
}

#[tokio::test]
async fn every_rule_admits_and_refuses_in_its_own_words() {
    let sender = Sender::new("rules").await;
    let mut wrong = Vec::new();
    for (number, rule) in rules().iter().enumerate() {
        let story = Story { sender: &sender, rule, number, wrong: &mut wrong };
        story.tell().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One rule while it is tried.
struct Story<'a> {
    sender: &'a Sender,
    rule: &'a Rule,
    number: usize,
    wrong: &'a mut Vec<String>,
}

impl Story<'_> {
    async fn tell(mut self) {
        let version = match &self.rule.update {
            Some(first) => Some(self.stored(first).await),
            None => None,
        };
        for patch in &self.rule.good {
            self.admits(patch, version.as_deref()).await;
        }
        for (at, patch) in self.rule.bad.iter().enumerate() {
            self.refuses(patch, self.rule.culprits.get(at), version.as_deref()).await;
        }
    }

    /// Stores what is to be replaced, and says its version.
    async fn stored(&self, first: &Patch) -> String {
        let manifest = self.manifest(first, Some(""));
        let stored = self.sender.create(&manifest, Keep::Stored).await.unwrap();
        stored["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }

    /// What is replaced has a name of its own: the same base is stored for several rules.
    fn manifest(&self, patch: &Patch, version: Option<&str>) -> Value {
        let mut manifest = base(&self.rule.kind);
        if let Some(version) = version {
            manifest["metadata"] = json!({"name": format!("rule-{}", self.number), "resourceVersion": version});
        }
        patched(manifest, patch)
    }

    async fn answer(&self, patch: &Patch, version: Option<&str>) -> Result<(), Vec<String>> {
        let manifest = self.manifest(patch, version);
        let answer = match version {
            Some(_) => self.sender.replace(&manifest, Keep::Judged).await,
            None => self.sender.create(&manifest, Keep::Judged).await,
        };
        answer.map(drop).map_err(|refused| match refused.causes.is_empty() {
            true => vec![refused.message],
            false => refused.causes.into_iter().map(|cause| cause.message).collect(),
        })
    }

    async fn admits(&mut self, patch: &Patch, version: Option<&str>) {
        if let Err(told) = self.answer(patch, version).await {
            self.wrong.push(format!("{}: {} is refused: {told:?}", self.rule.rule, json!(patch)));
        }
    }

    async fn refuses(&mut self, patch: &Patch, culprit: Option<&String>, version: Option<&str>) {
        let told = self.answer(patch, version).await.err().unwrap_or_default();
        let words = culprit.map_or_else(|| self.rule.rule.clone(), |culprit| format!(" {culprit}: {}", self.rule.rule));
        let in_its_words = told.len() == 1 && told[0].ends_with(&words);
        if !in_its_words {
            self.wrong.push(format!("{}: to {} it says {told:?}", self.rule.rule, json!(patch)));
        }
    }
}
