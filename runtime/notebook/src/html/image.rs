//! Images as `data:` URLs: a page stands alone. What cannot be had is named where it would be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::{escaped, percent_decoded};
use crate::model::Object;

/// The MIME type of an image, from its first bytes; none if it is no image that browsers draw.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let start = &bytes[..bytes.len().min(1024)];
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        [b'B', b'M', ..] => "image/bmp",
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => "image/avif",
        _ if start.windows(4).any(|window| window == b"<svg") => "image/svg+xml",
        _ => return None,
    })
}

/// A `data:` URL of an image's bytes.
pub(crate) fn data_url(bytes: &[u8]) -> Option<String> {
    let mime = sniff(bytes)?;
    Some(format!("data:{mime};base64,{}", STANDARD.encode(bytes)))
}

/// A `data:` URL of an image that a bundle or an attachment holds as base64, checked.
pub(crate) fn from_base64(mime: &str, text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let is_base64 = compact
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    let is_image = matches!(
        mime,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/bmp" | "image/avif"
    );
    (is_image && is_base64 && !compact.is_empty()).then(|| format!("data:{mime};base64,{compact}"))
}

/// A `data:` URL of an attachment: the first of its formats that is an image.
pub(crate) fn from_attachment(file: &Object) -> Option<String> {
    file.iter().find_map(|(mime, value)| {
        let content = value.as_str()?;
        if mime == "image/svg+xml" {
            Some(from_svg(content))
        } else {
            from_base64(mime, content)
        }
    })
}

/// A `data:` URL of SVG source. In an `img` element no script of it runs and nothing of it loads.
pub(crate) fn from_svg(source: &str) -> String {
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(source))
}

/// What stands where an image is not to be had: a link to it, or its name.
pub(crate) fn missing(source: &str, alt: &str) -> String {
    let is_remote = source.starts_with("http://") || source.starts_with("https://");
    let words = words_for(alt);
    if is_remote {
        let url = escaped(source);
        return format!(
            "<a class=\"no-image\" href=\"{url}\" rel=\"noopener noreferrer\" title=\"{url}\">{} (not embedded)</a>",
            escaped(words)
        );
    }
    named(source, words, "not found")
}

/// What stands where an image would stand once more, and the page has no room for it.
pub(crate) fn shown_above(source: &str, alt: &str) -> String {
    let name = source.strip_prefix("attachment:").unwrap_or(source);
    named(
        name,
        words_for(alt),
        "shown above, and too large to be here again",
    )
}

/// An image's name, and why it is not here.
fn named(source: &str, words: &str, why: &str) -> String {
    let shown = percent_decoded(source);
    let name = shown
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or(&shown);
    format!(
        "<span class=\"no-image\">{} ({why}: {})</span>",
        escaped(words),
        escaped(&shorten(name))
    )
}

/// What an image shows, in words.
fn words_for(alt: &str) -> &str {
    match alt.trim() {
        "" => "image",
        words => words,
    }
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= 60 {
        name.to_owned()
    } else {
        name.chars().take(59).chain(['…']).collect()
    }
}
