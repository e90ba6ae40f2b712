//! Doc comments as text.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A doc comment's lines, joined, without the space after `///`.
pub fn text(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    lines.join("\n").trim().to_owned()
}

/// A doc comment's first paragraph as one line, and the rest.
pub fn summary(attributes: &[Attribute]) -> (String, String) {
    let all = text(attributes);
    match all.split_once("\n\n") {
        Some((first, rest)) => (one_line(first), rest.trim().to_owned()),
        None => (one_line(&all), String::new()),
    }
}

/// A doc comment as one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    if !pair.path.is_ident("doc") {
        return None;
    }
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
}
