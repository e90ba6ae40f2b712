//! Draws what is on a sheet with plotters, on any of its backends.

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{
    Color, DrawingArea, DrawingBackend, FontFamily, IntoFont, RGBColor, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, ShapeStyle};

use super::palette::Palette;
use super::sheet::{Hold, Ink, Item, Point, Type};
use crate::ChartError;

const FONT: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/// How a backend differs from logical pixels, and in which colours it is drawn on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surface {
    /// Device pixels in a logical pixel.
    pub scale: f64,
    /// The factor that makes the backend's font size one of logical pixels: 1.24 for plotters'
    /// SVG backend, 1 for its canvas backend.
    pub font: f64,
    /// The colours.
    pub palette: Palette,
}

/// Draws `items` on `area` in their order.
pub(crate) fn paint<DB: DrawingBackend>(
    items: &[Item],
    area: &DrawingArea<DB, Shift>,
    surface: Surface,
) -> Result<(), ChartError> {
    let brush = Brush { area, surface };
    items.iter().try_for_each(|item| brush.item(item))
}

struct Brush<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    surface: Surface,
}

impl<DB: DrawingBackend> Brush<'_, DB> {
    fn item(&self, item: &Item) -> Result<(), ChartError> {
        match item {
            Item::Line { points, ink, width } => match points.as_slice() {
                [a, b] if *width <= 1.0 && (a.0 == b.0 || a.1 == b.1) => {
                    self.hairline(*a, *b, *ink)
                }
                _ => self.draw(PathElement::new(
                    self.device(points),
                    self.pen(*ink, *width),
                )),
            },
            Item::Fill {
                points,
                ink,
                opacity,
            } => self.draw(Polygon::new(
                self.device(points),
                self.colour(*ink).mix(*opacity),
            )),
            Item::Rect { area, ink, opacity } => {
                let style = ShapeStyle::from(self.colour(*ink).mix(*opacity)).filled();
                let from = self.at((area.left.min(area.right), area.top.min(area.bottom)));
                let to = self.at((area.left.max(area.right), area.top.max(area.bottom)));
                self.draw(Rectangle::new([from, to], style))
            }
            Item::Dot {
                at,
                radius,
                ink,
                opacity,
            } => {
                let style = ShapeStyle::from(self.colour(*ink).mix(*opacity)).filled();
                self.draw(Circle::new(
                    self.at(*at),
                    radius * self.surface.scale,
                    style,
                ))
            }
            Item::Ring { at, radius, ink } => {
                let style = self.pen(*ink, 2.0);
                self.draw(Circle::new(
                    self.at(*at),
                    radius * self.surface.scale,
                    style,
                ))
            }
            Item::Text { text, at, look } => self.text(text, *at, *look),
        }
    }

    /// A line of a pixel along an axis. It is filled and not stroked: a canvas would spread a
    /// stroke over two pixels.
    fn hairline(&self, a: Point, b: Point, ink: Ink) -> Result<(), ChartError> {
        let (a, b) = (self.at(a), self.at(b));
        let thick = self.stroke(1.0) as i32;
        let half = thick / 2;
        let (from, to) = if a.1 == b.1 {
            (
                (a.0.min(b.0), a.1 - half),
                (a.0.max(b.0), a.1 - half + thick),
            )
        } else {
            (
                (a.0 - half, a.1.min(b.1)),
                (a.0 - half + thick, a.1.max(b.1)),
            )
        };
        let style = ShapeStyle::from(self.colour(ink)).filled();
        self.draw(Rectangle::new([from, to], style))
    }

    fn text(&self, text: &str, at: Point, look: Type) -> Result<(), ChartError> {
        let hold = match look.hold {
            Hold::Left => HPos::Left,
            Hold::Middle => HPos::Center,
            Hold::Right => HPos::Right,
        };
        let size = look.size * self.surface.scale * self.surface.font;
        let mut font = (FontFamily::Name(FONT), size).into_font();
        if look.bold {
            font = font.style(FontStyle::Bold);
        }
        let colour = self.colour(look.ink);
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(hold, VPos::Center));
        self.draw(Text::new(text.to_string(), self.at(at), style))
    }

    fn draw<E>(&self, element: E) -> Result<(), ChartError>
    where
        for<'b> &'b E: plotters::element::PointCollection<'b, (i32, i32)>,
        E: plotters::element::Drawable<DB>,
    {
        self.area
            .draw(&element)
            .map_err(|e| ChartError::Draw(e.to_string()))
    }

    fn colour(&self, ink: Ink) -> RGBColor {
        let (r, g, b) = self.surface.palette.of(ink);
        RGBColor(r, g, b)
    }

    fn pen(&self, ink: Ink, width: f64) -> ShapeStyle {
        ShapeStyle::from(&self.colour(ink)).stroke_width(self.stroke(width))
    }

    /// Held far outside any picture, where backends can still subtract.
    fn at(&self, (x, y): Point) -> (i32, i32) {
        let device = |v: f64| (v * self.surface.scale).round().clamp(-1e6, 1e6) as i32;
        (device(x), device(y))
    }

    fn device(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|p| self.at(*p)).collect()
    }

    fn stroke(&self, width: f64) -> u32 {
        (width * self.surface.scale).round().clamp(1.0, 100.0) as u32
    }
}
