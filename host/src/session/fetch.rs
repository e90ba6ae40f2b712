//! Queries that a provider runs natively, on the session's thread, and their answers as events for the kernel.

use std::io::{self, Write};

use spoor_protocol::{Event, FetchError, Frame, MAX_FETCHED};

use crate::native::{Providers, Watch};

/// How much of a result is handed to the kernel at a time.
const CHUNK: usize = 4 << 20;

/// What a kernel wants of a provider.
#[derive(Debug)]
pub struct Wanted {
    /// The fetch's number.
    pub fetch: u64,
    /// The provider.
    pub provider: String,
    /// The query.
    pub query: String,
}

/// Has a provider run a query. What came of it, in the order in which the kernel is to hear of it.
pub fn answer(providers: &Providers, wanted: &Wanted, watch: &Watch) -> Vec<Frame<Event>> {
    let mut out = Bounded::new(MAX_FETCHED);
    let done = match providers.get(&wanted.provider) {
        Some(engine) => engine
            .run(&wanted.query, watch, &mut out)
            .map_err(FetchError::from),
        None => Err(unknown(&wanted.provider)),
    };
    match done {
        _ if out.is_over => vec![failed(wanted.fetch, FetchError::too_large())],
        Ok(()) => parts(wanted.fetch, out.bytes),
        Err(error) => vec![failed(wanted.fetch, error)],
    }
}

fn unknown(provider: &str) -> FetchError {
    FetchError::new(format!(
        "there is no {provider} here: this session was opened without one"
    ))
    .hint(format!(
        "leave out `{provider}`, and the query runs in the kernel"
    ))
}

fn failed(fetch: u64, error: FetchError) -> Frame<Event> {
    Frame::new(Event::Fetched {
        fetch,
        last: true,
        error: Some(error),
    })
}

fn parts(fetch: u64, mut bytes: Vec<u8>) -> Vec<Frame<Event>> {
    let count = bytes.len().div_ceil(CHUNK).max(1);
    let mut parts = Vec::with_capacity(count);
    // From the end, so that what has been taken is given back.
    for number in (0..count).rev() {
        let event = Event::Fetched {
            fetch,
            last: number + 1 == count,
            error: None,
        };
        parts.push(Frame::with(event, vec![bytes.split_off(number * CHUNK)]));
        bytes.shrink_to_fit();
    }
    parts.reverse();
    parts
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

    use super::*;
    use crate::native::{Problem, Query};

    /// Gives as many bytes as the query's text says.
    struct Bytes;

    impl Query for Bytes {
        fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<(), Problem> {
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
            Ok(())
        }
    }

    fn wanted(provider: &str, query: &str) -> Wanted {
        Wanted {
            fetch: 3,
            provider: provider.into(),
            query: query.into(),
        }
    }

    fn asked(provider: &str, query: &str) -> Vec<Frame<Event>> {
        let providers = Providers::host(Arc::new(Bytes));
        let watch = Watch::new(|| false, None);
        answer(&providers, &wanted(provider, query), &watch)
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
            let answer = asked("host", &bytes.to_string());
            assert_eq!(answer.len(), count, "{bytes}");
            let all: usize = answer.iter().map(|part| part.buffers[0].len()).sum();
            assert_eq!(all, bytes);
            for (number, part) in answer.iter().enumerate() {
                let expected = Event::Fetched {
                    fetch: 3,
                    last: number + 1 == count,
                    error: None,
                };
                assert_eq!(part.header, expected);
            }
        }
    }

    #[test]
    fn what_fails_says_why_and_what_to_do() {
        let wrong = error(&asked("host", "x"));
        assert_eq!(
            (wrong.message.as_str(), wrong.hint.as_deref()),
            ("no number", Some("a hint"))
        );
        assert!(
            error(&asked("cloud", "1"))
                .message
                .contains("no cloud here")
        );
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
        let providers = Providers::host(Arc::new(Bytes));
        let watch = Watch::new(|| true, None);
        let gone = answer(&providers, &wanted("host", "1"), &watch);
        assert_eq!(error(&gone).message, "stopped");
    }
}
