//! KQL's lexer, parser and diagnostics: text in, a syntax tree with places out. The binder, the notebook's highlighter and the
//! kernel's completion call it. It knows no table, no column and no function, and it never fails or panics: an error is a
//! diagnostic beside a partial tree.

mod across;
pub mod ast;
mod diagnostic;
mod edit;
mod fix;
mod format;
mod graph;
mod highlight;
mod lexer;
mod operator;
mod parser;
mod text;

pub use across::{Across, Part, across};
pub use diagnostic::{Diagnostic, Severity, did_you_mean, line_column, render, suggest};
pub use edit::{Segments, brackets, indentation, query_until, segments, toggle_comments};
pub use fix::{Fix, apply_fixes};
pub use format::format;
pub use highlight::{TokenKind, highlight};
pub use parser::{
    CreateTable, OPERATORS, Parsed, as_written, is_reserved, parse, parse_create_tables,
};
