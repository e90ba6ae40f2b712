//! Which chart a result makes, by Kusto's rules.

#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use spoor_table::{Column, Dynamic, KustoType, Table, Value, ticks};

use crate::{Chart, Size, svg};

/// A table from `name:type` words and rows of words; `-` is null. Datetimes are hours of 1970-01-01.
fn table(columns: &str, rows: &str) -> Table {
    let columns: Vec<Column> = columns
        .split_whitespace()
        .map(|word| word.split_once(':').unwrap())
        .map(|(name, ty)| Column::new(name, KustoType::from_name(ty).unwrap()))
        .collect();
    let value = |word: &str, ty: KustoType| match ty {
        _ if word == "-" => Value::null(ty),
        KustoType::DateTime => {
            Value::DateTime(ticks::UNIX_EPOCH + word.parse::<i64>().unwrap() * ticks::HOUR)
        }
        KustoType::TimeSpan => Value::TimeSpan(word.parse::<i64>().unwrap() * ticks::SECOND),
        KustoType::Long => Value::Long(word.parse().unwrap()),
        KustoType::Real => Value::Real(word.parse().unwrap()),
        KustoType::Dynamic => Value::Dynamic(Dynamic::parse(word).unwrap()),
        _ => Value::String(word.into()),
    };
    let rows: Vec<Vec<Value>> = rows
        .split(';')
        .map(|row| {
            row.split_whitespace()
                .zip(&columns)
                .map(|(word, c)| value(word, c.ty))
                .collect()
        })
        .collect();
    Table::from_values(columns, &rows).unwrap()
}

/// `render` is as after the operator: a kind and `name=value` words.
fn chart(table: &Table, render: &str) -> Result<Chart, crate::ChartError> {
    let mut words = render.split_whitespace();
    let kind = words.next().unwrap();
    let properties: Vec<_> = words
        .map(|w| w.split_once('=').unwrap())
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
    Chart::from_table(table, kind, &properties)
}

fn check(table: &Table, render: &str, want: Expect) {
    let text = match chart(table, render) {
        Ok(chart) => {
            assert!(
                svg(&chart, Size::natural(&chart))
                    .unwrap()
                    .starts_with("<svg")
            );
            let again: Chart =
                serde_json::from_str(&serde_json::to_string(&chart).unwrap()).unwrap();
            assert_eq!(again, chart);
            summary(&chart)
        }
        Err(error) => error.to_string(),
    };
    want.assert_eq(&text);
}

fn summary(chart: &Chart) -> String {
    let mut out = format!(
        "{} over {:?} {:?}",
        chart.kind.name(),
        chart.x.ty,
        chart.x.categories
    );
    for series in &chart.series {
        let points: Vec<_> = series
            .points
            .iter()
            .map(|(x, y)| format!("{x}={}", y.map_or("-".into(), |y| y.to_string())))
            .collect();
        out += &format!("; {}: {}", series.name, points.join(" "));
        if !series.marked.is_empty() {
            out += &format!(" marked {:?}", series.marked);
        }
    }
    if let Some(note) = &chart.note {
        out += &format!(" ({note})");
    }
    out
}

