//! Code into highlighted HTML. KQL is coloured by its own front end, all else by [`super::scan`].

use std::ops::Range;

use super::text::push_escaped;
use super::{languages, scan};
use crate::language::Language;

/// Code longer than this is shown without colours.
const LONGEST: usize = 1 << 20;

/// Code as the content of a `code` element: escaped text, with spans of one class each.
pub fn highlight(code: &str, language: &Language) -> String {
    let mut out = String::with_capacity(code.len() * 2);
    let mut copied = 0;
    for (span, class) in tokens(code, language) {
        let (Some(plain), Some(text)) = (code.get(copied..span.start), code.get(span.clone()))
        else {
            continue;
        };
        push_escaped(&mut out, plain);
        out.push_str("<span class=\"");
        out.push_str(class);
        out.push_str("\">");
        push_escaped(&mut out, text);
        out.push_str("</span>");
        copied = span.end;
    }
    push_escaped(&mut out, &code[copied..]);
    out
}

/// The coloured pieces of code, in order and apart, each with its class: bytes of `code`. None in
/// languages that are not known.
pub fn tokens(code: &str, language: &Language) -> Vec<(Range<usize>, &'static str)> {
    if code.len() > LONGEST {
        return Vec::new();
    }
    let magic = magic_len(code);
    let rest = &code[magic..];
    let mut spans = Vec::new();
    if magic > 0 {
        spans.push((0..code.find(char::is_whitespace).unwrap_or(magic), "hm"));
    }
    if *language == Language::Kql {
        let tokens = spoor_kql_syntax::highlight(rest).into_iter();
        spans.extend(
            tokens.filter_map(|(span, kind)| Some((shifted(span, magic), kql_class(kind)?))),
        );
    } else if let Some(syntax) = languages::syntax(language) {
        let tokens = scan::scan(rest, syntax).into_iter();
        spans.extend(tokens.map(|(span, token)| (shifted(span, magic), class(token))));
    }
    spans
}

fn shifted(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// The length of a first line such as `%%bash --out x`, which is in no language.
fn magic_len(code: &str) -> usize {
    if code.starts_with("%%") {
        code.find('\n').unwrap_or(code.len())
    } else {
        0
    }
}

fn class(token: scan::Token) -> &'static str {
    use scan::Token;
    match token {
        Token::Keyword => "hk",
        Token::Builtin => "hb",
        Token::Function => "hf",
        Token::String => "hs",
        Token::Number => "hn",
        Token::Comment => "hc",
        Token::Magic => "hm",
        Token::Operator => "ho",
    }
}

fn kql_class(kind: spoor_kql_syntax::TokenKind) -> Option<&'static str> {
    use spoor_kql_syntax::TokenKind;
    match kind {
        TokenKind::Comment => Some("hc"),
        TokenKind::Keyword => Some("hk"),
        TokenKind::Operator => Some("ho"),
        TokenKind::Function => Some("hf"),
        TokenKind::Type | TokenKind::Literal => Some("hb"),
        TokenKind::String => Some("hs"),
        TokenKind::Number => Some("hn"),
        TokenKind::Name | TokenKind::Punctuation | TokenKind::Error => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The highlighted code with each span as `class(text)`.
    fn shown(code: &str, language: Language) -> String {
        let html = highlight(code, &language);
        html.replace("<span class=\"", "")
            .replace("\">", "(")
            .replace("</span>", ")")
    }

    #[test]
    fn python() {
        for (code, expected) in [
            ("def f(x): return x", "hk(def) hf(f)(x): hk(return) x"),
            (
                "@cache\nx = print(1e-5)",
                "hm(@cache)\nx ho(=) hb(print)(hn(1e-5))",
            ),
            (
                "%time f()\n!ls -la\na % b",
                "hm(%time) hf(f)()\nhm(!ls -la)\na ho(%) b",
            ),
            ("rb'a\\'b' # 'no'", "hs(rb'a\\'b') hc(# 'no')"),
            (
                "'''a\n\"b'''\n'open\nx",
                "hs('''a\n&quot;b''')\nhs('open)\nx",
            ),
            ("df.filter(x.class_)", "df.hf(filter)(x.class_)"),
            ("é = 'ü' < 3", "é ho(=) hs('ü') ho(&lt;) hn(3)"),
        ] {
            assert_eq!(shown(code, Language::Python), expected);
        }
    }

    #[test]
    fn other_languages() {
        let sql = Language::Other("sql".to_owned());
        assert_eq!(
            shown("SELECT a -- b\n'it''s'", sql),
            "hk(SELECT) a hc(-- b)\nhs('it')hs('s')"
        );
        assert_eq!(
            shown("T | where a has 'b'", Language::Kql),
            "T | hk(where) a ho(has) hs('b')"
        );
        assert_eq!(
            shown("<b>", Language::Other("brainfuck".to_owned())),
            "&lt;b&gt;"
        );
    }
}
