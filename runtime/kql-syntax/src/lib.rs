//! KQL's lexer, parser and diagnostics.
