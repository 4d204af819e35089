//! The table that `cargo shape` prints, in Markdown. What is too long is judged elsewhere.

use super::{FILE_LONG, FILE_MAX, FUNCTION_MAX, Function, Measured, Part, Source};

const HEAD: &str = "\
| | files | lines of code | functions | median | p90 | longest |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
";

/// A row for each crate without its tests, the sums, what is asked for; then tests to code, and the files that are long.
pub fn table(all: &[Measured]) -> String {
    let mut text = HEAD.to_owned();
    for one in all {
        text.push_str(&row(&format!("`{}`", one.room.folder), &one.sources, one.room.part));
    }
    let sources: Vec<Source> = all.iter().flat_map(|one| one.sources.clone()).collect();
    for (name, part) in [("what runs", Part::Product), ("what tests stand on", Part::World), ("tests", Part::Test)] {
        text.push_str(&row(&format!("**{name}**"), &sources, part));
    }
    text.push_str(&format!("| *asked for* | | about {FILE_LONG} a file | | about 10 | | at most {FUNCTION_MAX} |\n\n"));
    text.push_str(&ratio(&sources));
    text.push_str(&long(&sources));
    text
}

fn row(name: &str, sources: &[Source], part: Part) -> String {
    let lines: Vec<usize> = sources.iter().map(|source| source.lines(part)).filter(|lines| *lines > 0).collect();
    let functions = sources.iter().flat_map(|source| &source.functions);
    let mut functions: Vec<&Function> = functions.filter(|function| function.part == part).collect();
    functions.sort_by_key(|function| function.lines);
    let at = |percent: usize| functions.get(functions.len() * percent / 100).map_or(0, |function| function.lines);
    let longest = functions.last().map(|last| format!("{} (`{}`)", last.lines, last.name)).unwrap_or_default();
    let (files, lines) = (lines.len(), lines.iter().sum::<usize>());
    format!("| {name} | {files} | {lines} | {} | {} | {} | {longest} |\n", functions.len(), at(50), at(90))
}

/// How many lines of tests, and of what they stand on, there are to a line that runs.
fn ratio(sources: &[Source]) -> String {
    let sum = |part| sources.iter().map(|source| source.lines(part)).sum::<usize>();
    let to_code = |lines: usize| {
        let hundredths = lines * 100 / sum(Part::Product).max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    let (tests, world) = (to_code(sum(Part::Test)), to_code(sum(Part::World)));
    format!("To each line of what runs there are {tests} lines of tests and {world} lines of what tests stand on.\n\n")
}

fn long(sources: &[Source]) -> String {
    let mut long: Vec<&Source> = sources.iter().filter(|source| source.code > FILE_LONG).collect();
    long.sort_by_key(|source| std::cmp::Reverse(source.code));
    let named: Vec<String> = long.iter().map(|source| format!("`{}` ({})", source.path, source.code)).collect();
    let named = if named.is_empty() { "none".to_owned() } else { named.join(", ") };
    format!("Files of more than {FILE_LONG} lines of code, their tests left out ({FILE_MAX} are the limit): {named}.\n")
}
