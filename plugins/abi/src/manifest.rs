//! The manifest: what a plugin says of itself in its section `spoor.manifest`.
//!
//! The types below are the JSON, field by field; [`Manifest::parse`] reads it and holds it to the rules that JSON alone
//! does not say (`manifest/check.rs`). Unknown fields are refused: a misspelt limit has to be seen.

mod check;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::types::{Type, Types};

/// The largest manifest, in bytes.
pub const MAX_MANIFEST: usize = 1 << 20;

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The ABI that the module is made for: [`crate::ABI`].
    pub abi: u32,
    /// The plugin's name: a lower-case letter, then lower-case letters, digits, `-` and `_`; at most 64.
    pub name: String,
    /// Its version, by the rules of semver 2.0.
    pub version: String,
    /// Its licence as an SPDX expression.
    pub licence: String,
    /// What it does, in one line.
    pub summary: String,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// What it wants to import.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What it wants to use at most, for each call.
    #[serde(default)]
    pub limits: Limits,
    /// What it can do; at least one.
    pub functions: Vec<Function>,
}

/// An import that a plugin may ask for and the user may grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// [`crate::IMPORT_LOG`].
    Log,
    /// [`crate::IMPORT_PROGRESS`].
    Progress,
    /// [`crate::IMPORT_TIME`].
    Time,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Capability; 3] = [Capability::Log, Capability::Progress, Capability::Time];

    /// Its name in the manifest, which is its import's too.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::Log => crate::IMPORT_LOG,
            Capability::Progress => crate::IMPORT_PROGRESS,
            Capability::Time => crate::IMPORT_TIME,
        }
    }
}

/// What a plugin wants to use at most in each call; what it leaves out has this crate's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Linear memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The answer, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Wall time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<u64>,
}

/// One function of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name in KQL and Python: a letter or `_`, then letters, digits and `_`; at most 64.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// What more there is to say, as Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// What a call is given.
    pub input: InputMode,
    /// Its columns, then its options.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What it answers.
    pub output: Output,
}

/// What a call of a function is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// One record batch: every batch is a call of its own, so the function must not depend on the other rows.
    Batches,
    /// All rows at once.
    Whole,
    /// No table.
    None,
}

/// A column or an option that a function takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name; the input's column has this name too.
    pub name: String,
    /// Column or option.
    pub kind: ParameterKind,
    /// The types it takes: an option has one.
    #[serde(rename = "type")]
    pub types: Types,
    /// What an option is where the call leaves it out. Missing: it must be given. A column's can only be null: then it
    /// may be left out, and the input lacks it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub default: Option<Value>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// What a parameter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// A column of the input.
    Column,
    /// A value in the call's `arguments`.
    Option,
}

/// What a function answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// How the answer's rows belong to the input's.
    pub rows: RowMode,
    /// The columns of the answer's first table, without `_row`.
    pub columns: Vec<OutputColumn>,
}

/// How an answer's rows belong to the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowMode {
    /// As many, in the same order: the answer's columns are put after the input's.
    Same,
    /// Each names its input row in the first column, [`crate::ROW_COLUMN`]: that row's columns are put before it.
    Indexed,
    /// Not at all: the result has the answer's columns only.
    Free,
}

/// A column that a function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// Why a section is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// It is larger than [`MAX_MANIFEST`].
    TooLarge(usize),
    /// It is not the JSON of a manifest.
    Json {
        /// What is wrong, in serde_json's words.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It breaks a rule.
    Rule {
        /// Where: `functions[0].parameters[1].default`.
        path: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => write!(
                f,
                "the manifest has {size} bytes: shorten its docs to stay within {MAX_MANIFEST}"
            ),
            Self::Json {
                message,
                line,
                column,
            } => write!(
                f,
                "the manifest does not read at line {line}, column {column}: {message}"
            ),
            Self::Rule { path, message } => write!(f, "the manifest's {path}: {message}"),
        }
    }
}

impl core::error::Error for ManifestError {}

impl From<serde_json::Error> for ManifestError {
    fn from(error: serde_json::Error) -> Self {
        ManifestError::Json {
            message: error.to_string(),
            line: error.line(),
            column: error.column(),
        }
    }
}

impl Manifest {
    /// Reads and checks the content of the section.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        if json.len() > MAX_MANIFEST {
            return Err(ManifestError::TooLarge(json.len()));
        }
        let manifest: Manifest = serde_json::from_slice(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as the section's content: JSON without line breaks. Checks it first.
    pub fn to_json(&self) -> Result<String, ManifestError> {
        self.check()?;
        Ok(serde_json::to_string(self)?)
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}

impl Function {
    /// The parameters that are columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(|p| p.kind == ParameterKind::Column)
    }

    /// The parameters that are options, in order.
    pub fn options(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(|p| p.kind == ParameterKind::Option)
    }
}

/// A value that is there, null included: a missing one never comes here.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}