#[test]
fn the_first_column_is_x_texts_name_series_and_numbers_are_values() {
    let by_host = table("host:string time:datetime n:long", "b 1 5; a 0 3; a 1 4");
    check(
        &by_host,
        "timechart",
        expect!["timechart over DateTime []; b: 3600000=5; a: 0=3 3600000=4"],
    );
    check(
        &by_host,
        "linechart",
        expect!["linechart over DateTime []; b: 3600000=5; a: 0=3 3600000=4"],
    );
    check(
        &by_host,
        "columnchart",
        expect![[r#"columnchart over Category ["b", "a"]; n: 0=5 1=7"#]],
    );
    let two = table("x:long a:real b:real", "2 1.5 -; 1 0.5 9");
    check(
        &two,
        "linechart",
        expect!["linechart over Number []; a: 1=0.5 2=1.5; b: 1=9 2=-"],
    );
    check(
        &two,
        "scatterchart ycolumns=b",
        expect!["scatterchart over Number []; b: 2=- 1=9"],
    );
    check(
        &two,
        "barchart",
        expect![[r#"barchart over Category ["2", "1"]; a: 0=1.5 1=0.5; b: 0=- 1=9"#]],
    );
    check(
        &two,
        "linechart accumulate=true",
        expect!["linechart over Number []; a: 1=0.5 2=2; b: 1=9 2=9"],
    );
}

#[test]
fn series_of_arrays_are_drawn_as_they_are() {
    let made = table(
        "host:string n:dynamic flags:dynamic time:dynamic",
        r#"a [1,2,9] [0,0,1] ["1970-01-01T00:00:00Z","1970-01-01T01:00:00Z","1970-01-01T02:00:00Z"]"#,
    );
    check(
        &made,
        "timechart ycolumns=n",
        expect!["timechart over DateTime []; a: 0=1 3600000=2 7200000=9"],
    );
    check(
        &made,
        "anomalychart ycolumns=n anomalycolumns=flags",
        expect!["timechart over DateTime []; a: 0=1 3600000=2 7200000=9 marked [2]"],
    );
}

#[test]
fn pies_and_cards() {
    let shares = table("name:string n:long", "a 1; b 5; a 2");
    check(
        &shares,
        "piechart",
        expect![[r#"piechart over Category ["b", "a"]; n: 0=5 1=3"#]],
    );
    let many: Vec<String> = (0..15).map(|i| format!("p{i} {}", 100 - i)).collect();
    check(
        &table("name:string n:long", &many.join("; ")),
        "piechart",
        expect![[
            r#"piechart over Category ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "6 others"]; n: 0=100 1=99 2=98 3=97 4=96 5=95 6=94 7=93 8=92 9=531"#
        ]],
    );
    assert_eq!(
        chart(&shares, "card").unwrap().describe(),
        "Card. name: a; n: 1"
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let plain = table("name:string n:long", "a 1");
    check(
        &plain,
        "timechart",
        expect!["render timechart needs a datetime column; the result has name (string), n (long)"],
    );
    check(
        &plain,
        "plotly",
        expect!["render plotly is not drawn here; the result is shown as a table"],
    );
    check(
        &plain,
        "barchart colour=red",
        expect![
            "render barchart: there is no property 'colour'; those known are accumulate, anomalycolumns, kind, legend, series, title, xaxis, xcolumn, xmax, xmin, xtitle, yaxis, ycolumns, ymax, ymin, ysplit, ytitle"
        ],
    );
    check(
        &plain,
        "barchart kind=heap",
        expect![
            "render barchart: kind is default or unstacked or stacked or stacked100, not 'heap'"
        ],
    );
    check(
        &plain,
        "barchart ymin=low",
        expect!["render barchart: ymin is a number, not 'low'"],
    );
    check(
        &plain,
        "barchart xcolumn=nam",
        expect!["render barchart needs its column 'nam'; the result has name (string), n (long)"],
    );
    check(
        &table("name:string", "a"),
        "barchart",
        expect![
            "render barchart needs a column of numbers besides its x axis; the result has name (string)"
        ],
    );
    check(
        &plain,
        "barchart ysplit=panels",
        expect![[r#"barchart over Category ["a"]; n: 0=1 (ysplit=panels is drawn on one axis.)"#]],
    );
    check(
        &table("n:long m:long", "- 1; 2 3"),
        "linechart",
        expect![
            "linechart over Number []; m: 2=3 (1 row without a value for the x axis is left out.)"
        ],
    );
}

#[test]
fn odd_numbers_are_drawn_without_harm() {
    let odd = table(
        "x:real y:real",
        "nan 1; 1 nan; 2 inf; 3 -1e308; 4 1e308; -0 0",
    );
    for render in [
        "linechart",
        "scatterchart yaxis=log xaxis=log",
        "columnchart",
        "areachart kind=stacked100",
        "barchart",
        "piechart",
        "linechart ymin=5 ymax=1",
    ] {
        let drawn = chart(&odd, render).unwrap();
        assert!(
            !svg(
                &drawn,
                Size {
                    width: 0,
                    height: u32::MAX
                }
            )
            .unwrap()
            .contains("NaN")
        );
    }
    let none = table("x:long y:long", "- -");
    for render in ["linechart", "columnchart", "barchart", "piechart", "card"] {
        svg(
            &chart(&none, render).unwrap(),
            Size {
                width: 760,
                height: 360,
            },
        )
        .unwrap();
    }
}

#[test]
fn text_from_the_data_stays_text() {
    let hostile = table(
        "name:string n:long",
        r#"</text><script>alert(1)</script> 1; "><img/onerror=x> 2"#,
    );
    for render in ["barchart title=<b>&", "columnchart", "piechart", "card"] {
        let drawn = svg(
            &chart(&hostile, render).unwrap(),
            Size {
                width: 760,
                height: 360,
            },
        )
        .unwrap();
        assert!(
            !drawn.contains("<script") && !drawn.contains("<img") && !drawn.contains("<b>"),
            "{drawn}"
        );
    }
}

#[test]
fn large_results_stay_small_pictures() {
    let rows: Vec<Vec<Value>> = (0..300_000)
        .map(|i| {
            vec![
                Value::Long(i),
                Value::Long(if i == 123_456 { 999 } else { i % 7 }),
            ]
        })
        .collect();
    let columns = [
        Column::new("x", KustoType::Long),
        Column::new("y", KustoType::Long),
    ];
    let large = Table::from_values(columns, &rows).unwrap();
    let drawn = chart(&large, "linechart").unwrap();
    assert!(drawn.series[0].points.iter().any(|p| p.1 == Some(999.0)));
    assert!(drawn.note.as_deref().unwrap().contains("are left out"));
    assert!(
        svg(
            &drawn,
            Size {
                width: 760,
                height: 360
            }
        )
        .unwrap()
        .len()
            < 200_000
    );
}
