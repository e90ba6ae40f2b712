//! Readers of data files: bytes in, Kusto-typed tables out.
