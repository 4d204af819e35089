//! Reads a service's model out of its SDK's generated source: fields say the kinds, schemas say the names on the wire (of an SDK without
//! schemas the code that writes and reads the wire), `deserialize`, `build` and the docs of builders say what is required, `values()` says what
//! an enum can be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::Path;

use serde_json::{Value, json};
use syn::{Expr, Fields, GenericArgument, Item, Lit, PathArguments, Type};

/// Everything that these operations take and give, as the committed file writes it.
pub fn model(sdk: &Path, operations: &[&str]) -> String {
    let (structures, unions, enums) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut reader = Reader { sdk, structures, unions, enums };
    for operation in operations {
        for half in ["Input", "Output"] {
            let folder = format!("src/operation/{}", snake(operation));
            let name = format!("{operation}{half}");
            reader.read(&format!("{folder}/_{}.rs", snake(&name)), &name);
        }
    }
    let model = json!({
        "operations": operations,
        "structures": reader.structures,
        "unions": reader.unions,
        "enums": reader.enums,
    });
    serde_json::to_string_pretty(&model).expect("JSON can be written") + "\n"
}

/// `[name on the wire → kind]` of each structure, in the order of names; a kind that ends with `!` is required.
type Members = BTreeMap<String, String>;

struct Reader<'a> {
    sdk: &'a Path,
    structures: BTreeMap<String, Members>,
    unions: BTreeMap<String, Members>,
    enums: BTreeMap<String, Value>,
}

impl Reader<'_> {
    fn knows(&self, name: &str) -> bool {
        self.structures.contains_key(name) || self.unions.contains_key(name) || self.enums.contains_key(name)
    }

    /// A shape's fields as the code calls them that writes and reads it: by the one word in quotes there that is called as the field is.
    fn spoken(&self, shape: &str, fields: &[(String, &Type)]) -> Vec<String> {
        let files = [shape, shape.trim_end_matches("Output")]
            .map(|name| self.sdk.join(format!("src/protocol_serde/shape_{}.rs", snake(name))));
        let text: String = files.iter().filter_map(|file| read_to_string(file).ok()).collect();
        let quoted: BTreeSet<&str> = text.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).collect();
        let word = |field: &str| {
            let words: Vec<&&str> = quoted.iter().filter(|word| bare(word) == bare(field)).collect();
            match words[..] {
                [word] => (*word).to_owned(),
                _ => panic!("{field} of {shape} is on the wire one of {words:?}"),
            }
        };
        fields.iter().map(|(field, _)| word(field)).collect()
    }

    /// Reads a shape and all that it names.
    fn read(&mut self, path: &str, name: &str) {
        let text = read_to_string(self.sdk.join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
        let file = syn::parse_file(&text).unwrap_or_else(|why| panic!("{path}: {why}"));
        let wire = wire_names(&file.items, name);
        let found = file.items.iter().find_map(|item| match item {
            Item::Struct(found) if found.ident == name => Some(fields(&found.fields)),
            Item::Enum(found) if found.ident == name => Some(variants(found)),
            _ => None,
        });
        let members = found.unwrap_or_else(|| panic!("{path} has no {name}"));
        if members.is_empty() && text.contains("pub const fn values()") {
            self.enums.insert(name.to_owned(), json!(values(&text)));
            return;
        }
        let wire = if wire.is_empty() { self.spoken(name, &members) } else { wire };
        assert_eq!(members.len(), wire.len(), "{path}: fields and schema differ");
        let required = required(&text);
        let mut read = Members::new();
        let mut named = BTreeSet::new();
        for ((field, kind), wire) in members.iter().zip(&wire) {
            // A builder has a method `build` already: the SDK calls a member of that name `build_value`.
            let same = bare(field).trim_end_matches("value") == bare(wire).trim_end_matches("value");
            assert!(same, "{path}: {field} and {wire} are in one place");
            let mark = if required.contains(field) { "!" } else { "" };
            read.insert(wire.clone(), format!("{}{mark}", self::kind(kind, &mut named)));
        }
        let whole = if text.contains("ShapeType::Union,\n    &[") { &mut self.unions } else { &mut self.structures };
        whole.insert(name.to_owned(), read);
        for name in named {
            if !self.knows(&name) {
                self.read(&format!("src/types/_{}.rs", snake(&name)), &name);
            }
        }
    }
}

