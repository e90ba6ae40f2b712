//! Which colours a chart is drawn in.

use super::sheet::Ink;

/// Red, green and blue.
pub type Rgb = (u8, u8, u8);

/// The colours of a chart. A page takes [`Palette::LIGHT`] or [`Palette::DARK`] and may set
/// single colours to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Titles and values.
    pub text: Rgb,
    /// Labels and titles of axes.
    pub muted: Rgb,
    /// Grid lines.
    pub grid: Rgb,
    /// The lines that marks stand on.
    pub base: Rgb,
    /// The panel behind it all.
    pub panel: Rgb,
    /// The rings around anomalies.
    pub alarm: Rgb,
    /// The series, in their order.
    pub series: [Rgb; 10],
    /// All series beyond those.
    pub rest: Rgb,
}

impl Palette {
    /// For light pages and for saved pictures. The series have Paul Tol's vibrant scheme, told
    /// apart with any kind of colour vision, then four more from his muted scheme; orange and cyan are darker than his, so that
    /// each stands out from the panel as WCAG 2 asks of what is no text.
    pub const LIGHT: Palette = Palette {
        text: (31, 41, 55),
        muted: (91, 101, 115),
        grid: (229, 231, 235),
        base: (156, 163, 175),
        panel: (255, 255, 255),
        alarm: (204, 51, 17),
        series: [
            (0, 119, 187),
            (224, 104, 32),
            (0, 153, 136),
            (238, 51, 119),
            (25, 155, 210),
            (204, 51, 17),
            (51, 34, 136),
            (153, 153, 51),
            (136, 34, 85),
            (17, 119, 51),
        ],
        rest: (120, 126, 136),
    };

    /// For dark pages: the same hues, light enough to stand out.
    pub const DARK: Palette = Palette {
        text: (229, 231, 235),
        muted: (160, 168, 180),
        grid: (45, 51, 60),
        base: (107, 114, 128),
        panel: (22, 25, 30),
        alarm: (255, 122, 89),
        series: [
            (77, 166, 229),
            (243, 146, 82),
            (41, 184, 166),
            (244, 109, 159),
            (120, 211, 245),
            (235, 104, 77),
            (155, 141, 232),
            (195, 195, 96),
            (209, 110, 160),
            (92, 184, 118),
        ],
        rest: (122, 128, 138),
    };

    /// The colour of series `index`, for a legend outside the picture.
    pub fn of_series(&self, index: usize) -> Rgb {
        self.series.get(index).copied().unwrap_or(self.rest)
    }

    pub(crate) fn of(&self, ink: Ink) -> Rgb {
        match ink {
            Ink::Text => self.text,
            Ink::Muted => self.muted,
            Ink::Grid => self.grid,
            Ink::Base => self.base,
            Ink::Panel => self.panel,
            Ink::Alarm => self.alarm,
            Ink::Series(index) => self.of_series(index),
            Ink::Upon(index) => upon(self.of_series(index)),
        }
    }
}

/// Black or white, whichever stands out from `colour`.
fn upon(colour: Rgb) -> Rgb {
    // Contrast with black is greater where the luminance is above 0.179 (WCAG 2).
    if luminance(colour) > 0.179 {
        (0, 0, 0)
    } else {
        (255, 255, 255)
    }
}

/// The relative luminance as WCAG 2 defines it, from 0 to 1.
fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_stand_out_from_what_is_behind_them() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            assert!(contrast(palette.text, palette.panel) > 7.0);
            assert!(contrast(palette.muted, palette.panel) > 4.5);
            for series in 0..11 {
                let (ink, behind) = (palette.of(Ink::Upon(series)), palette.of_series(series));
                assert!(contrast(ink, behind) > 4.5, "{series}");
            }
        }
        for palette in [Palette::LIGHT, Palette::DARK] {
            for series in palette.series.into_iter().chain([palette.rest]) {
                assert!(contrast(series, palette.panel) > 3.0, "{series:?}");
            }
        }
    }
}
