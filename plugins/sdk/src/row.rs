//! Rows: what a function is given and what it answers, as structs.

use crate::column::{Column, ColumnBuilder};
use crate::describe::{InputColumn, OutputColumn};

/// A row of the input, as a struct with a field for each column: `#[derive(Input)]`.
pub trait Input<'a>: Sized {
    /// Its columns, in order.
    const COLUMNS: &'static [InputColumn];

    /// The row; `None` where a column that has to have a value has none. `columns` are in the order of
    /// [`Self::COLUMNS`], and lack those that the call left out.
    fn read(columns: &[Option<Column<'a>>], row: usize) -> Option<Self>;
}

/// A row of the answer, as a struct with a field for each column: `#[derive(Output)]`.
pub trait Output {
    /// Its columns, in order.
    const COLUMNS: &'static [OutputColumn];

    /// Appends the row: a value to each column.
    fn write(self, columns: &mut [ColumnBuilder]);
}

/// All rows of the input, for a function that has to see them together.
#[derive(Clone, Debug)]
pub struct Rows<'a, T> {
    columns: Vec<Option<Column<'a>>>,
    rows: usize,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<'a, T: Input<'a>> Rows<'a, T> {
    pub(crate) fn new(columns: Vec<Option<Column<'a>>>, rows: usize) -> Self {
        Rows {
            columns,
            rows,
            of: std::marker::PhantomData,
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A row; `None` past the end, and where a column that has to have a value has none.
    pub fn get(&self, row: usize) -> Option<T> {
        T::read(&self.columns, row)
    }

    /// Every row that [`Self::get`] answers, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, T)> + use<'_, 'a, T> {
        (0..self.rows).filter_map(|row| Some((row as u32, self.get(row)?)))
    }
}

/// A row of the answer that belongs to a row of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The input's row, from 0.
    pub row: u32,
    /// The answer's row.
    pub value: T,
}

/// Rows of the answer that are as many as the input's and in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same<T>(pub Vec<T>);

/// The answer being made: its index, if it has one, and its columns.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) rows: usize,
    pub(crate) index: ColumnBuilder,
    pub(crate) columns: Vec<ColumnBuilder>,
}

impl Answer {
    pub(crate) fn new(of: &[OutputColumn]) -> Self {
        Answer {
            rows: 0,
            index: ColumnBuilder::of(crate::column::Layout::Fixed(4)),
            columns: of
                .iter()
                .map(|column| ColumnBuilder::new(column.ty))
                .collect(),
        }
    }

    fn push<T: Output>(&mut self, value: T) {
        value.write(&mut self.columns);
        self.rows += 1;
    }

    fn push_at<T: Output>(&mut self, row: u32, value: T) {
        self.index.push_fixed(&row.to_le_bytes());
        self.push(value);
    }

    fn push_null(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::push_null);
        self.rows += 1;
    }
}

/// Where a function puts the answer's rows that belong to the row it was given, without a `Vec` for each.
pub struct Sink<'s, T> {
    answer: &'s mut Answer,
    row: u32,
    of: std::marker::PhantomData<fn(T)>,
}

impl<'s, T: Output> Sink<'s, T> {
    pub(crate) fn new(answer: &'s mut Answer, row: u32) -> Self {
        Sink {
            answer,
            row,
            of: std::marker::PhantomData,
        }
    }

    /// Appends a row.
    pub fn push(&mut self, value: T) {
        self.answer.push_at(self.row, value);
    }
}

/// What a function of one row may return: a row for each (`T`, rows `same`), one or none (`Option<T>`), any number
/// (`Vec<T>`, rows `indexed`), or a `Result` of one of these.
pub trait RowAnswer {
    /// `same` or `indexed`.
    const ROWS: &'static str;
    /// The answer's columns.
    const COLUMNS: &'static [OutputColumn];

    /// Appends what came of the row.
    fn put(self, row: u32, answer: &mut Answer) -> Result<(), String>;
}

/// What a function of all rows, or of none, may return: `Vec<T>` (rows `free`), `Vec<At<T>>` (`indexed`), [`Same`]
/// (`same`), or a `Result` of one of these.
pub trait TableAnswer {
    /// `same`, `indexed` or `free`.
    const ROWS: &'static str;
    /// The answer's columns.
    const COLUMNS: &'static [OutputColumn];

    /// Appends all rows.
    fn put(self, answer: &mut Answer) -> Result<(), String>;
}

pub(crate) const SAME: &str = "same";
pub(crate) const INDEXED: &str = "indexed";
const FREE: &str = "free";

/// Appends nulls where the answer is to have a row for each of the input's.
pub(crate) fn pass_over<A: RowAnswer>(answer: &mut Answer) {
    if A::ROWS == SAME {
        answer.push_null();
    }
}

impl<T: Output> RowAnswer for T {
    const ROWS: &'static str = SAME;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, _row: u32, answer: &mut Answer) -> Result<(), String> {
        answer.push(self);
        Ok(())
    }
}

impl<T: Output> RowAnswer for Option<T> {
    const ROWS: &'static str = INDEXED;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, row: u32, answer: &mut Answer) -> Result<(), String> {
        if let Some(value) = self {
            answer.push_at(row, value);
        }
        Ok(())
    }
}

impl<T: Output> RowAnswer for Vec<T> {
    const ROWS: &'static str = INDEXED;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, row: u32, answer: &mut Answer) -> Result<(), String> {
        for value in self {
            answer.push_at(row, value);
        }
        Ok(())
    }
}

impl<A: RowAnswer, E: std::fmt::Display> RowAnswer for Result<A, E> {
    const ROWS: &'static str = A::ROWS;
    const COLUMNS: &'static [OutputColumn] = A::COLUMNS;

    fn put(self, row: u32, answer: &mut Answer) -> Result<(), String> {
        match self {
            Ok(value) => value.put(row, answer),
            Err(error) => Err(format!("row {row}: {error}")),
        }
    }
}

impl<T: Output> TableAnswer for Vec<T> {
    const ROWS: &'static str = FREE;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, answer: &mut Answer) -> Result<(), String> {
        self.into_iter().for_each(|value| answer.push(value));
        Ok(())
    }
}

impl<T: Output> TableAnswer for Vec<At<T>> {
    const ROWS: &'static str = INDEXED;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, answer: &mut Answer) -> Result<(), String> {
        self.into_iter()
            .for_each(|at| answer.push_at(at.row, at.value));
        Ok(())
    }
}

impl<T: Output> TableAnswer for Same<T> {
    const ROWS: &'static str = SAME;
    const COLUMNS: &'static [OutputColumn] = T::COLUMNS;

    fn put(self, answer: &mut Answer) -> Result<(), String> {
        TableAnswer::put(self.0, answer)
    }
}

impl<A: TableAnswer, E: std::fmt::Display> TableAnswer for Result<A, E> {
    const ROWS: &'static str = A::ROWS;
    const COLUMNS: &'static [OutputColumn] = A::COLUMNS;

    fn put(self, answer: &mut Answer) -> Result<(), String> {
        self.map_err(|error| error.to_string())?.put(answer)
    }
}

/// What a function with a [`Sink`] may return: nothing, or a `Result` of nothing.
pub trait Done {
    /// How it failed, in words.
    type Error: std::fmt::Display;

    /// The same as a `Result`.
    fn done(self) -> Result<(), Self::Error>;
}

impl Done for () {
    type Error = std::convert::Infallible;

    fn done(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl<E: std::fmt::Display> Done for Result<(), E> {
    type Error = E;

    fn done(self) -> Self {
        self
    }
}
