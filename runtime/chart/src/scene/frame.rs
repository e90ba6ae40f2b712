//! What surrounds the marks: title, legend, note, and axes with their grid.

use super::Layout;
use super::scale::{Scale, as_data, value_axis, value_range};
use super::sheet::{Area, Hold, Ink, Sheet, Type, fitted, text_width};
use super::stack::Stacked;
use crate::model::{AxisType, Chart, Split};
use crate::ticks::{self, Tick};

/// The space around everything.
const PAD: f64 = 16.0;
pub(crate) const LABEL: f64 = 12.0;
const TITLE: f64 = 15.0;
/// The most entries of a legend.
const LEGEND: usize = 20;
/// The most plots or scales that a chart is split into.
pub(crate) const MAX_PARTS: usize = 5;

/// Lays out title, legend and note, unless they stand outside the picture, and gives what is left.
pub(crate) fn surround(sheet: &mut Sheet, of: &Layout<'_>) -> Area {
    let (chart, (width, height)) = (of.chart, sheet.size());
    let pad = if of.bare { 6.0 } else { PAD };
    let mut area = Area {
        left: pad,
        top: pad,
        right: width - pad,
        bottom: height - pad,
    };
    if of.bare {
        return area;
    }
    if let Some(title) = &chart.title {
        let look = Type {
            bold: true,
            ..Type::new(TITLE, Ink::Text, Hold::Left)
        };
        let text = fitted(title, TITLE, area.width());
        sheet.text(&text, (area.left, area.top + 6.0), look);
        area.top += 24.0;
    }
    let entries = chart.entries();
    if chart.legend && !entries.of_points {
        area.top = legend(sheet, &entries.names, area);
    }
    if let Some(note) = &chart.note {
        let text = fitted(note, 11.0, area.width());
        let look = Type::new(11.0, Ink::Muted, Hold::Left);
        sheet.text(&text, (area.left, area.bottom - 3.0), look);
        area.bottom -= 18.0;
    }
    area
}

/// Rows of swatches and names; gives the height below them.
fn legend(sheet: &mut Sheet, names: &[&str], area: Area) -> f64 {
    let (mut x, mut y) = (area.left, area.top + 6.0);
    let more = names.len().saturating_sub(LEGEND);
    let last = (more > 0).then(|| format!("and {more} more"));
    let shown = names.iter().take(LEGEND).map(|n| fitted(n, LABEL, 220.0));
    for (i, name) in shown.chain(last).enumerate() {
        let wide = 18.0 + text_width(&name, LABEL);
        if x + wide > area.right && x > area.left {
            (x, y) = (area.left, y + 18.0);
        }
        if i < LEGEND {
            sheet.rect((x, y - 5.0), (x + 10.0, y + 5.0), Ink::Series(i), 1.0);
        }
        let look = Type::new(LABEL, Ink::Text, Hold::Left);
        sheet.text(&name, (x + 15.0, y), look);
        x += wide + 16.0;
    }
    y + 16.0
}

/// Both scales and the area of the marks of one part of the data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pane {
    /// The part; none where the chart is not split.
    pub part: Option<usize>,
    pub area: Area,
    /// Of [`Chart::x`], left to right.
    pub x: Scale,
    /// Of [`Chart::y`], bottom to top.
    pub y: Scale,
}

impl Pane {
    /// Whether series of this part belong here.
    pub(crate) fn has(&self, part: usize) -> bool {
        self.part.is_none_or(|own| own == part)
    }
}

/// Lays out the axes of a chart whose x runs left to right, within `area`: one pane, or one for
/// each part of a chart that is split.
pub(crate) fn axes(
    sheet: &mut Sheet,
    chart: &Chart,
    area: Area,
    x_range: (f64, f64),
    stacks: &[Vec<Stacked>],
) -> Vec<Pane> {
    let parts = match chart.split {
        Split::None => 0,
        Split::Axes | Split::Panels => chart.parts.len().min(MAX_PARTS),
    };
    let seen = as_data(x_range, chart.x.log);
    let span = |part| value_range(chart, stacks, part, seen);
    let ranges: Vec<_> = (0..parts).map(|part| span(Some(part))).collect();
    let panes = match (parts, chart.split) {
        (0 | 1, _) => vec![single(sheet, chart, area, x_range, span(None))],
        (_, Split::Axes) => scales(sheet, chart, area, x_range, &ranges),
        _ => panels(sheet, chart, area, x_range, &ranges),
    };
    if let Some(last) = panes.last() {
        bottom_axis(sheet, chart, last, x_range);
    }
    panes
}

