//! Every form of text of the specs, from both sides. That a text has an end is tried in `limits`.

use super::server::{Keep, Refused, Sender};
use super::table::{Form, base, each, forms, patched, schema, schema_at, set};
use launchway::key::Kind;
use serde_json::Value;
use std::collections::BTreeSet;

/// Pattern and length: what makes two texts be of one form.
type Shape = (String, Option<u64>, Option<u64>);

fn shape(schema: &Value) -> Option<Shape> {
    let pattern = schema["pattern"].as_str()?;
    Some((pattern.to_owned(), schema["minLength"].as_u64(), schema["maxLength"].as_u64()))
}

#[test]
fn every_form_of_text_is_tried() {
    let mut shapes = BTreeSet::new();
    for kind in Kind::ALL {
        each(&schema(&kind.name())["properties"]["spec"], &mut |schema| shapes.extend(shape(schema)));
    }
    let tried: BTreeSet<Shape> =
        forms().iter().map(|form| shape(&schema_at(&form.kind, &form.field)).unwrap()).collect();
    assert_eq!(shapes.difference(&tried).collect::<Vec<_>>(), Vec::<&Shape>::new(), "forms without examples");
    println!("{} forms", shapes.len());
}

#[tokio::test]
async fn every_form_of_text_admits_and_refuses() {
    let sender = Sender::new("forms").await;
    let mut wrong = Vec::new();
    for form in forms() {
        for value in &form.good {
            if let Err(refused) = answer(&sender, &form, value).await {
                wrong.push(format!("{} {value} is refused: {}", form.field, refused.message));
            }
        }
        for value in &form.bad {
            match answer(&sender, &form, value).await {
                Ok(_) => wrong.push(format!("{} {value} is admitted", form.field)),
                Err(refused) if names(&refused, &form.field) => {}
                Err(refused) => wrong.push(format!("{} {value}: {:?}", form.field, refused.told())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn answer(sender: &Sender, form: &Form, value: &Value) -> Result<Value, Refused> {
    let mut manifest = patched(base(&form.kind), &form.with);
    set(&mut manifest, &form.field, value.clone());
    sender.create(&manifest, Keep::Judged).await
}

/// The API server writes `containers[0].name` for our `containers.0.name`.
fn names(refused: &Refused, field: &str) -> bool {
    let plain = |text: &str| text.replace(['[', ']'], ".").replace("..", ".").trim_end_matches('.').to_owned();
    refused.causes.iter().any(|cause| plain(&cause.field) == field)
}
