//! Decoding, layer by layer, within bounds.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};

use crate::content::{self, Content, Packing, content};
use crate::inflate::{inflate, may_be_deflated};
use crate::likely::is_likely;
use crate::piece::{self, Encoding, Piece};

/// How far decoding goes in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Encodings around one another.
    pub depth: usize,
    /// Bytes that all layers have together.
    pub bytes: usize,
    /// Layers told.
    pub layers: usize,
}

/// The most that [`Bounds::depth`] can be: each is a call inside another.
pub const DEEPEST: usize = 32;

/// Something that was encoded in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The place of each layer around it, and of this one, among those beside it, from 1: `1.2`.
    pub path: String,
    /// The encodings around it, the outermost first.
    pub chain: Vec<&'static str>,
    /// Where the encoded piece lies in the text or the layer around it, in characters.
    pub range: Range<usize>,
    /// What it is: `text`, a kind of file, or `data`.
    pub kind: &'static str,
    /// How many bytes it has.
    pub bytes: usize,
    /// Its text, where it is text.
    pub text: Option<String>,
    /// SHA-256 of its bytes in hexadecimal, where it is not text.
    pub sha256: Option<String>,
    /// Whether a bound, or the end of what was encoded, kept from seeing more.
    pub cut: bool,
}

/// Decodes what is encoded in a text. Layers come before those inside them.
pub fn unpack(text: &str, bounds: Bounds) -> Vec<Layer> {
    let mut unpacking = Unpacking {
        bytes: bounds.bytes,
        bounds: Bounds {
            depth: bounds.depth.min(DEEPEST),
            ..bounds
        },
        layers: Vec::new(),
    };
    unpacking.text(text, &[], "");
    unpacking.layers
}

/// What came out of a piece.
struct Opened {
    chain: Vec<&'static str>,
    bytes: Vec<u8>,
    content: Content,
    cut: bool,
}

struct Unpacking {
    bounds: Bounds,
    /// What is left of `bounds.bytes`.
    bytes: usize,
    layers: Vec<Layer>,
}

