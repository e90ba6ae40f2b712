//! One file as an answer: its type, strong validators, parts of it.

use std::fs::Metadata;
use std::io::SeekFrom;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use spoor_door::Refusal;

/// Bytes of a file that are in memory at a time, for each answer.
const PART: usize = 1 << 18;

/// A file that is to be sent.
pub struct Sent {
    /// The open file.
    pub file: std::fs::File,
    /// Its length in bytes.
    pub len: u64,
    /// Its validator, quoted, which no other content of this address has.
    pub etag: String,
    /// Its MIME type.
    pub kind: &'static str,
    /// How it is packed, if it is.
    pub encoding: Option<&'static str>,
    /// How long it may be kept.
    pub keep: &'static str,
}

/// Opens a file of a folder, and nothing outside it wherever links lead. `None` where there is no
/// such file, or something that is no file.
pub fn open(dir: &Dir, path: &Path) -> std::io::Result<Option<(std::fs::File, Metadata)>> {
    let mut options = OpenOptions::new();
    // Opening a pipe would wait for its other end.
    options
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = match dir.open_with(path, &options) {
        Ok(file) => file.into_std(),
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let meta = file.metadata()?;
    Ok(meta.is_file().then_some((file, meta)))
}

/// Whether the system says that there is nothing to be had by that path, in the folder.
pub fn is_absence(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    let no_device = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
    let kinds = [
        NotFound,
        NotADirectory,
        IsADirectory,
        PermissionDenied,
        InvalidFilename,
    ];
    no_device || kinds.contains(&error.kind())
}

/// A validator from what the system keeps of a file: another after each write, without reading it.
pub fn stamp(meta: &Metadata) -> String {
    format!(
        "{:x}-{:x}-{:x}.{:x}.{:x}.{:x}",
        meta.ino(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec()
    )
}

/// The MIME type by a file's extension.
pub fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "ipynb") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "csv") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The file, or the part of it that is asked for, or word that the client has it.
pub async fn send(method: &Method, asked: &HeaderMap, sent: Sent) -> Result<Response, Refusal> {
    let mut headers = vec![
        (header::ETAG, sent.etag.clone()),
        (header::CACHE_CONTROL, sent.keep.to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if has(asked, &sent.etag) {
        return Ok((StatusCode::NOT_MODIFIED, named(headers)).into_response());
    }
    headers.push((header::CONTENT_TYPE, sent.kind.to_owned()));
    match sent.encoding {
        Some(encoding) => headers.push((header::CONTENT_ENCODING, encoding.to_owned())),
        None => headers.push((header::ACCEPT_RANGES, "bytes".to_owned())),
    }
    let (status, part) = match range(asked, &sent) {
        Range::Whole => (StatusCode::OK, 0..=sent.len.saturating_sub(1)),
        Range::Part(part) => {
            headers.push((
                header::CONTENT_RANGE,
                format!("bytes {}-{}/{}", part.start(), part.end(), sent.len),
            ));
            (StatusCode::PARTIAL_CONTENT, part)
        }
        Range::Beyond => {
            headers.push((header::CONTENT_RANGE, format!("bytes */{}", sent.len)));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, named(headers)).into_response());
        }
    };
    let length = if sent.len == 0 {
        0
    } else {
        part.end() - part.start() + 1
    };
    headers.push((header::CONTENT_LENGTH, length.to_string()));
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        body(sent.file, *part.start(), length).await?
    };
    Ok((status, named(headers), body).into_response())
}

fn named(headers: Vec<(HeaderName, String)>) -> HeaderMap {
    let valid = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)));
    valid.collect()
}

async fn body(file: std::fs::File, start: u64, length: u64) -> Result<Body, Refusal> {
    let mut file = tokio::fs::File::from_std(file);
    let sought = file.seek(SeekFrom::Start(start)).await;
    sought.map_err(|error| Refusal::broken(&error))?;
    Ok(Body::from_stream(ReaderStream::with_capacity(
        file.take(length),
        PART,
    )))
}

/// Whether the client has the file of this validator.
fn has(asked: &HeaderMap, etag: &str) -> bool {
    let lists = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(','));
    tags.any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*")
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(RangeInclusive<u64>),
    Beyond,
}

/// What part is asked for. Several parts at once are answered with the whole, as is one of another
/// version than the client has.
fn range(asked: &HeaderMap, sent: &Sent) -> Range {
    let text = |name| asked.get(name).and_then(|value| value.to_str().ok());
    let outdated = text(header::IF_RANGE).is_some_and(|version| version != sent.etag);
    match text(header::RANGE) {
        Some(range) if sent.encoding.is_none() && !outdated => part(range, sent.len),
        _ => Range::Whole,
    }
}

fn part(range: &str, len: u64) -> Range {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Range::Whole;
    };
    let (first, last): (Option<u64>, Option<u64>) = match (number(first), number(last)) {
        (Some(first), Some(last)) => (first, last),
        _ => return Range::Whole,
    };
    let (start, end) = match (first, last) {
        (Some(first), last) => (first, last.unwrap_or(u64::MAX)),
        (None, Some(count)) if count > 0 => (len.saturating_sub(count), u64::MAX),
        (None, Some(_)) => return Range::Beyond,
        (None, None) => return Range::Whole,
    };
    if end < start {
        return Range::Whole;
    }
    if start >= len {
        return Range::Beyond;
    }
    Range::Part(start..=end.min(len - 1))
}

/// A number or nothing, if that is all there is.
fn number(text: &str) -> Option<Option<u64>> {
    match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read() {
        for (range, expected) in [
            ("bytes=0-0", Range::Part(0..=0)),
            ("bytes=2-", Range::Part(2..=9)),
            ("bytes=2-99", Range::Part(2..=9)),
            ("bytes=-3", Range::Part(7..=9)),
            ("bytes=-99", Range::Part(0..=9)),
            ("bytes=10-", Range::Beyond),
            ("bytes=-0", Range::Beyond),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,4-5", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=+1-2", Range::Whole),
            ("lines=1-2", Range::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Range::Beyond);
    }
}
