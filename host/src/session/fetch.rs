//! Queries that a provider runs, on the session's thread, and their answers as events for the kernel.

use std::io::{self, Write};

use spoor_protocol::{Event, FetchError, Frame, MAX_FETCHED, MAX_FETCHED_TABLES, Provider, Told};
use spoor_table::ipc;

use crate::native::{Answered, Asked, Providers, Watch};

/// How much of a result is handed to the kernel at a time.
const CHUNK: usize = 4 << 20;

/// What a kernel wants of a provider.
#[derive(Debug)]
pub struct Wanted {
    /// The fetch's number.
    pub fetch: u64,
    /// The provider.
    pub provider: Provider,
    /// The query.
    pub query: String,
    /// The time that it looks at.
    pub timespan: Option<String>,
}

/// Has a provider run a query. What came of it, in the order in which the kernel is to hear of it.
pub fn answer(providers: &Providers, wanted: &Wanted, watch: &Watch) -> Vec<Frame<Event>> {
    let streams = match &wanted.provider {
        Provider::Host => native(providers, &wanted.query, watch),
        Provider::Workspace(name) => remote(providers, name, wanted, watch),
    };
    match streams {
        Ok((streams, told)) => parts(wanted.fetch, streams, told),
        Err(error) => vec![failed(wanted.fetch, error)],
    }
}

/// The Arrow streams of an answer's tables, and what is said of them.
type Streams = (Vec<Vec<u8>>, Told);

fn native(providers: &Providers, query: &str, watch: &Watch) -> Result<Streams, FetchError> {
    let engine = providers.host.as_ref().ok_or_else(no_host)?;
    let mut out = Bounded::new(MAX_FETCHED);
    let done = engine.run(query, watch, &mut out);
    if out.is_over {
        return Err(FetchError::too_large());
    }
    done?;
    Ok((vec![out.bytes], Told::default()))
}

fn remote(
    providers: &Providers,
    workspace: &str,
    wanted: &Wanted,
    watch: &Watch,
) -> Result<Streams, FetchError> {
    let remote = providers.remote.as_ref();
    let asked = Asked {
        workspace,
        text: &wanted.query,
        timespan: wanted.timespan.as_deref(),
    };
    let Answered { tables, told } = remote.ok_or_else(no_workspaces)?.ask(asked, watch)?;
    let mut left = MAX_FETCHED;
    let mut streams = Vec::new();
    if tables.len() > MAX_FETCHED_TABLES {
        let most = format!("the answer has more than {MAX_FETCHED_TABLES} tables");
        return Err(FetchError::new(most));
    }
    for table in &tables {
        let mut out = Bounded::new(left);
        let written = ipc::write_stream(table, &mut out);
        if out.is_over {
            return Err(FetchError::too_large());
        }
        written.map_err(|error| FetchError::new(error.to_string()))?;
        left -= out.bytes.len();
        streams.push(out.bytes);
    }
    Ok((streams, told))
}

fn no_host() -> FetchError {
    FetchError::new("there is no host here: this session was opened without one")
        .hint("leave out `host`, and the query runs in the kernel")
}

fn no_workspaces() -> FetchError {
    FetchError::new("there are no workspaces here: this session was opened without any")
        .hint("leave out `--workspace`, and the query runs in the kernel")
}

fn failed(fetch: u64, error: FetchError) -> Frame<Event> {
    Frame::new(Event::Fetched {
        fetch,
        table: 0,
        last: true,
        error: Some(error),
        told: Box::default(),
    })
}

fn parts(fetch: u64, streams: Vec<Vec<u8>>, told: Told) -> Vec<Frame<Event>> {
    let mut parts: Vec<Frame<Event>> = Vec::new();
    for (table, stream) in streams.into_iter().enumerate() {
        parts.extend(chunks(stream).into_iter().map(|bytes| {
            let event = Event::Fetched {
                fetch,
                table,
                last: false,
                error: None,
                told: Box::default(),
            };
            Frame::with(event, vec![bytes])
        }));
    }
    if let Some(Frame {
        header: Event::Fetched { last, told: of, .. },
        ..
    }) = parts.last_mut()
    {
        (*last, *of) = (true, told.into());
    }
    parts
}

