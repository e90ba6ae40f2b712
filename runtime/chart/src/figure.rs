//! A chart that a reader explores: laid out for a size, zoomed, pointed at, walked through.
//!
//! The page keeps one for each chart on screen and draws it on a canvas; it holds no element and
//! no backend. Title, legend and note are the page's to show, as text that can be read aloud.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend};

use crate::ChartError;
use crate::model::Chart;
use crate::scene::{Layout, Scene, Surface, Target};
use crate::view::{Entry, Hit, Step, ViewState};
use crate::words;

/// The least share of the whole range that a reader can zoom in to.
const CLOSEST: f64 = 1e-7;
/// The fewest pixels that a drag covers to be one.
const DRAG: f64 = 4.0;

/// A chart with a reader's view of it, laid out.
pub struct Figure {
    chart: Chart,
    view: ViewState,
    scene: Scene,
    /// The range that is being chosen, in pixels.
    brush: Option<(f64, f64)>,
}

impl Figure {
    /// Lays `chart` out for `size` logical pixels, whole.
    pub fn new(chart: Chart, size: (f64, f64)) -> Self {
        let view = ViewState::default();
        let scene = lay(&chart, &view, size);
        Self {
            chart,
            view,
            scene,
            brush: None,
        }
    }

    /// The chart.
    pub fn chart(&self) -> &Chart {
        &self.chart
    }

    /// The reader's view of it.
    pub fn view(&self) -> &ViewState {
        &self.view
    }

    /// Lays it out for another size.
    pub fn resize(&mut self, size: (f64, f64)) {
        self.scene = lay(&self.chart, &self.view, size);
    }

    /// Whether there is an axis to zoom along.
    pub fn zooms(&self) -> bool {
        self.scene.zoom_scale().is_some()
    }

    /// Shows the range between two pixels; gives whether anything changed. A range of few pixels is
    /// a click and changes nothing.
    pub fn zoom(&mut self, from: f64, to: f64) -> bool {
        let Some(scale) = self.scene.zoom_scale() else {
            return false;
        };
        let (low, high) = scale.ends();
        let (from, to) = (from.min(to).max(low), from.max(to).min(high));
        to - from >= DRAG && self.show(scale.value(from), scale.value(to))
    }

    /// Shows `factor` times the range, around a pixel: less than 1 zooms in. Zooming out beyond the
    /// whole shows the whole.
    pub fn zoom_at(&mut self, x: f64, factor: f64) -> bool {
        let Some(scale) = self.scene.zoom_scale() else {
            return false;
        };
        let (low, high) = scale.ends();
        let x = x.clamp(low, high);
        let (from, to) = (x - (x - low) * factor, x + (high - x) * factor);
        if factor > 1.0 {
            let whole = lay(&self.chart, &ViewState::default(), self.scene.size());
            let all = whole
                .zoom_scale()
                .map(|all| (all.value(low), all.value(high)));
            let beyond = |all: (f64, f64)| scale.value(from) <= all.0 && scale.value(to) >= all.1;
            if all.is_some_and(beyond) {
                return self.reset();
            }
        }
        self.show(scale.value(from), scale.value(to))
    }

