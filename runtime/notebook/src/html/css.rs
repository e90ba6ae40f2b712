//! A notebook's CSS made safe: only properties that draw, only values that stay where they are.
//!
//! Style attributes lose what is not allowed. Style elements, which pandas' Styler cannot do
//! without, come out with every selector under the output's own scope and every id and class
//! renamed to it, so that they reach nothing else on the page. Nothing loads (`url()` names a part
//! of the same SVG or goes), nothing is fixed to the window, and no at-rule survives.

use std::fmt::Write;

use cssparser::{Delimiter, ParseError, Parser, ToCss, Token};

type Parsed<T = ()> = Result<T, ParseError<()>>;

/// How deep values and selectors may nest.
const DEEPEST: u8 = 8;

/// Properties that may stand in a notebook, by name or by their beginning (with a `-` at the end).
const PROPERTIES: [&str; 89] = [
    "align-",
    "background",
    "background-",
    "baseline-shift",
    "border",
    "border-",
    "bottom",
    "box-shadow",
    "box-sizing",
    "caption-side",
    "clear",
    "clip-path",
    "clip-rule",
    "color",
    "column-",
    "columns",
    "content",
    "cursor",
    "direction",
    "display",
    "dominant-baseline",
    "empty-cells",
    "fill",
    "fill-",
    "filter",
    "flex",
    "flex-",
    "float",
    "flood-",
    "font",
    "font-",
    "gap",
    "grid",
    "grid-",
    "height",
    "hyphens",
    "isolation",
    "justify-",
    "left",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-",
    "margin",
    "margin-",
    "marker",
    "marker-",
    "mask",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "mix-blend-mode",
    "object-fit",
    "opacity",
    "order",
    "outline",
    "outline-",
    "overflow",
    "overflow-",
    "padding",
    "padding-",
    "paint-order",
    "place-",
    "position",
    "quotes",
    "right",
    "row-gap",
    "shape-rendering",
    "stop-",
    "stroke",
    "stroke-",
    "tab-size",
    "table-layout",
    "text-",
    "top",
    "transform",
    "transform-",
    "unicode-bidi",
    "vector-effect",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-",
    "writing-mode",
    "z-index",
    "justify-items",
    "text-anchor",
];

/// Functions that compute a value and fetch nothing.
const FUNCTIONS: [&str; 30] = [
    "calc",
    "clamp",
    "hsl",
    "hsla",
    "hwb",
    "lab",
    "lch",
    "linear-gradient",
    "matrix",
    "max",
    "min",
    "minmax",
    "oklab",
    "oklch",
    "radial-gradient",
    "conic-gradient",
    "repeat",
    "repeating-linear-gradient",
    "rgb",
    "rgba",
    "rotate",
    "scale",
    "scalex",
    "scaley",
    "skewx",
    "skewy",
    "translate",
    "translatex",
    "translatey",
    "cubic-bezier",
];

/// Pseudo-classes and pseudo-elements that select by place or state.
const PSEUDO: [&str; 19] = [
    "active",
    "after",
    "before",
    "checked",
    "empty",
    "even",
    "first-child",
    "first-letter",
    "first-line",
    "first-of-type",
    "focus",
    "hover",
    "last-child",
    "last-of-type",
    "link",
    "odd",
    "only-child",
    "only-of-type",
    "visited",
];
const PSEUDO_FUNCTIONS: [&str; 7] = [
    "is",
    "not",
    "nth-child",
    "nth-last-child",
    "nth-last-of-type",
    "nth-of-type",
    "where",
];

/// The allowed declarations of a style attribute.
pub(crate) fn declarations(text: &str) -> String {
    block(&mut Parser::new(text))
}

/// The value of an SVG attribute that is also a property, such as `fill`, if it is allowed.
pub(crate) fn value(name: &str, text: &str) -> Option<String> {
    let mut value = String::new();
    let whole = Parser::new(text).parse_entirely(|p| values(p, &mut value, 0));
    let is_property = PROPERTIES.contains(&name) || name.starts_with("marker-");
    (whole.is_ok() && is_property).then(|| value.trim().to_owned())
}

/// The allowed rules of a style element, each selector beginning with `.scope`.
pub(crate) fn stylesheet(text: &str, scope: &str) -> String {
    let mut parser = Parser::new(text);
    let mut out = String::new();
    while !parser.is_exhausted() {
        let before = parser.state();
        match parser.next() {
            Ok(Token::AtKeyword(_)) => {
                let ends = Delimiter::Semicolon | Delimiter::CurlyBracketBlock;
                let _ = parser.parse_until_after(ends, skip);
                continue;
            }
            Ok(Token::CDO | Token::CDC | Token::Semicolon) => continue,
            _ => parser.reset(&before),
        }
        let selector =
            parser.parse_until_before(Delimiter::CurlyBracketBlock, |p| selectors(p, scope));
        if parser.next().is_err() {
            break;
        }
        let Ok(body) = parser.parse_nested_block(|p| Ok::<_, ParseError<()>>(block(p))) else {
            continue;
        };
        if let Ok(selector) = selector.map_err(drop)
            && !body.is_empty()
        {
            let _ = write!(out, "{selector}{{{body}}}");
        }
    }
    // A string may hold `</style>`, which HTML would read as the end of the element.
    out.replace('<', "\\3c ")
}

