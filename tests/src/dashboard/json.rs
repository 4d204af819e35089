//! The dashboard as Grafana reads it.

use super::{Panel, ROWS, Show, Unit};
use serde_json::{Value, json};

/// Grafana's grid has so many columns.
const WIDTH: u32 = 24;

/// What Grafana imports.
pub fn json() -> String {
    let mut panels = Vec::new();
    let mut top = 0;
    for row in ROWS {
        panels.push(json!({"type": "row", "id": id(&panels), "title": row.title, "collapsed": false, "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}}));
        top += 1;
        let width = WIDTH / row.columns;
        for panels_of_line in row.panels.chunks(row.columns as usize) {
            let height = if panels_of_line.iter().all(|panel| panel.show == Show::Newest) { 4 } else { 8 };
            for (panel, left) in panels_of_line.iter().zip((0..).step_by(width as usize)) {
                let at = json!({"x": left, "y": top, "w": width, "h": height});
                panels.push(drawn(panel, id(&panels), &at));
            }
            top += height;
        }
    }
    let namespace = "label_values(launchway_leader, namespace)";
    let variables = json!([
        {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"},
        {"type": "query", "name": "namespace", "label": "Launchway's namespace", "datasource": source(), "definition": namespace,
            "query": {"query": namespace, "refId": "namespaces"}, "refresh": 2, "sort": 1}]);
    let dashboard = json!({"uid": "launchway", "title": "Launchway", "tags": ["launchway"], "schemaVersion": 39, "version": 1,
        "editable": true, "graphTooltip": 1, "time": {"from": "now-24h", "to": "now"}, "refresh": "1m",
        "templating": {"list": variables}, "annotations": {"list": []}, "panels": panels});
    format!("{dashboard:#}\n")
}

fn id(panels: &[Value]) -> usize {
    panels.len() + 1
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn drawn(panel: &Panel, id: usize, at: &Value) -> Value {
    let newest = panel.show == Show::Newest;
    let targets: Vec<Value> = panel.queries.iter().zip('A'..).map(|((expr, name), reference)| {
        json!({"refId": reference.to_string(), "datasource": source(), "expr": expr, "legendFormat": name, "instant": newest, "range": !newest})
    }).collect();
    let (unit, decimals) = match panel.unit {
        Unit::Count => ("short", json!(0)),
        Unit::Rate => ("reqps", Value::Null),
        Unit::Seconds => ("s", Value::Null),
    };
    let stacking = json!({"mode": if panel.show == Show::Stacked { "normal" } else { "none" }, "group": "A"});
    let fill = if panel.show == Show::Stacked { 30 } else { 0 };
    let (kind, custom, options) = if newest {
        (
            "stat",
            json!({}),
            json!({"colorMode": "none", "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}}),
        )
    } else {
        let custom = json!({"fillOpacity": fill, "lineWidth": 1, "stacking": stacking, "showPoints": "never"});
        (
            "timeseries",
            custom,
            json!({"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}),
        )
    };
    json!({"type": kind, "id": id, "title": panel.title, "description": panel.about, "datasource": source(), "gridPos": at,
        "targets": targets, "options": options,
        "fieldConfig": {"defaults": {"unit": unit, "decimals": decimals, "min": 0, "custom": custom}, "overrides": []}})
}