/// The fields that go over the wire, with their types.
fn fields(fields: &Fields) -> Vec<(String, &Type)> {
    let named = fields.iter().filter_map(|field| Some((field.ident.as_ref()?.to_string(), &field.ty)));
    named
        .map(|(name, kind)| (name.trim_start_matches("r#").to_owned(), kind))
        .filter(|(name, _)| !name.starts_with('_'))
        .collect()
}

/// The variants of a union that hold something.
fn variants(found: &syn::ItemEnum) -> Vec<(String, &Type)> {
    let held = found.variants.iter().filter(|variant| variant.ident != "Unknown");
    held.filter_map(|variant| Some((variant.ident.to_string(), &variant.fields.iter().next()?.ty))).collect()
}

/// The names of a shape's members on the wire, by their index: `Schema::new_member(ShapeId::from_parts(…, …, SHAPE), …, NAME, INDEX)`.
fn wire_names(items: &[Item], shape: &str) -> Vec<String> {
    let mut names = BTreeMap::new();
    for item in items {
        let Item::Static(found) = item else { continue };
        let Some((id, name, index)) = member(&found.expr) else { continue };
        if id.to_lowercase().ends_with(&format!("#{shape}${name}").to_lowercase()) {
            names.insert(index, name);
        }
    }
    names.into_values().collect()
}

/// The shape ID, name and index of the schema of a member, whatever is called on it.
fn member(expr: &Expr) -> Option<(String, String, usize)> {
    match expr {
        Expr::MethodCall(call) => member(&call.receiver),
        Expr::Call(call) => {
            let arguments: Vec<&Expr> = call.args.iter().collect();
            let [Expr::Call(id), _, name, index] = arguments[..] else { return None };
            Some((string(id.args.first()?)?, string(name)?, number(index)?))
        }
        _ => None,
    }
}

fn string(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(found) => match &found.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Lit(found) => match &found.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The fields that a builder or a reply must have.
fn required(text: &str) -> BTreeSet<String> {
    let corrected = text.lines().filter_map(|line| {
        let (field, rest) = line.trim().strip_prefix("builder.")?.split_once(" = builder.")?;
        rest.strip_prefix(field)?.starts_with(".or(").then(|| field.to_owned())
    });
    let built = text.split("missing_field(").skip(1).filter_map(|rest| rest.split('"').nth(1).map(str::to_owned));
    let told = text.split("/// This field is required.\n    pub fn ").skip(1);
    let told = told.filter_map(|rest| rest.split('(').next().map(str::to_owned));
    corrected.chain(built).chain(told).map(|field| field.trim_start_matches("r#").to_owned()).collect()
}

/// The values of an enum.
fn values(text: &str) -> Vec<String> {
    let list = text.split("pub const fn values()").nth(1).and_then(|rest| rest.split("&[").nth(1)?.split(']').next());
    let list = list.expect("values() gives a list");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A kind as the file writes it: `string`, `[integer]`, `{string}`, or the name of a shape.
fn kind(of: &Type, named: &mut BTreeSet<String>) -> String {
    let Type::Path(path) = of else { panic!("a type that is no path") };
    let last = path.path.segments.last().expect("a path has a last part");
    let inner: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().filter_map(argument).collect(),
        PathArguments::None | PathArguments::Parenthesized(_) => Vec::new(),
    };
    match (last.ident.to_string().as_str(), &inner[..]) {
        ("Option" | "Box", [inner]) => kind(inner, named),
        ("Vec", [inner]) => format!("[{}]", kind(inner, named)),
        ("HashMap", [_, inner]) => format!("{{{}}}", kind(inner, named)),
        ("String", []) => "string".to_owned(),
        ("bool", []) => "boolean".to_owned(),
        ("i32", []) => "integer".to_owned(),
        ("i64", []) => "long".to_owned(),
        ("f32", []) => "float".to_owned(),
        ("f64", []) => "double".to_owned(),
        ("DateTime", []) => "timestamp".to_owned(),
        ("Document", []) => "document".to_owned(),
        (name, []) if path.path.segments.iter().any(|part| part.ident == "types") => {
            named.insert(name.to_owned());
            name.to_owned()
        }
        (name, _) => panic!("a type that is not known: {name}"),
    }
}

fn argument(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(found) => Some(found),
        _ => None,
    }
}

/// `DescribeServicesInput` as the SDK names its files: `describe_services_input`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let starts = letter.is_uppercase()
            && at > 0
            && (letters[at - 1].is_lowercase()
                || letters[at - 1].is_numeric()
                || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if starts {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A name without its case and its underscores.
fn bare(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}
