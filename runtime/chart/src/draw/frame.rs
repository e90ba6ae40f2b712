//! What surrounds the marks: title, legend, note, axes with their grid, and the scales that take
//! data to pixels.

use plotters::prelude::DrawingBackend;

use super::sheet::{BASE, GRID, Hold, INK, MUTED, Point, Sheet, Type, colour, fitted, text_width};
use crate::ChartError;
use crate::model::{Axis, AxisType, Chart, Kind, Stacking};
use crate::ticks::{self, Tick};

/// The space around everything.
const PAD: f64 = 16.0;
const LABEL: f64 = 12.0;
const TITLE: f64 = 15.0;
/// The most entries of a legend.
const LEGEND: usize = 20;

/// A rectangle in logical pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// Takes data along one axis to pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    min: f64,
    max: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// The scale that takes `range` (already of logarithms if `log`) to `from..to`.
    pub(crate) fn new((min, max): (f64, f64), log: bool, from: f64, to: f64) -> Self {
        Self {
            min,
            max,
            log,
            from,
            to,
        }
    }

    /// The pixel of `value`; none for what a logarithm does not have.
    pub(crate) fn pixel(&self, value: f64) -> Option<f64> {
        if !self.log {
            return self.place(value);
        }
        if value > 0.0 {
            self.place(value.log10())
        } else {
            None
        }
    }

    /// The pixel of a tick, whose position is of logarithms already.
    fn place(&self, value: f64) -> Option<f64> {
        let share = (value - self.min) / (self.max - self.min);
        let pixel = self.from + share * (self.to - self.from);
        pixel.is_finite().then_some(pixel.clamp(-1e6, 1e6))
    }

    /// The pixel of zero, or the end nearest to it.
    pub(crate) fn zero(&self) -> f64 {
        if self.log {
            return self.from;
        }
        self.place(0.0f64.clamp(self.min, self.max))
            .unwrap_or(self.from)
    }
}

/// Draws title, legend and note, and gives what is left.
pub(crate) fn surround<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<Area, ChartError> {
    let (width, height) = sheet.size();
    let mut area = Area {
        left: PAD,
        top: PAD,
        right: width - PAD,
        bottom: height - PAD,
    };
    if let Some(title) = &chart.title {
        let look = Type {
            bold: true,
            ..Type::new(TITLE, INK, Hold::Left)
        };
        sheet.text(
            &fitted(title, TITLE, area.width()),
            (area.left, area.top + 6.0),
            look,
        )?;
        area.top += 24.0;
    }
    if chart.legend && chart.kind != Kind::Pie {
        let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
        area.top = legend(sheet, &names, area)?;
    }
    if let Some(note) = &chart.note {
        let look = Type::new(11.0, MUTED, Hold::Left);
        sheet.text(
            &fitted(note, 11.0, area.width()),
            (area.left, area.bottom - 3.0),
            look,
        )?;
        area.bottom -= 18.0;
    }
    Ok(area)
}

/// Rows of swatches and names; gives the height below them.
fn legend<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    names: &[&str],
    area: Area,
) -> Result<f64, ChartError> {
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
            sheet.rect((x, y - 5.0), (x + 10.0, y + 5.0), colour(i), 1.0)?;
        }
        sheet.text(&name, (x + 15.0, y), Type::new(LABEL, INK, Hold::Left))?;
        x += wide + 16.0;
    }
    Ok(y + 16.0)
}

/// Both scales and the area of the marks.
pub(crate) struct Plot {
    pub area: Area,
    /// Of [`Chart::x`], left to right.
    pub x: Scale,
    /// Of [`Chart::y`], bottom to top.
    pub y: Scale,
}

/// Draws both axes of a chart whose x runs left to right, within `area`.
pub(crate) fn axes<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
    area: Area,
    x_range: (f64, f64),
) -> Result<Plot, ChartError> {
    let mut inner = area;
    inner.top = value_title(sheet, chart, area)?;
    inner.bottom -= bottom_room(chart);
    let y_axis = value_axis(chart);
    let y_range = value_range(chart);
    let y_ticks = ticks::ticks(
        &y_axis,
        y_range.0,
        y_range.1,
        (inner.height() / 34.0).max(2.0) as usize,
    );
    inner.left += widest(&y_ticks) + 10.0;
    inner.right -= 8.0;
    let plot = Plot {
        area: inner,
        x: Scale::new(x_range, chart.x.log, inner.left, inner.right),
        y: Scale::new(y_range, y_axis.log, inner.bottom, inner.top),
    };
    for tick in &y_ticks {
        let Some(y) = plot.y.place(tick.at) else {
            continue;
        };
        sheet.line(&[(inner.left, y), (inner.right, y)], GRID, 1.0)?;
        sheet.text(
            &tick.label,
            (inner.left - 8.0, y),
            Type::new(LABEL, MUTED, Hold::Right),
        )?;
    }
    bottom_axis(sheet, chart, &plot, x_range)?;
    Ok(plot)
}

