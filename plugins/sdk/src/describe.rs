//! What the macros say of a plugin, as constants, and the manifest that is written from them while the plugin compiles.
//!
//! The manifest has to be the bytes of a custom section, so it is made by `const fn`: once to count its bytes, once to
//! write them.

use spoor_plugin_abi::Type;

use crate::call::{Answered, Call};

/// A plugin: what `plugin!` makes.
#[derive(Clone, Copy)]
pub struct Plugin {
    /// Its name.
    pub name: &'static str,
    /// Its version (semver).
    pub version: &'static str,
    /// Its licence (SPDX).
    pub licence: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Who wrote it.
    pub authors: &'static [&'static str],
    /// Where more is said of it; empty for nowhere.
    pub homepage: &'static str,
    /// The capabilities that it asks for.
    pub capabilities: &'static [&'static str],
    /// The limits that it wants, as name and figure.
    pub limits: &'static [(&'static str, u64)],
    /// What it can do.
    pub functions: &'static [Function],
}

/// A function of a plugin: what `#[function]` makes.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The first paragraph of its doc comment.
    pub summary: &'static str,
    /// The rest of its doc comment; may be empty.
    pub docs: &'static str,
    /// `batches`, `whole` or `none`.
    pub input: &'static str,
    /// Its column parameters.
    pub columns: &'static [InputColumn],
    /// Its options.
    pub options: &'static [OptionParameter],
    /// `same`, `indexed` or `free`.
    pub rows: &'static str,
    /// What it answers.
    pub output: &'static [OutputColumn],
    /// What a call runs.
    pub run: fn(&Call<'_>) -> Result<Answered, String>,
}

/// A column that a function takes.
#[derive(Clone, Copy, Debug)]
pub struct InputColumn {
    /// The parameter's name.
    pub name: &'static str,
    /// The types it may have.
    pub types: &'static [Type],
    /// Whether a call may leave it out.
    pub optional: bool,
    /// What it is for; may be empty.
    pub docs: &'static str,
}

/// An option that a function takes.
#[derive(Clone, Copy, Debug)]
pub struct OptionParameter {
    /// The parameter's name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// The default as JSON; empty where it must be given.
    pub default: &'static str,
    /// What it is for; may be empty.
    pub docs: &'static str,
}

/// A column that a function answers.
#[derive(Clone, Copy, Debug)]
pub struct OutputColumn {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// What it holds; may be empty.
    pub docs: &'static str,
}

/// How many bytes a plugin's manifest has.
pub const fn manifest_length(plugin: &Plugin) -> usize {
    let mut json = Json::<0>::new();
    json.plugin(plugin);
    json.length
}

/// A plugin's manifest, where `N` is its [`manifest_length`].
pub const fn manifest_bytes<const N: usize>(plugin: &Plugin) -> [u8; N] {
    let mut json = Json::<N>::new();
    json.plugin(plugin);
    json.bytes
}

/// JSON being written into `N` bytes: what has no room is counted all the same.
struct Json<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

/// One `for` for `const fn`, which has none.
macro_rules! each {
    ($at:ident in $list:expr => $body:block) => {{
        let mut $at = 0;
        while $at < $list.len() {
            $body
            $at += 1;
        }
    }};
}

impl<const N: usize> Json<N> {
    const fn new() -> Self {
        Json {
            bytes: [0; N],
            length: 0,
        }
    }

    const fn plugin(&mut self, plugin: &Plugin) {
        self.raw("{\"abi\":");
        self.number(spoor_plugin_abi::ABI as u64);
        self.field("name", plugin.name);
        self.field("version", plugin.version);
        self.field("licence", plugin.licence);
        self.field("summary", plugin.summary);
        if !plugin.authors.is_empty() {
            self.raw(",\"authors\":");
            self.strings(plugin.authors);
        }
        self.field_unless_empty("homepage", plugin.homepage);
        self.raw(",\"capabilities\":");
        self.strings(plugin.capabilities);
        self.raw(",\"limits\":{");
        each!(at in plugin.limits => {
            self.comma(at);
            self.string(plugin.limits[at].0);
            self.raw(":");
            self.number(plugin.limits[at].1);
        });
        self.raw("},\"functions\":[");
        each!(at in plugin.functions => {
            self.comma(at);
            self.function(&plugin.functions[at]);
        });
        self.raw("]}");
    }

    const fn function(&mut self, function: &Function) {
        self.raw("{\"name\":");
        self.string(function.name);
        self.field("summary", function.summary);
        self.field_unless_empty("docs", function.docs);
        self.field("input", function.input);
        self.raw(",\"parameters\":[");
        each!(at in function.columns => {
            self.comma(at);
            self.column(&function.columns[at]);
        });
        each!(at in function.options => {
            self.comma(at + function.columns.len());
            self.option(&function.options[at]);
        });
        self.raw("],\"output\":{\"rows\":");
        self.string(function.rows);
        self.raw(",\"columns\":[");
        each!(at in function.output => {
            self.comma(at);
            self.raw("{\"name\":");
            self.string(function.output[at].name);
            self.field("type", function.output[at].ty.name());
            self.field_unless_empty("docs", function.output[at].docs);
            self.raw("}");
        });
        self.raw("]}}");
    }

    const fn column(&mut self, column: &InputColumn) {
        self.raw("{\"name\":");
        self.string(column.name);
        self.raw(",\"kind\":\"column\",\"type\":[");
        each!(at in column.types => {
            self.comma(at);
            self.string(column.types[at].name());
        });
        self.raw("]");
        if column.optional {
            self.raw(",\"default\":null");
        }
        self.field_unless_empty("docs", column.docs);
        self.raw("}");
    }

    const fn option(&mut self, option: &OptionParameter) {
        self.raw("{\"name\":");
        self.string(option.name);
        self.field("kind", "option");
        self.field("type", option.ty.name());
        if !option.default.is_empty() {
            self.raw(",\"default\":");
            self.raw(option.default);
        }
        self.field_unless_empty("docs", option.docs);
        self.raw("}");
    }

    const fn field_unless_empty(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(name, value);
        }
    }

    const fn field(&mut self, name: &str, value: &str) {
        self.raw(",");
        self.string(name);
        self.raw(":");
        self.string(value);
    }

    const fn strings(&mut self, values: &[&str]) {
        self.raw("[");
        each!(at in values => {
            self.comma(at);
            self.string(values[at]);
        });
        self.raw("]");
    }

    const fn comma(&mut self, at: usize) {
        if at > 0 {
            self.raw(",");
        }
    }

    const fn string(&mut self, value: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.raw("\"");
        let bytes = value.as_bytes();
        each!(at in bytes => {
            match bytes[at] {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                byte if byte < 0x20 => {
                    self.raw("\\u00");
                    self.byte(HEX[(byte >> 4) as usize]);
                    self.byte(HEX[(byte & 15) as usize]);
                }
                byte => self.byte(byte),
            }
        });
        self.raw("\"");
    }

    const fn number(&mut self, value: u64) {
        if value >= 10 {
            self.number(value / 10);
        }
        self.byte(b'0' + (value % 10) as u8);
    }

    const fn raw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        each!(at in bytes => { self.byte(bytes[at]); });
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < N {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
    }
}
