//! Headings and other places that links lead to: their ids, and the outline that they make.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::text::{escaped, percent_decoded, push_fragment};

/// Stands after the `#` of a link whose target is looked up when all cells are there.
const PENDING: char = '\u{f8f4}';

/// The headings of a page so far.
#[derive(Default)]
pub(crate) struct Outline {
    headings: Vec<Heading>,
    ids: HashSet<String>,
    /// Ids by what people write for them: lower case, punctuation left out.
    slugs: HashMap<String, String>,
    /// How often an id was wanted again.
    repeats: HashMap<String, usize>,
}

struct Heading {
    level: u8,
    id: String,
    text: String,
}

impl Outline {
    /// Takes in a heading and gives it an id: its own, or Jupyter's (the text with `-` for spaces).
    pub(crate) fn add(&mut self, level: u8, text: &str, own: Option<&str>) -> String {
        let text = text.trim();
        let wanted = own.map_or_else(
            || text.split_whitespace().collect::<Vec<_>>().join("-"),
            str::to_owned,
        );
        let wanted = if wanted.is_empty() {
            "section".to_owned()
        } else {
            wanted
        };
        let id = self.free(&wanted, own.is_some());
        self.slugs.entry(slug(text)).or_insert_with(|| id.clone());
        self.headings.push(Heading {
            level,
            id: id.clone(),
            text: text.to_owned(),
        });
        id
    }

    fn free(&mut self, wanted: &str, is_own: bool) -> String {
        if is_own || self.ids.insert(wanted.to_owned()) {
            self.ids.insert(wanted.to_owned());
            return wanted.to_owned();
        }
        let count = self.repeats.entry(wanted.to_owned()).or_default();
        loop {
            *count += 1;
            let id = format!("{wanted}-{count}");
            if self.ids.insert(id.clone()) {
                return id;
            }
        }
    }

    /// Takes in an id that is no heading's.
    pub(crate) fn add_id(&mut self, id: &str) {
        self.ids.insert(id.to_owned());
    }

    /// The `href` of a link to `fragment`, to be settled by [`Outline::settle`].
    pub(crate) fn pending(fragment: &str) -> String {
        let mut href = format!("#{PENDING}");
        push_fragment(&mut href, fragment);
        href
    }

    /// Leads each link to the heading or id that it means, by exact name or by the name in lower
    /// case that other renderers give.
    pub(crate) fn settle(&self, html: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let mut rest = html;
        while let Some(at) = rest.find(PENDING) {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            rest = &after[PENDING.len_utf8()..];
            if before.ends_with("href=\"#") {
                let end = rest.find('"').unwrap_or(rest.len());
                push_fragment(&mut out, &self.target(&percent_decoded(&rest[..end])));
                rest = &rest[end..];
            }
        }
        out.push_str(rest);
        out
    }

    fn target(&self, fragment: &str) -> String {
        if self.ids.contains(fragment) {
            return fragment.to_owned();
        }
        self.slugs
            .get(&slug(fragment))
            .cloned()
            .unwrap_or_else(|| fragment.to_owned())
    }

    /// The outline as nested lists; empty where there are fewer than two headings.
    pub(crate) fn to_html(&self) -> String {
        if self.headings.len() < 2 {
            return String::new();
        }
        let top = self
            .headings
            .iter()
            .map(|heading| heading.level)
            .min()
            .unwrap_or(1);
        let mut out = String::from("<ul>");
        for heading in self
            .headings
            .iter()
            .filter(|heading| heading.level < top + 3)
        {
            let mut fragment = String::new();
            push_fragment(&mut fragment, &heading.id);
            let depth = heading.level - top;
            let text = escaped(&heading.text);
            let _ = write!(
                out,
                "<li class=\"d{depth}\"><a href=\"#{fragment}\">{text}</a></li>"
            );
        }
        out.push_str("</ul>");
        out
    }

    /// The text of the first heading, if that is of level one.
    pub(crate) fn first_title(&self) -> Option<&str> {
        self.headings
            .first()
            .filter(|heading| heading.level == 1)
            .map(|heading| heading.text.as_str())
    }
}

fn slug(text: &str) -> String {
    let kept = text.trim().chars().filter_map(|c| match c {
        c if c.is_whitespace() || c == '-' => Some('-'),
        c if c.is_alphanumeric() || c == '_' => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_find_headings_by_either_name() {
        let mut outline = Outline::default();
        assert_eq!(outline.add(1, "What We Found?", None), "What-We-Found?");
        assert_eq!(outline.add(2, "What We Found?", None), "What-We-Found?-1");
        assert_eq!(outline.add(2, "x", Some("own")), "own");
        let link =
            |fragment| outline.settle(&format!("<a href=\"{}\">", Outline::pending(fragment)));
        assert_eq!(link("What-We-Found?"), "<a href=\"#What-We-Found%3F\">");
        assert_eq!(link("what-we-found"), "<a href=\"#What-We-Found%3F\">");
        assert_eq!(link("own"), "<a href=\"#own\">");
        assert_eq!(
            link("nowhere\" onclick=\"x"),
            "<a href=\"#nowhere%22%20onclick%3D%22x\">"
        );
    }
}
