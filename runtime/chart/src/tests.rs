//! Which chart a result makes, by Kusto's rules.

#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use spoor_table::{Column, Dynamic, KustoType, Table, Value, ticks};

use crate::{Chart, Kind, Size, Split, svg};

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
        if !series.ends.is_empty() {
            out += &format!(" ends {:?}", series.ends);
        }
    }
    if !chart.y.categories.is_empty() {
        out += &format!("; lanes {:?}", chart.y.categories);
    }
    if chart.split != Split::None {
        let own: Vec<_> = chart.series.iter().map(|s| s.part).collect();
        out += &format!("; {:?} {:?} {own:?}", chart.split, chart.parts);
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
        expect!["render barchart: ymin is a number, a datetime or a timespan, not 'low'"],
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
        expect![[
            r#"barchart over Category ["a"]; n: 0=1 (A barchart with these columns is not split.)"#
        ]],
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
fn a_stacked_series_is_zero_where_only_others_have_points() {
    let gaps = table(
        "at:datetime who:string n:long",
        "0 a 3; 1 b 2; 2 a 4; 3 b 1; 3 a 2",
    );
    let points = |render: &str| -> Vec<Vec<Option<f64>>> {
        let chart = chart(&gaps, render).unwrap();
        let points = chart.series.iter().map(|s| &s.points);
        points
            .map(|p| p.iter().map(|(_, y)| *y).collect())
            .collect()
    };
    let zeros = |ys: [f64; 4]| ys.map(Some).to_vec();
    let filled = [zeros([3.0, 0.0, 4.0, 2.0]), zeros([0.0, 2.0, 0.0, 1.0])];
    assert_eq!(points("stackedareachart"), filled);
    assert_eq!(points("areachart kind=stacked100"), filled);
    // What grows stays where it was.
    assert_eq!(
        points("stackedareachart accumulate=true"),
        [zeros([3.0, 3.0, 7.0, 9.0]), zeros([0.0, 2.0, 2.0, 3.0])]
    );
    // Side by side a gap is a gap.
    assert_eq!(points("areachart")[1], [Some(2.0), Some(1.0)]);
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
        "linechart ysplit=panels",
        "scatterchart xmin=5 xmax=1",
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
    for render in [
        "barchart title=<b>&",
        "columnchart",
        "piechart",
        "card",
        "treemap",
        "pivotchart",
    ] {
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

#[test]
fn treemaps_nest_by_two_levels_and_count_rows_without_numbers() {
    let both = table(
        "kind:string name:string n:long",
        "a x 1; b y 5; a z 4; a x 2",
    );
    check(
        &both,
        "treemap",
        expect![[r#"treemap over Category ["z", "x", "y"]; a: 0=4 1=3; b: 2=5"#]],
    );
    check(
        &both,
        "treemap series=kind",
        expect![[r#"treemap over Category ["a", "b"]; n: 0=7 1=5"#]],
    );
    check(
        &table("name:string", "a; b; a"),
        "treemap",
        expect![[r#"treemap over Category ["a", "b"]; rows: 0=2 1=1"#]],
    );
    check(
        &table("n:long", "1"),
        "treemap",
        expect![
            "render treemap needs a column of texts for its rectangles; the result has n (long)"
        ],
    );
}

#[test]
fn ladders_and_time_pivots_have_lanes() {
    let spans = table(
        "host:string user:string from:datetime to:datetime",
        "a u 2 3; b v 0 1; a v 1 -",
    );
    check(
        &spans,
        "ladderchart",
        expect![[
            r#"ladderchart over DateTime []; a: 3600000=2 7200000=0 ends [3600000.0, 10800000.0]; b: 0=1 ends [3600000.0]; lanes ["a, u", "b, v", "a, v"]"#
        ]],
    );
    check(
        &spans,
        "timepivot series=host",
        expect![[
            r#"timepivot over DateTime []; spans: 0=1 3600000=0 7200000=0 ends [3600000.0, 3600000.0, 10800000.0]; lanes ["a", "b"] (A time pivot is drawn as lanes over time: a lane for each host.)"#
        ]],
    );
    check(
        &table("host:string n:long", "a 1"),
        "ladderchart",
        expect![
            "render ladderchart needs its last two columns to be the start and the end of spans (datetimes, or numbers); the result has host (string), n (long)"
        ],
    );
    check(
        &table("host:string n:long", "a 1"),
        "timepivot",
        expect!["render timepivot needs a datetime column; the result has host (string), n (long)"],
    );
}

#[test]
fn pivots_are_sums_by_two_dimensions() {
    let both = table(
        "kind:string host:string n:long",
        "a x 1; b y 5; a x 4; a y 2",
    );
    check(
        &both,
        "pivotchart",
        expect![[
            r#"columnchart over Category ["a", "b"]; x: 0=5; y: 1=5 0=2 (A pivot chart is drawn as columns: sums of n by kind and host.)"#
        ]],
    );
    check(
        &table("kind:string", "a; b; a"),
        "pivotchart",
        expect![[
            r#"columnchart over Category ["a", "b"]; rows: 0=2 1=1 (A pivot chart is drawn as columns: the number of rows by kind.)"#
        ]],
    );
}

#[test]
fn scales_are_split_by_values_or_by_series() {
    let two = table("x:long a:real b:real", "1 0.5 900; 2 1.5 800");
    check(
        &two,
        "linechart ysplit=panels",
        expect![[
            r#"linechart over Number []; a: 1=0.5 2=1.5; b: 1=900 2=800; Panels ["a", "b"] [0, 1]"#
        ]],
    );
    let hosts: Vec<String> = (0..7).map(|i| format!("1 h{i} {i}")).collect();
    let hosts = table("x:long host:string n:long", &hosts.join("; "));
    check(
        &hosts,
        "linechart ysplit=axes",
        expect![[
            r#"linechart over Number []; h0: 1=0; h1: 1=1; h2: 1=2; h3: 1=3; h4: 1=4; h5: 1=5; h6: 1=6; Axes ["h0", "h1", "h2", "h3", "3 others"] [0, 1, 2, 3, 4, 4, 4]"#
        ]],
    );
}

#[test]
fn anomalies_are_found_by_the_name_of_their_column() {
    let flagged = table("t:datetime n:long n_ad_flag:long", "0 1 0; 1 9 1");
    check(
        &flagged,
        "anomalychart",
        expect!["timechart over DateTime []; n: 0=1 3600000=9 marked [1]"],
    );
    check(
        &table("t:datetime n:long", "0 1"),
        "anomalychart",
        expect![
            "timechart over DateTime []; n: 0=1 (No anomalies are marked: name their columns with anomalycolumns.)"
        ],
    );
}

#[test]
fn limits_are_read_as_the_axis_counts() {
    let times = table("t:datetime n:long", "0 1; 5 2");
    let chart = chart(
        &times,
        "timechart xmin=datetime(1970-01-01T01:00:00Z) xmax=2d",
    )
    .unwrap();
    assert_eq!(
        (chart.x.min, chart.x.max),
        (Some(3_600_000.0), Some(172_800_000.0))
    );
}

#[test]
fn charts_that_were_saved_before_still_read() {
    let saved = r#"{"version":1,"kind":"timechart","title":"By hour","x":{"title":"At","type":"datetime"},
        "y":{"title":"Count","type":"number"},"series":[{"name":"ok","points":[[1709287200000.0,1.0],[1709290800000.0,null]]}],"legend":true}"#;
    let chart: Chart = serde_json::from_str(saved).unwrap();
    assert_eq!((chart.kind, chart.split), (Kind::Time, Split::None));
    let again = serde_json::to_string(&chart).unwrap();
    assert!(
        !again.contains("split") && !again.contains("parts"),
        "{again}"
    );
}

#[test]
fn charts_from_elsewhere_cannot_break_the_layout() {
    for kind in [
        "barchart",
        "columnchart",
        "piechart",
        "treemap",
        "ladderchart",
        "timepivot",
        "areachart",
        "scatterchart",
    ] {
        for stacking in ["none", "stacked100"] {
            let saved = format!(
                r#"{{"version":1,"kind":"{kind}","x":{{"type":"category","categories":["a"],"log":true,"min":9,"max":-9}},
                "y":{{"type":"category","categories":["l"],"log":true}},"series":[
                {{"name":"s","points":[[1e300,-1e300],[-5,7],[0,0]],"marked":[99],"ends":[1e308],"part":77}},
                {{"name":"t","points":[[3,1e308],[2,1e308]]}}],"legend":true,"stacking":"{stacking}","split":"panels","parts":["p","q"]}}"#
            );
            let chart: Chart = serde_json::from_str(&saved).unwrap();
            assert!(!svg(&chart, Size::natural(&chart)).unwrap().contains("NaN"));
            chart.describe();
            chart.rows(10);
        }
    }
}

/// One picture of each kind as it is written into notebooks. `UPDATE_EXPECT=1` writes them anew.
#[test]
fn pictures_stay_as_they_are() {
    let spans = table(
        "host:string user:string from:datetime to:datetime",
        "a u 2 3; b v 0 1; a v 1 -",
    );
    let tree = table("kind:string name:string n:long", "a x 1; b y 5; a z 4");
    let two = table("x:datetime a:real b:real", "1 0.5 900; 2 1.5 800; 3 1 850");
    let cases = [
        (
            &tree,
            "treemap",
            expect_test::expect_file!["../pictures/treemap.svg"],
        ),
        (
            &spans,
            "ladderchart",
            expect_test::expect_file!["../pictures/ladderchart.svg"],
        ),
        (
            &spans,
            "timepivot",
            expect_test::expect_file!["../pictures/timepivot.svg"],
        ),
        (
            &tree,
            "pivotchart",
            expect_test::expect_file!["../pictures/pivotchart.svg"],
        ),
        (
            &two,
            "timechart ysplit=axes",
            expect_test::expect_file!["../pictures/axes.svg"],
        ),
        (
            &two,
            "areachart ysplit=panels",
            expect_test::expect_file!["../pictures/panels.svg"],
        ),
        (
            &two,
            "timechart",
            expect_test::expect_file!["../pictures/timechart.svg"],
        ),
        (
            &tree,
            "barchart xcolumn=name",
            expect_test::expect_file!["../pictures/barchart.svg"],
        ),
    ];
    for (table, render, want) in cases {
        let chart = chart(table, render).unwrap();
        want.assert_eq(
            &svg(
                &chart,
                Size {
                    width: 420,
                    height: 260,
                },
            )
            .unwrap(),
        );
    }
}
