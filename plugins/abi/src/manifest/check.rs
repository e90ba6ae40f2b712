//! The manifest's rules beyond its JSON.

use alloc::format;
use alloc::string::String;

use super::{
    Function, InputMode, Manifest, ManifestError, Output, Parameter, ParameterKind, RowMode,
};

const MAX_FUNCTIONS: usize = 64;
const MAX_PARAMETERS: usize = 64;
const MAX_COLUMNS: usize = 256;
const MAX_NAME: usize = 64;

/// Characters of a line of text.
const MAX_LINE: usize = 300;
const MAX_COLUMN_NAME: usize = 1024;

type Checked = Result<(), ManifestError>;

impl Manifest {
    /// Whether it keeps every rule; the error says where it breaks the first.
    pub fn check(&self) -> Checked {
        require(self.abi == crate::ABI, "abi", || {
            format!("is {}, and this Spoor knows {}", self.abi, crate::ABI)
        })?;
        require(plugin_name(&self.name), "name", || {
            format!(
                "'{}' is no name: a lower-case letter, then lower-case letters, digits, - and _, {MAX_NAME} at most",
                self.name
            )
        })?;
        if let Err(error) = semver::Version::parse(&self.version) {
            return Err(broken(
                "version",
                format!("'{}' is no semver version: {error}", self.version),
            ));
        }
        one_line("licence", &self.licence)?;
        one_line("summary", &self.summary)?;
        require(
            (1..=MAX_FUNCTIONS).contains(&self.functions.len()),
            "functions",
            || {
                format!(
                    "there are {}: 1 to {MAX_FUNCTIONS} are allowed",
                    self.functions.len()
                )
            },
        )?;
        for (at, capability) in self.capabilities.iter().enumerate() {
            require(
                !self.capabilities[..at].contains(capability),
                &format!("capabilities[{at}]"),
                || format!("'{}' is there twice", capability.name()),
            )?;
        }
        for (at, function) in self.functions.iter().enumerate() {
            let path = format!("functions[{at}]");
            function.check(&path)?;
            let earlier = &self.functions[..at];
            require(
                earlier.iter().all(|other| other.name != function.name),
                &format!("{path}.name"),
                || format!("'{}' is there twice", function.name),
            )?;
        }
        Ok(())
    }
}

impl Function {
    fn check(&self, path: &str) -> Checked {
        identifier(&format!("{path}.name"), &self.name)?;
        one_line(&format!("{path}.summary"), &self.summary)?;
        require(
            self.parameters.len() <= MAX_PARAMETERS,
            &format!("{path}.parameters"),
            || {
                format!(
                    "there are {}: {MAX_PARAMETERS} are allowed",
                    self.parameters.len()
                )
            },
        )?;
        for (at, parameter) in self.parameters.iter().enumerate() {
            let path = format!("{path}.parameters[{at}]");
            parameter.check(&path)?;
            let earlier = &self.parameters[..at];
            require(
                earlier.iter().all(|other| other.name != parameter.name),
                &format!("{path}.name"),
                || format!("'{}' is there twice", parameter.name),
            )?;
            require(
                parameter.kind == ParameterKind::Option
                    || earlier
                        .iter()
                        .all(|other| other.kind == ParameterKind::Column),
                &format!("{path}.kind"),
                || String::from("columns come before options: move it up"),
            )?;
        }
        self.check_input(path)?;
        self.output.check(&format!("{path}.output"))
    }

    fn check_input(&self, path: &str) -> Checked {
        let columns = self.columns().count();
        require(
            (columns == 0) == (self.input == InputMode::None),
            &format!("{path}.input"),
            || match self.input {
                InputMode::None => {
                    format!("is 'none' with {columns} column parameters: say 'batches' or 'whole'")
                }
                _ => String::from(
                    "there is no column parameter, and a plugin sees no other: add one or say 'none'",
                ),
            },
        )?;
        require(
            self.input != InputMode::None || self.output.rows == RowMode::Free,
            &format!("{path}.output.rows"),
            || String::from("without input there are no rows to belong to: say 'free'"),
        )
    }
}

impl Parameter {
    fn check(&self, path: &str) -> Checked {
        identifier(&format!("{path}.name"), &self.name)?;
        let types = self.types.to_vec();
        let most = match self.kind {
            ParameterKind::Column => 10,
            ParameterKind::Option => 1,
        };
        require(
            (1..=most).contains(&types.len()),
            &format!("{path}.type"),
            || format!("there are {} types: 1 to {most} are allowed", types.len()),
        )?;
        let Some(default) = &self.default else {
            return Ok(());
        };
        let fits = match self.kind {
            ParameterKind::Column => default.is_null(),
            ParameterKind::Option => types.iter().all(|ty| ty.admits(default)),
        };
        require(fits, &format!("{path}.default"), || match self.kind {
            ParameterKind::Column => {
                String::from("a column's can only be null, which lets the call leave it out")
            }
            ParameterKind::Option => format!("{default} is no {}", types[0]),
        })
    }
}

impl Output {
    fn check(&self, path: &str) -> Checked {
        let path = format!("{path}.columns");
        require(
            (1..=MAX_COLUMNS).contains(&self.columns.len()),
            &path,
            || {
                format!(
                    "there are {}: 1 to {MAX_COLUMNS} are allowed",
                    self.columns.len()
                )
            },
        )?;
        for (at, column) in self.columns.iter().enumerate() {
            let path = format!("{path}[{at}].name");
            require(
                (1..=MAX_COLUMN_NAME).contains(&column.name.len())
                    && !column.name.contains(char::is_control),
                &path,
                || {
                    format!(
                        "has {} bytes: 1 to {MAX_COLUMN_NAME}, none a control character, are allowed",
                        column.name.len()
                    )
                },
            )?;
            require(column.name != crate::ROW_COLUMN, &path, || {
                format!(
                    "'{}' is the index that 'indexed' adds by itself: leave it out",
                    crate::ROW_COLUMN
                )
            })?;
            require(
                self.columns[..at]
                    .iter()
                    .all(|other| other.name != column.name),
                &path,
                || format!("'{}' is there twice", column.name),
            )?;
        }
        Ok(())
    }
}

fn plugin_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn identifier(path: &str, name: &str) -> Checked {
    let fits = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name != crate::ROW_COLUMN;
    require(fits, path, || {
        format!(
            "'{name}' is no name: a letter or _, then letters, digits and _, {MAX_NAME} at most, and not '{}'",
            crate::ROW_COLUMN
        )
    })
}

/// What stands beside what a host says of a plugin: it can neither fill a screen nor turn text around.
fn one_line(path: &str, text: &str) -> Checked {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let fits = text.chars().count() <= MAX_LINE && !text.contains(misleads);
    require(!text.trim().is_empty() && fits, path, || {
        format!(
            "has to be one line of text, not empty, of {MAX_LINE} characters at most, without marks that turn text around"
        )
    })
}

fn require(holds: bool, path: &str, message: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(broken(path, message()))
    }
}

fn broken(path: &str, message: String) -> ManifestError {
    ManifestError::Rule {
        path: path.into(),
        message,
    }
}
