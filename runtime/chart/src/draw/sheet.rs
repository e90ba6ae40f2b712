//! The drawing surface: plotters' area in logical pixels, with our text, lines and fills.
//!
//! Every other file of [`crate::draw`] draws through a [`Sheet`], so that scale, fonts and text
//! measuring are decided here alone.

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{
    Color, DrawingArea, DrawingBackend, FontFamily, IntoFont, RGBColor, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, ShapeStyle};

use crate::ChartError;

/// Titles and values.
pub(crate) const INK: RGBColor = RGBColor(31, 41, 55);
/// Labels and titles of axes.
pub(crate) const MUTED: RGBColor = RGBColor(91, 101, 115);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(229, 231, 235);
/// The lines that marks stand on.
pub(crate) const BASE: RGBColor = RGBColor(156, 163, 175);
/// The panel behind it all.
pub(crate) const PANEL: RGBColor = RGBColor(255, 255, 255);
/// The rings around anomalies.
pub(crate) const ALARM: RGBColor = RGBColor(204, 51, 17);

const FONT: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/// Colours of series: Paul Tol's vibrant scheme, told apart with any kind of colour vision, then
/// four more from his muted scheme. Beyond those, series are grey.
const PALETTE: [RGBColor; 10] = [
    RGBColor(0, 119, 187),
    RGBColor(238, 119, 51),
    RGBColor(0, 153, 136),
    RGBColor(238, 51, 119),
    RGBColor(51, 187, 238),
    RGBColor(204, 51, 17),
    RGBColor(51, 34, 136),
    RGBColor(153, 153, 51),
    RGBColor(136, 34, 85),
    RGBColor(17, 119, 51),
];

/// The colour of series `index`.
pub(crate) fn colour(index: usize) -> RGBColor {
    PALETTE
        .get(index)
        .copied()
        .unwrap_or(RGBColor(176, 180, 187))
}

/// A point in logical pixels.
pub(crate) type Point = (f64, f64);

/// Where text is held: left, middle or right of its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Left,
    Middle,
    Right,
}

/// How one piece of text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub size: f64,
    pub colour: RGBColor,
    pub bold: bool,
    pub hold: Hold,
}

impl Type {
    pub(crate) fn new(size: f64, colour: RGBColor, hold: Hold) -> Self {
        Self {
            size,
            colour,
            bold: false,
            hold,
        }
    }
}

/// A plotters area, drawn to in logical pixels.
pub(crate) struct Sheet<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    scale: f64,
    /// What a font size is multiplied with for this backend.
    font: f64,
}

impl<'a, DB: DrawingBackend> Sheet<'a, DB> {
    pub(crate) fn new(area: &'a DrawingArea<DB, Shift>, scale: f64, font: f64) -> Self {
        Self { area, scale, font }
    }

    /// Width and height in logical pixels.
    pub(crate) fn size(&self) -> (f64, f64) {
        let (w, h) = self.area.dim_in_pixel();
        (f64::from(w) / self.scale, f64::from(h) / self.scale)
    }

    pub(crate) fn line(
        &self,
        points: &[Point],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        let style = ShapeStyle::from(&colour).stroke_width(self.stroke(width));
        self.draw(PathElement::new(self.device(points), style))
    }

    pub(crate) fn fill(
        &self,
        points: &[Point],
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        self.draw(Polygon::new(self.device(points), colour.mix(opacity)))
    }

    pub(crate) fn rect(
        &self,
        from: Point,
        to: Point,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let style = ShapeStyle::from(colour.mix(opacity)).filled();
        self.draw(Rectangle::new([self.at(from), self.at(to)], style))
    }

    pub(crate) fn dot(
        &self,
        at: Point,
        radius: f64,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let style = ShapeStyle::from(colour.mix(opacity)).filled();
        self.draw(Circle::new(self.at(at), radius * self.scale, style))
    }

    pub(crate) fn ring(&self, at: Point, radius: f64, colour: RGBColor) -> Result<(), ChartError> {
        let style = ShapeStyle::from(&colour).stroke_width(self.stroke(2.0));
        self.draw(Circle::new(self.at(at), radius * self.scale, style))
    }

    /// Text whose middle is at the height of `at`.
    pub(crate) fn text(&self, text: &str, at: Point, look: Type) -> Result<(), ChartError> {
        let hold = match look.hold {
            Hold::Left => HPos::Left,
            Hold::Middle => HPos::Center,
            Hold::Right => HPos::Right,
        };
        let mut font = (FontFamily::Name(FONT), look.size * self.scale * self.font).into_font();
        if look.bold {
            font = font.style(FontStyle::Bold);
        }
        let style = TextStyle::from(font)
            .color(&look.colour)
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

    fn at(&self, (x, y): Point) -> (i32, i32) {
        (
            (x * self.scale).round() as i32,
            (y * self.scale).round() as i32,
        )
    }

    fn device(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|p| self.at(*p)).collect()
    }

    fn stroke(&self, width: f64) -> u32 {
        (width * self.scale).round().max(1.0) as u32
    }
}

/// About how wide `text` is at `size`, in logical pixels. The browser's font is not known here;
/// the figures are those of common sans-serif faces, rounded up.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 0.32,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '"' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        'A'..='Z' | '_' => 0.7,
        '\u{1100}'.. => 1.05,
        _ => 0.6,
    }
}

/// `text`, cut with an ellipsis so that it fits `width`. Names such as paths differ at their
/// ends, so the cut is in the middle.
pub(crate) fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_string();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut keep = chars.len();
    while keep > 1 {
        keep -= 1;
        let (head, tail) = (keep.div_ceil(2), keep / 2);
        let cut: String = chars[..head]
            .iter()
            .chain(&['…'])
            .chain(&chars[chars.len() - tail..])
            .collect();
        if text_width(&cut, size) <= width {
            return cut;
        }
    }
    "…".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_in_the_middle() {
        let path = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let cut = fitted(path, 12.0, 150.0);
        assert!(cut.starts_with(r"C:\W") && cut.ends_with(".exe"), "{cut}");
        assert!(text_width(&cut, 12.0) <= 150.0);
        assert_eq!(fitted("short", 12.0, 150.0), "short");
        assert_eq!(fitted("wide", 12.0, 0.0), "…");
    }
}