fn single(
    sheet: &mut Sheet,
    chart: &Chart,
    area: Area,
    x_range: (f64, f64),
    range: (f64, f64),
) -> Pane {
    let mut inner = area;
    inner.top = value_title(sheet, chart.y.title.as_deref(), area);
    inner.bottom -= bottom_room(chart);
    let marks = value_ticks(chart, range, inner.height());
    inner.left += widest(&marks) + 10.0;
    inner.right -= 8.0;
    let pane = pane(chart, None, inner, x_range, range);
    grid(sheet, &pane, &marks, true);
    pane
}

/// One plot with a scale for each part: the first at the left, the others at the right, beside
/// lines in the colours of their series.
fn scales(
    sheet: &mut Sheet,
    chart: &Chart,
    area: Area,
    x_range: (f64, f64),
    ranges: &[(f64, f64)],
) -> Vec<Pane> {
    let mut inner = area;
    inner.top += 24.0;
    inner.bottom -= bottom_room(chart);
    let ticks: Vec<Vec<Tick>> = ranges
        .iter()
        .map(|range| value_ticks(chart, *range, inner.height()))
        .collect();
    let rooms: Vec<f64> = ticks.iter().map(|t| widest(t).max(40.0) + 14.0).collect();
    inner.left += rooms[0];
    inner.right -= rooms[1..].iter().sum::<f64>();
    let mut panes = Vec::new();
    let mut edge = inner.right;
    for (part, range) in ranges.iter().enumerate() {
        let pane = pane(chart, Some(part), inner, x_range, *range);
        if part == 0 {
            grid(sheet, &pane, &ticks[0], true);
            scale(sheet, chart, &pane, &[], (inner.left, area.left, rooms[0]));
        } else {
            scale(sheet, chart, &pane, &ticks[part], (edge, edge, rooms[part]));
            edge += rooms[part];
        }
        panes.push(pane);
    }
    panes
}

/// The line of a part's scale at `x`, its labels to the right, and its title in the room above.
fn scale(
    sheet: &mut Sheet,
    chart: &Chart,
    pane: &Pane,
    ticks: &[Tick],
    (x, left, room): (f64, f64, f64),
) {
    let part = pane.part.unwrap_or(0);
    let first = chart.series.iter().position(|s| s.part == part);
    let ink = first.map_or(Ink::Base, Ink::Series);
    sheet.line(vec![(x, pane.area.top), (x, pane.area.bottom)], ink, 2.0);
    let look = Type::new(LABEL, Ink::Muted, Hold::Left);
    for tick in ticks {
        if let Some(y) = pane.y.place(tick.at) {
            sheet.text(&tick.label, (x + 6.0, y), look);
        }
    }
    // The first and, of two, the last have the width of the plot for their names.
    let ample = pane.area.width() / 2.0 - 8.0;
    let (x, hold, room) = match (part, chart.parts.len()) {
        (0, _) => (left, Hold::Left, ample),
        (1, 2) => (left + room, Hold::Right, ample),
        _ => (left, Hold::Left, room - 4.0),
    };
    let title = fitted(&chart.parts[part], LABEL, room);
    let look = Type { hold, ..look };
    sheet.text(&title, (x, pane.area.top - 18.0), look);
}

/// A plot for each part, one below another, over one axis.
fn panels(
    sheet: &mut Sheet,
    chart: &Chart,
    area: Area,
    x_range: (f64, f64),
    ranges: &[(f64, f64)],
) -> Vec<Pane> {
    let high = (area.height() - bottom_room(chart)) / ranges.len() as f64;
    let all: Vec<Vec<Tick>> = ranges
        .iter()
        .map(|range| value_ticks(chart, *range, high - 30.0))
        .collect();
    let left = all.iter().map(|t| widest(t)).fold(0.0, f64::max) + 10.0;
    let mut panes = Vec::new();
    for (part, range) in ranges.iter().enumerate() {
        let whole = Area {
            top: area.top + high * part as f64,
            ..area
        };
        let inner = Area {
            left: area.left + left,
            top: value_title(sheet, chart.parts.get(part).map(String::as_str), whole),
            right: area.right - 8.0,
            bottom: whole.top + high - 6.0,
        };
        let pane = pane(chart, Some(part), inner, x_range, *range);
        grid(sheet, &pane, &all[part], true);
        let base = vec![(inner.left, inner.bottom), (inner.right, inner.bottom)];
        sheet.line(base, Ink::Base, 1.0);
        panes.push(pane);
    }
    panes
}

