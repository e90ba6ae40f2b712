//! Encodings and hashes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use spoor_table::{Cell, KustoType};

use super::args::{P, count, fixed};
use super::text::text;
use super::udf::{Body, Out, RowFn};
use super::{Bound, function_table};
use crate::typed::{BindContext, Typed};

use KustoType::{Dynamic, Long, String as Text};

function_table! {
    "base64_encode_tostring", "base64_encode_tostring(text)", "Encodes a text in base64.", |c, a| one(c, a, "base64_encode_tostring", encode);
    "base64_encodestring", "base64_encodestring(text)", "Encodes a text in base64; the older name.", |c, a| one(c, a, "base64_encode_tostring", encode);
    "base64_decode_tostring", "base64_decode_tostring(text)", "Decodes base64 to text; null if it is not UTF-8.", |c, a| one(c, a, "base64_decode_tostring", decode);
    "base64_decodestring", "base64_decodestring(text)", "Decodes base64 to text; the older name.", |c, a| one(c, a, "base64_decode_tostring", decode);
    "base64_decode_toarray", "base64_decode_toarray(text)", "Decodes base64 to an array of bytes.", |c, a| fixed(c, a, "base64_decode_toarray", &[P::Text], Dynamic, Body::Strict(decode_array));
    "base64_encode_fromguid", "base64_encode_fromguid(guid)", "Encodes a guid's bytes in base64.", |c, a| one(c, a, "base64_encode_fromguid", |c, o| o.maybe(guid_bytes(text(&c[0])), |o, b| o.text(&STANDARD.encode(b))));
    "base64_decode_toguid", "base64_decode_toguid(text)", "Decodes base64 to a guid.", |c, a| fixed(c, a, "base64_decode_toguid", &[P::Text], KustoType::Guid, Body::Strict(decode_guid));
    "base64_encode_fromarray", "base64_encode_fromarray(bytes)", "Encodes an array of bytes in base64.", |c, a| fixed(c, a, "base64_encode_fromarray", &[P::Dynamic], Text, Body::Rows(encode_array));
    "gzip_compress_to_base64_string", "gzip_compress_to_base64_string(text)", "Compresses a text with gzip and encodes it in base64.", |c, a| one(c, a, "gzip_compress_to_base64_string", |c, o| compress(c, o, true));
    "gzip_decompress_from_base64_string", "gzip_decompress_from_base64_string(text)", "Decodes base64 and decompresses with gzip.", |c, a| one(c, a, "gzip_decompress_from_base64_string", |c, o| decompress(c, o, true));
    "zlib_compress_to_base64_string", "zlib_compress_to_base64_string(text)", "Compresses a text with zlib and encodes it in base64.", |c, a| one(c, a, "zlib_compress_to_base64_string", |c, o| compress(c, o, false));
    "zlib_decompress_from_base64_string", "zlib_decompress_from_base64_string(text)", "Decodes base64 and decompresses with zlib.", |c, a| one(c, a, "zlib_decompress_from_base64_string", |c, o| decompress(c, o, false));
    "hash_md5", "hash_md5(value)", "The MD5 hash of a value's text, in hexadecimal.", |c, a| hashed(c, a, "hash_md5", |c, o| o.text(&hex(&Md5::digest(text(&c[0])))));
    "hash_sha1", "hash_sha1(value)", "The SHA-1 hash of a value's text, in hexadecimal.", |c, a| hashed(c, a, "hash_sha1", |c, o| o.text(&hex(&Sha1::digest(text(&c[0])))));
    "hash_sha256", "hash_sha256(value)", "The SHA-256 hash of a value's text, in hexadecimal.", |c, a| hashed(c, a, "hash_sha256", |c, o| o.text(&hex(&Sha256::digest(text(&c[0])))));
    "hash", "hash(value, modulo)", "A hash of a value as a number, below modulo if one is given.", hash;
    "hash_xxhash64", "hash_xxhash64(value, modulo)", "The xxHash64 of a value as a number, below modulo if one is given.", hash;
    "new_guid", "new_guid()", "A random guid.", |_, a| { count(a, 0, 0)?; Ok(super::udf::call_volatile("new_guid", &[], KustoType::Guid, Body::Rows(|_, o| o.text(&random_guid())))) };
}