fn bottom_room(chart: &Chart) -> f64 {
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
pub(crate) fn value_title<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
    area: Area,
) -> Result<f64, ChartError> {
    let Some(title) = &chart.y.title else {
        return Ok(area.top + 6.0);
    };
    let text = fitted(title, LABEL, area.width());
    sheet.text(
        &text,
        (area.left, area.top + 6.0),
        Type::new(LABEL, MUTED, Hold::Left),
    )?;
    Ok(area.top + 24.0)
}

fn bottom_axis<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
    plot: &Plot,
    range: (f64, f64),
) -> Result<(), ChartError> {
    let area = plot.area;
    sheet.line(
        &[(area.left, area.bottom), (area.right, area.bottom)],
        BASE,
        1.0,
    )?;
    let look = Type::new(LABEL, MUTED, Hold::Middle);
    for tick in x_ticks(chart, plot, range) {
        let Some(x) = plot.x.place(tick.at) else {
            continue;
        };
        if chart.x.ty != AxisType::Category {
            sheet.line(&[(x, area.bottom), (x, area.bottom + 4.0)], BASE, 1.0)?;
        }
        sheet.text(&tick.label, (x, area.bottom + 13.0), look)?;
        if let Some(below) = &tick.below {
            sheet.text(below, (x, area.bottom + 28.0), look)?;
        }
    }
    if let Some(title) = &chart.x.title {
        let y = area.bottom + bottom_room(chart) - 8.0;
        let text = fitted(title, LABEL, area.width());
        sheet.text(&text, ((area.left + area.right) / 2.0, y), look)?;
    }
    Ok(())
}

fn x_ticks(chart: &Chart, plot: &Plot, range: (f64, f64)) -> Vec<Tick> {
    if chart.x.ty != AxisType::Category {
        return ticks::ticks(
            &chart.x,
            range.0,
            range.1,
            (plot.area.width() / 84.0).max(2.0) as usize,
        );
    }
    let slot = plot.area.width() / chart.x.categories.len().max(1) as f64;
    let every = (28.0 / slot).ceil().max(1.0) as usize;
    let room = slot * every as f64 - 6.0;
    chart
        .x
        .categories
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(i, name)| Tick {
            at: i as f64,
            label: fitted(name, LABEL, room),
            below: None,
        })
        .collect()
}

/// The axis of values as it is drawn: shares of a whole are percentages.
pub(crate) fn value_axis(chart: &Chart) -> Axis {
    Axis {
        log: chart.y.log && chart.stacking == Stacking::None,
        ..chart.y.clone()
    }
}

/// The least and greatest value shown, of logarithms on such an axis, with room at the ends.
pub(crate) fn value_range(chart: &Chart) -> (f64, f64) {
    let log = value_axis(chart).log;
    let (low, high) = extent(
        super::lines::stacked(chart)
            .into_iter()
            .flatten()
            .flat_map(|p| [p.base, p.top]),
        log,
    );
    let low = chart
        .y
        .min
        .map_or(low, |v| if log { v.max(1e-12).log10() } else { v });
    let high = chart
        .y
        .max
        .map_or(high, |v| if log { v.max(1e-12).log10() } else { v });
    let (low, high) = if high > low {
        (low, high)
    } else {
        (low, low + 1.0)
    };
    if log {
        return (
            chart.y.min.map_or(low.floor(), |_| low),
            chart.y.max.map_or(high.ceil(), |_| high),
        );
    }
    let low = if chart.kind.stands_on_zero() || low > 0.0 && low < high * 0.7 {
        low.min(0.0)
    } else {
        low
    };
    let room = (high - low) * 0.05;
    let low = if low == 0.0 || chart.y.min.is_some() {
        low
    } else {
        low - room
    };
    let high = if high == 0.0 || chart.y.max.is_some() || chart.stacking == Stacking::Stacked100 {
        high
    } else {
        high + room
    };
    (low, high)
}

fn extent(values: impl Iterator<Item = f64>, log: bool) -> (f64, f64) {
    let values = values
        .filter(|v| !log || *v > 0.0)
        .map(|v| if log { v.log10() } else { v });
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// The least and greatest x, as the query set them or as the data has them, with room around a
/// single point; of logarithms on such an axis.
pub(crate) fn x_range(chart: &Chart) -> (f64, f64) {
    let all = chart
        .series
        .iter()
        .flat_map(|s| s.points.iter().map(|p| p.0));
    let (low, high) = extent(all, chart.x.log);
    let set = |limit: Option<f64>, found: f64| match limit {
        Some(v) if chart.x.log => v.max(1e-12).log10(),
        Some(v) => v,
        None => found,
    };
    let (low, high) = (set(chart.x.min, low), set(chart.x.max, high));
    if high > low {
        (low, high)
    } else {
        (low - 0.5, low + 0.5)
    }
}

/// A message in the middle of an empty plot.
pub(crate) fn nothing<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    area: Area,
) -> Result<(), ChartError> {
    let middle: Point = (
        (area.left + area.right) / 2.0,
        (area.top + area.bottom) / 2.0,
    );
    sheet.text(
        "No data to draw",
        middle,
        Type::new(14.0, MUTED, Hold::Middle),
    )
}
