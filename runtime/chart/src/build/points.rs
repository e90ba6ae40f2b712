//! Charts of points along an axis: all but cards, treemaps and lanes.

use std::collections::BTreeMap;

use spoor_table::{Cell, KustoType, Table, dynamic, format};

use super::cells::{self, axis_type, dynamic_figure, dynamic_place, figure};
use super::{MAX_BARS, MAX_ROWS, MAX_SERIES, note, shape};
use crate::columns::Roles;
use crate::model::{Axis, AxisType, Chart, Kind, Series, Split, Stacking};
use crate::options::Options;
use crate::scene::MAX_PARTS;
use crate::ticks;

/// The most columns along an axis of categories.
const MAX_COLUMNS: usize = 300;

/// A place on the x axis.
#[derive(Clone)]
enum Place {
    At(f64),
    Named(String),
}

/// Gathers points into series.
pub(super) struct Builder {
    kind: Kind,
    x: Axis,
    y: Axis,
    value_names: Vec<String>,
    has_series: bool,
    series: Vec<Series>,
    /// Of each series, the index of its column of values.
    value_of: Vec<usize>,
    by_name: BTreeMap<String, usize>,
    categories: BTreeMap<String, usize>,
    without_x: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Builder {
    /// Reads the points of `table`.
    pub(super) fn read(table: &Table, kind: Kind, roles: &Roles) -> Self {
        let columns = table.columns();
        let x_type = columns[roles.x].ty;
        let mut builder = Builder {
            kind,
            x: Axis {
                title: Some(columns[roles.x].name.clone()),
                ty: axis_type(x_type, kind),
                ..Axis::default()
            },
            y: Axis::default(),
            value_names: roles
                .values
                .iter()
                .map(|i| columns[*i].name.clone())
                .collect(),
            has_series: !roles.series.is_empty(),
            series: Vec::new(),
            value_of: Vec::new(),
            by_name: BTreeMap::new(),
            categories: BTreeMap::new(),
            without_x: 0,
            left_out: BTreeMap::new(),
        };
        let spans = |i: &usize| columns[*i].ty == KustoType::TimeSpan;
        if !roles.values.is_empty() && roles.values.iter().all(spans) {
            builder.y.ty = AxisType::TimeSpan;
        }
        if roles.values.is_empty() {
            builder.value_names.push("rows".into());
        }
        if let [one] = builder.value_names.as_slice() {
            builder.y.title = Some(one.clone());
        }
        let mut rows = 0;
        table.for_each_row(|cells| {
            builder.row(cells, roles);
            rows += 1;
            rows < MAX_ROWS
        });
        if table.rows() > MAX_ROWS {
            builder.left_out.insert("rows", table.rows() - MAX_ROWS);
        }
        builder
    }

    fn row(&mut self, cells: &[Cell<'_>], roles: &Roles) {
        let prefix: Vec<String> = roles
            .series
            .iter()
            .map(|i| format::text(cells[*i]))
            .collect();
        let prefix = prefix.join(", ");
        let x = cells[roles.x];
        if let Cell::Dynamic(value) = x
            && let Some(axis) = value.as_array()
        {
            return self.arrays(axis, cells, roles, &prefix);
        }
        let Some(place) = self.place(x) else {
            self.without_x += 1;
            return;
        };
        if roles.values.is_empty() {
            let name = self.series_name(&prefix, 0);
            return self.add((name, 0), place, Some(1.0), false);
        }
        for (k, column) in roles.values.iter().enumerate() {
            let flag = roles.anomalies.get(k).and_then(|i| figure(cells[*i]));
            let marked = flag.is_some_and(|v| v != 0.0);
            let name = self.series_name(&prefix, k);
            self.add((name, k), place.clone(), figure(cells[*column]), marked);
        }
    }

    /// A row of `make-series`: the axis and the values are arrays of one length.
    fn arrays(
        &mut self,
        axis: dynamic::Array<'_>,
        cells: &[Cell<'_>],
        roles: &Roles,
        prefix: &str,
    ) {
        for (k, column) in roles.values.iter().enumerate() {
            let Cell::Dynamic(values) = cells[*column] else {
                continue;
            };
            let Some(values) = values.as_array() else {
                continue;
            };
            let marks = roles.anomalies.get(k).and_then(|i| match cells[*i] {
                Cell::Dynamic(flags) => flags.as_array(),
                _ => None,
            });
            let name = self.series_name(prefix, k);
            for (i, at) in axis.iter().enumerate() {
                let Some((place, ty)) = dynamic_place(at) else {
                    continue;
                };
                self.x.ty = ty;
                let value = values.at(i as i64).and_then(dynamic_figure);
                let flag = marks.and_then(|m| m.at(i as i64)).and_then(dynamic_figure);
                let marked = flag.is_some_and(|v| v != 0.0);
                self.add((name.clone(), k), Place::At(place), value, marked);
            }
        }
    }

    fn series_name(&self, prefix: &str, value: usize) -> String {
        let name = &self.value_names[value];
        match (
            self.has_series && self.kind != Kind::Pie,
            self.value_names.len(),
        ) {
            (false, _) => name.clone(),
            (true, 1) => {
                if prefix.is_empty() {
                    "(empty)".into()
                } else {
                    prefix.to_string()
                }
            }
            (true, _) => format!("{prefix}: {name}"),
        }
    }

    fn place(&self, x: Cell<'_>) -> Option<Place> {
        if self.x.ty == AxisType::Category {
            return Some(Place::Named(cells::name(x)));
        }
        figure(x).map(Place::At)
    }

    /// Adds a point to the series of a name and of the `value`th column of values.
    fn add(
        &mut self,
        (series, value): (String, usize),
        place: Place,
        y: Option<f64>,
        marked: bool,
    ) {
        let x = match place {
            Place::At(x) => x,
            Place::Named(name) => match self.category(name) {
                Some(index) => index as f64,
                None => return,
            },
        };
        let next = self.series.len();
        let index = *self.by_name.entry(series.clone()).or_insert(next);
        if index == next {
            if next >= MAX_SERIES {
                self.by_name.remove(&series);
                *self.left_out.entry("points of further series").or_default() += 1;
                return;
            }
            self.value_of.push(value);
            self.series.push(Series {
                name: series,
                ..Series::default()
            });
        }
        let points = &mut self.series[index].points;
        points.push((x, y));
        if marked {
            let last = points.len() - 1;
            self.series[index].marked.push(last);
        }
    }

    fn category(&mut self, name: String) -> Option<usize> {
        if let Some(index) = self.categories.get(&name) {
            return Some(*index);
        }
        let limit = match self.kind {
            Kind::Bar => MAX_BARS,
            Kind::Pie => usize::MAX,
            _ => MAX_COLUMNS,
        };
        if self.x.categories.len() >= limit {
            *self.left_out.entry("further bars").or_default() += 1;
            return None;
        }
        self.x.categories.push(name.clone());
        self.categories.insert(name, self.x.categories.len() - 1);
        Some(self.x.categories.len() - 1)
    }

    /// The chart of what was read.
    pub(super) fn finish(mut self, mut options: Options) -> Chart {
        self.order();
        if matches!(self.kind, Kind::Bar | Kind::Column | Kind::Pie)
            || options.stacking != Stacking::None
        {
            self.series.iter_mut().for_each(shape::add_up);
        }
        if self.kind == Kind::Area && options.stacking != Stacking::None {
            shape::fill(&mut self.series);
        }
        if options.accumulate {
            self.series.iter_mut().for_each(shape::accumulate);
        }
        if self.kind == Kind::Pie {
            shape::merge_sectors(&mut self.series, &mut self.x.categories);
        }
        if let Some(kept) = shape::thin(&mut self.series) {
            self.left_out.insert("points (peaks are kept)", kept);
        }
        options.notes.extend(self.notes());
        let (split, parts) = self.split(&mut options);
        let stackable = matches!(self.kind, Kind::Bar | Kind::Column | Kind::Area);
        let stacking = if stackable {
            options.stacking
        } else {
            Stacking::None
        };
        self.titles(&options, stacking);
        Chart {
            title: options.title,
            legend: !options.hide_legend
                && (self.series.len() > 1 || self.has_series || self.kind == Kind::Pie),
            x: self.x,
            y: self.y,
            series: self.series,
            stacking,
            note: note(&options.notes),
            split,
            parts,
            ..Chart::new(self.kind)
        }
    }

    /// Gives each series its part, where the query splits the scales: a part for each column of
    /// values, or for each series where there is one such column.
    fn split(&mut self, options: &mut Options) -> (Split, Vec<String>) {
        if options.split == Split::None {
            return (Split::None, Vec::new());
        }
        let by_value = self.value_names.len() > 1;
        let names: Vec<String> = if by_value {
            self.value_names.clone()
        } else {
            self.series.iter().map(|s| s.name.clone()).collect()
        };
        if self.kind == Kind::Bar || self.kind == Kind::Pie || names.len() < 2 {
            let note = format!("A {} with these columns is not split.", self.kind.name());
            options.notes.push(note);
            return (Split::None, Vec::new());
        }
        for (i, series) in self.series.iter_mut().enumerate() {
            let part = if by_value { self.value_of[i] } else { i };
            series.part = part.min(MAX_PARTS - 1);
        }
        let mut parts: Vec<String> = names.iter().take(MAX_PARTS).cloned().collect();
        if names.len() > MAX_PARTS {
            parts[MAX_PARTS - 1] = format!("{} others", names.len() + 1 - MAX_PARTS);
        }
        (options.split, parts)
    }

    fn titles(&mut self, options: &Options, stacking: Stacking) {
        if let Some(title) = &options.x_title {
            self.x.title = Some(title.clone());
        }
        if let Some(title) = &options.y_title {
            self.y.title = Some(title.clone());
        }
        if stacking == Stacking::Stacked100 {
            self.y.ty = AxisType::Number;
            self.y.title = Some(format!(
                "{} (%)",
                self.y.title.as_deref().unwrap_or("share")
            ));
        }
        self.x.log = options.x_log && self.x.ty == AxisType::Number;
        self.y.log = options.y_log && self.y.ty == AxisType::Number;
        (self.y.min, self.y.max) = (options.y_min, options.y_max);
        (self.x.min, self.x.max) = (options.x_min, options.x_max);
    }

    /// Quantities run in order; names stay as the query has them.
    fn order(&mut self) {
        if self.x.ty == AxisType::Category || self.kind == Kind::Scatter {
            return;
        }
        for series in &mut self.series {
            let mut points: Vec<(usize, (f64, Option<f64>))> =
                series.points.drain(..).enumerate().collect();
            points.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
            let marked = std::mem::take(&mut series.marked);
            series.marked = (0..points.len())
                .filter(|i| marked.binary_search(&points[*i].0).is_ok())
                .collect();
            series.points = points.into_iter().map(|(_, point)| point).collect();
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let are = |n: usize| if n == 1 { "is" } else { "are" };
        if self.without_x > 0 {
            let n = self.without_x;
            let rows = if n == 1 { "row" } else { "rows" };
            notes.push(format!(
                "{n} {rows} without a value for the x axis {} left out.",
                are(n)
            ));
        }
        for (what, count) in self.left_out.iter().filter(|(_, count)| **count > 0) {
            notes.push(format!(
                "{} {what} {} left out.",
                ticks::number(*count as f64, 1.0),
                are(*count)
            ));
        }
        notes
    }
}
