//! The sheet that a chart is laid out on: a list of what to draw, in logical pixels, and of what
//! there is to point at.
//!
//! Every other file of [`crate::scene`] writes on a [`Sheet`]; [`super::paint`] alone knows
//! plotters and colours. So a layout is computed once for a size and drawn as often as a theme
//! or a pointer asks.

use super::target::{Shape, Target};

/// A point in logical pixels.
pub(crate) type Point = (f64, f64);

/// A rectangle in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
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

    pub(crate) fn middle(&self) -> Point {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }
}

/// A colour by its part in the picture; [`super::Palette`] says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Titles and values.
    Text,
    /// Labels and titles of axes.
    Muted,
    /// Grid lines.
    Grid,
    /// The lines that marks stand on.
    Base,
    /// The panel behind it all.
    Panel,
    /// The rings around anomalies.
    Alarm,
    /// A series.
    Series(usize),
    /// Text upon a series' colour.
    Upon(usize),
}

/// Where text is held: left, middle or right of its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Left,
    Middle,
    Right,
}

/// How one piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Type {
    pub size: f64,
    pub ink: Ink,
    pub bold: bool,
    pub hold: Hold,
}

impl Type {
    pub(crate) fn new(size: f64, ink: Ink, hold: Hold) -> Self {
        Self {
            size,
            ink,
            bold: false,
            hold,
        }
    }
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Line {
        points: Vec<Point>,
        ink: Ink,
        width: f64,
    },
    Fill {
        points: Vec<Point>,
        ink: Ink,
        opacity: f64,
    },
    Rect {
        area: Area,
        ink: Ink,
        opacity: f64,
    },
    Dot {
        at: Point,
        radius: f64,
        ink: Ink,
        opacity: f64,
    },
    Ring {
        at: Point,
        radius: f64,
        ink: Ink,
    },
    Text {
        text: String,
        at: Point,
        look: Type,
    },
}

/// What is laid out so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    size: Point,
    pub items: Vec<Item>,
    pub targets: Vec<Target>,
}

impl Sheet {
    /// An empty sheet of `size` logical pixels.
    pub(crate) fn new(size: Point) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// Width and height in logical pixels.
    pub(crate) fn size(&self) -> Point {
        self.size
    }

    pub(crate) fn line(&mut self, points: Vec<Point>, ink: Ink, width: f64) {
        self.items.push(Item::Line { points, ink, width });
    }

    pub(crate) fn fill(&mut self, points: Vec<Point>, ink: Ink, opacity: f64) {
        self.items.push(Item::Fill {
            points,
            ink,
            opacity,
        });
    }

    pub(crate) fn rect(&mut self, from: Point, to: Point, ink: Ink, opacity: f64) {
        let area = Area {
            left: from.0,
            top: from.1,
            right: to.0,
            bottom: to.1,
        };
        self.items.push(Item::Rect { area, ink, opacity });
    }

    pub(crate) fn dot(&mut self, at: Point, radius: f64, ink: Ink, opacity: f64) {
        self.items.push(Item::Dot {
            at,
            radius,
            ink,
            opacity,
        });
    }

    pub(crate) fn ring(&mut self, at: Point, radius: f64, ink: Ink) {
        self.items.push(Item::Ring { at, radius, ink });
    }

    /// Text whose middle is at the height of `at`.
    pub(crate) fn text(&mut self, text: &str, at: Point, look: Type) {
        self.items.push(Item::Text {
            text: text.to_string(),
            at,
            look,
        });
    }

    /// Says that point `point` of series `series` can be pointed at.
    pub(crate) fn target(&mut self, series: usize, point: usize, at: Point, shape: Shape) {
        self.targets.push(Target {
            series,
            point,
            at,
            shape,
        });
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
    // No letter is narrower than 0.3 of its size, so of a text of megabytes few letters count.
    let fit = (width / (size * 0.3)).clamp(0.0, 4_000.0) as usize + 2;
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= fit && text_width(text, size) <= width {
        return text.to_string();
    }
    let mut keep = chars.len().min(fit);
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
