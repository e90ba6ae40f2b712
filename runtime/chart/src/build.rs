//! Fills a [`Chart`] from a query's result.

use std::collections::BTreeMap;

use spoor_table::dynamic;
use spoor_table::ticks::MILLISECOND;
use spoor_table::{Cell, DECIMAL_SCALE, DynamicRef, KustoType, Table, format, parse};

use crate::ChartError;
use crate::columns::{Roles, roles};
use crate::model::{Axis, AxisType, Card, Chart, Kind, Series, Stacking};
use crate::options::{self, Options};
use crate::ticks;

/// The most series drawn.
const MAX_SERIES: usize = 60;
/// The most points kept of one chart; lines keep their peaks beyond that.
const MAX_POINTS: usize = 40_000;
/// The most rows looked at. A chart of more is of no use to an eye.
const MAX_ROWS: usize = 2_000_000;
/// The most bars down a side, along an axis, and the most sectors of a pie.
const MAX_BARS: usize = 40;
const MAX_COLUMNS: usize = 300;
const MAX_SECTORS: usize = 10;

impl Chart {
    /// The chart that `render kind with (properties)` makes of `table`, by Kusto's rules. A
    /// property with a list of names is given once for each or with commas.
    ///
    /// Fails where the kind is not drawn, a property is unknown or a column is missing; the
    /// caller then shows the table with the error's text as a note.
    pub fn from_table(
        table: &Table,
        kind: &str,
        properties: &[(String, String)],
    ) -> Result<Chart, ChartError> {
        let Some((drawn, note, stacking)) = options::kind(kind) else {
            return Err(ChartError::Kind { kind: kind.into() });
        };
        let mut options = Options::read(kind, properties, stacking)?;
        options.notes.extend(note.map(String::from));
        let chart = match drawn {
            Kind::Card => card(table, &options),
            _ => {
                let roles = roles(table, drawn, kind, &options)?;
                Builder::read(table, drawn, &roles, &options).finish(options)
            }
        };
        Ok(chart)
    }
}

fn card(table: &Table, options: &Options) -> Chart {
    let mut cards = Vec::new();
    for (i, column) in table
        .columns()
        .iter()
        .enumerate()
        .take(if table.rows() > 0 { 12 } else { 0 })
    {
        let value = table.value(0, i);
        cards.push(Card {
            label: column.name.clone(),
            value: format::text(value.cell()),
        });
    }
    Chart {
        version: 1,
        kind: Kind::Card,
        title: options.title.clone(),
        x: Axis::default(),
        y: Axis::default(),
        series: Vec::new(),
        legend: false,
        stacking: Stacking::None,
        note: note(&options.notes),
        cards,
    }
}

