//! Ladder charts and time pivots: spans and moments in lanes.

use std::collections::BTreeMap;

use spoor_table::{Cell, Column, KustoType, Table};

use super::cells::{figure, name, quantity};
use super::{MAX_BARS, MAX_POINTS, MAX_ROWS, MAX_SERIES, note};
use crate::ChartError;
use crate::columns::{dimensions, missing, named, names_series};
use crate::model::{Axis, AxisType, Chart, Kind, Series};
use crate::options::Options;

/// Which columns say where a span starts and ends, and which lane it lies in.
struct Spans {
    start: usize,
    end: Option<usize>,
    /// The end is a length of time after the start.
    lasts: bool,
    lanes: Vec<usize>,
    /// The column whose values have colours.
    series: Option<usize>,
}

/// The chart of lanes that `table` makes, of `kind`.
pub(super) fn build(
    table: &Table,
    kind: Kind,
    asked: &str,
    mut options: Options,
) -> Result<Chart, ChartError> {
    let columns = table.columns();
    let spans = match kind {
        Kind::Ladder => ladder(columns, asked, &options)?,
        _ => time_pivot(columns, asked, &options)?,
    };
    if kind == Kind::TimePivot {
        let names: Vec<_> = spans
            .lanes
            .iter()
            .map(|i| columns[*i].name.as_str())
            .collect();
        let by = if names.is_empty() {
            "one lane for all".to_string()
        } else {
            format!("a lane for each {}", names.join(" and "))
        };
        options
            .notes
            .push(format!("A time pivot is drawn as lanes over time: {by}."));
    }
    let mut lanes = Lanes::new(kind, columns, &spans);
    let mut rows = 0;
    table.for_each_row(|cells| {
        lanes.row(cells, &spans);
        rows += 1;
        rows < MAX_ROWS
    });
    Ok(lanes.finish(options))
}

/// A ladder's last two columns are where spans start and end; the others name the lanes.
fn ladder(columns: &[Column], asked: &str, options: &Options) -> Result<Spans, ChartError> {
    let fits = |start: usize, end: usize| {
        let (a, b) = (quantity(columns[start].ty), quantity(columns[end].ty));
        let lasts = (a, b) == (Some(AxisType::DateTime), Some(AxisType::TimeSpan));
        (a.is_some() && a == b || lasts).then_some(lasts)
    };
    let last = columns.len().checked_sub(2).map(|start| (start, start + 1));
    let found = last.and_then(|(start, end)| Some((start, end, fits(start, end)?)));
    let Some((start, end, lasts)) = found else {
        let needs =
            "its last two columns to be the start and the end of spans (datetimes, or numbers)";
        return Err(missing(columns, asked, needs));
    };
    let lanes: Vec<usize> = match options.y_columns.as_slice() {
        [] => (0..start).collect(),
        names => names
            .iter()
            .map(|name| named(columns, asked, name))
            .collect::<Result<_, _>>()?,
    };
    let colours = options.series.first();
    Ok(Spans {
        start,
        end: Some(end),
        lasts,
        series: match colours {
            Some(name) => Some(named(columns, asked, name)?),
            None => lanes.first().copied().filter(|_| lanes.len() > 1),
        },
        lanes,
    })
}

/// A time pivot starts at the first datetime and ends, where there is one, at the second.
fn time_pivot(columns: &[Column], asked: &str, options: &Options) -> Result<Spans, ChartError> {
    let mut times = (0..columns.len()).filter(|i| columns[*i].ty == KustoType::DateTime);
    let start = match &options.x_column {
        Some(name) => Some(named(columns, asked, name)?),
        None => times.next(),
    };
    let Some(start) = start.filter(|i| columns[*i].ty == KustoType::DateTime) else {
        return Err(missing(columns, asked, "a datetime column"));
    };
    let lanes = dimensions(columns, asked, options, names_series)?;
    Ok(Spans {
        start,
        end: times.find(|i| *i != start),
        lasts: false,
        series: lanes.first().copied().filter(|_| lanes.len() > 1),
        lanes,
    })
}