fn skip(parser: &mut Parser<'_>) -> Parsed {
    while parser.next().is_ok() {}
    Ok(())
}

/// The declarations up to the end of the block.
fn block(parser: &mut Parser<'_>) -> String {
    let mut out = String::new();
    while !parser.is_exhausted() {
        if let Ok(declaration) = parser.parse_until_after(Delimiter::Semicolon, declaration) {
            if !out.is_empty() {
                out.push(';');
            }
            out += &declaration;
        }
    }
    out
}

fn declaration(parser: &mut Parser<'_>) -> Parsed<String> {
    let name = parser.expect_ident()?.to_ascii_lowercase();
    parser.expect_colon()?;
    let is_known =
        |known: &&str| **known == name || (known.ends_with('-') && name.starts_with(*known));
    if !PROPERTIES.iter().any(is_known) {
        return refused();
    }
    let mut value = String::new();
    values(parser, &mut value, 0)?;
    let value = value.trim();
    let is_fixed = name == "position" && !matches!(value, "static" | "relative" | "sticky");
    if value.is_empty() || is_fixed {
        return refused();
    }
    Ok(format!("{name}:{value}"))
}

fn refused<T>() -> Parsed<T> {
    Err(ParseError::custom(()))
}

fn values(parser: &mut Parser<'_>, out: &mut String, depth: u8) -> Parsed {
    parser.skip_whitespace();
    while let Ok(token) = parser.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::Function(name) if name.eq_ignore_ascii_case("url") => {
                let target = parser.parse_nested_block(|p| Ok(p.expect_string_cloned()?))?;
                push_part(out, &target)?;
            }
            Token::UnquotedUrl(target) => push_part(out, target)?,
            Token::Function(name) => {
                let is_known = FUNCTIONS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name));
                if !is_known || depth >= DEEPEST {
                    return refused();
                }
                push_token(out, &token);
                parser.parse_nested_block(|p| values(p, out, depth + 1))?;
                out.push(')');
            }
            Token::ParenthesisBlock if depth < DEEPEST => {
                out.push('(');
                parser.parse_nested_block(|p| values(p, out, depth + 1))?;
                out.push(')');
            }
            Token::Ident(_)
            | Token::Hash(_)
            | Token::IDHash(_)
            | Token::QuotedString(_)
            | Token::Number { .. }
            | Token::Percentage { .. }
            | Token::Dimension { .. }
            | Token::Comma
            | Token::Delim('+' | '-' | '*' | '/' | '!') => push_token(out, &token),
            _ => return refused(),
        }
    }
    Ok(())
}

/// A `url()` that names a part of the same document; [`super::finish`] renames it to the scope.
fn push_part(out: &mut String, target: &str) -> Parsed {
    match target.strip_prefix('#').filter(|id| is_plain_id(id)) {
        Some(id) => {
            let _ = write!(out, "url(#{id})");
            Ok(())
        }
        None => refused(),
    }
}

/// Whether an id needs no escape anywhere.
pub(crate) fn is_plain_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

fn push_token(out: &mut String, token: &Token<'_>) {
    // Writing to a string does not fail.
    let _ = token.to_css(out);
}

fn selectors(parser: &mut Parser<'_>, scope: &str) -> Parsed<String> {
    let mut out = String::new();
    loop {
        let _ = write!(out, ".{scope} ");
        let one = parser.parse_until_before(Delimiter::Comma, |p| {
            let mut one = String::new();
            selector(p, scope, &mut one, 0)?;
            Ok(one)
        })?;
        if one.trim().is_empty() {
            return refused();
        }
        out += one.trim();
        if parser.next().is_err() {
            return Ok(out);
        }
        out.push(',');
    }
}

fn selector(parser: &mut Parser<'_>, scope: &str, out: &mut String, depth: u8) -> Parsed {
    while let Ok(token) = parser.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::IDHash(id) => {
                out.push('#');
                push_name(out, scope, id);
            }
            Token::Delim('.') => {
                let class = parser.expect_ident_cloned()?;
                out.push('.');
                push_name(out, scope, &class);
            }
            Token::Colon => {
                out.push(':');
                pseudo(parser, scope, out, depth)?;
            }
            Token::Ident(_) | Token::Delim('*' | '>' | '+' | '~') => push_token(out, &token),
            Token::Comma | Token::Number { .. } | Token::Dimension { .. } if depth > 0 => {
                push_token(out, &token)
            }
            _ => return refused(),
        }
    }
    Ok(())
}

