//! What is told of images when they are made. Measures nothing itself.

use crate::make::Made;

/// A table in Markdown with a column for each image.
pub fn table(all: &[Made]) -> String {
    let row = |name: &str, value: &dyn Fn(&Made) -> String| {
        let values: String = all.iter().map(|made| format!(" {} |", value(made))).collect();
        format!("| {name} |{values}\n")
    };
    [
        row("", &|made| made.image.arch.name().to_owned()),
        format!("| --- |{}\n", " ---: |".repeat(all.len())),
        row("program", &|made| mib(made.program)),
        row("image, as it is pulled", &|made| mib(made.image.layer.0)),
        row("image, unpacked", &|made| mib(made.image.layer.1)),
        row("layers", &|_| "1".to_owned()),
        row("crates in the program", &|made| made.crates.to_string()),
        row("components in the SBOM", &|made| made.components.to_string()),
        row("digest", &|made| made.image.digest().to_owned()),
    ]
    .concat()
}

fn mib(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
