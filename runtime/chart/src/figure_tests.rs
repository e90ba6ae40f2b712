//! How a reader's pointer and keys find their way in a chart.

#![allow(clippy::unwrap_used)]

use expect_test::expect;

use crate::{Chart, Figure, Kind, Series, Step};

const SIZE: (f64, f64) = (600.0, 300.0);

fn series(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    Series {
        name: name.into(),
        points: points.into_iter().map(|(x, y)| (x, Some(y))).collect(),
        ..Series::default()
    }
}

fn chart(kind: Kind, all: Vec<Series>) -> Chart {
    Chart {
        legend: true,
        series: all,
        ..Chart::new(kind)
    }
}

fn two_lines() -> Figure {
    let line = |name, k: f64| series(name, (0..=10).map(|i| (f64::from(i), f64::from(i) * k)));
    Figure::new(
        chart(Kind::Line, vec![line("up", 10.0), line("down", -10.0)]),
        SIZE,
    )
}

#[test]
fn a_pointer_finds_the_point_below_it() {
    let mut figure = two_lines();
    let first = figure.step(Step::First).unwrap();
    assert_eq!(first.lines, ["0", "up: 0"]);
    let hit = figure.hover(first.at.0 + 3.0, first.at.1 - 9.0).unwrap();
    assert_eq!((hit.series, hit.point), (0, 0));
    let low = figure.hover(500.0, 290.0).unwrap();
    assert_eq!(low.series, 1);
    assert_eq!(figure.view().hovered, Some((1, low.point)));
    figure.leave();
    assert_eq!(figure.view().hovered, None);
}

#[test]
fn a_range_of_pixels_becomes_a_range_of_data() {
    let mut figure = two_lines();
    let at = |figure: &mut Figure, n: usize| {
        figure.leave();
        let mut hit = figure.step(Step::First).unwrap();
        for _ in 0..n {
            hit = figure.step(Step::Next).unwrap();
        }
        hit.at.0
    };
    let (from, to) = (at(&mut figure, 2), at(&mut figure, 6));
    assert!(!figure.zoom(from, from + 1.0), "a click is no zoom");
    assert!(figure.zoom(to, from));
    let (low, high) = figure.view().zoom.unwrap();
    assert!((low - 2.0).abs() < 1e-9 && (high - 6.0).abs() < 1e-9);
    assert_eq!(figure.step(Step::First).unwrap().lines[0], "2");
    assert_eq!(figure.step(Step::Last).unwrap().lines[0], "6");
    assert!(figure.reset() && !figure.reset());
    assert_eq!(figure.view().zoom, None);
}

#[test]
fn a_wheel_zooms_about_the_pointer_and_out_to_the_whole() {
    let mut figure = two_lines();
    let middle = 300.0;
    assert!(figure.zoom_at(middle, 0.5));
    let (low, high) = figure.view().zoom.unwrap();
    assert!((high - low - 5.0).abs() < 0.01, "{low} {high}");
    assert!(figure.zoom_at(middle, 3.0));
    assert_eq!(figure.view().zoom, None);
    for _ in 0..400 {
        figure.zoom_at(middle, 0.5);
    }
    let (low, high) = figure.view().zoom.unwrap();
    assert!(high > low && figure.zooms());
}

#[test]
fn hidden_series_are_neither_drawn_nor_found() {
    let mut figure = two_lines();
    let drawn = figure.drawn();
    figure.toggle(0);
    assert!(figure.drawn() < drawn);
    assert_eq!(figure.hover(300.0, 10.0).unwrap().series, 1);
    let legend: Vec<_> = figure
        .legend()
        .into_iter()
        .map(|e| (e.name, e.hidden))
        .collect();
    assert_eq!(legend, [("up".into(), true), ("down".into(), false)]);
    figure.toggle(0);
    assert_eq!(figure.drawn(), drawn);
}

#[test]
fn keys_walk_along_a_series_and_across() {
    let mut figure = two_lines();
    let said = |hit: Option<crate::Hit>| hit.unwrap().lines.join(", ");
    assert_eq!(said(figure.step(Step::Next)), "0, up: 0");
    assert_eq!(said(figure.step(Step::Next)), "1, up: 10");
    assert_eq!(said(figure.step(Step::NextSeries)), "1, down: -10");
    assert_eq!(said(figure.step(Step::NextSeries)), "1, down: -10");
    assert_eq!(said(figure.step(Step::Last)), "10, down: -100");
    assert_eq!(said(figure.step(Step::PreviousSeries)), "10, up: 100");
    assert!(
        Figure::new(Chart::new(Kind::Line), SIZE)
            .step(Step::Next)
            .is_none()
    );
}

#[test]
fn a_hundred_thousand_points_are_few_strokes() {
    let wave = (0..100_000).map(|i| (f64::from(i), f64::from(i % 977)));
    let figure = Figure::new(chart(Kind::Line, vec![series("wave", wave.clone())]), SIZE);
    assert!(figure.drawn() < 3_000, "{}", figure.drawn());
    let cloud = Figure::new(
        chart(Kind::Scatter, vec![series("wave", wave.clone())]),
        SIZE,
    );
    assert!(cloud.drawn() < 50_000, "{}", cloud.drawn());
    let mut columns = chart(Kind::Column, vec![series("wave", wave)]);
    columns.x.ty = crate::AxisType::Number;
    assert!(Figure::new(columns, SIZE).drawn() < 3_000);
    // Every point is still there to be found.
    assert_eq!(figure.nearest(590.0, 0.0).unwrap().point, 99_999);
}

#[test]
fn pies_hide_sectors_and_tell_shares() {
    let mut pie = chart(Kind::Pie, vec![series("n", [(0.0, 3.0), (1.0, 1.0)])]);
    pie.x.categories = vec!["a".into(), "b".into()];
    pie.x.ty = crate::AxisType::Category;
    let mut figure = Figure::new(pie, SIZE);
    assert_eq!(figure.legend().len(), 2);
    assert_eq!(figure.step(Step::Next).unwrap().lines, ["a", "3 (75.0%)"]);
    figure.toggle(0);
    assert_eq!(figure.step(Step::Next).unwrap().lines[0], "b");
    assert!(!figure.zooms() && !figure.zoom(10.0, 90.0));
}

#[test]
fn the_table_has_a_column_for_each_series_where_it_can() {
    let text = |chart: &Chart, limit| {
        let rows = chart.rows(limit);
        let line = |cells: &Vec<String>| cells.join(" | ");
        let mut lines = vec![line(&rows.header)];
        lines.extend(rows.rows.iter().map(line));
        lines.push(format!("{} left out", rows.left_out));
        lines.join("\n")
    };
    let two = chart(
        Kind::Line,
        vec![
            series("a", [(1.0, 1234.5), (2.0, 2.0)]),
            series("b", [(2.0, 7.0)]),
        ],
    );
    expect![[r#"
        x | a | b
        1 | 1,234.5 | 
        2 | 2 | 7
        0 left out"#]]
    .assert_eq(&text(&two, 10));
    let cloud = chart(
        Kind::Scatter,
        vec![series("a", [(1.0, 1.0), (1.0, 2.0), (3.0, 4.0)])],
    );
    expect![[r#"
        series | x | value
        a | 1 | 1
        a | 1 | 2
        1 left out"#]]
    .assert_eq(&text(&cloud, 2));
    expect!["linechart of a, b from 1 to 2; 3 points, from 2 to 1,234.5 of a at 1."]
        .assert_eq(&two.describe());
}
