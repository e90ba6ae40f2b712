//! Calls through the frame, with `arrow-ipc` on the other side: what it writes is read, what is written it reads.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray,
};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use spoor_plugin::abi::{Frame, InputMode, Manifest, ParameterKind, RowMode, Type, encode_frame};
use spoor_plugin::{
    At, Datetime, Decimal, Input, Json, Output, Rows, Same, Sink, Timespan, function, plugin,
};

/// One field of each type.
#[derive(Input)]
struct All<'a> {
    /// A truth.
    truth: Option<bool>,
    small: Option<i32>,
    large: Option<i64>,
    real: Option<f64>,
    exact: Option<Decimal>,
    at: Option<Datetime>,
    took: Option<Timespan>,
    /// The text.
    text: Option<&'a str>,
    #[input(optional)]
    bag: Option<Json<&'a str>>,
}

#[derive(Output)]
struct Back<'a> {
    truth: Option<bool>,
    small: Option<i32>,
    large: Option<i64>,
    real: Option<f64>,
    exact: Option<Decimal>,
    at: Option<Datetime>,
    took: Option<Timespan>,
    /// The "text", as it came.
    #[output(name = "The text")]
    text: Option<&'a str>,
    bag: Option<Json<&'a str>>,
}

/// Gives back what it is
/// given.
///
/// And `\ "nothing"` else.
#[function]
fn echo<'a>(row: All<'a>) -> Back<'a> {
    let All {
        truth,
        small,
        large,
        real,
        exact,
        at,
        took,
        text,
        bag,
    } = row;
    Back {
        truth,
        small,
        large,
        real,
        exact,
        at,
        took,
        text,
        bag,
    }
}

#[derive(Input)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Output)]
struct Word<'a> {
    word: &'a str,
}

/// Splits text into words.
#[function]
fn words<'a>(
    row: Text<'a>,
    out: &mut Sink<'_, Word<'a>>,
    /// Words shorter than this are left out.
    #[option(default = 1)]
    least: i64,
    #[option(default = " ")] separator: &str,
) -> Result<(), String> {
    if row.text == "fail" {
        return Err("the text says so".into());
    }
    for word in row.text.split(separator) {
        if word.len() as i64 >= least {
            out.push(Word { word });
        }
    }
    Ok(())
}

#[derive(Output)]
struct Number {
    number: i64,
}

/// Rows from the longest to the shortest.
#[function]
fn by_length(rows: Rows<'_, Text<'_>>) -> Vec<At<Number>> {
    let mut found: Vec<At<Number>> = rows
        .iter()
        .map(|(row, text)| At {
            row,
            value: Number {
                number: text.text.len() as i64,
            },
        })
        .collect();
    found.sort_by_key(|at| -at.value.number);
    found
}

/// The first word, where there is one.
#[function]
fn first<'a>(row: Text<'a>) -> Option<Word<'a>> {
    row.text.split_whitespace().next().map(|word| Word { word })
}

/// Counts upwards.
#[function]
fn count(#[option] to: i32, #[option(default = -1.5)] unused: f64) -> Result<Vec<Number>, String> {
    if unused > 0.0 {
        return Err(format!("unused is {unused}"));
    }
    Ok((0..i64::from(to)).map(|number| Number { number }).collect())
}

/// The rows' numbers.
#[function]
fn numbered(rows: Rows<'_, Text<'_>>, #[option(default = None)] add: Option<i64>) -> Same<Number> {
    let add = add.unwrap_or_default();
    Same(
        (0..rows.len() as i64)
            .map(|at| Number { number: at + add })
            .collect(),
    )
}

plugin! {
    name: "kinds",
    summary: "Every kind of function",
    capabilities: [log, progress],
    limits: { fuel: 1 << 20, wall: 500 },
    functions: [echo, words, by_length, first, count, numbered],
}

