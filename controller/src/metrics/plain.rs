//! The text format of Prometheus before OpenMetrics, for whoever does not ask for OpenMetrics: a counter is described under the
//! name of its samples, information is a gauge, units are not said, and nothing marks the end.

/// That of an OpenMetrics text.
pub(super) fn plain(text: &str) -> String {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let suffixed: Vec<(&str, &str)> = kinds
        .filter_map(|(name, kind)| match kind {
            "counter" => Some((name, "_total")),
            "info" => Some((name, "_info")),
            _ => None,
        })
        .collect();
    let suffix = |name: &str| suffixed.iter().find(|(of, _)| *of == name).map_or("", |(_, suffix)| suffix);
    let mut plain = String::new();
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|word| Some((word, line.strip_prefix(word)?)));
        match described.and_then(|(word, rest)| Some((word, rest.split_once(' ')?))) {
            Some((word, (name, rest))) => {
                let rest = if word == "# TYPE " && rest == "info" { "gauge" } else { rest };
                plain.push_str(&format!("{word}{name}{} {rest}\n", suffix(name)));
            }
            None => plain.push_str(&format!("{line}\n")),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn counters_and_information_are_described_under_the_names_of_their_samples() {
        let text = "# HELP a_passes Passes.\n# TYPE a_passes counter\na_passes_total{kind=\"x\"} 1\n\
                    # HELP a_build What runs.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                    # HELP a_wait_seconds Waits.\n# TYPE a_wait_seconds histogram\n# UNIT a_wait_seconds seconds\n\
                    a_wait_seconds_sum 0.0\n# EOF\n";
        let expected = "# HELP a_passes_total Passes.\n# TYPE a_passes_total counter\na_passes_total{kind=\"x\"} 1\n\
                        # HELP a_build_info What runs.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                        # HELP a_wait_seconds Waits.\n# TYPE a_wait_seconds histogram\na_wait_seconds_sum 0.0\n";
        assert_eq!(plain(text), expected);
    }
}