fn pane(
    chart: &Chart,
    part: Option<usize>,
    area: Area,
    x_range: (f64, f64),
    y_range: (f64, f64),
) -> Pane {
    let log = value_axis(chart).log;
    Pane {
        part,
        area,
        x: Scale::new(x_range, chart.x.log, area.left, area.right),
        y: Scale::new(y_range, log, area.bottom, area.top),
    }
}

fn value_ticks(chart: &Chart, range: (f64, f64), height: f64) -> Vec<Tick> {
    let count = (height / 34.0).max(2.0) as usize;
    ticks::ticks(&value_axis(chart), range.0, range.1, count)
}

fn grid(sheet: &mut Sheet, pane: &Pane, ticks: &[Tick], labels: bool) {
    let area = pane.area;
    for tick in ticks {
        let Some(y) = pane.y.place(tick.at) else {
            continue;
        };
        sheet.line(vec![(area.left, y), (area.right, y)], Ink::Grid, 1.0);
        if labels {
            let look = Type::new(LABEL, Ink::Muted, Hold::Right);
            sheet.text(&tick.label, (area.left - 8.0, y), look);
        }
    }
}

/// The room below the plot for the labels and the title of x.
pub(crate) fn bottom_room(chart: &Chart) -> f64 {
    let lines = if chart.x.ty == AxisType::DateTime {
        34.0
    } else {
        20.0
    };
    if chart.x.title.is_some() {
        lines + 18.0
    } else {
        lines
    }
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks
        .iter()
        .map(|t| text_width(&t.label, LABEL))
        .fold(0.0, f64::max)
}

/// The title of the values stands above their axis, where it reads without turning one's head.
/// Gives the height below it.
fn value_title(sheet: &mut Sheet, title: Option<&str>, area: Area) -> f64 {
    let Some(title) = title else {
        return area.top + 6.0;
    };
    let text = fitted(title, LABEL, area.width());
    let look = Type::new(LABEL, Ink::Muted, Hold::Left);
    sheet.text(&text, (area.left, area.top + 6.0), look);
    area.top + 24.0
}

/// Lays out the axis of x below `pane`.
pub(crate) fn bottom_axis(sheet: &mut Sheet, chart: &Chart, pane: &Pane, range: (f64, f64)) {
    let area = pane.area;
    let base = vec![(area.left, area.bottom), (area.right, area.bottom)];
    sheet.line(base, Ink::Base, 1.0);
    let look = Type::new(LABEL, Ink::Muted, Hold::Middle);
    for tick in x_ticks(chart, area, range) {
        let Some(x) = pane.x.place(tick.at) else {
            continue;
        };
        if chart.x.ty != AxisType::Category {
            let mark = vec![(x, area.bottom), (x, area.bottom + 4.0)];
            sheet.line(mark, Ink::Base, 1.0);
        }
        sheet.text(&tick.label, (x, area.bottom + 13.0), look);
        if let Some(below) = &tick.below {
            sheet.text(below, (x, area.bottom + 28.0), look);
        }
    }
    if let Some(title) = &chart.x.title {
        let y = area.bottom + bottom_room(chart) - 8.0;
        let text = fitted(title, LABEL, area.width());
        sheet.text(&text, ((area.left + area.right) / 2.0, y), look);
    }
}

fn x_ticks(chart: &Chart, area: Area, range: (f64, f64)) -> Vec<Tick> {
    if chart.x.ty != AxisType::Category {
        let count = (area.width() / 84.0).max(3.0) as usize;
        return ticks::ticks(&chart.x, range.0, range.1, count);
    }
    let slot = area.width() / (range.1 - range.0).max(1.0);
    let every = (28.0 / slot).ceil().max(1.0) as usize;
    let room = slot * every as f64 - 6.0;
    chart
        .x
        .categories
        .iter()
        .enumerate()
        .step_by(every)
        .filter(|(i, _)| (range.0..=range.1).contains(&(*i as f64)))
        .map(|(i, name)| Tick {
            at: i as f64,
            label: fitted(name, LABEL, room),
            below: None,
        })
        .collect()
}

/// A message in the middle of an empty plot.
pub(crate) fn nothing(sheet: &mut Sheet, area: Area) {
    let look = Type::new(14.0, Ink::Muted, Hold::Middle);
    sheet.text("No data to draw", area.middle(), look);
}
