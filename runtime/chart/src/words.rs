//! A chart in words: a sentence on the whole, lines on one mark, a table of everything.

use std::collections::BTreeMap;

use crate::model::{AxisType, Chart, Kind, Stacking};
use crate::scene::key;
use crate::ticks;

/// A chart's data as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// How many rows there are beyond those.
    pub left_out: usize,
}

impl Chart {
    /// One sentence on what the chart shows, for those who cannot see it.
    pub fn describe(&self) -> String {
        if self.kind == Kind::Card {
            let values: Vec<_> = self
                .cards
                .iter()
                .map(|c| format!("{}: {}", c.label, c.value))
                .collect();
            return format!("Card. {}", values.join("; "));
        }
        let names: Vec<_> = self
            .series
            .iter()
            .take(8)
            .map(|s| s.name.as_str())
            .collect();
        let more = if self.series.len() > names.len() {
            ", …"
        } else {
            ""
        };
        let by = match &self.x.title {
            Some(title) => format!(" by {title}"),
            None => String::new(),
        };
        let points: usize = self.series.iter().map(|s| s.points.len()).sum();
        format!(
            "{} of {}{more}{by}{}; {points} points{}{}.",
            self.kind.name(),
            names.join(", "),
            span(self),
            extremes(self),
            anomalies(self)
        )
    }

    /// The data as a table of at most `limit` rows: a row for each x with a column for each series
    /// where that can be, and else a row for each point.
    pub fn rows(&self, limit: usize) -> Rows {
        let mut rows = match self.kind {
            Kind::Card => cards(self),
            Kind::Pie | Kind::Treemap => shares(self),
            Kind::Ladder | Kind::TimePivot => spans(self),
            _ => wide(self).unwrap_or_else(|| long(self)),
        };
        rows.left_out = rows.rows.len().saturating_sub(limit);
        rows.rows.truncate(limit);
        rows
    }
}

/// From where to where a quantity along x runs.
fn span(chart: &Chart) -> String {
    if chart.x.ty == AxisType::Category {
        return String::new();
    }
    let xs = chart
        .series
        .iter()
        .flat_map(|s| s.points.iter().map(|p| p.0));
    let (low, high) = xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
        (a.min(x), b.max(x))
    });
    if low > high {
        return String::new();
    }
    let (from, to) = (ticks::value(&chart.x, low), ticks::value(&chart.x, high));
    format!(" from {from} to {to}")
}

/// The least and the greatest value, and where that is.
fn extremes(chart: &Chart) -> String {
    if chart.y.ty == AxisType::Category {
        return format!(" in {} lanes", chart.y.categories.len());
    }
    let mut least = f64::INFINITY;
    let mut most: Option<(f64, f64, &str)> = None;
    for series in &chart.series {
        for (x, y) in series.points.iter().filter_map(|p| Some((p.0, p.1?))) {
            least = least.min(y);
            if most.is_none_or(|(top, _, _)| y > top) {
                most = Some((y, x, &series.name));
            }
        }
    }
    let Some((top, x, name)) = most else {
        return String::new();
    };
    let of = if chart.series.len() > 1 {
        format!(" of {name}")
    } else {
        String::new()
    };
    let value = |v| ticks::value(&chart.y, v);
    let at = ticks::value(&chart.x, x);
    format!(", from {} to {}{of} at {at}", value(least), value(top))
}

fn anomalies(chart: &Chart) -> String {
    match chart.series.iter().map(|s| s.marked.len()).sum::<usize>() {
        0 => String::new(),
        1 => ", 1 of them an anomaly".into(),
        n => format!(", {n} of them anomalies"),
    }
}

/// What one point is, a line for each fact.
pub(crate) fn label(chart: &Chart, series: usize, point: usize) -> Vec<String> {
    let Some(of) = chart.series.get(series) else {
        return Vec::new();
    };
    let Some((x, Some(y))) = of.points.get(point).copied() else {
        return Vec::new();
    };
    let at = ticks::value(&chart.x, x);
    let value = ticks::value(&chart.y, y);
    if chart.kind.has_lanes() {
        let mut lines = vec![value, duration(chart, x, of.ends.get(point).copied())];
        if chart.series.len() > 1 {
            lines.insert(1, of.name.clone());
        }
        return lines;
    }
    let share = share(chart, series, x, y).map_or(String::new(), |s| format!(" ({s})"));
    let mut lines = match chart.kind {
        Kind::Pie => vec![at, format!("{value}{share}")],
        Kind::Treemap if chart.series.len() == 1 => vec![at, format!("{value}{share}")],
        Kind::Treemap => vec![of.name.clone(), at, format!("{value}{share}")],
        _ => vec![at, format!("{}: {value}{share}", of.name)],
    };
    if of.marked.contains(&point) {
        lines.push("anomaly".into());
    }
    lines
}

/// A span in words: where it starts and ends, and how long it is.
fn duration(chart: &Chart, start: f64, end: Option<f64>) -> String {
    let from = ticks::value(&chart.x, start);
    let Some(end) = end.filter(|end| *end > start) else {
        return from;
    };
    let long = match chart.x.ty {
        AxisType::DateTime | AxisType::TimeSpan => ticks::span(end - start),
        _ => ticks::exact(end - start),
    };
    format!("{from} – {} ({long})", ticks::value(&chart.x, end))
}

