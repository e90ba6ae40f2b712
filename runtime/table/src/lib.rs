//! Tables with Kusto's types over Arrow: the scalar types, dynamic values, and how values print.