fn chunks(mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let count = bytes.len().div_ceil(CHUNK).max(1);
    let mut chunks = Vec::with_capacity(count);
    // From the end, so that what has been taken is given back.
    for number in (0..count).rev() {
        chunks.push(bytes.split_off(number * CHUNK));
        bytes.shrink_to_fit();
    }
    chunks.reverse();
    chunks
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most,
            is_over: false,
        }
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.is_over = true;
            return Err(io::Error::other("the result is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use spoor_table::{Column, KustoType, Table, Value};

    use super::*;
    use crate::native::{Problem, Query, Remote};

    /// Gives as many bytes as the query's text says.
    struct Bytes;

    impl Query for Bytes {
        fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<u64, Problem> {
            let failed = |message: &str| Problem {
                message: message.into(),
                hint: Some("a hint".into()),
                ..Problem::default()
            };
            if watch.stop().is_some() {
                return Err(failed("stopped"));
            }
            let mut left: usize = text.parse().map_err(|_| failed("no number"))?;
            while left > 0 {
                let some = left.min(1 << 20);
                out.write_all(&vec![7; some])
                    .map_err(|_| failed("no room"))?;
                left -= some;
            }
            Ok(0)
        }
    }

    /// A workspace with as many rows as the query says, twice, of which some are missing.
    struct Rows;

    impl Remote for Rows {
        fn ask(&self, asked: Asked<'_>, _: &Watch) -> Result<Answered, FetchError> {
            if asked.workspace != "soc" {
                return Err(FetchError::new("no such workspace"));
            }
            let rows = asked.text.parse().unwrap();
            let columns = vec![Column::new("n", KustoType::Long)];
            let rows: Vec<Vec<Value>> = (0..rows).map(|n| vec![Value::Long(n)]).collect();
            let table = Table::from_values(columns, &rows).unwrap();
            let told = Told {
                partial: vec![format!("some are missing of {:?}", asked.timespan)],
                ..Told::default()
            };
            Ok(Answered {
                tables: vec![table.clone(), table],
                told,
            })
        }
    }

    fn wanted(provider: Provider, query: &str) -> Wanted {
        Wanted {
            fetch: 3,
            provider,
            query: query.into(),
            timespan: Some("P1D".into()),
        }
    }

    fn providers() -> Providers {
        Providers {
            host: Some(Arc::new(Bytes)),
            remote: Some(Arc::new(Rows)),
        }
    }

    fn asked(provider: Provider, query: &str) -> Vec<Frame<Event>> {
        let watch = Watch::new(|| false, None);
        answer(&providers(), &wanted(provider, query), &watch)
    }

    fn error(answer: &[Frame<Event>]) -> FetchError {
        match answer {
            [
                Frame {
                    header:
                        Event::Fetched {
                            fetch: 3,
                            last: true,
                            error: Some(error),
                            ..
                        },
                    ..
                },
            ] => error.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_result_comes_in_parts_of_which_one_is_the_last() {
        for (bytes, count) in [(0, 1), (1, 1), (CHUNK, 1), (CHUNK + 1, 2), (3 * CHUNK, 3)] {
            let answer = asked(Provider::Host, &bytes.to_string());
            assert_eq!(answer.len(), count, "{bytes}");
            let all: usize = answer.iter().map(|part| part.buffers[0].len()).sum();
            assert_eq!(all, bytes);
            for (number, part) in answer.iter().enumerate() {
                let expected = Event::Fetched {
                    fetch: 3,
                    table: 0,
                    last: number + 1 == count,
                    error: None,
                    told: Box::default(),
                };
                assert_eq!(part.header, expected);
            }
        }
    }

    #[test]
    fn what_fails_says_why_and_what_to_do() {
        let wrong = error(&asked(Provider::Host, "x"));
        assert_eq!(
            (wrong.message.as_str(), wrong.hint.as_deref()),
            ("no number", Some("a hint"))
        );
        let elsewhere = Provider::Workspace("cloud".into());
        assert_eq!(error(&asked(elsewhere, "1")).message, "no such workspace");
        let nobody = |provider| {
            let watch = Watch::new(|| false, None);
            error(&answer(
                &Providers::default(),
                &wanted(provider, "1"),
                &watch,
            ))
            .message
        };
        assert!(nobody(Provider::Host).contains("no host here"));
        assert!(nobody(Provider::Workspace("soc".into())).contains("no workspaces here"));
    }

    #[test]
    fn a_result_has_an_end() {
        let mut out = Bounded::new(10);
        out.write_all(&[1; 10]).unwrap();
        assert!(!out.is_over && out.write_all(&[1]).is_err());
        assert!(out.is_over && out.bytes.len() == 10);
        assert!(FetchError::too_large().message.contains("512 MiB"));
    }

    #[test]
    fn a_query_that_nobody_waits_for_is_told() {
        let watch = Watch::new(|| true, None);
        let gone = answer(&providers(), &wanted(Provider::Host, "1"), &watch);
        assert_eq!(error(&gone).message, "stopped");
    }

    #[test]
    fn a_workspace_s_tables_come_one_after_the_other_and_what_is_said_of_them_last() {
        let answer = asked(Provider::Workspace("soc".into()), "3");
        let all: Vec<(usize, bool, usize)> = answer
            .iter()
            .map(|part| match &part.header {
                Event::Fetched {
                    table, last, told, ..
                } => (*table, *last, told.partial.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(all, [(0, false, 0), (1, true, 1)]);
        let second = ipc::from_stream(&answer[1].buffers[0]).unwrap();
        assert_eq!(second.rows(), 3);
        assert!(matches!(&answer[1].header, Event::Fetched { told, .. }
            if told.partial == ["some are missing of Some(\"P1D\")"]));
    }
}