/// Gathers spans into series and lanes.
struct Lanes {
    chart: Chart,
    by_lane: BTreeMap<String, usize>,
    by_series: BTreeMap<String, usize>,
    without_start: usize,
    further: usize,
    points: usize,
}

impl Lanes {
    fn new(kind: Kind, columns: &[Column], spans: &Spans) -> Self {
        let names: Vec<_> = spans
            .lanes
            .iter()
            .map(|i| columns[*i].name.as_str())
            .collect();
        let mut chart = Chart::new(kind);
        chart.x = Axis {
            title: Some(columns[spans.start].name.clone()),
            ty: quantity(columns[spans.start].ty).unwrap_or_default(),
            ..Axis::default()
        };
        chart.y = Axis {
            title: (!names.is_empty()).then(|| names.join(", ")),
            ty: AxisType::Category,
            ..Axis::default()
        };
        Self {
            chart,
            by_lane: BTreeMap::new(),
            by_series: BTreeMap::new(),
            without_start: 0,
            further: 0,
            points: 0,
        }
    }

    fn row(&mut self, cells: &[Cell<'_>], spans: &Spans) {
        let Some(start) = figure(cells[spans.start]) else {
            self.without_start += 1;
            return;
        };
        let end = spans.end.and_then(|i| figure(cells[i]));
        let end = if spans.lasts {
            end.map(|e| start + e)
        } else {
            end
        };
        let lane: Vec<_> = spans.lanes.iter().map(|i| name(cells[*i])).collect();
        let lane = if lane.is_empty() {
            "events".to_string()
        } else {
            lane.join(", ")
        };
        let series = spans
            .series
            .map_or_else(|| "spans".to_string(), |i| name(cells[i]));
        let (Some(lane), Some(series)) = (self.lane(lane), self.series(series)) else {
            self.further += 1;
            return;
        };
        if self.points >= MAX_POINTS {
            self.further += 1;
            return;
        }
        self.points += 1;
        let series = &mut self.chart.series[series];
        series.points.push((start, Some(lane as f64)));
        series.ends.push(end.unwrap_or(start).max(start));
    }

    fn lane(&mut self, name: String) -> Option<usize> {
        index(&mut self.by_lane, &name, MAX_BARS, || {
            self.chart.y.categories.push(name.clone());
        })
    }

    fn series(&mut self, name: String) -> Option<usize> {
        index(&mut self.by_series, &name, MAX_SERIES, || {
            self.chart.series.push(Series {
                name: name.clone(),
                ..Series::default()
            });
        })
    }

    fn finish(mut self, mut options: Options) -> Chart {
        for (count, what) in [
            (self.without_start, "rows without a start"),
            (self.further, "rows of further lanes"),
        ] {
            if count > 0 {
                options.notes.push(format!("{count} {what} are left out."));
            }
        }
        let chart = &mut self.chart;
        for series in &mut chart.series {
            let mut both: Vec<_> = series
                .points
                .iter()
                .copied()
                .zip(series.ends.drain(..))
                .collect();
            both.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
            series.ends = both.iter().map(|b| b.1).collect();
            series.points = both.into_iter().map(|b| b.0).collect();
            if series
                .ends
                .iter()
                .zip(&series.points)
                .all(|(end, p)| *end == p.0)
            {
                series.ends.clear();
            }
        }
        chart.legend = !options.hide_legend && chart.series.len() > 1;
        chart.x.title = options.x_title.or(chart.x.title.take());
        chart.y.title = options.y_title.or(chart.y.title.take());
        chart.x.log = options.x_log && chart.x.ty == AxisType::Number;
        (chart.x.min, chart.x.max) = (options.x_min, options.x_max);
        chart.title = options.title;
        chart.note = note(&options.notes);
        self.chart
    }
}

/// The index of `name`, which `add` adds if it is new and there is room for it.
fn index(
    known: &mut BTreeMap<String, usize>,
    name: &str,
    limit: usize,
    add: impl FnOnce(),
) -> Option<usize> {
    if let Some(index) = known.get(name) {
        return Some(*index);
    }
    let next = known.len();
    if next >= limit {
        return None;
    }
    known.insert(name.to_string(), next);
    add();
    Some(next)
}
