//! `spoor plugin info`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;
use spoor_gate::Admitted;
use spoor_plugin_abi::{Capability, Function, InputMode, Parameter, ParameterKind, RowMode};

use super::super::{Exit, Failure, say};
use crate::plugins::{Limits, Wish};

/// Tell what a plugin says of itself
///
/// Looks at the file and runs nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin info entropy.wasm")]
pub struct Args {
    /// The plugin's file, or the name of one that was added or comes with spoor
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// How to tell it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// {"sha256", "size", "publisher", "manifest"}
    Json,
}

pub fn run(args: &Args) -> Result<Exit, Failure> {
    let bytes = super::module(&args.plugin, args.dir.as_deref())?;
    let module = super::admit(&bytes, &args.plugin)?;
    let told = match args.format {
        Format::Text => say::visible(&text(&module)),
        Format::Json => as_json(&module)?,
    };
    std::io::stdout().lock().write_all(told.as_bytes())?;
    Ok(Exit::Done)
}

fn as_json(module: &Admitted<'_>) -> Result<String, Failure> {
    let told = json!({
        "sha256": module.identity.to_string(),
        "size": module.bytes.len(),
        "publisher": module.publisher.map(|key| key.to_string()),
        "manifest": module.manifest,
    });
    let text = serde_json::to_string_pretty(&told);
    let text = text.map_err(|e| Failure::new(Exit::Unable, e.to_string()))?;
    Ok(text + "\n")
}

fn text(module: &Admitted<'_>) -> String {
    let manifest = &module.manifest;
    let mut out = format!(
        "{} {}: {}\n",
        manifest.name, manifest.version, manifest.summary
    );
    let mut field = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(out, "  {name:<13}{value}");
    };
    field("licence", &manifest.licence);
    if !manifest.authors.is_empty() {
        field("authors", &manifest.authors.join(", "));
    }
    if let Some(homepage) = &manifest.homepage {
        field("homepage", homepage);
    }
    field(
        "size",
        &format!("{} bytes", say::count(module.bytes.len() as u64)),
    );
    field("sha256", &module.identity.to_string());
    let signature = match module.publisher {
        Some(key) => format!("good, of the key {key}"),
        None => "none".into(),
    };
    field("signature", &signature);
    field("capabilities", &names(&manifest.capabilities));
    field(
        "limits",
        &limits(&Limits::of(&manifest.limits, &Wish::default())),
    );
    let beyond = Limits::beyond(&manifest.limits);
    if !beyond.is_empty() {
        field("asks for more", &format!(" {}", beyond.join(", ")));
    }
    for function in &manifest.functions {
        describe(function, &mut out);
    }
    out
}

fn names(capabilities: &[Capability]) -> String {
    let names: Vec<&str> = capabilities.iter().map(|c| c.name()).collect();
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}

fn limits(limits: &Limits) -> String {
    let more = match limits.fuel_per_row {
        0 => String::new(),
        more => format!(" and {} for each row", say::count(more)),
    };
    format!(
        "{} units of fuel{more}, {} MiB of memory, {} MiB of answer, {:?}",
        say::count(limits.fuel),
        limits.memory >> 20,
        limits.output >> 20,
        limits.wall
    )
}

fn describe(function: &Function, out: &mut String) {
    let parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
    let takes = match function.input {
        InputMode::Batches => "rows, some at a time",
        InputMode::Whole => "all rows at once",
        InputMode::None => "no rows",
    };
    let gives = match function.output.rows {
        RowMode::Same => "a row for each, with the input's columns and",
        RowMode::Indexed => "any number of rows for each, with the input's columns and",
        RowMode::Free => "rows of",
    };
    let _ = writeln!(
        out,
        "\n{}({})\n  {}\n  Takes {takes}; gives {gives}:",
        function.name,
        parameters.join(", "),
        function.summary
    );
    for column in &function.output.columns {
        let docs = column.docs.as_deref().unwrap_or_default();
        let _ = writeln!(out, "    {}: {}  {docs}", column.name, column.ty.name());
    }
    let documented = function
        .parameters
        .iter()
        .filter_map(|parameter| Some((parameter, parameter.docs.as_deref()?)));
    for (parameter, docs) in documented {
        let _ = writeln!(out, "  {}: {docs}", parameter.name);
    }
}

/// `text: string or guid`, `least: real = 0.5`.
fn parameter(parameter: &Parameter) -> String {
    let types = parameter.types.to_vec();
    let types: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
    let mut text = format!("{}: {}", parameter.name, types.join(" or "));
    if parameter.kind == ParameterKind::Column {
        text = format!("column {text}");
    }
    match &parameter.default {
        Some(default) => format!("{text} = {default}"),
        None => text,
    }
}
