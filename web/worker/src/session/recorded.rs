//! What workspaces answered when the notebook was recorded: files beside the notebook, which need no sign-in and no service.

use std::rc::Rc;

use js_sys::Uint8Array;
use spoor_protocol::FetchError;
use spoor_providers::recorded::{Header, MAX_HEADER, Question, missing};

use super::Session;
use super::fetch::{Fetch, Streams, file};

impl Session {
    /// A workspace's answer: the one that was recorded, where there is one, else what it says now.
    pub(super) async fn workspace(
        self: &Rc<Self>,
        workspace: &str,
        wanted: &Fetch,
    ) -> Result<Streams, FetchError> {
        let question = Question {
            workspace,
            text: &wanted.query,
            timespan: wanted.timespan.as_deref(),
        };
        let folder = self.recorded.borrow().clone();
        if let Some(folder) = &folder
            && let Some(recorded) = recorded(folder, question).await?
        {
            return Ok(recorded);
        }
        let answer = match self.ask_page(workspace, wanted).await {
            Some(answer) => Some(answer),
            None => self.ask_server(workspace, wanted).await,
        };
        answer.unwrap_or_else(|| {
            Err(match folder {
                Some(_) => absent(question),
                None => nowhere(workspace),
            })
        })
    }
}

/// The answer to a question in a folder of recorded ones, if it is there.
async fn recorded(folder: &str, question: Question<'_>) -> Result<Option<Streams>, FetchError> {
    let Some(header) = file(&format!("{folder}/{}", question.header())).await? else {
        return Ok(None);
    };
    let header = Header::read(question, &within(&header, MAX_HEADER))?;
    let mut streams = Vec::with_capacity(header.tables());
    for number in 0..header.tables() {
        let bytes = file(&format!("{folder}/{}", question.table(number))).await?;
        let bytes = bytes.ok_or_else(|| absent(question))?;
        header.check(number, &within(&bytes, header.bytes(number)))?;
        streams.push(bytes);
    }
    Ok(Some((streams, header.told().clone())))
}

fn absent(question: Question<'_>) -> FetchError {
    missing(question, "what came with this notebook")
}

/// The bytes, or one more than `most` where there are more, which no check passes.
fn within(bytes: &Uint8Array, most: usize) -> Vec<u8> {
    let most = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
    bytes.subarray(0, most.min(bytes.length())).to_vec()
}

fn nowhere(workspace: &str) -> FetchError {
    FetchError::new(format!("no workspace is called '{workspace}' in this browser")).hint(
        "name it under Workspaces, with the configuration that `spoor.toml` has on a host; or publish the notebook with recorded answers (`spoor run --record DIR`)",
    )
}
