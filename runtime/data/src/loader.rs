//! The loader: unpacks, finds the format, parses and finishes, each in slices.

use std::time::Duration;

use spoor_table::Table;

use crate::assembly::{Assembly, Finisher};
use crate::columnar::ColumnarReader;
use crate::error::{DataError, Problem, Trouble};
use crate::format::{Content, Format, by_name, content};
use crate::json::JsonReader;
use crate::separated::CsvReader;
use crate::unpack::{Member, Unpacked, Unpacker};
use crate::{Deadline, Limits, text};

/// What a slice of loading came to.
#[derive(Debug)]
pub enum Progress {
    /// There is more to do: call again.
    More,
    /// The table.
    Done(Table),
}

/// Loads one file as a table, a slice at a time.
pub struct Loader {
    label: String,
    hint: Option<Format>,
    limits: Limits,
    /// The member that is being read, for messages.
    member: Option<String>,
    /// The first member and its format, which the others must share.
    first: Option<(String, Format)>,
    assembly: Assembly,
    stage: Stage,
    unpacker: Option<Unpacker>,
}

enum Stage {
    /// Nothing has been looked at yet.
    Start(Vec<u8>),
    Unpack,
    Read(Reader),
    Finish(Box<Finisher>),
    /// Done, or failed.
    Over,
}

enum Reader {
    Csv(Box<CsvReader>),
    Json(Box<JsonReader>),
    Columnar(ColumnarReader),
}

impl Reader {
    fn step(&mut self, assembly: &mut Assembly, deadline: &Deadline) -> Result<bool, Trouble> {
        match self {
            Reader::Csv(reader) => reader.step(assembly, deadline),
            Reader::Json(reader) => reader.step(assembly, deadline),
            Reader::Columnar(reader) => reader.step(assembly, deadline),
        }
    }
}

impl Loader {
    /// A loader of `bytes`; see [`crate::read`] for the arguments. Nothing is looked at yet.
    pub fn new(label: &str, format: Option<Format>, bytes: Vec<u8>, limits: Limits) -> Self {
        Loader {
            label: label.to_owned(),
            hint: format,
            limits,
            member: None,
            first: None,
            assembly: Assembly::within(limits.table_bytes),
            stage: Stage::Start(bytes),
            unpacker: None,
        }
    }

    /// Works for about `budget`, give or take some milliseconds. After `Done` or an error there is nothing left to call
    /// it for: it says that the file is empty.
    pub fn step(&mut self, budget: Duration) -> Result<Progress, DataError> {
        let deadline = Deadline::after(budget);
        loop {
            let stage = std::mem::replace(&mut self.stage, Stage::Over);
            let stepped = self.advance(stage, &deadline);
            match stepped
                .map_err(|trouble| trouble.labelled(&self.label, self.member.as_deref()))?
            {
                Ok(stage) => self.stage = stage,
                Err(table) => return Ok(Progress::Done(table)),
            }
            if deadline.passed() {
                return Ok(Progress::More);
            }
        }
    }

    /// One move: the next stage, or the table.
    fn advance(
        &mut self,
        stage: Stage,
        deadline: &Deadline,
    ) -> Result<Result<Stage, Table>, Trouble> {
        match stage {
            Stage::Start(bytes) => {
                self.unpacker = Some(Unpacker::new(bytes, self.limits)?);
                Ok(Ok(Stage::Unpack))
            }
            Stage::Unpack => self.unpack(deadline).map(Ok),
            Stage::Read(mut reader) => match reader.step(&mut self.assembly, deadline)? {
                true => Ok(Ok(Stage::Unpack)),
                false => Ok(Ok(Stage::Read(reader))),
            },
            Stage::Finish(mut finisher) => match finisher.step()? {
                true => Ok(Ok(Stage::Finish(finisher))),
                false => Ok(Err(finisher.into_table())),
            },
            Stage::Over => Err(Problem::Empty.whole()),
        }
    }

    fn unpack(&mut self, deadline: &Deadline) -> Result<Stage, Trouble> {
        self.member = None;
        let Some(unpacker) = &mut self.unpacker else {
            return Ok(Stage::Over);
        };
        match unpacker.step(deadline)? {
            Unpacked::More => Ok(Stage::Unpack),
            Unpacked::Member(member) => self.open(member),
            Unpacked::End if self.first.is_none() => Err(Problem::Empty.whole()),
            Unpacked::End if self.assembly.width() == 0 => Err(Problem::NoColumns.whole()),
            Unpacked::End => Ok(Stage::Finish(Box::new(
                std::mem::take(&mut self.assembly).finish(),
            ))),
        }
    }

    /// Opens a reader on a member. Empty ones in an archive are passed over.
    fn open(&mut self, member: Member) -> Result<Stage, Trouble> {
        let Member { name, bytes } = member;
        self.member.clone_from(&name);
        let bytes = text::decode(bytes)?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Stage::Unpack);
        }
        let path = name.as_deref().unwrap_or(&self.label);
        let hint = match &name {
            // A caller who names a format means the file; its members may know better.
            Some(name) => Format::of_path(name).or(self.hint),
            None => self.hint.or_else(|| Format::of_path(&self.label)),
        };
        let found = match (content(&bytes, hint), by_name(path)) {
            // A guess: the name is the better one.
            (Content::Table(Format::Csv), Some(known)) if hint.is_none() => known,
            (found, _) => found,
        };
        let format = match found {
            Content::Table(format) => format,
            Content::Known { what, advice } => {
                return Err(Problem::Unsupported { what, advice }.whole());
            }
            Content::Unknown => return Err(Problem::Unknown.whole()),
        };
        self.agree(path.to_owned(), format)?;
        Ok(Stage::Read(match format {
            Format::Csv => Reader::Csv(Box::new(CsvReader::new(bytes))),
            Format::Json => Reader::Json(Box::new(JsonReader::new(bytes))),
            Format::Parquet | Format::Arrow => {
                Reader::Columnar(ColumnarReader::new(format, bytes, self.limits)?)
            }
        }))
    }

    fn agree(&mut self, name: String, format: Format) -> Result<(), Problem> {
        match &self.first {
            None => self.first = Some((name, format)),
            Some((_, first)) if *first == format => {}
            Some((first, first_format)) => {
                return Err(Problem::MixedMembers {
                    first_format: *first_format,
                    first: first.clone(),
                    second_format: format,
                    second: name,
                });
            }
        }
        Ok(())
    }
}
