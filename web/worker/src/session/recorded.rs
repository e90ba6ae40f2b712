//! What workspaces answered when the notebook was recorded: files beside the notebook, which need no sign-in and no service.

use js_sys::Uint8Array;
use spoor_protocol::FetchError;
use spoor_providers::recorded::{Header, MAX_HEADER, Question, missing};

use super::Session;
use super::fetch::{Fetch, Streams, file};

impl Session {
    /// The recorded answer to a query of a workspace.
    pub(super) async fn recorded(
        &self,
        workspace: &str,
        wanted: &Fetch,
    ) -> Result<Streams, FetchError> {
        let folder = self.recorded.borrow().clone();
        let folder = folder.ok_or_else(|| nowhere(workspace))?;
        let question = Question {
            workspace,
            text: &wanted.query,
            timespan: wanted.timespan.as_deref(),
        };
        let absent = || missing(question, "what came with this notebook");
        let header = file(&format!("{folder}/{}", question.header())).await?;
        let header = Header::read(question, &within(&header.ok_or_else(absent)?, MAX_HEADER))?;
        let mut streams = Vec::with_capacity(header.tables());
        for number in 0..header.tables() {
            let bytes = file(&format!("{folder}/{}", question.table(number))).await?;
            let bytes = bytes.ok_or_else(absent)?;
            header.check(number, &within(&bytes, header.bytes(number)))?;
            streams.push(bytes);
        }
        Ok((streams, header.told().clone()))
    }
}

/// The bytes, or one more than `most` where there are more, which no check passes.
fn within(bytes: &Uint8Array, most: usize) -> Vec<u8> {
    let most = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
    bytes.subarray(0, most.min(bytes.length())).to_vec()
}

fn nowhere(workspace: &str) -> FetchError {
    FetchError::new(format!(
        "the workspace '{workspace}' cannot be asked from this page, and the notebook came without recorded answers"
    ))
    .hint("run the notebook with `spoor run --record DIR` where the workspace is configured, and publish DIR beside it")
}
