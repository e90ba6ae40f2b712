//! An outcome as text.

use std::fmt::Write as _;

use spoor_providers::response::Outcome;
use spoor_table::Cell;
use spoor_table::dynamic::Builder;

pub fn show(outcome: &Outcome) -> String {
    let mut out = String::new();
    for named in &outcome.tables {
        let columns: Vec<String> = named
            .table
            .columns()
            .iter()
            .map(|c| format!("{}: {}", c.name, c.ty))
            .collect();
        let _ = writeln!(out, "{}({})", named.name, columns.join(", "));
        named.table.for_each_row(|cells| {
            let cells: Vec<String> = cells.iter().map(|cell| json(*cell)).collect();
            let _ = writeln!(out, "  {}", cells.join(" | "));
            true
        });
    }
    if let Some(render) = &outcome.render {
        let _ = writeln!(out, "render {}", render.visualization);
        for (name, value) in &render.properties {
            let _ = writeln!(out, "  {name} = {value}");
        }
    }
    if let Some(statistics) = &outcome.statistics {
        let _ = writeln!(out, "statistics {statistics}");
    }
    for reason in outcome.completeness.reasons() {
        let _ = writeln!(out, "partial, {:?}: {reason}", reason.cause);
        for inner in &reason.fault.inner {
            let _ = writeln!(out, "  {}: {}", inner.code, inner.message);
        }
    }
    if let Some(next) = &outcome.next {
        let _ = writeln!(out, "next {next}");
    }
    if let Some(total) = outcome.total_rows {
        let _ = writeln!(out, "of {total} rows");
    }
    out
}

fn json(cell: Cell<'_>) -> String {
    let mut builder = Builder::new();
    cell.write_dynamic(&mut builder);
    builder.finish().view().to_json()
}
