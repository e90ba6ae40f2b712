//! The second pass over HTML that [`super::sanitize`] has cleaned: what depends on the page.
//!
//! Ids and classes move into the output's own scope, headings get ids and anchors, images become
//! `data:` URLs, wide tables get a box to scroll in. It reads only what html5ever wrote (attributes
//! in double quotes, text escaped) and writes no attribute value that is not escaped.

use std::collections::HashSet;
use std::fmt::Write;

use super::columns;
use super::embed::Picture;
use super::image;
use super::outline::Outline;
use super::text::{escaped, percent_decoded, text_of, unescaped};

/// Classes that Markdown may have: those that its renderer gives, and Jupyter's coloured boxes.
const KEPT_CLASSES: [&str; 29] = [
    "hk",
    "hb",
    "hf",
    "hs",
    "hn",
    "hc",
    "hm",
    "ho",
    "latex",
    "footnotes",
    "footnote-ref",
    "footnote-backref",
    "task-list-item",
    "contains-task-list",
    "alert",
    "alert-info",
    "alert-warning",
    "alert-danger",
    "alert-success",
    "alert-block",
    "markdown-alert",
    "markdown-alert-note",
    "markdown-alert-tip",
    "markdown-alert-important",
    "markdown-alert-warning",
    "markdown-alert-caution",
    "markdown-alert-title",
    "no-image",
    "dataframe",
];

/// What a piece of HTML is part of.
pub(crate) struct Finisher<'a> {
    /// The prefix of its ids and classes; none for Markdown, whose ids are the page's.
    pub(crate) scope: Option<&'a str>,
    /// Where headings and ids are noted.
    pub(crate) outline: &'a mut Outline,
    /// Gives an image by its source as written.
    pub(crate) images: &'a dyn Fn(&str) -> Picture,
}

/// A finished piece.
pub(crate) struct Finished {
    /// The HTML.
    pub(crate) html: String,
    /// Whether it brings backgrounds or, in an output, colours that were chosen for white paper.
    pub(crate) is_painted: bool,
}

/// A tag as html5ever writes it.
pub(super) struct Tag<'h> {
    pub(super) name: &'h str,
    attributes: Vec<(&'h str, &'h str)>,
}

impl<'h> Tag<'h> {
    /// The value of an attribute, still escaped.
    pub(super) fn get(&self, name: &str) -> Option<&'h str> {
        self.attributes
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| *value)
    }
}

impl Finisher<'_> {
    /// Goes over `html`, which must come from [`super::sanitize::clean`].
    pub(crate) fn finish(self, html: &str) -> Finished {
        let own_ids = if self.scope.is_some() {
            ids(html)
        } else {
            HashSet::new()
        };
        let mut pass = Pass {
            context: self,
            own_ids,
            out: String::with_capacity(html.len() + html.len() / 8),
            tables: 0,
            numbers: columns::numeric_cells(html),
            heading: None,
            is_blank_head: false,
            is_painted: false,
        };
        pass.run(html);
        Finished {
            html: pass.out,
            is_painted: pass.is_painted,
        }
    }
}

/// A heading that is open.
struct Heading {
    level: u8,
    id: Option<String>,
    /// Its other attributes.
    attributes: String,
    /// Where its content begins.
    start: usize,
}

struct Pass<'a> {
    context: Finisher<'a>,
    /// The ids within this piece.
    own_ids: HashSet<String>,
    out: String,
    tables: usize,
    /// Where cells that hold numbers begin.
    numbers: HashSet<usize>,
    heading: Option<Heading>,
    /// Whether the cell that is open is a head with nothing in it: it names no column, and is written as any cell.
    is_blank_head: bool,
    is_painted: bool,
}

