//! The dashboard as a picture: the same panels, with what Prometheus answered.

use std::fmt::Write as _;

use super::{Panel, ROWS, Show, Unit};

const WIDTH: f64 = 1320.0;
const GAP: f64 = 12.0;
const HEAD: f64 = 30.0;
/// The colours of the series, which differ in lightness too.
const COLOURS: [&str; 8] = ["#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#8ab8ff", "#c0d8ff"];

/// One answer to a panel's queries: its name, and its values over time, of which each may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend says.
    pub name: String,
    /// Seconds since the beginning, and the value.
    pub points: Vec<(f64, f64)>,
}

/// The picture, where `answers` says what was answered to a panel, and all took so many seconds.
pub fn svg(caption: &str, seconds: f64, answers: impl Fn(&Panel) -> Vec<Series>) -> String {
    let mut body = String::new();
    let mut top = GAP + HEAD;
    for row in ROWS {
        text(&mut body, (GAP, top + 18.0), 14.0, "#ccccdc", "start", row.title);
        top += HEAD;
        let columns = f64::from(row.columns);
        let width = (WIDTH - GAP * (columns + 1.0)) / columns;
        for line in row.panels.chunks(row.columns as usize) {
            let height = if line.iter().all(|panel| panel.show == Show::Newest) { 84.0 } else { 230.0 };
            let mut left = GAP;
            for panel in line {
                let frame = Frame { left, top, width, height };
                frame.draw(&mut body, panel, &answers(panel), seconds);
                left += width + GAP;
            }
            top += height + GAP;
        }
    }
    let mut head = String::new();
    text(&mut head, (GAP, GAP + 16.0), 18.0, "#ffffff", "start", "Launchway");
    text(&mut head, (WIDTH - GAP, GAP + 16.0), 12.0, "#9a9aa5", "end", caption);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" font-family=\"Inter, Helvetica, Arial, sans-serif\">\n\
         <rect width=\"{WIDTH}\" height=\"{top}\" fill=\"#111217\"/>\n{head}{body}</svg>\n"
    )
}

struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Frame {
    fn draw(&self, out: &mut String, panel: &Panel, answers: &[Series], seconds: f64) {
        let Self { left, top, width, height } = *self;
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height}\" rx=\"3\" fill=\"#181b1f\" stroke=\"#2c3235\"/>"
        );
        text(out, (left + 10.0, top + 18.0), 12.0, "#ccccdc", "start", panel.title);
        if panel.show == Show::Newest {
            let newest = answers.first().and_then(|one| one.points.last()).map(|(_, value)| *value);
            let said = newest.map_or_else(|| "no data".to_owned(), |value| said(value, panel.unit));
            text(out, (left + width / 2.0, top + 62.0), 30.0, COLOURS[0], "middle", &said);
            return;
        }
        if answers.iter().all(|one| one.points.is_empty()) {
            text(out, (left + width / 2.0, top + height / 2.0), 12.0, "#9a9aa5", "middle", "no data");
            return;
        }
        let stacked = stacked(answers, panel.show == Show::Stacked);
        let most = stacked.iter().flat_map(|(_, upper)| upper.iter().map(|(_, value)| *value)).fold(0.0, f64::max);
        let most = if most > 0.0 { most * 1.1 } else { 1.0 };
        let plot = Frame { left: left + 46.0, top: top + 30.0, width: width - 58.0, height: height - 100.0 };
        plot.axes(out, most, panel.unit, seconds);
        for (number, (lower, upper)) in stacked.iter().enumerate() {
            plot.line(out, lower, upper, (most, seconds), COLOURS[number % COLOURS.len()]);
        }
        self.legend(out, answers);
    }

    fn axes(&self, out: &mut String, most: f64, unit: Unit, seconds: f64) {
        for part in [0.0, 0.5, 1.0] {
            let y = self.top + self.height * (1.0 - part);
            let _ = writeln!(
                out,
                "<path d=\"M{:.1} {y:.1}h{:.1}\" stroke=\"#2c3235\" stroke-width=\"1\"/>",
                self.left, self.width
            );
            text(out, (self.left - 6.0, y + 4.0), 10.0, "#9a9aa5", "end", &said(most * part, unit));
        }
        for part in [0.0, 0.5, 1.0] {
            let anchor = if part == 0.0 {
                "start"
            } else if part == 1.0 {
                "end"
            } else {
                "middle"
            };
            let at = (self.left + self.width * part, self.top + self.height + 14.0);
            text(out, at, 10.0, "#9a9aa5", anchor, &said(seconds * part, Unit::Seconds));
        }
    }

    fn line(
        &self,
        out: &mut String,
        lower: &[(f64, f64)],
        upper: &[(f64, f64)],
        (most, seconds): (f64, f64),
        colour: &str,
    ) {
        let at = |(when, value): &(f64, f64)| {
            let (x, y) = (self.left + self.width * when / seconds, self.top + self.height * (1.0 - value / most));
            format!("{x:.1} {y:.1}")
        };
        let path: Vec<String> = upper.iter().map(at).collect();
        if !lower.is_empty() {
            let back: Vec<String> = lower.iter().rev().map(at).collect();
            let area = [path.clone(), back].concat().join(" L");
            let _ = writeln!(out, "<path d=\"M{area}Z\" fill=\"{colour}\" fill-opacity=\"0.3\"/>");
        }
        let _ =
            writeln!(out, "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>", path.join(" L"));
    }

    fn legend(&self, out: &mut String, answers: &[Series]) {
        let (mut x, mut y) = (self.left + 12.0, self.top + self.height - 38.0);
        for (number, one) in answers.iter().enumerate() {
            let wide = 24.0 + 5.4 * f64::from(u32::try_from(one.name.chars().count()).unwrap_or_default());
            if x + wide > self.left + self.width && x > self.left + 12.0 {
                (x, y) = (self.left + 12.0, y + 14.0);
            }
            if y > self.top + self.height - 10.0 {
                let at = (self.left + self.width - 10.0, self.top + 18.0);
                text(out, at, 10.0, "#9a9aa5", "end", &format!("and {} more", answers.len() - number));
                return;
            }
            let colour = COLOURS[number % COLOURS.len()];
            let _ =
                writeln!(out, "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"3\" fill=\"{colour}\"/>", y - 4.0);
            text(out, (x + 14.0, y), 10.0, "#ccccdc", "start", &one.name);
            x += wide;
        }
    }
}

/// Points over time.
type Points = Vec<(f64, f64)>;

/// For each series where it begins and ends: on top of those before it, or by itself.
fn stacked(answers: &[Series], on_top: bool) -> Vec<(Points, Points)> {
    let mut times: Points = Vec::new();
    for (when, _) in answers.iter().flat_map(|one| &one.points) {
        if !times.iter().any(|(known, _)| known == when) {
            times.push((*when, 0.0));
        }
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = times;
    let mut all = Vec::new();
    for one in answers {
        if !on_top {
            all.push((Points::new(), one.points.clone()));
            continue;
        }
        let value = |when: f64| one.points.iter().find(|(at, _)| *at == when).map_or(0.0, |(_, value)| *value);
        let upper: Points = below.iter().map(|(when, sum)| (*when, sum + value(*when))).collect();
        all.push((below, upper.clone()));
        below = upper;
    }
    all
}

fn said(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count if value.fract().abs() < 0.05 => format!("{value:.0}"),
        Unit::Count => format!("{value:.1}"),
        Unit::Rate => format!("{value:.1}/s"),
        Unit::Seconds if value >= 120.0 => format!("{:.0} min", value / 60.0),
        Unit::Seconds if value >= 10.0 || value == 0.0 => format!("{value:.0} s"),
        Unit::Seconds if value >= 0.1 => format!("{value:.1} s"),
        Unit::Seconds => format!("{:.0} ms", value * 1000.0),
    }
}

fn text(out: &mut String, (x, y): (f64, f64), size: f64, colour: &str, anchor: &str, said: &str) {
    let said = said.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{said}</text>"
    );
}