fn one(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(ctx, args, name, &[P::Text], Text, Body::Strict(run))
}

fn hashed(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(ctx, args, name, &[P::AsText], Text, Body::Strict(run))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(cells: &[Cell<'_>], out: &mut Out) {
    out.text(&STANDARD.encode(text(&cells[0])));
}

fn decode(cells: &[Cell<'_>], out: &mut Out) {
    let bytes = STANDARD.decode(text(&cells[0]).trim()).ok();
    out.maybe(bytes.and_then(|b| String::from_utf8(b).ok()), |out, t| {
        out.text(&t)
    });
}

fn decode_array(cells: &[Cell<'_>], out: &mut Out) {
    let Ok(bytes) = STANDARD.decode(text(&cells[0]).trim()) else {
        return out.null();
    };
    out.dynamic(|b| {
        let mark = b.begin_array();
        for byte in bytes {
            b.long(i64::from(byte));
            b.item(&mark);
        }
        b.end(mark);
    });
}

fn encode_array(cells: &[Cell<'_>], out: &mut Out) {
    use spoor_table::dynamic::Kind;
    let items = match &cells[0] {
        Cell::Dynamic(value) => value.as_array(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = items.and_then(|items| {
        items
            .iter()
            .map(|item| match item.kind() {
                Kind::Long(value) => u8::try_from(value).ok(),
                _ => None,
            })
            .collect()
    });
    out.maybe(bytes, |out, bytes| out.text(&STANDARD.encode(bytes)));
}

fn decode_guid(cells: &[Cell<'_>], out: &mut Out) {
    let bytes: Option<[u8; 16]> = STANDARD
        .decode(text(&cells[0]).trim())
        .ok()
        .and_then(|b| b.try_into().ok());
    out.maybe(bytes, |out, mut bytes| {
        for group in [0..4, 4..6, 6..8] {
            if let Some(group) = bytes.get_mut(group) {
                group.reverse();
            }
        }
        let guid = spoor_table::parse::guid(&hex(&bytes));
        out.maybe(guid, |out, guid| out.text(&guid));
    });
}

/// Decompressed texts are no longer than this, whatever the compressed ones promise.
const MOST: u64 = 16 << 20;

fn compress(cells: &[Cell<'_>], out: &mut Out, gzip: bool) {
    use flate2::Compression;
    use std::io::Read;
    let source = text(&cells[0]).as_bytes();
    let mut bytes = Vec::new();
    let done = match gzip {
        true => {
            flate2::read::GzEncoder::new(source, Compression::default()).read_to_end(&mut bytes)
        }
        false => {
            flate2::read::ZlibEncoder::new(source, Compression::default()).read_to_end(&mut bytes)
        }
    };
    out.maybe(done.ok(), |out, _| out.text(&STANDARD.encode(&bytes)));
}

fn decompress(cells: &[Cell<'_>], out: &mut Out, gzip: bool) {
    use std::io::Read;
    let Ok(bytes) = STANDARD.decode(text(&cells[0]).trim()) else {
        return out.null();
    };
    let mut plain = String::new();
    let done = match gzip {
        true => flate2::read::GzDecoder::new(bytes.as_slice())
            .take(MOST)
            .read_to_string(&mut plain),
        false => flate2::read::ZlibDecoder::new(bytes.as_slice())
            .take(MOST)
            .read_to_string(&mut plain),
    };
    out.maybe(done.ok(), |out, _| out.text(&plain));
}

/// The bytes of a guid in the order in which Windows keeps them: the first three groups are little-endian.
fn guid_bytes(text: &str) -> Option<Vec<u8>> {
    let canonical = spoor_table::parse::guid(text)?;
    let digits: String = canonical.chars().filter(|c| *c != '-').collect();
    let bytes: Option<Vec<u8>> = (0..16)
        .map(|i| u8::from_str_radix(digits.get(i * 2..i * 2 + 2)?, 16).ok())
        .collect();
    let mut bytes = bytes?;
    for group in [0..4, 4..6, 6..8] {
        bytes.get_mut(group)?.reverse();
    }
    Some(bytes)
}

fn hash(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 1, 2)?;
    let mut bound = vec![args[0].clone()];
    if let Some(modulo) = args.get(1) {
        bound.push(super::args::accept(ctx, modulo, P::Long, 1)?);
    }
    Ok(super::udf::call(
        "hash",
        &bound,
        Long,
        Body::Strict(hash_row),
    ))
}

fn hash_row(cells: &[Cell<'_>], out: &mut Out) {
    let hash = match cells[0] {
        Cell::Bool(v) => xxhash64(&[u8::from(v)]),
        Cell::Int(v) => xxhash64(&v.to_le_bytes()),
        Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => xxhash64(&v.to_le_bytes()),
        Cell::Real(v) => xxhash64(&v.to_le_bytes()),
        cell => xxhash64(spoor_table::format::text(cell).as_bytes()),
    };
    match cells.get(1) {
        Some(Cell::Long(modulo)) if *modulo > 0 => out.long((hash % *modulo as u64) as i64),
        Some(_) => out.null(),
        None => out.long(hash as i64),
    }
}

const PRIME: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// xxHash64 with seed 0, after its published specification.
fn xxhash64(bytes: &[u8]) -> u64 {
    let round = |acc: u64, lane: u64| {
        acc.wrapping_add(lane.wrapping_mul(PRIME[1]))
            .rotate_left(31)
            .wrapping_mul(PRIME[0])
    };
    let (stripes, mut rest) = bytes.as_chunks::<32>();
    let mut hash = if stripes.is_empty() {
        PRIME[4]
    } else {
        let mut acc = [
            PRIME[0].wrapping_add(PRIME[1]),
            PRIME[1],
            0,
            PRIME[0].wrapping_neg(),
        ];
        for stripe in stripes {
            let (lanes, _) = stripe.as_chunks::<8>();
            for (slot, lane) in acc.iter_mut().zip(lanes) {
                *slot = round(*slot, u64::from_le_bytes(*lane));
            }
        }
        let turned = acc
            .iter()
            .zip([1, 7, 12, 18])
            .fold(0_u64, |sum, (a, by)| sum.wrapping_add(a.rotate_left(by)));
        acc.iter().fold(turned, |hash, a| {
            (hash ^ round(0, *a))
                .wrapping_mul(PRIME[0])
                .wrapping_add(PRIME[3])
        })
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    while let Some((lane, tail)) = rest.split_first_chunk::<8>() {
        hash = (hash ^ round(0, u64::from_le_bytes(*lane)))
            .rotate_left(27)
            .wrapping_mul(PRIME[0])
            .wrapping_add(PRIME[3]);
        rest = tail;
    }
    if let Some((lane, tail)) = rest.split_first_chunk::<4>() {
        let lane = u64::from(u32::from_le_bytes(*lane)).wrapping_mul(PRIME[0]);
        hash = (hash ^ lane)
            .rotate_left(23)
            .wrapping_mul(PRIME[1])
            .wrapping_add(PRIME[2]);
        rest = tail;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte).wrapping_mul(PRIME[4]))
            .rotate_left(11)
            .wrapping_mul(PRIME[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME[2]);
    hash ^ (hash >> 32)
}

/// A version 4 guid.
fn random_guid() -> String {
    use std::hash::{BuildHasher, RandomState};
    let (high, low) = (
        RandomState::new().hash_one(0_u8),
        RandomState::new().hash_one(1_u8),
    );
    let bits = (u128::from(high) << 64 | u128::from(low)) & !(0xf << 76) & !(0x3 << 62)
        | 4 << 76
        | 2 << 62;
    spoor_table::parse::guid(&format!("{bits:032x}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        // From the specification's test vectors, and Kusto's documentation of hash().
        assert_eq!(xxhash64(b""), 0xef46_db37_51d8_e999);
        assert_eq!(xxhash64(b"World") as i64, 1_846_988_464_401_551_951);
        assert_eq!(hex(&Md5::digest("")), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