fn pseudo(parser: &mut Parser<'_>, scope: &str, out: &mut String, depth: u8) -> Parsed {
    let mut token = parser.next_including_whitespace()?.clone();
    if token == Token::Colon {
        out.push(':');
        token = parser.next_including_whitespace()?.clone();
    }
    match &token {
        Token::Ident(name) if PSEUDO.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
            push_token(out, &token)
        }
        Token::Function(name)
            if depth < DEEPEST
                && PSEUDO_FUNCTIONS.contains(&name.to_ascii_lowercase().as_str()) =>
        {
            push_token(out, &token);
            parser.parse_nested_block(|p| selector(p, scope, out, depth + 1))?;
            out.push(')');
        }
        _ => return refused(),
    }
    Ok(())
}

fn push_name(out: &mut String, scope: &str, name: &str) {
    let _ = cssparser::serialize_identifier(&format!("{scope}-{name}"), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_that_draw_stay() {
        for (text, expected) in [
            (
                "color: red; background-color:#FFF000",
                "color:red;background-color:#FFF000",
            ),
            ("width: calc(100% - 2px)", "width:calc(100% - 2px)"),
            (
                "background: linear-gradient(90deg, #5fba7d 50%, transparent 50%)",
                "background:linear-gradient(90deg, #5fba7d 50%, transparent 50%)",
            ),
            (
                "font-family: 'A B', serif !important",
                "font-family:\"A B\", serif !important",
            ),
            ("clip-path: url(#a-1)", "clip-path:url(#a-1)"),
            ("fill: url('#a')", "fill:url(#a)"),
        ] {
            assert_eq!(declarations(text), expected);
        }
    }

    #[test]
    fn what_loads_fixes_or_computes_goes() {
        for text in [
            "background: url(https://a/b.png)",
            "background: url('//a')",
            "background-image: image-set('a.png' 1x)",
            "width: expression(alert(1))",
            "behavior: url(#x)",
            "-moz-binding: url(#x)",
            "position: fixed",
            "position:FIXED",
            "position: absolute",
            "color: var(--x)",
            "--x: 1",
            "color: attr(data-x)",
            "@import 'x'",
            "color: red}",
            "animation: x 1s",
            "fill: url(#\\22 onload)",
            "",
            ";;;",
        ] {
            assert_eq!(declarations(text), "", "{text}");
        }
        assert_eq!(
            declarations("position: fixed; color: red; b\\61ckground: u\\72l(x)"),
            "color:red"
        );
    }

    #[test]
    fn rules_are_scoped_and_renamed() {
        for (text, expected) in [
            (
                "#T_1_row0_col0, #T_1 th {color: red}",
                ".o1 #o1-T_1_row0_col0,.o1 #o1-T_1 th{color:red}",
            ),
            (
                ".a > .b:nth-child(2n+1)::after { content: 'x' }",
                ".o1 .o1-a > .o1-b:nth-child(2n+1)::after{content:\"x\"}",
            ),
            (
                "tr:hover td{background:#eee}",
                ".o1 tr:hover td{background:#eee}",
            ),
            ("*{stroke-linejoin: round}", ".o1 *{stroke-linejoin:round}"),
            ("<!-- a{top:0} -->", ".o1 a{top:0}"),
        ] {
            assert_eq!(stylesheet(text, "o1"), expected);
        }
    }

    #[test]
    fn rules_that_reach_out_go() {
        for text in [
            "@import url(https://a/b.css);",
            "@media screen { body { color: red } }",
            "@font-face { font-family: x; src: url(x) }",
            "a[href^='x'] { color: red }",
            ":root { color: red }",
            "a { background: url(x) }",
            "a:has(b) { color: red }",
            "{ color: red }",
            "a, , b { color: red }",
            "a { color: red",
        ] {
            let kept = stylesheet(text, "o1");
            assert!(
                kept.is_empty() || text.ends_with("red") && kept == ".o1 a{color:red}",
                "{text}: {kept}"
            );
        }
        let text = "a::after { content: '</style><script>alert(1)</script>' }";
        assert_eq!(
            stylesheet(text, "o1"),
            ".o1 a::after{content:\"\\3c /style>\\3c script>alert(1)\\3c /script>\"}"
        );
        let bomb = "a{width:".to_owned() + &"calc(".repeat(50_000);
        assert_eq!(stylesheet(&bomb, "o1"), "");
        let bomb = "a{".repeat(50_000);
        assert_eq!(stylesheet(&bomb, "o1"), "");
    }
}
