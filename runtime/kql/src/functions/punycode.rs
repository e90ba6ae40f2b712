//! Punycode: text of all scripts in the letters of domain names. Source: RFC 3492.

use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::function_table;
use super::text::text;
use super::udf::{Body, Out};

use KustoType::String as Text;

const BASE: u32 = 36;
const LEAST: u32 = 1;
const MOST: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;

/// Characters of a text that is encoded: the work grows with their square.
const LONGEST: usize = 4096;

function_table! {
    "punycode_from_string", "punycode_from_string(text)", "Encodes a text in Punycode, without the prefix of domain names.", |c, a| fixed(c, a, "punycode_from_string", &[P::Text], Text, Body::Strict(|c, o| o.maybe(encode(text(&c[0])), |o, t| o.text(&t))));
    "punycode_to_string", "punycode_to_string(text)", "Decodes Punycode; empty where it is none.", |c, a| fixed(c, a, "punycode_to_string", &[P::Text], Text, Body::Strict(|c, o| o.maybe(decode(text(&c[0])), |o, t| o.text(&t))));
    "punycode_domain_from_string", "punycode_domain_from_string(domain)", "Decodes the labels of a domain name that are in Punycode (`xn--`).", |c, a| fixed(c, a, "punycode_domain_from_string", &[P::Text], Text, Body::Strict(decode_domain));
    "punycode_domain_to_string", "punycode_domain_to_string(domain)", "Encodes the labels of a domain name that need it, with the prefix `xn--`.", |c, a| fixed(c, a, "punycode_domain_to_string", &[P::Text], Text, Body::Strict(encode_domain));
}

fn adapted(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > ((BASE - LEAST) * MOST) / 2 {
        delta /= BASE - LEAST;
        k += BASE;
    }
    k + (BASE - LEAST + 1) * delta / (delta + SKEW)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(LEAST, MOST)
}

fn digit(value: u32) -> char {
    let letter = if value < 26 {
        b'a' + value as u8
    } else {
        b'0' + (value as u8 - 26)
    };
    char::from(letter)
}

fn encode(text: &str) -> Option<String> {
    let characters: Vec<u32> = text.chars().map(u32::from).collect();
    if characters.len() > LONGEST {
        return None;
    }
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    let mut done = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut code, mut delta, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
    while (done as usize) < characters.len() {
        let next = characters.iter().copied().filter(|c| *c >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(done + 1)?)?;
        code = next;
        for character in &characters {
            if *character < code {
                delta = delta.checked_add(1)?;
            }
            if *character == code {
                let (mut rest, mut k) = (delta, BASE);
                loop {
                    let limit = threshold(k, bias);
                    if rest < limit {
                        break;
                    }
                    out.push(digit(limit + (rest - limit) % (BASE - limit)));
                    rest = (rest - limit) / (BASE - limit);
                    k += BASE;
                }
                out.push(digit(rest));
                bias = adapted(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code += 1;
    }
    Some(out)
}

fn decode(text: &str) -> Option<String> {
    if !text.is_ascii() || text.len() > LONGEST {
        return None;
    }
    let (basic, encoded) = text.rsplit_once('-').unwrap_or(("", text));
    let mut characters: Vec<char> = basic.chars().collect();
    let (mut code, mut at, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
    let mut digits = encoded.bytes();
    while digits.len() > 0 {
        let before = at;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let value = match digits.next()? {
                letter @ b'a'..=b'z' => letter - b'a',
                letter @ b'A'..=b'Z' => letter - b'A',
                number @ b'0'..=b'9' => number - b'0' + 26,
                _ => return None,
            };
            let value = u32::from(value);
            at = at.checked_add(value.checked_mul(weight)?)?;
            let limit = threshold(k, bias);
            if value < limit {
                break;
            }
            weight = weight.checked_mul(BASE - limit)?;
            k += BASE;
        }
        let points = characters.len() as u32 + 1;
        bias = adapted(at - before, points, before == 0);
        code = code.checked_add(at / points)?;
        at %= points;
        characters.insert(at as usize, char::from_u32(code)?);
        at += 1;
    }
    Some(characters.into_iter().collect())
}

fn decode_domain(cells: &[Cell<'_>], out: &mut Out) {
    let labels = text(&cells[0]).split('.').map(|label| {
        let encoded = label
            .get(..4)
            .filter(|prefix| prefix.eq_ignore_ascii_case("xn--"));
        match encoded.and(label.get(4..)) {
            Some(encoded) => decode(encoded),
            None => Some(label.to_owned()),
        }
    });
    let labels: Option<Vec<String>> = labels.collect();
    out.maybe(labels, |out, labels| out.text(&labels.join(".")));
}

fn encode_domain(cells: &[Cell<'_>], out: &mut Out) {
    // Full stops of other scripts divide a domain's labels too.
    let labels = text(&cells[0]).split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
    let labels = labels.map(|label| match label.is_ascii() {
        true => Some(label.to_owned()),
        false => encode(label).map(|encoded| format!("xn--{encoded}")),
    });
    let labels: Option<Vec<String>> = labels.collect();
    out.maybe(labels, |out, labels| out.text(&labels.join(".")));
}
