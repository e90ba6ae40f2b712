//! The trials of one function: each input twice, and what batches do to each other.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use spoor_gate::answer::Answer;
use spoor_plugin_abi::{Function, InputMode, RowMode};

use super::generate::{Input, input};
use super::{Line, Mark, Plan};
use crate::plugins::{Clock, Control, Failure, Outcome, Plugin};

/// What was seen over all inputs of a function.
#[derive(Default)]
struct Seen {
    answers: u64,
    /// Errors that the plugin answered with, and the first.
    said: u64,
    first_said: Option<String>,
    /// The first input on which two calls differed, in words.
    differs: Option<String>,
    /// The first input that ended in a trap or an answer that is not believed.
    broke: Option<String>,
    broken: u64,
    /// The first input whose rows fared otherwise in two calls than in one.
    depends: Option<String>,
    split: u64,
    fuel: u64,
    memory: u64,
}

/// Tries a function out, and tells what came of it.
pub(super) fn try_out(plugin: &Plugin, function: &Function, plan: Plan) -> Vec<Line> {
    let trial = Trial {
        plugin,
        function,
        control: Control {
            clock: Clock::Still(1_700_000_000_000_000_000),
            ..Control::default()
        },
    };
    let mut seen = Seen::default();
    for run in 0..plan.runs {
        let input = input(function, plan.seed, run);
        if let Err(failure) = trial.one(&input, run, &mut seen) {
            seen.broken += 1;
            seen.broke.get_or_insert(format!("input {run}: {failure}"));
        }
    }
    report(plugin, function, plan, &seen)
}

struct Trial<'a> {
    plugin: &'a Plugin,
    function: &'a Function,
    control: Control,
}

impl Trial<'_> {
    fn call(&self, input: &Input, start: usize, rows: usize) -> Result<Outcome, Failure> {
        let frame = input.frame(start, rows)?;
        let rows = rows as u64;
        Ok(self.plugin.call(self.function, &frame, rows, &self.control))
    }

    fn one(&self, input: &Input, run: u64, seen: &mut Seen) -> Result<(), Failure> {
        let first = self.call(input, 0, input.rows)?;
        let second = self.call(input, 0, input.rows)?;
        seen.fuel = seen.fuel.max(first.fuel);
        seen.memory = seen.memory.max(first.memory);
        if let Some(how) = difference(&first, &second) {
            let words = format!("input {run} ({}): {how}", input.words());
            seen.differs.get_or_insert(words);
        }
        match first.answer {
            Ok(answer) => {
                seen.answers += 1;
                self.split(input, run, &answer, seen)
            }
            Err(Failure::Said(message)) => {
                seen.said += 1;
                seen.first_said.get_or_insert(message);
                Ok(())
            }
            Err(failure) => {
                seen.broken += 1;
                let words = format!("input {run} ({}): {failure}", input.words());
                seen.broke.get_or_insert(words);
                Ok(())
            }
        }
    }

    /// A function that takes batches promises that its rows do not depend on each other: two halves are the whole.
    fn split(
        &self,
        input: &Input,
        run: u64,
        whole: &Answer,
        seen: &mut Seen,
    ) -> Result<(), Failure> {
        if self.function.input != InputMode::Batches || input.rows < 2 || input.rows > 300 {
            return Ok(());
        }
        let middle = input.rows / 2;
        let (Ok(head), Ok(tail)) = (
            self.call(input, 0, middle)?.answer,
            self.call(input, middle, input.rows - middle)?.answer,
        ) else {
            let words = format!("input {run}: the whole has an answer and a half has none");
            seen.depends.get_or_insert(words);
            return Ok(());
        };
        seen.split += 1;
        let mode = self.function.output.rows;
        let halves = [rows(&head, mode, 0)?, rows(&tail, mode, middle)?].concat();
        if halves != rows(whole, mode, 0)? {
            let words = format!(
                "input {run} ({}): two halves differ from the whole",
                input.words()
            );
            seen.depends.get_or_insert(words);
        }
        Ok(())
    }
}

