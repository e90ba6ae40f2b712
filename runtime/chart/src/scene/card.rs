//! A card: values written large, each under its column's name.

use super::sheet::{Hold, Ink, Sheet, Type, fitted, text_width};
use super::{Laid, Layout, frame};

/// Lays out the chart's cards in a grid of at most four a row, fewer where there is no room.
pub(crate) fn lay(sheet: &mut Sheet, of: &Layout<'_>) -> Laid {
    let cards = &of.chart.cards;
    let area = frame::surround(sheet, of);
    if cards.is_empty() {
        frame::nothing(sheet, area);
        return Laid::default();
    }
    let fit = ((area.width() / 120.0) as usize).clamp(1, 4);
    let columns = cards.len().min(fit);
    let rows = cards.len().div_ceil(columns);
    let (wide, high) = (area.width() / columns as f64, area.height() / rows as f64);
    for (i, card) in cards.iter().enumerate() {
        let left = area.left + wide * (i % columns) as f64;
        let middle = area.top + high * ((i / columns) as f64 + 0.5);
        let room = wide - 16.0;
        // Bold letters are about a seventh wider.
        let size = (30.0 * room / (1.15 * text_width(&card.value, 30.0))).clamp(13.0, 30.0);
        let bold = Type {
            bold: true,
            ..Type::new(size, Ink::Text, Hold::Left)
        };
        let plain = Type::new(12.0, Ink::Muted, Hold::Left);
        sheet.text(
            &fitted(&card.label, 12.0, room),
            (left, middle - 20.0),
            plain,
        );
        let value = fitted(&card.value, size, room / 1.15);
        sheet.text(&value, (left, middle + 6.0), bold);
    }
    Laid::default()
}
