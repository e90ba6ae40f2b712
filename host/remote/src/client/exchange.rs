//! One request and its answer.

use spoor_providers::config::{Limits, Workspace};
use spoor_providers::request::Request;
use spoor_providers::response::{
    Answer, DecodeError, Decoder, Form, Outcome, Progress, ServiceError, TableSchema,
    decode_schema, failure,
};

use super::failed::Failed;
use crate::watch::Watch;
use crate::wire::{Reply, Wire, wanted};
use spoor_providers::secret::Secret;

/// The longest body of an answer that is no result, in bytes.
const MOST_REFUSAL: usize = 1 << 20;

/// Reads the body of a good answer.
pub(super) trait Reader: Send + Sized + 'static {
    /// What it makes of it.
    type Made: Send;

    fn new(form: Form, limits: Limits, headers: &[(&str, &str)]) -> Self;
    fn push(&mut self, bytes: &[u8]) -> Result<Progress, DecodeError>;
    fn finish(self) -> Result<Self::Made, DecodeError>;
}

impl Reader for Decoder {
    type Made = Outcome;

    fn new(form: Form, limits: Limits, headers: &[(&str, &str)]) -> Self {
        Decoder::new(form, limits, headers)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Progress, DecodeError> {
        Decoder::push(self, bytes)
    }

    fn finish(self) -> Result<Outcome, DecodeError> {
        Decoder::finish(self)
    }
}

/// Keeps the body of a schema, which is read in one go.
pub(super) struct SchemaBody {
    form: Form,
    limits: Limits,
    body: Vec<u8>,
}

impl Reader for SchemaBody {
    type Made = Vec<TableSchema>;

    fn new(form: Form, limits: Limits, _: &[(&str, &str)]) -> Self {
        let body = Vec::new();
        SchemaBody { form, limits, body }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Progress, DecodeError> {
        let limit = self.limits.bytes;
        if self.body.len().saturating_add(bytes.len()) > limit {
            return Err(DecodeError::TooLarge { limit });
        }
        self.body.extend_from_slice(bytes);
        Ok(Progress {
            bytes: self.body.len(),
            ..Progress::default()
        })
    }

    fn finish(self) -> Result<Vec<TableSchema>, DecodeError> {
        let answer = Answer {
            status: 200,
            headers: &[],
            body: &self.body,
        };
        decode_schema(self.form, self.limits, &answer)
    }
}

/// What an exchange needs to know.
pub(super) struct Exchange<'a> {
    pub(super) wire: &'a Wire,
    pub(super) workspace: &'a Workspace,
    pub(super) request: &'a Request,
    pub(super) token: Option<&'a Secret>,
    pub(super) watch: &'a dyn Watch,
}

impl Exchange<'_> {
    /// Sends the request and reads its answer. `heard` is told of each part.
    pub(super) async fn run<R: Reader>(
        &self,
        heard: &mut dyn FnMut(Progress),
    ) -> Result<R::Made, Failed> {
        let remote = self.workspace.remote.as_ref();
        let origin = match remote {
            Some(remote) => &remote.origin,
            None => return Err(local(self.workspace)),
        };
        let mut reply = self.wire.send(origin, self.request, self.token).await?;
        let headers = reply.headers();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if reply.status() != 200 {
            return Err(self.refusal(&mut reply, &headers).await);
        }
        let mut reader = R::new(self.request.form, self.workspace.limits, &headers);
        let failed = |error| self.unreadable(&headers, error);
        while let Some(part) = reply.part().await? {
            wanted(self.watch)?;
            heard(reader.push(&part).map_err(failed)?);
        }
        // A long answer takes seconds to read; nobody who stops the query waits for that.
        let made = tokio::task::spawn_blocking(|| reader.finish()).await;
        made.map_err(|_| Failed::Reading)?.map_err(failed)
    }

    async fn refusal(&self, reply: &mut Reply, headers: &[(&str, &str)]) -> Failed {
        let status = reply.status();
        if status.is_success() {
            return DecodeError::Status(status.as_u16()).into();
        }
        let answer = Answer {
            status: status.as_u16(),
            headers,
            body: &reply.start(MOST_REFUSAL).await,
        };
        Failed::Service(Box::new(failure(self.workspace, &answer)))
    }

    fn unreadable(&self, headers: &[(&str, &str)], error: DecodeError) -> Failed {
        match ServiceError::of_decoding(self.workspace, headers, &error) {
            Some(error) => Failed::Service(Box::new(error)),
            None => Failed::Decode(error),
        }
    }
}

/// That a workspace is not asked over a network.
pub(super) fn local(workspace: &Workspace) -> Failed {
    let name = workspace.name.clone();
    spoor_providers::request::RequestError::Local(name).into()
}

/// A new identifier of a request.
pub(super) fn id() -> Result<String, Failed> {
    let number = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) = number.map_err(|_| Failed::Random)?;
    Ok(format!("Spoor;{high:016x}{low:016x}"))
}

/// A random number from 0 up to 1.
pub(super) fn jitter() -> Result<f64, Failed> {
    let number = getrandom::u32().map_err(|_| Failed::Random)?;
    Ok(f64::from(number) / (f64::from(u32::MAX) + 1.0))
}
