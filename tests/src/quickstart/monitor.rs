//! A Prometheus beside the quick start, and the dashboard as a picture of what it saw.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use launchway_test_kube::real::Say;
use launchway_test_kube::real::prometheus::{Answer, Server};

use super::Parts;
use crate::dashboard::{self, Panel, Series};

/// Where the chart is installed, as the dashboard asks for it.
const NAMESPACE: &str = "launchway-system";
/// A run takes two minutes, so rates are taken over less than the minutes of a real Prometheus.
const WINDOW: &str = "15s";

/// A Prometheus that sees what the controller's metrics say.
pub struct Monitor {
    server: Server,
    began: f64,
}

impl Monitor {
    /// Starts it beside these parts; the first time it builds Prometheus.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub async fn start(parts: &Parts) -> anyhow::Result<Self> {
        let screen = parts.screen.clone();
        let say = Say::to(move |line| screen.progress(line));
        let url = parts.controller.url();
        let target = url.trim_start_matches("http://");
        let labels = BTreeMap::from([("namespace", NAMESPACE), ("pod", "launchway-0")]);
        let server = Server::start(target, &labels, &say).await?;
        Ok(Self { server, began: now() })
    }

    /// The dashboard with what was seen until now.
    ///
    /// # Errors
    /// Prometheus does not understand a question.
    pub fn picture(&self) -> anyhow::Result<String> {
        let ended = now();
        let mut answers = BTreeMap::new();
        for panel in dashboard::ROWS.iter().flat_map(|row| row.panels) {
            answers.insert(panel.title, self.answers(panel, ended)?);
        }
        let seconds = ended - self.began;
        let caption = format!("a run of the quick start, {seconds:.0} s, with AWS at 20 times its pace");
        Ok(dashboard::svg(&caption, seconds, |panel| answers.get(panel.title).cloned().unwrap_or_default()))
    }

    fn answers(&self, panel: &Panel, ended: f64) -> anyhow::Result<Vec<Series>> {
        let whole = format!("{:.0}s", ended - self.began);
        let mut all = Vec::new();
        for (query, name) in panel.queries {
            let query =
                query.replace("$namespace", NAMESPACE).replace("$__rate_interval", WINDOW).replace("$__range", &whole);
            for answer in self.server.range(&query, (self.began, ended), 1.0)? {
                let points = answer.points().into_iter().map(|(at, value)| (at - self.began, value)).collect();
                all.push(Series { name: named(name, &answer), points });
            }
        }
        Ok(all)
    }
}

fn named(template: &str, answer: &Answer) -> String {
    let mut name = template.to_owned();
    for (label, value) in &answer.metric {
        name = name.replace(&format!("{{{{{label}}}}}"), value);
    }
    name
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
