//! What is encoded in text, layer by layer: base64 (also URL-safe, in lines, cut off), hexadecimal, URL-encoding,
//! UTF-16LE, gzip, zlib and raw deflate, and the argument of PowerShell's `-EncodedCommand`.
//!
//! The method: [`piece`] finds runs that look encoded, [`unpack`] decodes them, and [`content`] says what came out. A
//! piece counts as encoded where that is text, a known kind of file, a stream that decompresses, or long and random;
//! text is looked through again. Formats are those of RFC 4648 (base64), RFC 3986 (URLs), RFC 1950 to 1952 (zlib,
//! deflate, gzip) and about_PowerShell_exe (`-EncodedCommand`). MSTICPy's `base64unpack` is the model of what a hunter
//! asks for.

pub mod content;
mod inflate;
mod likely;
pub mod piece;
pub mod unpack;

use spoor_plugin::{Input, Output, Sink, function, plugin};

pub use unpack::{Bounds, Layer, unpack};

/// A row of the input.
#[derive(Input)]
pub struct Text<'a> {
    /// The text to look in. A row that is null has no layers.
    pub text: &'a str,
}

/// A row of the answer: one layer.
#[derive(Output)]
pub struct Decoded {
    /// Where the layer is: its place among those beside it, from 1, after the places of the layers around it (1.2).
    pub layer: String,
    /// The encodings around it, the outermost first, with > between them: base64, base64url, powershell (base64 of
    /// UTF-16 after -EncodedCommand), hex, url, utf16le, gzip, zlib, deflate.
    pub encodings: String,
    /// How many encodings those are.
    pub depth: i64,
    /// Where the encoded piece begins in the text or the layer around it, in characters from 0.
    pub offset: i64,
    /// How many characters the encoded piece has.
    pub length: i64,
    /// text; a kind of file (exe, elf, zip, 7z, rar, pdf, ole, png and others) by its first bytes; or data.
    pub content: &'static str,
    /// How many bytes it has.
    pub bytes: i64,
    /// The text, its first characters where it is longer than the option says; null for what is not text.
    pub decoded: Option<String>,
    /// SHA-256 of the bytes of what is not text, in hexadecimal; null for text.
    #[output(name = "Sha256")]
    pub sha256: Option<String>,
    /// Whether there is more than is shown: a bound was met, or the encoded piece is cut off.
    pub cut: bool,
}

/// What is encoded in text: base64, hex, URL-encoding, UTF-16, gzip, PowerShell's -enc.
///
/// A row for each layer that is text, a file or data; a layer of text is looked through again, and those inside it
/// follow it. Compressed bytes are unpacked and not told by themselves. What decodes to nothing that makes sense is
/// not told.
#[function]
pub fn decode(
    row: Text<'_>,
    out: &mut Sink<'_, Decoded>,
    /// Encodings around one another, 1 to 32.
    #[option(default = 8)]
    depth: i64,
    /// Bytes of all layers of a row together: what stops a decompression bomb.
    #[option(default = 1048576)]
    bytes: i64,
    /// Layers of a row.
    #[option(default = 64)]
    layers: i64,
    /// Characters of a layer's text that are shown.
    #[option(default = 4096)]
    characters: i64,
) -> Result<(), String> {
    let bounds = Bounds {
        depth: at_least_one("depth", depth)?.min(unpack::DEEPEST),
        bytes: at_least_one("bytes", bytes)?,
        layers: at_least_one("layers", layers)?,
    };
    let characters = at_least_one("characters", characters)?;
    for layer in unpack(row.text, bounds) {
        out.push(told(layer, characters));
    }
    Ok(())
}

fn at_least_one(name: &str, value: i64) -> Result<usize, String> {
    match usize::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(format!(
            "the option '{name}' is {value}: it has to be at least 1"
        )),
    }
}

fn told(layer: Layer, characters: usize) -> Decoded {
    let (decoded, cut) = match layer.text {
        Some(text) => match text.char_indices().nth(characters) {
            Some((end, _)) => (text.get(..end).map(str::to_owned), true),
            None => (Some(text), layer.cut),
        },
        None => (None, layer.cut),
    };
    Decoded {
        layer: layer.path,
        depth: layer.chain.len() as i64,
        encodings: layer.chain.join(" > "),
        offset: layer.range.start as i64,
        length: layer.range.len() as i64,
        content: layer.kind,
        bytes: layer.bytes as i64,
        decoded,
        sha256: layer.sha256,
        cut,
    }
}

plugin! {
    name: "decode",
    functions: [decode],
}
