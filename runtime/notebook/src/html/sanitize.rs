//! The one door through which HTML and SVG from a notebook come in: an allow-list of elements and
//! attributes, by ammonia. What comes out is well-formed, which [`super::finish`] relies on.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use ammonia::{Builder, UrlRelative};

use super::allowed::{EMPTIED, GENERIC, HTML, MATHML, PAINT, SVG};
use super::css;

/// Text that is longer is not parsed as HTML at all; its caller shows it as text.
const LONGEST: usize = 24 << 20;

/// Elements that their successors close; they add nothing to how deep a document nests.
const CLOSED_BY_OTHERS: &[&str] = &[
    "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "p", "source",
    "tbody", "td", "tfoot", "th", "thead", "tr", "wbr",
];
/// Elements that a parser opens again in each block if they were left open.
const FORMATTING: &[&str] = &[
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// The deepest nesting that is parsed, and the most work: for each tag the depth at it, for HTML's
/// parser walks its stack, and more for open formatting, which it copies.
/// Elements that end tags of others do not reach out of (the HTML standard's scopes, "13.2.4.2 The stack of open elements").
const SCOPES: &[&str] = &[
    "annotation-xml",
    "applet",
    "button",
    "caption",
    "desc",
    "foreignobject",
    "marquee",
    "mi",
    "mn",
    "mo",
    "ms",
    "mtext",
    "object",
    "table",
    "td",
    "template",
    "th",
    "title",
];
/// Elements open at once.
const DEEPEST: usize = 400;
const MOST_WORK: usize = 100_000_000;
const COPYING: usize = 64;

/// `html` with nothing left in it that runs, loads, submits or covers the page. None if it is too
/// long or nests too deep to be parsed in good time: its caller shows it as text.
///
/// A result that would read differently when parsed again is not trusted: it is given back escaped.
pub(crate) fn clean(html: &str) -> Option<String> {
    if html.len() > LONGEST || !is_modest(html) {
        return None;
    }
    let once = builder().clean(html).to_string();
    let is_foreign = once.contains("<svg") || once.contains("<math");
    if is_foreign && builder().clean(&once).to_string() != once {
        return Some(super::text::escaped(&once));
    }
    Some(once)
}

/// Whether parsing will be quick, judged by counting tags that open and close.
fn is_modest(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let (mut formatting, mut work) = (0usize, 0usize);
    for rest in html.split('<').skip(1) {
        let (closes, rest) = rest
            .strip_prefix('/')
            .map_or((false, rest), |rest| (true, rest));
        let name = &rest[..rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len())];
        work += open.len() + COPYING * formatting;
        if open.len() > DEEPEST || work > MOST_WORK {
            return false;
        }
        let is_named = |other: &&str| other.eq_ignore_ascii_case(name);
        if name.is_empty() || CLOSED_BY_OTHERS.iter().any(is_named) {
            continue;
        }
        let step = usize::from(FORMATTING.iter().any(is_named));
        if !closes {
            open.push(name);
            formatting += step;
        } else if let Some(at) = in_scope(&open, name) {
            open.remove(at);
            formatting = formatting.saturating_sub(step);
        }
    }
    true
}

/// Which of the open elements an end tag closes: the last of its name, unless a boundary of HTML's scopes stands between,
/// past which end tags do nothing.
fn in_scope(open: &[&str], name: &str) -> Option<usize> {
    for (at, other) in open.iter().enumerate().rev() {
        if other.eq_ignore_ascii_case(name) {
            return Some(at);
        }
        if SCOPES.iter().any(|scope| scope.eq_ignore_ascii_case(other)) {
            return None;
        }
    }
    None
}

fn builder() -> &'static Builder<'static> {
    static BUILDER: OnceLock<Builder<'static>> = OnceLock::new();
    BUILDER.get_or_init(|| {
        let mut builder = Builder::empty();
        builder
            .tags([HTML, SVG, MATHML].concat().into_iter().collect())
            .clean_content_tags(EMPTIED.iter().copied().collect())
            .generic_attributes(GENERIC.iter().copied().collect())
            .tag_attributes(tag_attributes())
            .url_schemes(HashSet::from([
                "http",
                "https",
                "mailto",
                "data",
                "attachment",
            ]))
            .url_relative(UrlRelative::PassThrough)
            .link_rel(Some("noopener noreferrer"))
            .strip_comments(true)
            .attribute_filter(filter);
        builder
    })
}

fn tag_attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    HashMap::from([
        ("a", HashSet::from(["href", "name"])),
        ("img", HashSet::from(["src"])),
        ("image", HashSet::from(["href"])),
        ("use", HashSet::from(["href"])),
        ("textPath", HashSet::from(["href"])),
        ("linearGradient", HashSet::from(["href"])),
        ("radialGradient", HashSet::from(["href"])),
        ("pattern", HashSet::from(["href"])),
        ("details", HashSet::from(["open"])),
        ("input", HashSet::from(["checked", "disabled"])),
        (
            "meter",
            HashSet::from(["min", "max", "low", "high", "optimum"]),
        ),
        ("progress", HashSet::from(["max"])),
        ("font", HashSet::from(["face", "size"])),
        ("ol", HashSet::from(["reversed"])),
        ("time", HashSet::from(["datetime"])),
        ("del", HashSet::from(["datetime"])),
        ("ins", HashSet::from(["datetime"])),
    ])
}