impl Unpacking {
    /// Decodes the pieces of a text; answers whether a bound left some.
    fn text(&mut self, text: &str, chain: &[&'static str], path: &str) -> bool {
        let mut places = Places {
            text,
            byte: 0,
            character: 0,
        };
        let mut ordinal = 0;
        let mut cut = false;
        let mut at = 0;
        while let Some(piece) = piece::next(text, at) {
            at = piece.range.end;
            let parts = match self.open(text, &piece, chain) {
                Some(opened) => vec![(piece.range, opened)],
                None => piece::within(text, &piece)
                    .into_iter()
                    .filter_map(|part| Some((part.range.clone(), self.open(text, &part, chain)?)))
                    .collect(),
            };
            for (range, opened) in parts {
                if opened.chain.len() > self.bounds.depth || self.layers.len() >= self.bounds.layers
                {
                    cut = true;
                    continue;
                }
                ordinal += 1;
                let path = match path {
                    "" => ordinal.to_string(),
                    outer => format!("{outer}.{ordinal}"),
                };
                self.layer(places.range(range), path, opened);
            }
            if self.bytes == 0 || self.layers.len() >= self.bounds.layers {
                return cut || piece::next(text, at).is_some();
            }
        }
        cut
    }

    /// Tells a layer, and looks into it.
    fn layer(&mut self, range: Range<usize>, path: String, opened: Opened) {
        let Opened {
            chain,
            bytes,
            content,
            cut,
        } = opened;
        let (kind, text) = match content {
            Content::Text(text) | Content::Utf16(text) => ("text", Some(text)),
            Content::File(kind) => (kind, None),
            Content::Packed(packing) => (packing.name(), None),
            Content::Data => ("data", None),
        };
        let index = self.layers.len();
        self.layers.push(Layer {
            path: path.clone(),
            chain: chain.clone(),
            range,
            kind,
            bytes: bytes.len(),
            sha256: text.is_none().then(|| hexadecimal(&Sha256::digest(&bytes))),
            text: None,
            cut,
        });
        let Some(text) = text else { return };
        let more = self.text(&text, &chain, &path);
        if let Some(layer) = self.layers.get_mut(index) {
            layer.cut |= more;
            layer.text = Some(text);
        }
    }

    /// Decodes a piece and what it is packed in; `None` where it turns out not to be encoded, or to be out of bounds.
    fn open(&mut self, text: &str, piece: &Piece, outer: &[&'static str]) -> Option<Opened> {
        let encoded = text.get(piece.range.clone())?;
        let (bytes, whole) = decoded(encoded, piece.encoding)?;
        let mut opened = Opened {
            chain: outer.to_vec(),
            content: content(&bytes),
            cut: !whole,
            bytes,
        };
        opened.chain.push(piece.encoding.name());
        if piece.encoding == Encoding::PowerShell {
            opened.content = command(encoded, &opened.bytes)?;
        }
        self.charge(&mut opened)?;
        let outermost = opened.chain.len();
        self.unpacked(&mut opened);
        if let Content::Utf16(_) = opened.content
            && piece.encoding != Encoding::PowerShell
        {
            opened.chain.push("utf16le");
        }
        let packed = opened.chain.len() > outermost;
        (packed || is_likely(encoded, piece.encoding, &opened.content)).then_some(opened)
    }

    /// Takes the bytes from what is left; cuts what is more.
    fn charge(&mut self, opened: &mut Opened) -> Option<()> {
        if self.bytes == 0 {
            return None;
        }
        if opened.bytes.len() > self.bytes {
            opened.bytes.truncate(self.bytes);
            opened.content = content(&opened.bytes);
            opened.cut = true;
        }
        self.bytes -= opened.bytes.len();
        Some(())
    }

    /// Decompresses as long as there is something compressed.
    fn unpacked(&mut self, opened: &mut Opened) {
        while opened.chain.len() < self.bounds.depth && self.bytes > 0 {
            let packing = match opened.content {
                Content::Packed(packing) => packing,
                Content::Data if may_be_deflated(&opened.bytes) => Packing::Deflate,
                _ => return,
            };
            let Some((bytes, cut)) = inflate(&opened.bytes, packing, self.bytes) else {
                if packing != Packing::Deflate {
                    opened.content = Content::Data;
                }
                return;
            };
            let inner = content(&bytes);
            self.bytes -= bytes.len();
            opened.chain.push(packing.name());
            opened.cut |= cut;
            opened.bytes = bytes;
            opened.content = inner;
        }
    }
}

/// Decodes a piece; with whether all of it was decoded.
fn decoded(encoded: &str, encoding: Encoding) -> Option<(Vec<u8>, bool)> {
    match encoding {
        Encoding::PowerShell | Encoding::Base64 => base64(encoded, &alphabet::STANDARD),
        Encoding::Base64Url => base64(encoded, &alphabet::URL_SAFE),
        Encoding::Hex => Some((hex(encoded), true)),
        Encoding::Url => Some((percent(encoded), true)),
    }
}

/// Decodes base64 with line ends in it, also where its end is cut off.
fn base64(encoded: &str, alphabet: &alphabet::Alphabet) -> Option<(Vec<u8>, bool)> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let digits: Vec<u8> = encoded
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'='))
        .collect();
    // One digit more than a multiple of four has six bits of a byte.
    let whole = digits.len() % 4 != 1;
    let digits = digits.get(..digits.len() - usize::from(!whole))?;
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(digits).ok()?;
    Some((bytes, whole))
}

/// The bytes of pairs of hexadecimal digits, past what is between them; after `\` and `0`, an `x` is no digit.
fn hex(encoded: &str) -> Vec<u8> {
    let listed = encoded.contains('x');
    let digits: Vec<u8> = match listed {
        true => encoded
            .split('x')
            .skip(1)
            .filter_map(|byte| byte.get(..2))
            .flat_map(str::bytes)
            .collect(),
        false => encoded.bytes().collect(),
    };
    digits
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// The bytes of URL-encoded text.
fn percent(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = match rest {
            [b'%', high, low, ..] => digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| (high << 4) | low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => after.get(2..).unwrap_or(&[]),
            None => after,
        };
    }
    bytes
}

/// What PowerShell would run: UTF-16. In a short one, nearly all characters have to be below 256, so that the words that
/// follow other programs' `-e` are none.
fn command(encoded: &str, bytes: &[u8]) -> Option<Content> {
    const LONG: usize = 64;
    let pairs = bytes.len() / 2;
    let low = bytes
        .chunks_exact(2)
        .filter(|pair| matches!(pair, [low, 0] if *low != 0))
        .count();
    let likely = low * 10 >= pairs * 9 || encoded.len() >= LONG && low * 2 >= pairs;
    let text = content::any_utf16(bytes).filter(|text| content::is_text(text))?;
    (likely && pairs > 0).then_some(Content::Utf16(text))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}

/// Ranges in characters, of ranges in bytes that grow.
struct Places<'t> {
    text: &'t str,
    byte: usize,
    character: usize,
}

impl Places<'_> {
    fn range(&mut self, bytes: Range<usize>) -> Range<usize> {
        self.at(bytes.start)..self.at(bytes.end)
    }

    fn at(&mut self, byte: usize) -> usize {
        self.character += self
            .text
            .get(self.byte..byte)
            .map_or(0, |part| part.chars().count());
        self.byte = byte;
        self.character
    }
}