/// The share of the whole, in kinds that show shares.
fn share(chart: &Chart, series: usize, x: f64, y: f64) -> Option<String> {
    let of_all = matches!(chart.kind, Kind::Pie | Kind::Treemap);
    if !of_all && chart.stacking != Stacking::Stacked100 {
        return None;
    }
    let part = chart.series.get(series)?.part;
    let same = chart.series.iter().filter(|s| s.part == part);
    let values = same.flat_map(|s| &s.points);
    let total: f64 = values
        .filter(|p| of_all || p.0 == x)
        .filter_map(|p| p.1)
        .map(|y| if of_all { y.max(0.0) } else { y.abs() })
        .sum();
    percent(y, total)
}

fn percent(value: f64, total: f64) -> Option<String> {
    (total > 0.0 && total.is_finite()).then(|| format!("{:.1}%", value / total * 100.0))
}

fn cards(chart: &Chart) -> Rows {
    let row = |c: &crate::model::Card| vec![c.label.clone(), c.value.clone()];
    Rows {
        header: vec!["name".into(), "value".into()],
        rows: chart.cards.iter().map(row).collect(),
        left_out: 0,
    }
}

fn shares(chart: &Chart) -> Rows {
    let grouped = chart.kind == Kind::Treemap && chart.series.len() > 1;
    let values = chart.series.iter().flat_map(|s| &s.points);
    let total: f64 = values.filter_map(|p| p.1).map(|v| v.max(0.0)).sum();
    let title = |title: &Option<String>, else_: &str| title.clone().unwrap_or_else(|| else_.into());
    let mut header = vec![
        title(&chart.x.title, "name"),
        title(&chart.y.title, "value"),
        "share".into(),
    ];
    if grouped {
        header.insert(0, "group".into());
    }
    let mut rows = Vec::new();
    for series in &chart.series {
        for (x, y) in &series.points {
            let mut row = vec![
                ticks::value(&chart.x, *x),
                y.map_or(String::new(), |y| ticks::value(&chart.y, y)),
                y.and_then(|y| percent(y, total)).unwrap_or_default(),
            ];
            if grouped {
                row.insert(0, series.name.clone());
            }
            rows.push(row);
        }
    }
    Rows {
        header,
        rows,
        left_out: 0,
    }
}

fn spans(chart: &Chart) -> Rows {
    let coloured = chart.series.len() > 1;
    let ended = chart.series.iter().any(|s| !s.ends.is_empty());
    let lane = chart.y.title.clone().unwrap_or_else(|| "lane".into());
    let mut header = vec![lane, "start".to_string()];
    if ended {
        header.push("end".into());
    }
    if coloured {
        header.push("series".into());
    }
    let mut rows = Vec::new();
    for series in &chart.series {
        for (k, (start, lane)) in series.points.iter().enumerate() {
            let lane = lane.map_or(String::new(), |lane| ticks::value(&chart.y, lane));
            let mut row = vec![lane, ticks::value(&chart.x, *start)];
            if ended {
                let end = series.ends.get(k).copied().unwrap_or(*start);
                row.push(ticks::value(&chart.x, end));
            }
            if coloured {
                row.push(series.name.clone());
            }
            rows.push(row);
        }
    }
    Rows {
        header,
        rows,
        left_out: 0,
    }
}

/// The name of the column of x.
fn x_name(chart: &Chart) -> String {
    chart.x.title.clone().unwrap_or_else(|| "x".into())
}

/// A row for each x; none where a series has several points at one x.
fn wide(chart: &Chart) -> Option<Rows> {
    let mut by_x: BTreeMap<i64, (f64, Vec<String>)> = BTreeMap::new();
    for (i, series) in chart.series.iter().enumerate() {
        for (x, y) in &series.points {
            let row = by_x
                .entry(key(*x))
                .or_insert_with(|| (*x, vec![String::new(); chart.series.len()]));
            let cell = &mut row.1[i];
            if !cell.is_empty() {
                return None;
            }
            *cell = y.map_or("–".into(), |y| ticks::value(&chart.y, y));
        }
    }
    let names = chart.series.iter().map(|s| s.name.clone());
    let row = |(x, cells): (f64, Vec<String>)| {
        let first = ticks::value(&chart.x, x);
        std::iter::once(first).chain(cells).collect()
    };
    Some(Rows {
        header: std::iter::once(x_name(chart)).chain(names).collect(),
        rows: by_x.into_values().map(row).collect(),
        left_out: 0,
    })
}

/// A row for each point.
fn long(chart: &Chart) -> Rows {
    let value = chart.y.title.clone().unwrap_or_else(|| "value".into());
    let mut rows = Vec::new();
    for series in &chart.series {
        for (x, y) in &series.points {
            rows.push(vec![
                series.name.clone(),
                ticks::value(&chart.x, *x),
                y.map_or(String::new(), |y| ticks::value(&chart.y, y)),
            ]);
        }
    }
    Rows {
        header: vec!["series".into(), x_name(chart), value],
        rows,
        left_out: 0,
    }
}