fn note(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// A place on the x axis.
enum Place {
    At(f64),
    Named(String),
}

/// Gathers points into series.
struct Builder {
    kind: Kind,
    x: Axis,
    y: Axis,
    value_names: Vec<String>,
    has_series: bool,
    series: Vec<Series>,
    by_name: BTreeMap<String, usize>,
    categories: BTreeMap<String, usize>,
    without_x: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Builder {
    fn read(table: &Table, kind: Kind, roles: &Roles, options: &Options) -> Self {
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
            by_name: BTreeMap::new(),
            categories: BTreeMap::new(),
            without_x: 0,
            left_out: BTreeMap::new(),
        };
        if roles
            .values
            .iter()
            .all(|i| columns[*i].ty == KustoType::TimeSpan)
        {
            builder.y.ty = AxisType::TimeSpan;
        }
        if let [one] = builder.value_names.as_slice() {
            builder.y.title = Some(one.clone());
        }
        let mut rows = 0;
        table.for_each_row(|cells| {
            builder.row(cells, roles, options);
            rows += 1;
            rows < MAX_ROWS
        });
        if table.rows() > MAX_ROWS {
            builder.left_out.insert("rows", table.rows() - MAX_ROWS);
        }
        builder
    }

    fn row(&mut self, cells: &[Cell<'_>], roles: &Roles, options: &Options) {
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
        for (k, column) in roles.values.iter().enumerate() {
            let Some(place) = self.place(x) else {
                self.without_x += 1;
                return;
            };
            let marked = options.anomaly_columns.len() > k
                && roles
                    .anomalies
                    .get(k)
                    .is_some_and(|i| figure(cells[*i]).is_some_and(|v| v != 0.0));
            let name = self.series_name(&prefix, k);
            self.add(name, place, figure(cells[*column]), marked);
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
                self.add(
                    name.clone(),
                    Place::At(place),
                    value,
                    flag.is_some_and(|v| v != 0.0),
                );
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
            let text = match x {
                Cell::DateTime(ticks) => ticks::moment(ticks::unix_ms(ticks)),
                Cell::String("") => "(empty)".into(),
                Cell::Null => "(null)".into(),
                other => format::text(other),
            };
            return Some(Place::Named(text));
        }
        figure(x).map(Place::At)
    }

    fn add(&mut self, series: String, place: Place, y: Option<f64>, marked: bool) {
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

    fn finish(mut self, mut options: Options) -> Chart {
        self.order();
        if matches!(self.kind, Kind::Bar | Kind::Column | Kind::Pie)
            || options.stacking != Stacking::None
        {
            self.series.iter_mut().for_each(add_up);
        }
        if options.accumulate {
            self.series.iter_mut().for_each(accumulate);
        }
        if self.kind == Kind::Pie {
            self.merge_sectors();
        }
        self.thin();
        options.notes.extend(self.notes());
        let stackable = matches!(self.kind, Kind::Bar | Kind::Column | Kind::Area);
        let stacking = if stackable {
            options.stacking
        } else {
            Stacking::None
        };
        self.titles(&options, stacking);
        Chart {
            version: 1,
            kind: self.kind,
            title: options.title,
            legend: !options.hide_legend
                && (self.series.len() > 1 || self.has_series || self.kind == Kind::Pie),
            x: self.x,
            y: self.y,
            series: self.series,
            stacking,
            note: note(&options.notes),
            cards: Vec::new(),
        }
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

    /// A pie's smallest sectors become one.
    fn merge_sectors(&mut self) {
        let Some(series) = self.series.first_mut() else {
            return;
        };
        series
            .points
            .sort_by(|a, b| b.1.unwrap_or(0.0).total_cmp(&a.1.unwrap_or(0.0)));
        let mut names = std::mem::take(&mut self.x.categories);
        let mut kept: Vec<(String, Option<f64>)> = Vec::new();
        let rest = series.points.split_off(series.points.len().min(
            if series.points.len() > MAX_SECTORS {
                MAX_SECTORS - 1
            } else {
                MAX_SECTORS
            },
        ));
        for (x, y) in &series.points {
            kept.push((
                names
                    .get_mut(*x as usize)
                    .map(std::mem::take)
                    .unwrap_or_default(),
                *y,
            ));
        }
        if !rest.is_empty() {
            let sum = rest.iter().filter_map(|p| p.1).sum();
            kept.push((format!("{} others", rest.len()), Some(sum)));
        }
        series.points = kept
            .iter()
            .enumerate()
            .map(|(i, part)| (i as f64, part.1))
            .collect();
        self.x.categories = kept.into_iter().map(|part| part.0).collect();
    }

    /// Keeps charts of very many points small, with their peaks.
    fn thin(&mut self) {
        let total: usize = self.series.iter().map(|s| s.points.len()).sum();
        if total <= MAX_POINTS {
            return;
        }
        let chunk = total.div_ceil(MAX_POINTS / 2);
        for series in self.series.iter_mut().filter(|s| s.marked.is_empty()) {
            let kept = series
                .points
                .chunks(chunk)
                .flat_map(low_and_high)
                .collect::<Vec<_>>();
            *self.left_out.entry("points (peaks are kept)").or_default() +=
                series.points.len() - kept.len();
            series.points = kept;
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

fn axis_type(ty: KustoType, kind: Kind) -> AxisType {
    match (ty, kind) {
        (_, Kind::Bar | Kind::Pie) => AxisType::Category,
        (KustoType::DateTime, _) => AxisType::DateTime,
        (_, Kind::Column) => AxisType::Category,
        (KustoType::TimeSpan, _) => AxisType::TimeSpan,
        (ty, _) if ty.is_numeric() => AxisType::Number,
        _ => AxisType::Category,
    }
}

/// Points of one place become their sum.
fn add_up(series: &mut Series) {
    let mut at: BTreeMap<u64, usize> = BTreeMap::new();
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    for (x, y) in series.points.drain(..) {
        let index = *at.entry(x.to_bits()).or_insert(points.len());
        match points.get_mut(index) {
            Some((_, sum)) => {
                *sum = match (*sum, y) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                }
            }
            None => points.push((x, y)),
        }
    }
    if points.len() != at.len() || series.marked.iter().any(|i| *i >= points.len()) {
        series.marked.clear();
    }
    series.points = points;
}

fn accumulate(series: &mut Series) {
    let mut sum = 0.0;
    for (_, y) in &mut series.points {
        sum += y.unwrap_or(0.0);
        *y = Some(sum);
    }
}

fn low_and_high(points: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    let height = |p: &&(f64, Option<f64>)| p.1.unwrap_or(f64::NEG_INFINITY);
    let low = points
        .iter()
        .enumerate()
        .min_by(|a, b| height(&a.1).total_cmp(&height(&b.1)));
    let high = points
        .iter()
        .enumerate()
        .max_by(|a, b| height(&a.1).total_cmp(&height(&b.1)));
    let mut kept: Vec<_> = low.into_iter().chain(high).collect();
    kept.sort_by_key(|(i, _)| *i);
    kept.dedup_by_key(|(i, _)| *i);
    kept.into_iter().map(|(_, p)| *p).collect()
}

/// A cell as a number on an axis; none for nulls, texts and what is not finite.
fn figure(cell: Cell<'_>) -> Option<f64> {
    let value = match cell {
        Cell::Int(v) => f64::from(v),
        Cell::Long(v) => v as f64,
        Cell::Real(v) => v,
        Cell::Decimal(v) => v as f64 / 10f64.powi(i32::from(DECIMAL_SCALE)),
        Cell::DateTime(v) => ticks::unix_ms(v),
        Cell::TimeSpan(v) => v as f64 / MILLISECOND as f64,
        Cell::Dynamic(v) => return dynamic_figure(v),
        Cell::Bool(_) | Cell::Null | Cell::String(_) | Cell::Guid(_) => return None,
    };
    value.is_finite().then_some(value)
}

fn dynamic_figure(value: DynamicRef<'_>) -> Option<f64> {
    let number = match value.kind() {
        dynamic::Kind::Long(v) => v as f64,
        dynamic::Kind::Real(v) => v,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn dynamic_place(value: DynamicRef<'_>) -> Option<(f64, AxisType)> {
    match value.kind() {
        dynamic::Kind::DateTime(ticks) => Some((ticks::unix_ms(ticks), AxisType::DateTime)),
        dynamic::Kind::TimeSpan(ticks) => {
            Some((ticks as f64 / MILLISECOND as f64, AxisType::TimeSpan))
        }
        dynamic::Kind::String(text) => {
            Some((ticks::unix_ms(parse::datetime(text)?), AxisType::DateTime))
        }
        _ => dynamic_figure(value).map(|v| (v, AxisType::Number)),
    }
}
