//! KQL's lexer, parser and diagnostics: text in, a syntax tree with places out. The binder, the notebook's highlighter and the
//! kernel's completion call it. It knows no table, no column and no function, and it never fails or panics: an error is a
//! diagnostic beside a partial tree.

pub mod ast;
mod diagnostic;
mod format;
mod highlight;
mod lexer;
mod operator;
mod parser;
mod text;

pub use diagnostic::{Diagnostic, Severity, did_you_mean, line_column, render, suggest};
pub use format::format;
pub use highlight::{TokenKind, highlight};
pub use parser::{OPERATORS, Parsed, is_reserved, parse};
