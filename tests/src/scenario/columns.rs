//! Objects in columns, as `kubectl get` shows them: from the columns of the CRDs themselves.

use comfy_table::Table;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition as Column;
use serde_json::Value;

use crate::world::World;

/// All objects of a kind, with the columns that `kubectl get` shows, each cell told by `told`; nothing if there are none.
pub fn table(world: &World, kind: &str, told: impl Fn(&str) -> String) -> String {
    let crd = launchway_crds::all().into_iter().find(|crd| crd.spec.names.kind == kind).expect("a kind of ours");
    let columns = crd.spec.versions.into_iter().next().and_then(|version| version.additional_printer_columns);
    let shown = |column: &Column| column.priority.unwrap_or(0) == 0 && column.type_ != "date";
    let columns: Vec<Column> = columns.into_iter().flatten().filter(shown).collect();
    let objects = world.store.objects(kind);
    if objects.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let heads = std::iter::once(kind.to_uppercase()).chain(columns.iter().map(|column| column.name.to_uppercase()));
    table.set_header(heads);
    for object in objects {
        let cells = columns.iter().map(|column| told(&at(object.value(), &column.json_path)));
        table.add_row(std::iter::once(object.meta("name").to_owned()).chain(cells));
    }
    let lines = table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    lines.join("\n")
}

/// The text at a path: members by name, and a list's element by its `type`. The CRDs' columns use no others.
fn at(object: &Value, path: &str) -> String {
    let mut value = object;
    let mut rest = path.trim_start_matches('.');
    while !rest.is_empty() {
        if let Some((wanted, after)) = rest.strip_prefix("[?(@.type==\"").and_then(|rest| rest.split_once("\")]")) {
            let elements = value.as_array().map_or(&[][..], Vec::as_slice);
            value = elements.iter().find(|element| element["type"] == *wanted).unwrap_or(&Value::Null);
            rest = after.trim_start_matches('.');
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            value = &value[&rest[..end]];
            rest = rest[end..].trim_start_matches('.');
        }
    }
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}
