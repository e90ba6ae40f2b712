//! Treemaps: sums by one column, or by a column within another.

use std::collections::BTreeMap;

use spoor_table::{Column, Table};

use super::cells::{figure, name};
use super::{MAX_ROWS, MAX_SERIES, note};
use crate::ChartError;
use crate::columns::{dimensions, missing, named, names_series, numbers};
use crate::model::{Axis, AxisType, Chart, Kind, Series};
use crate::options::Options;

/// The most rectangles within a group, and of a treemap of one level.
const MAX_LEAVES: usize = 200;

/// The treemap of `table`: columns of texts (or those of `series`) from the outermost level to the
/// innermost, and the first column of numbers for the areas; without numbers rows are counted.
pub(super) fn build(table: &Table, asked: &str, mut options: Options) -> Result<Chart, ChartError> {
    let columns = table.columns();
    let levels = dimensions(columns, asked, &options, names_series)?;
    if levels.is_empty() {
        return Err(missing(
            columns,
            asked,
            "a column of texts for its rectangles",
        ));
    }
    let value = match options.y_columns.first() {
        Some(name) => Some(named(columns, asked, name)?),
        None => numbers(columns).find(|i| !levels.contains(i)),
    };
    if levels.len() > 2 {
        let within = "Levels below the first are drawn as one.";
        options.notes.push(within.into());
    }
    let tree = Tree::read(table, &levels, value);
    Ok(tree.finish(columns, value, options))
}

/// Sums by the name of a group, then by the name of a rectangle in it.
#[derive(Default)]
struct Tree {
    groups: Vec<(String, BTreeMap<String, f64>)>,
    by_name: BTreeMap<String, usize>,
    further: usize,
    /// Whether there are two levels.
    nested: bool,
}

impl Tree {
    fn read(table: &Table, levels: &[usize], value: Option<usize>) -> Self {
        let mut tree = Tree {
            nested: levels.len() > 1,
            ..Tree::default()
        };
        let mut rows = 0;
        table.for_each_row(|cells| {
            let mut path = levels.iter().map(|i| name(cells[*i]));
            let group = if tree.nested { path.next() } else { None };
            let leaf = path.collect::<Vec<_>>().join(" › ");
            let size = value.map_or(Some(1.0), |i| figure(cells[i]));
            tree.add(group.unwrap_or_default(), leaf, size.unwrap_or(0.0));
            rows += 1;
            rows < MAX_ROWS
        });
        tree
    }

    fn add(&mut self, group: String, leaf: String, size: f64) {
        let next = self.groups.len();
        let index = *self.by_name.entry(group.clone()).or_insert(next);
        if index == next {
            if next >= MAX_SERIES {
                self.by_name.remove(&group);
                self.further += 1;
                return;
            }
            self.groups.push((group, BTreeMap::new()));
        }
        *self.groups[index].1.entry(leaf).or_default() += size;
    }

    fn finish(self, columns: &[Column], value: Option<usize>, mut options: Options) -> Chart {
        let value_name = value
            .map_or("rows", |i| columns[i].name.as_str())
            .to_string();
        if self.further > 0 {
            let note = format!("{} rows of further groups are left out.", self.further);
            options.notes.push(note);
        }
        let mut chart = Chart::new(Kind::Treemap);
        chart.x.ty = AxisType::Category;
        chart.x.title = options.x_title.take();
        let title = options.y_title.take().unwrap_or_else(|| value_name.clone());
        chart.y = Axis {
            title: Some(title),
            ..Axis::default()
        };
        if value.is_some_and(|i| columns[i].ty == spoor_table::KustoType::TimeSpan) {
            chart.y.ty = AxisType::TimeSpan;
        }
        for (group, leaves) in self.groups {
            let mut series = Series {
                name: if self.nested {
                    group
                } else {
                    value_name.clone()
                },
                ..Series::default()
            };
            for (leaf, size) in largest(leaves) {
                series
                    .points
                    .push((chart.x.categories.len() as f64, Some(size)));
                chart.x.categories.push(leaf);
            }
            chart.series.push(series);
        }
        chart.legend = !options.hide_legend && self.nested;
        chart.title = options.title;
        chart.note = note(&options.notes);
        chart
    }
}

/// The rectangles in order of size, the smallest of very many as one.
fn largest(leaves: BTreeMap<String, f64>) -> Vec<(String, f64)> {
    let mut leaves: Vec<(String, f64)> = leaves.into_iter().collect();
    leaves.sort_by(|a, b| b.1.total_cmp(&a.1));
    if leaves.len() > MAX_LEAVES {
        let rest = leaves.split_off(MAX_LEAVES - 1);
        let sum = rest.iter().map(|l| l.1).sum();
        leaves.push((format!("{} others", rest.len()), sum));
    }
    leaves
}