/// The first table's rows, each as text; of an indexed answer with the rows that it names counted from `first`, and in
/// any order.
fn rows(answer: &Answer, mode: RowMode, first: usize) -> Result<Vec<String>, Failure> {
    let Some(table) = answer.tables.first() else {
        return Ok(Vec::new());
    };
    let batch = concat_batches(&table.schema, &table.batches)?;
    let mut rows: Vec<String> = (0..batch.num_rows())
        .map(|row| text(&batch, mode, row, first))
        .collect::<Result<_, _>>()?;
    if mode != RowMode::Same {
        rows.sort();
    }
    Ok(rows)
}

fn text(batch: &RecordBatch, mode: RowMode, row: usize, first: usize) -> Result<String, Failure> {
    let mut out = String::new();
    for (at, column) in batch.columns().iter().enumerate() {
        if at == 0 && mode == RowMode::Indexed {
            let index = column.as_primitive::<UInt32Type>().value(row) as usize + first;
            out.push_str(&format!("{index:010}\u{1f}"));
        } else if column.is_null(row) {
            out.push_str("\u{0}\u{1f}");
        } else {
            out.push_str(&arrow::util::display::array_value_to_string(column, row)?);
            out.push('\u{1f}');
        }
    }
    Ok(out)
}

/// How two calls of one input differ.
fn difference(first: &Outcome, second: &Outcome) -> Option<String> {
    if first.bytes != second.bytes {
        return Some("two calls answered with other bytes".into());
    }
    let words = |outcome: &Outcome| outcome.answer.as_ref().err().map(ToString::to_string);
    if words(first) != words(second) {
        return Some("two calls ended otherwise".into());
    }
    // A deadline is the machine's, not the plugin's.
    (first.fuel != second.fuel).then(|| {
        format!(
            "two calls used {} and {} units of fuel",
            first.fuel, second.fuel
        )
    })
}

fn report(plugin: &Plugin, function: &Function, plan: Plan, seen: &Seen) -> Vec<Line> {
    let what = |of: &str| format!("{}: {of}", function.name);
    let mut lines = vec![match &seen.differs {
        Some(how) => Line::new(Mark::Fail, what("same twice"), how),
        None => {
            let found = format!("{} inputs: the same bytes and the same fuel", plan.runs);
            Line::new(Mark::Pass, what("same twice"), found)
        }
    }];
    let counts = format!(
        "{} answers, {} errors of its own, {} calls that broke",
        seen.answers, seen.said, seen.broken
    );
    lines.push(match (&seen.broke, &seen.first_said) {
        (Some(how), _) => {
            let repeat = format!("; again with --seed {} --runs {}", plan.seed, plan.runs);
            Line::new(
                Mark::Fail,
                what("odd inputs"),
                format!("{counts}; {how}{repeat}"),
            )
        }
        (None, Some(said)) if seen.answers == 0 => {
            let found = format!("{counts}: it took no input; the first error: {said}");
            Line::new(Mark::Note, what("odd inputs"), found)
        }
        (None, _) => Line::new(Mark::Pass, what("odd inputs"), counts),
    });
    if function.input == InputMode::Batches {
        lines.push(match &seen.depends {
            Some(how) => Line::new(Mark::Fail, what("row by row"), how),
            None => {
                let found = format!("{} inputs in two parts: as in one", seen.split);
                Line::new(Mark::Pass, what("row by row"), found)
            }
        });
    }
    lines.push(Line::new(
        Mark::Pass,
        what("use"),
        format!(
            "at most {} units of fuel of {} and {} for each row, and {} KiB of memory of {}",
            seen.fuel,
            plugin.limits().fuel,
            plugin.limits().fuel_per_row,
            seen.memory >> 10,
            plugin.limits().memory >> 10
        ),
    ));
    lines
}
