//! The log at its default level: a line for each call that changes AWS, with the object, the commit, the operation, the result
//! and AWS's request ID; and a line for each time that a condition turns.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::SignedDuration;
use launchway_test_aws::{Fault, When};
use launchway_tests::scenario::Player;
use launchway_tests::world::{is_effect, sample};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a first release logs, one of whose calls AWS refuses once.
fn logged() -> (Player, Vec<String>) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(launchway::logs::filter(None))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let player = tracing::subscriber::with_default(subscriber, || {
        let world = sample::world(7);
        world.aws().faults.add("ecs:CreateService", When::Nth(1), Fault::Deny);
        sample::push(&world, "good-1");
        sample::apply(&world);
        let mut player = Player::new(world);
        let released =
            player.until(SignedDuration::from_hours(1), |world| world.is("Pipeline", "greeter", "Released", "True"));
        assert!(released);
        player
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (player, text.lines().map(str::to_owned).collect())
}

#[test]
fn each_effect_and_each_outcome_is_one_line() {
    let (player, lines) = logged();
    let effects: Vec<_> = player.world.aws().log.iter().filter(|entry| is_effect(entry)).cloned().collect();
    let commit = sample::commit("good-1");
    for entry in &effects {
        let operation = format!("operation=\"{}:{}\"", entry.service, entry.operation);
        let count = effects.iter().filter(|one| one.operation == entry.operation).count();
        let own: Vec<&String> =
            lines.iter().filter(|line| line.contains(&operation) && line.contains("done")).collect();
        assert_eq!(own.len(), count, "{operation}:\n{}", lines.join("\n"));
        for line in own {
            for part in ["shop/greeter", &commit, "request_id=\""] {
                assert!(line.contains(part) && !line.contains("request_id=\"none\""), "{part}: {line}");
            }
        }
    }
    let refused: Vec<&String> =
        lines.iter().filter(|line| line.contains("WARN") && line.contains("CreateService")).collect();
    assert!(refused.iter().any(|line| line.contains("AccessDenied")), "{}", lines.join("\n"));
    for object in
        ["Service shop/greeter", "Service shop/greeter-staging", "Release shop/greeter-1", "Pipeline shop/greeter"]
    {
        let ready = |line: &&String| line.contains(&format!("object=\"{object}\"")) && line.contains("Ready=True");
        assert_eq!(lines.iter().filter(ready).count(), 1, "{object}:\n{}", lines.join("\n"));
    }
}