fn call(
    function: &str,
    arguments: &str,
    input: Option<&RecordBatch>,
) -> Result<RecordBatch, String> {
    let header = format!("{{\"function\":\"{function}\",\"arguments\":{arguments}}}");
    let stream = input.map(|batch| {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.into_inner().unwrap()
    });
    let tables: Vec<&[u8]> = stream.iter().map(Vec::as_slice).collect();
    let frame = encode_frame(header.as_bytes(), &tables).unwrap();
    let answer = spoor_plugin::call::call(&PLUGIN, &frame)?;
    let frame = Frame::decode(&answer).unwrap();
    assert_eq!(frame.header(), b"{}");
    assert_eq!(frame.table_count(), 1);
    let table = frame.tables().next().unwrap().to_vec();
    let mut reader = StreamReader::try_new(Cursor::new(table), None).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none());
    Ok(batch)
}

fn texts(values: &[Option<&str>]) -> RecordBatch {
    let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("text", array, true)]).unwrap()
}

fn everything(rows: usize) -> RecordBatch {
    let every = |nth: usize| move |row: &usize| (row % nth != 1).then_some(*row as i64);
    let longs = |nth| -> ArrayRef {
        let values = (0..rows).map(|row| every(nth)(&row).map(|v| v * (i64::MAX / 128)));
        Arc::new(values.collect::<Int64Array>())
    };
    let exact = (0..rows).map(|row| every(5)(&row).map(|v| i128::from(v) << 80));
    let texts = |nth, end: &'static str| -> ArrayRef {
        let values = (0..rows).map(|row| every(nth)(&row).map(|v| format!("{v}ü{end}")));
        Arc::new(values.collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "truth",
            Arc::new(
                (0..rows)
                    .map(|row| every(3)(&row).map(|v| v % 2 == 0))
                    .collect::<BooleanArray>(),
            ),
        ),
        (
            "small",
            Arc::new(
                (0..rows)
                    .map(|row| every(4)(&row).map(|v| v as i32 - 9))
                    .collect::<Int32Array>(),
            ),
        ),
        ("large", longs(2)),
        (
            "real",
            Arc::new(
                (0..rows)
                    .map(|row| every(7)(&row).map(|v| v as f64 / 3.0))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "exact",
            Arc::new(
                exact
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(38, 12)
                    .unwrap(),
            ),
        ),
        ("at", longs(usize::MAX)),
        ("took", longs(3)),
        ("text", texts(9, "")),
        ("bag", texts(2, "}")),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

#[test]
fn every_type_comes_back_as_it_went() {
    for rows in [0, 1, 7, 8, 9, 63, 64, 65] {
        let input = everything(rows);
        let output = call("echo", "{}", Some(&input)).unwrap();
        assert_eq!(output.num_rows(), rows);
        for (at, column) in input.columns().iter().enumerate() {
            assert_eq!(column, output.column(at), "{rows} rows, column {at}");
        }
        assert_eq!(output.schema().field(7).name(), "The text");
        assert_eq!(output.schema().field(6).name(), "Took");
    }
    let exact = call("echo", "{}", Some(&everything(9))).unwrap();
    assert_eq!(exact.column(4).as_primitive::<Decimal128Type>().scale(), 12);
}

#[test]
fn a_column_may_be_left_out_where_it_is_optional() {
    let input = everything(3);
    let without = input.project(&[0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
    let output = call("echo", "{}", Some(&without)).unwrap();
    assert_eq!(output.column(8).null_count(), 3);
    let less = input.project(&[0, 1]).unwrap();
    let error = call("echo", "{}", Some(&less)).unwrap_err();
    assert_eq!(error, "the input has no column 'large'");
}

#[test]
fn a_sink_takes_any_number_of_rows() {
    let input = texts(&[Some("a bb"), None, Some(""), Some("ccc")]);
    let output = call("words", "{\"least\":2}", Some(&input)).unwrap();
    let index = output.column_by_name("_row").unwrap();
    assert_eq!(index.as_primitive::<UInt32Type>().values(), &[0, 3]);
    let word = output.column_by_name("Word").unwrap();
    let words: Vec<_> = word.as_string::<i32>().iter().flatten().collect();
    assert_eq!(words, ["bb", "ccc"]);
    let error = call("words", "{}", Some(&texts(&[Some("a"), Some("fail")]))).unwrap_err();
    assert_eq!(error, "row 1: the text says so");
    let error = call("words", "{\"least\":\"two\"}", Some(&input)).unwrap_err();
    assert_eq!(error, "the option 'least' has to be of the type long");
}

#[test]
fn other_kinds_of_answers() {
    let input = texts(&[Some("a"), None, Some("ccc"), Some("  ")]);
    let output = call("by_length", "{}", Some(&input)).unwrap();
    assert_eq!(
        output.column(0).as_primitive::<UInt32Type>().values(),
        &[2, 3, 0]
    );
    let output = call("first", "{}", Some(&input)).unwrap();
    assert_eq!(
        output.column(0).as_primitive::<UInt32Type>().values(),
        &[0, 2]
    );
    let output = call("count", "{\"to\":3}", None).unwrap();
    assert_eq!(
        output.column(0).as_primitive::<Int64Type>().values(),
        &[0, 1, 2]
    );
    let output = call("numbered", "{\"add\":7}", Some(&input)).unwrap();
    assert_eq!(
        output.column(0).as_primitive::<Int64Type>().values(),
        &[7, 8, 9, 10]
    );
    let error = call("count", "{}", None).unwrap_err();
    assert_eq!(error, "the option 'to' is missing: give it a value");
    let error = call("count", "{\"to\":1,\"unused\":2}", None).unwrap_err();
    assert_eq!(error, "unused is 2");
    let error = call("none", "{}", None).unwrap_err();
    assert!(
        error.contains("no function 'none': it has echo, words"),
        "{error}"
    );
}

#[test]
fn the_manifest_says_what_the_signatures_say() {
    let manifest = Manifest::parse(&MANIFEST).unwrap();
    assert_eq!(manifest.name, "kinds");
    assert_eq!(manifest.limits.fuel, Some(1 << 20));
    assert_eq!(manifest.capabilities.len(), 2);
    let echo = manifest.function("echo").unwrap();
    assert_eq!(echo.summary, "Gives back what it is given.");
    assert_eq!(echo.docs.as_deref(), Some("And `\\ \"nothing\"` else."));
    assert_eq!(
        (echo.input, echo.output.rows),
        (InputMode::Batches, RowMode::Same)
    );
    assert_eq!(echo.output.columns[7].name, "The text");
    assert_eq!(echo.output.columns[8].ty, Type::Dynamic);
    assert_eq!(echo.parameters[8].default, Some(serde_json::Value::Null));
    assert_eq!(echo.parameters[5].types.to_vec(), [Type::DateTime]);
    let words = manifest.function("words").unwrap();
    assert_eq!(words.output.rows, RowMode::Indexed);
    assert_eq!(words.parameters[1].kind, ParameterKind::Option);
    assert_eq!(words.parameters[1].default, Some(serde_json::json!(1)));
    assert_eq!(
        words.parameters[1].docs.as_deref(),
        Some("Words shorter than this are left out.")
    );
    assert_eq!(words.parameters[2].default, Some(serde_json::json!(" ")));
    let count = manifest.function("count").unwrap();
    assert_eq!(
        (count.input, count.output.rows),
        (InputMode::None, RowMode::Free)
    );
    assert_eq!(count.parameters[0].default, None);
    assert_eq!(count.parameters[1].default, Some(serde_json::json!(-1.5)));
    assert_eq!(
        manifest.function("numbered").unwrap().input,
        InputMode::Whole
    );
}

#[test]
fn broken_frames_are_refused_and_nothing_panics() {
    let mut writer = StreamWriter::try_new(Vec::new(), &everything(9).schema()).unwrap();
    writer.write(&everything(9)).unwrap();
    let stream = writer.into_inner().unwrap();
    let frame = encode_frame(b"{\"function\":\"echo\"}", &[&stream]).unwrap();
    for at in 0..frame.len() {
        let _ = spoor_plugin::call::call(&PLUGIN, &frame[..at]);
        for value in [0, 0x7F, 0xFF] {
            let mut changed = frame.clone();
            changed[at] = value;
            let _ = spoor_plugin::call::call(&PLUGIN, &changed);
        }
    }
}