impl Pass<'_> {
    fn run(&mut self, html: &str) {
        let mut at = 0;
        while let Some(start) = html[at..].find('<').map(|next| at + next) {
            let Some(end) = tag_end(&html[start..]).map(|end| start + end) else {
                break;
            };
            self.out.push_str(&html[at..start]);
            let inside = &html[start + 1..end - 1];
            match inside.strip_prefix('/') {
                Some(name) => self.close(name),
                None => {
                    let tag = parse(inside);
                    let is_blank = html[end..].trim_start().starts_with("</th>");
                    self.is_blank_head = tag.name == "th" && is_blank;
                    self.open(&tag, start);
                }
            }
            at = end;
        }
        self.out.push_str(&html[at..]);
    }

    fn open(&mut self, tag: &Tag<'_>, at: usize) {
        match tag.name {
            "img" => return self.image(tag),
            "input" => return self.checkbox(tag),
            "table" => {
                if self.tables == 0 {
                    self.out.push_str("<div class=\"scroll\">");
                }
                self.tables += 1;
            }
            _ => {}
        }
        let level = heading_level(tag.name).filter(|_| self.context.scope.is_none());
        if let Some(level) = level.filter(|_| self.heading.is_none()) {
            return self.open_heading(level, tag);
        }
        self.out.push('<');
        let name = if self.is_blank_head { "td" } else { tag.name };
        self.out.push_str(name);
        let is_number = self.numbers.contains(&at);
        for (name, value) in &tag.attributes {
            if is_number && *name == "class" {
                let _ = write!(self.out, " class=\"num {}\"", self.classes(value));
            } else if (tag.name, *name, *value) != ("tr", "style", "text-align:right") {
                self.attribute(tag.name, name, value);
            }
        }
        if is_number && tag.get("class").is_none() {
            self.out.push_str(" class=\"num\"");
        }
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        if heading_level(name).is_some()
            && let Some(heading) = self.heading.take()
        {
            return self.close_heading(&heading);
        }
        let is_blank_head = std::mem::take(&mut self.is_blank_head);
        let written = if is_blank_head { "td" } else { name };
        let _ = write!(self.out, "</{written}>");
        if name == "table" {
            self.tables = self.tables.saturating_sub(1);
            if self.tables == 0 {
                self.out.push_str("</div>");
            }
        }
    }

    /// Holds a heading back until its text is known.
    fn open_heading(&mut self, level: u8, tag: &Tag<'_>) {
        let start = self.out.len();
        for (name, value) in tag.attributes.iter().filter(|(name, _)| *name != "id") {
            self.attribute(tag.name, name, value);
        }
        let attributes = self.out.split_off(start);
        self.heading = Some(Heading {
            level,
            id: tag.get("id").map(unescaped),
            attributes,
            start,
        });
    }

    fn close_heading(&mut self, heading: &Heading) {
        let content = self.out.split_off(heading.start);
        let Heading {
            level, attributes, ..
        } = heading;
        let id = self
            .context
            .outline
            .add(*level, &text_of(&content), heading.id.as_deref());
        let (id, href) = (escaped(&id), Outline::pending(&id));
        let _ = write!(
            self.out,
            "<h{level} id=\"{id}\"{attributes}>{content}\
             <a class=\"anchor\" href=\"{href}\" aria-hidden=\"true\" tabindex=\"-1\">#</a></h{level}>"
        );
    }

    fn attribute(&mut self, element: &str, name: &str, value: &str) {
        let value = match name {
            "id" | "name" => self.id(value),
            "class" => self.classes(value),
            "href" | "xlink:href" => self.href(element, value),
            "headers" => return,
            _ => self.parts(value),
        };
        if name == "class" && value.is_empty() {
            return;
        }
        let is_background = name == "bgcolor" || name == "style" && value.contains("background");
        let is_color = name == "color" || name == "style" && value.contains("color:");
        self.is_painted |= is_background || is_color && self.context.scope.is_some();
        let _ = write!(self.out, " {name}=\"{value}\"");
    }

    fn id(&mut self, id: &str) -> String {
        match self.context.scope {
            Some(scope) => format!("{scope}-{id}"),
            None => {
                self.context.outline.add_id(&unescaped(id));
                id.to_owned()
            }
        }
    }

    fn classes(&self, classes: &str) -> String {
        let words = classes.split_ascii_whitespace();
        match self.context.scope {
            Some(scope) => {
                let renamed = words
                    .map(|class| format!("{scope}-{class}"))
                    .collect::<Vec<_>>();
                renamed.join(" ")
            }
            None => words
                .filter(|class| KEPT_CLASSES.contains(class))
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    fn href(&self, element: &str, href: &str) -> String {
        let Some(fragment) = href.strip_prefix('#') else {
            return href.to_owned();
        };
        match self.context.scope {
            Some(scope) if element != "a" || self.own_ids.contains(fragment) => {
                format!("#{scope}-{fragment}")
            }
            _ => Outline::pending(&percent_decoded(&unescaped(fragment))),
        }
    }

    /// Renames the parts of the same document that `url(#part)` names.
    fn parts(&self, value: &str) -> String {
        match self.context.scope {
            Some(scope) if value.contains("url(") => {
                let value = value
                    .replace("url(&quot;#", "url(#")
                    .replace("url('#", "url(#")
                    .replace("&quot;)", ")")
                    .replace("')", ")");
                value.replace("url(#", &format!("url(#{scope}-"))
            }
            _ => value.to_owned(),
        }
    }

    fn image(&mut self, tag: &Tag<'_>) {
        let source = unescaped(tag.get("src").unwrap_or_default());
        let alt = unescaped(tag.get("alt").unwrap_or_default());
        let url = match (self.context.images)(&source) {
            Picture::Embedded(url) => url,
            Picture::Above => return self.out.push_str(&image::shown_above(&source, &alt)),
            Picture::Missing => return self.out.push_str(&image::missing(&source, &alt)),
        };
        let _ = write!(
            self.out,
            "<img src=\"{}\" alt=\"{}\"",
            escaped(&url),
            escaped(&alt)
        );
        for name in ["width", "height", "title", "style", "align"] {
            if let Some(value) = tag.get(name) {
                let _ = write!(self.out, " {name}=\"{value}\"");
            }
        }
        self.out.push('>');
    }

    /// A task's box; no other input has a place on a page without scripts.
    fn checkbox(&mut self, tag: &Tag<'_>) {
        if tag.get("type").is_some() {
            let checked = if tag.get("checked").is_some() {
                " checked"
            } else {
                ""
            };
            let _ = write!(self.out, "<input type=\"checkbox\" disabled{checked}>");
        }
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

/// The index after the `>` of the tag that `html` begins with.
pub(super) fn tag_end(html: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in html.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Takes apart what stands between `<` and `>`.
pub(super) fn parse(inside: &str) -> Tag<'_> {
    let name_end = inside.find(' ').unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(name_end);
    let mut attributes = Vec::new();
    while let Some((attribute, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap_or((after, ""));
        attributes.push((attribute.trim(), value));
        rest = after;
    }
    Tag { name, attributes }
}

fn ids(html: &str) -> HashSet<String> {
    let after = html.split(" id=\"").skip(1);
    after
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::sanitize::clean;

    fn finished(html: &str, scope: Option<&str>) -> String {
        let mut outline = Outline::default();
        let images = |source: &str| match source {
            "here.png" => Picture::Embedded("data:image/png;base64,AA==".to_owned()),
            _ => Picture::Missing,
        };
        let html = Finisher {
            scope,
            outline: &mut outline,
            images: &images,
        }
        .finish(&clean(html).unwrap_or_default())
        .html;
        outline.settle(&html)
    }

    #[test]
    fn outputs_live_in_their_scope() {
        for (html, expected) in [
            (
                "<p id=a class='b c'>x</p>",
                "<p id=\"o1-a\" class=\"o1-b o1-c\">x</p>",
            ),
            (
                "<a href=#a>x</a><b id=a></b>",
                "<a href=\"#o1-a\" rel=\"noopener noreferrer\">x</a><b id=\"o1-a\"></b>",
            ),
            (
                "<svg><use href=#a /><g clip-path='url(#a)'></g></svg>",
                "<svg><use href=\"#o1-a\"></use><g clip-path=\"url(#o1-a)\"></g></svg>",
            ),
            (
                "<svg><g style='fill: url(\"#a\")'></g></svg>",
                "<svg><g style=\"fill:url(#o1-a)\"></g></svg>",
            ),
            ("<h1>x</h1>", "<h1>x</h1>"),
        ] {
            assert_eq!(finished(html, Some("o1")), expected);
        }
    }

    #[test]
    fn markdown_gets_anchors_and_keeps_few_classes() {
        let heading = "<h2 id=\"A-&amp;-B\">A &amp; <b>B</b><a class=\"anchor\" href=\"#A-%26-B\" aria-hidden=\"true\" tabindex=\"-1\">#</a></h2>";
        assert_eq!(finished("<h2 class=x>A &amp; <b>B</b></h2>", None), heading);
        assert_eq!(
            finished("<a href='#a-b'>x</a><h2>A &amp; <b>B</b></h2>", None)
                .split("<h2")
                .next(),
            Some("<a href=\"#a-b\" rel=\"noopener noreferrer\">x</a>")
        );
        assert_eq!(
            finished("<div class='alert cell card'>x</div>", None),
            "<div class=\"alert\">x</div>"
        );
    }

    #[test]
    fn images_are_embedded_or_named() {
        assert_eq!(
            finished("<img src=here.png width=3>", None),
            "<img src=\"data:image/png;base64,AA==\" alt=\"\" width=\"3\">"
        );
        assert_eq!(
            finished("<img src='https://a/b.png?x=\"&gt;<i>' alt='<i>'>", None),
            "<a class=\"no-image\" href=\"https://a/b.png?x=&quot;&gt;&lt;i&gt;\" rel=\"noopener noreferrer\" title=\"https://a/b.png?x=&quot;&gt;&lt;i&gt;\">&lt;i&gt; (not embedded)</a>"
        );
        assert_eq!(
            finished("<img src=a/b%20c.png>", None),
            "<span class=\"no-image\">image (not found: b c.png)</span>"
        );
    }

    #[test]
    fn tables_scroll_and_inputs_are_boxes() {
        let table = "<table><tr><td><table></table></td></tr></table>";
        assert_eq!(finished(table, None).matches("class=\"scroll\"").count(), 1);
        assert_eq!(
            finished("<input type=checkbox checked><input name=x>", None),
            "<input type=\"checkbox\" disabled checked>"
        );
    }
}