    fn show(&mut self, from: f64, to: f64) -> bool {
        let whole = self.chart.series.iter().flat_map(|s| &s.points);
        let (low, high) = whole.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| {
            (a.min(p.0), b.max(p.0))
        });
        let fine = (high - low).abs() * CLOSEST;
        if !(from.is_finite() && to.is_finite()) || to - from <= fine {
            return false;
        }
        self.view.zoom = Some((from, to));
        self.view.hovered = None;
        self.resize(self.scene.size());
        true
    }

    /// Shows the whole range again; gives whether anything changed.
    pub fn reset(&mut self) -> bool {
        let was = self.view.zoom.take().is_some();
        if was {
            self.view.hovered = None;
            self.resize(self.scene.size());
        }
        was
    }

    /// The legend's entries; none where the chart has no legend.
    pub fn legend(&self) -> Vec<Entry> {
        let entries = self.chart.entries();
        if !self.chart.legend {
            return Vec::new();
        }
        let entry = |(i, name): (usize, &&str)| Entry {
            name: (*name).to_string(),
            hidden: self.view.hidden.contains(&i),
        };
        entries.names.iter().enumerate().map(entry).collect()
    }

    /// Hides an entry of the legend, or shows it again.
    pub fn toggle(&mut self, entry: usize) {
        if !self.view.hidden.remove(&entry) {
            self.view.hidden.insert(entry);
        }
        self.view.hovered = None;
        self.resize(self.scene.size());
    }

    /// The mark nearest to a pixel, where one is near enough for its kind.
    pub fn nearest(&self, x: f64, y: f64) -> Option<Hit> {
        self.scene.nearest(x, y).map(|target| self.hit(target))
    }

    /// Takes the mark nearest to a pixel as the one that is pointed at.
    pub fn hover(&mut self, x: f64, y: f64) -> Option<Hit> {
        let hit = self.nearest(x, y);
        self.view.hovered = hit.as_ref().map(|hit| (hit.series, hit.point));
        hit
    }

    /// Points at nothing.
    pub fn leave(&mut self) {
        self.view.hovered = None;
    }

    /// Steps to another mark from the one that is pointed at; the first step is to the first mark.
    pub fn step(&mut self, step: Step) -> Option<Hit> {
        let targets = self.scene.targets();
        let now = self.hovered();
        let target = match now {
            None => targets.iter().min_by_key(|t| (t.series, t.point)),
            Some(now) => beside(targets, now, step).or(Some(now)),
        }?;
        let hit = self.hit(target);
        self.view.hovered = Some((hit.series, hit.point));
        Some(hit)
    }

    /// The mark that is pointed at.
    pub fn here(&self) -> Option<Hit> {
        self.hovered().map(|target| self.hit(target))
    }

    fn hovered(&self) -> Option<&Target> {
        let at = self.view.hovered?;
        let targets = self.scene.targets();
        targets.iter().find(|t| (t.series, t.point) == at)
    }

    fn hit(&self, target: &Target) -> Hit {
        Hit {
            series: target.series,
            point: target.point,
            at: target.tip(),
            lines: words::label(&self.chart, target.series, target.point),
        }
    }

    /// Sets the range that is being chosen, in pixels.
    pub fn brush(&mut self, range: Option<(f64, f64)>) {
        self.brush = range;
    }

    /// Draws the chart over the whole of `area`. Fails only where the backend does.
    pub fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        surface: Surface,
    ) -> Result<(), ChartError> {
        self.scene.draw(area, surface)
    }

    /// Draws what follows the pointer on a layer above, which the caller has cleared.
    pub fn draw_hover<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        surface: Surface,
    ) -> Result<(), ChartError> {
        self.scene
            .draw_hover(area, surface, self.hovered(), self.brush)
    }

    /// How many things are drawn.
    #[cfg(test)]
    pub(crate) fn drawn(&self) -> usize {
        self.scene.drawn()
    }
}

fn lay(chart: &Chart, view: &ViewState, size: (f64, f64)) -> Scene {
    let of = Layout {
        chart,
        view,
        bare: true,
    };
    Scene::new(&of, size)
}

/// The mark that `step` leads to from `now`, if there is one.
fn beside<'a>(targets: &'a [Target], now: &Target, step: Step) -> Option<&'a Target> {
    let own = || targets.iter().filter(|t| t.series == now.series);
    match step {
        Step::Next => own()
            .filter(|t| t.point > now.point)
            .min_by_key(|t| t.point),
        Step::Previous => own()
            .filter(|t| t.point < now.point)
            .max_by_key(|t| t.point),
        Step::First => own().min_by_key(|t| t.point),
        Step::Last => own().max_by_key(|t| t.point),
        Step::NextSeries | Step::PreviousSeries => {
            let up = step == Step::NextSeries;
            let others = targets.iter().map(|t| t.series);
            let series = if up {
                others.filter(|s| *s > now.series).min()
            } else {
                others.filter(|s| *s < now.series).max()
            }?;
            let away = |t: &&Target| (t.at.0 - now.at.0).hypot(t.at.1 - now.at.1);
            let along = |t: &&Target| (t.at.0 - now.at.0).abs();
            targets
                .iter()
                .filter(|t| t.series == series)
                .min_by(|a, b| {
                    (along(a), away(a))
                        .partial_cmp(&(along(b), away(b)))
                        .unwrap_or(std::cmp::Ordering::Equal)
                })
        }
    }
}
