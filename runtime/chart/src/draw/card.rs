//! A card: values written large, each under its column's name.

use plotters::prelude::DrawingBackend;

use super::frame;
use super::sheet::{Hold, INK, MUTED, Sheet, Type, fitted, text_width};
use crate::ChartError;
use crate::model::Chart;

/// Draws the chart's cards in a grid of at most four a row.
pub(crate) fn draw<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    chart: &Chart,
) -> Result<(), ChartError> {
    let area = frame::surround(sheet, chart)?;
    if chart.cards.is_empty() {
        return frame::nothing(sheet, area);
    }
    let columns = chart.cards.len().min(4);
    let rows = chart.cards.len().div_ceil(columns);
    let (wide, high) = (area.width() / columns as f64, area.height() / rows as f64);
    for (i, card) in chart.cards.iter().enumerate() {
        let left = area.left + wide * (i % columns) as f64;
        let middle = area.top + high * ((i / columns) as f64 + 0.5);
        let room = wide - 16.0;
        // Bold letters are about a seventh wider.
        let size = (30.0 * room / (1.15 * text_width(&card.value, 30.0))).clamp(13.0, 30.0);
        let look = Type {
            bold: true,
            ..Type::new(size, INK, Hold::Left)
        };
        sheet.text(
            &fitted(&card.label, 12.0, room),
            (left, middle - 20.0),
            Type::new(12.0, MUTED, Hold::Left),
        )?;
        sheet.text(
            &fitted(&card.value, size, room / 1.15),
            (left, middle + 6.0),
            look,
        )?;
    }
    Ok(())
}
