//! Bodies as they come over the wire become outcomes.

use super::budget::Budget;
use super::frames::Frames;
use super::{
    Cause, Completeness, DecodeError, Form, Outcome, defender, kusto_v1, kusto_v2, log_analytics,
    resource_graph,
};
use crate::config::Limits;

/// An answer whose body is whole.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The headers; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The value of the first header called `name`.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.headers, name)
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self.status {
            200 => Ok(()),
            other => Err(DecodeError::Status(other)),
        }
    }

    /// Whether there is a result to decode; if not, see [`super::failure`].
    pub fn is_good(&self) -> bool {
        self.status == 200
    }
}

fn header<'a>(headers: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

/// Times the limit of bytes that may pass by: rows that are left out or replaced, and blanks. Only one frame of them is held.
const MOST_PASSING: usize = 16;

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Bytes of the body.
    pub bytes: usize,
    /// Rows that were read; only Kusto's version 2 is read as it comes.
    pub rows: usize,
    /// Per cent of the query, where the service says so.
    pub percent: Option<f64>,
}

/// Reads the body of a good answer, part by part.
pub struct Decoder {
    form: Form,
    limits: Limits,
    seen: usize,
    start: Start,
    body: Body,
    /// What the headers say.
    completeness: Completeness,
}

enum Body {
    /// Read when all of it is there.
    Whole(Vec<u8>),
    /// Read frame by frame.
    Frames(Frames, Box<kusto_v2::Reader>),
}

impl Decoder {
    /// For an answer with these headers to a request of this form.
    pub fn new(form: Form, limits: Limits, headers: &[(&str, &str)]) -> Self {
        Decoder {
            form,
            limits,
            seen: 0,
            start: Start::default(),
            body: Body::Whole(Vec::new()),
            completeness: left_out(form, headers),
        }
    }

    /// Takes the next bytes. After an error nothing more may be pushed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, DecodeError> {
        self.seen = self.seen.saturating_add(bytes.len());
        let bytes = self.start.skip(bytes);
        let limit = self.limits.bytes;
        if self.seen > limit.saturating_mul(MOST_PASSING) {
            return Err(DecodeError::TooLarge { limit });
        }
        if let Body::Whole(body) = &mut self.body {
            if body.len().saturating_add(bytes.len()) > limit && !self.form.is_framed() {
                return Err(DecodeError::TooLarge { limit });
            }
            if !self.form.is_framed() || !body.is_empty() || bytes.first() != Some(&b'[') {
                return self.keep(bytes);
            }
            let reader = kusto_v2::Reader::new(Budget::new(self.limits));
            self.body = Body::Frames(Frames::default(), Box::new(reader));
        }
        self.frames(bytes)?;
        Ok(self.progress())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Progress, DecodeError> {
        let limit = self.limits.bytes;
        if let Body::Whole(body) = &mut self.body {
            if body.len().saturating_add(bytes.len()) > limit {
                return Err(DecodeError::TooLarge { limit });
            }
            body.extend_from_slice(bytes);
        }
        Ok(self.progress())
    }

    fn frames(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        match &mut self.body {
            Body::Frames(frames, reader) => {
                frames.push(bytes, self.limits.bytes, |frame| reader.frame(frame))
            }
            Body::Whole(_) => Ok(()),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let (rows, percent) = match &self.body {
            Body::Frames(_, reader) => (reader.rows(), reader.progress()),
            Body::Whole(_) => (0, None),
        };
        Progress {
            bytes: self.seen,
            rows,
            percent,
        }
    }

    /// What the answer says, now that all of it was pushed.
    pub fn finish(self) -> Result<Outcome, DecodeError> {
        let mut outcome = match self.body {
            Body::Frames(frames, reader) if frames.is_whole() => reader.finish(),
            Body::Frames(..) => Err(DecodeError::Cut { bytes: self.seen }),
            Body::Whole(body) => whole(self.form, &body, &Budget::new(self.limits)),
        }?;
        outcome.completeness.take_in(&self.completeness);
        Ok(outcome)
    }
}

/// What headers say is missing. Source: Azure's page on Resource Graph's limits of subscriptions.
fn left_out(form: Form, headers: &[(&str, &str)]) -> Completeness {
    let mut completeness = Completeness::Complete;
    let hit = header(headers, "x-ms-tenant-subscription-limit-hit");
    let hit = hit.is_some_and(|hit| hit.trim().eq_ignore_ascii_case("true"));
    if hit && form == Form::ResourceGraph {
        let told = "Azure Resource Graph looked at some of the directory's subscriptions only: name those that matter in 'subscriptions'";
        completeness.note(Cause::Truncated, told);
    }
    completeness
}

impl Form {
    const fn is_framed(self) -> bool {
        matches!(self, Form::KustoV2)
    }
}

/// What stands before a body: blanks, behind one byte order mark at most.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    /// Bytes of the mark that came.
    mark: usize,
    /// The mark, or a blank, or the body has come.
    settled: bool,
    begun: bool,
}

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Start {
    /// The bytes of the body.
    fn skip<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let (false, Some((first, rest))) = (self.begun, bytes.split_first()) {
            let marks = !self.settled && MARK.get(self.mark) == Some(first);
            if marks {
                self.mark += 1;
                self.settled = self.mark == MARK.len();
            } else if first.is_ascii_whitespace() {
                self.settled = true;
            } else {
                self.begun = true;
                break;
            }
            bytes = rest;
        }
        bytes
    }
}

fn whole(form: Form, body: &[u8], budget: &Budget) -> Result<Outcome, DecodeError> {
    if body.is_empty() {
        return Err(DecodeError::Empty);
    }
    match form {
        Form::LogAnalytics => log_analytics::decode(body, budget),
        // An object in place of the frames is an error, or the answer of a server that knows no version 2.
        Form::KustoV1 | Form::KustoV2 | Form::KustoSchema => kusto_v1::decode(body, budget),
        Form::Defender => defender::decode(body, budget),
        Form::ResourceGraph => resource_graph::decode(body, budget),
        Form::LogAnalyticsSchema => {
            let told = "a schema is no result";
            Err(DecodeError::Shape(told.to_owned()))
        }
    }
}

/// Reads a good answer in one go. Other statuses of success do not say that all of the result is there.
pub fn decode(form: Form, limits: Limits, answer: &Answer<'_>) -> Result<Outcome, DecodeError> {
    answer.check()?;
    if !form.is_framed() && answer.body.len() <= limits.bytes {
        let mut outcome = whole(
            form,
            Start::default().skip(answer.body),
            &Budget::new(limits),
        )?;
        outcome
            .completeness
            .take_in(&left_out(form, answer.headers));
        return Ok(outcome);
    }
    let mut decoder = Decoder::new(form, limits, answer.headers);
    decoder.push(answer.body)?;
    decoder.finish()
}