/// Which values attributes may have.
fn filter<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    let is_allowed = match (element, attribute) {
        (_, "style") => {
            let css = css::declarations(value);
            return (!css.is_empty()).then_some(css.into());
        }
        ("a", "href") => !has_scheme(value, "data") && !has_scheme(value, "attachment"),
        ("img", "src") => !has_scheme(value, "data") || is_image_data(value),
        ("image", "href") => is_image_data(value) && !value.starts_with("data:image/svg"),
        (_, "href") => value.starts_with('#'),
        ("input", "type") => value.eq_ignore_ascii_case("checkbox"),
        ("svg", "xmlns") | ("math", "xmlns") => true,
        (_, "xmlns") => false,
        _ if PAINT.contains(&attribute) && value.contains(['(', '\\']) => {
            return css::value(attribute, value).map(Cow::Owned);
        }
        _ => true,
    };
    is_allowed.then_some(Cow::Borrowed(value))
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    let start: String = url
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take(scheme.len() + 1)
        .collect();
    start
        .strip_suffix(':')
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Whether a URL holds an image, base64 or percent-encoded, of a kind that browsers draw.
fn is_image_data(url: &str) -> bool {
    let kinds = [
        "png", "jpeg", "jpg", "gif", "webp", "bmp", "avif", "svg+xml", "x-icon",
    ];
    let kind = url
        .strip_prefix("data:image/")
        .and_then(|rest| rest.split([';', ',']).next());
    kind.is_some_and(|kind| kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_draws_stays() {
        for html in [
            "<table class=\"dataframe\" border=\"1\"><tbody><tr><td colspan=\"2\">1</td></tr></tbody></table>",
            "<svg viewBox=\"0 0 1 1\"><g clip-path=\"url(#a)\"><use xlink:href=\"#b\"></use></g></svg>",
            "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>",
            "<img src=\"data:image/png;base64,AA==\">",
            "<details open=\"\"><summary>a</summary>b</details>",
        ] {
            assert_eq!(clean(html).as_deref(), Some(html));
        }
    }

    #[test]
    fn what_runs_or_loads_goes() {
        for (html, expected) in [
            ("<script>alert(1)</script>a", "a"),
            ("<img src=x onerror=alert(1)>", "<img src=\"x\">"),
            (
                "<a href=\"javascript:alert(1)\">a</a>",
                "<a rel=\"noopener noreferrer\">a</a>",
            ),
            (
                "<a href=\"data:text/html,x\">a</a>",
                "<a rel=\"noopener noreferrer\">a</a>",
            ),
            (
                "<a href=\" java\nscript:alert(1)\">a</a>",
                "<a rel=\"noopener noreferrer\">a</a>",
            ),
            ("<svg><script>alert(1)</script></svg>", "<svg></svg>"),
            (
                "<svg onload=alert(1)><a href=\"javascript:x\"><text>a</text></a></svg>",
                "<svg><a rel=\"noopener noreferrer\"><text>a</text></a></svg>",
            ),
            (
                "<svg><use href=\"https://a/b#c\"></use></svg>",
                "<svg><use></use></svg>",
            ),
            (
                "<svg><image href=\"https://a/b.png\"></image></svg>",
                "<svg><image></image></svg>",
            ),
            (
                "<svg><rect fill=\"url(https://a)\"></rect></svg>",
                "<svg><rect></rect></svg>",
            ),
            (
                "<svg><rect fill=\"u\\72l(https://a)\"></rect></svg>",
                "<svg><rect></rect></svg>",
            ),
            (
                "<svg><animate attributeName=href values=javascript:x></animate></svg>",
                "<svg></svg>",
            ),
            (
                "<svg><foreignObject><p>a</p></foreignObject></svg>",
                "<svg></svg>",
            ),
            ("<img src=\"data:text/html,x\">", "<img>"),
            (
                "<p style=\"position:fixed;color:red\">a</p>",
                "<p style=\"color:red\">a</p>",
            ),
            ("<form action=x><input name=a></form>", "<input>"),
            (
                "<iframe src=x>a</iframe><object data=x>b</object><embed src=x>",
                "",
            ),
            (
                "<meta http-equiv=refresh content=0><base href=x><link rel=stylesheet href=x>",
                "",
            ),
            ("<body onload=x>a", "a"),
            ("a<!-- b --><?php c ?>", "a"),
        ] {
            assert_eq!(clean(html).as_deref(), Some(expected), "{html}");
        }
    }

    #[test]
    fn what_would_change_when_read_again_is_not_trusted() {
        for html in [
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
            "<svg><title><style><img src=x onerror=alert(1)></style></title></svg>",
            "<math><mi><svg><p title=\"</svg><img src=x onerror=alert(1)>\">",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        ] {
            let cleaned = clean(html).unwrap_or_default();
            assert!(
                !cleaned.contains("<img src=\"1\" onerror") && !cleaned.contains("<style"),
                "{html}: {cleaned}"
            );
            assert_eq!(clean(&cleaned), Some(cleaned));
        }
    }

    #[test]
    fn bombs_are_refused_and_tables_are_not() {
        for bomb in [
            "<div><marquee></div></marquee>",
            "<div><table></div></table>",
            "<div>",
            "<b>",
            "<div></p></span>",
            "<b id=1><p>",
            "<svg>",
            "<table><tr><td>",
        ] {
            assert_eq!(clean(&bomb.repeat(50_000)), None, "{bomb}");
        }
        let varied: String = (0..300).map(|n| format!("<b id={n}>")).collect();
        assert_eq!(clean(&(varied + &"<p>x".repeat(10_000))), None);
        let rows = "<tr><td>1<td>2".repeat(2_000);
        assert!(clean(&format!("<table>{rows}</table>")).is_some());
    }
}
