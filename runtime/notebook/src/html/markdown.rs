//! Markdown as Jupyter has it: CommonMark with GitHub's tables, task lists, footnotes and links,
//! LaTeX between dollars, raw HTML sanitised, code in fences highlighted.

use comrak::nodes::{NodeHtmlBlock, NodeValue};
use comrak::{Arena, Options, format_html, parse_document};

use super::code;
use super::embed::Picture;
use super::finish::{Finished, Finisher};
use super::math::Mathematics;
use super::outline::Outline;
use super::sanitize;
use super::text::escaped;
use crate::language::Language;

/// Longer text, and such as nests deeper, is shown as it is written.
const LONGEST: usize = 4 << 20;
const DEEPEST: usize = 200;

/// LaTeX environments that MathJax finds without dollars around them.
const ENVIRONMENTS: [&str; 12] = [
    "equation",
    "equation*",
    "align",
    "align*",
    "eqnarray",
    "eqnarray*",
    "gather",
    "gather*",
    "multline",
    "multline*",
    "alignat",
    "alignat*",
];

/// What Markdown needs of its page.
pub(crate) struct Surroundings<'a> {
    /// Sets apart the footnotes of one cell from those of others.
    pub(crate) cell: usize,
    /// The page's formulas.
    pub(crate) math: &'a mut Mathematics,
    /// The page's headings and ids.
    pub(crate) outline: &'a mut Outline,
    /// Gives an image by its source as written.
    pub(crate) images: &'a dyn Fn(&str) -> Picture,
}

/// Markdown as HTML, sanitised. Raw HTML in it is sanitised with it.
pub(crate) fn to_html(source: &str, surroundings: Surroundings<'_>) -> Finished {
    if source.len() > LONGEST || deepest(source) > DEEPEST {
        return as_written(source);
    }
    let options = options();
    let arena = Arena::new();
    let root = parse_document(&arena, &with_dollars(source), &options);
    for node in root.descendants() {
        let mut data = node.data_mut();
        if let Some(value) = replacement(&mut data.value, surroundings.cell, surroundings.math) {
            data.value = value;
        }
    }
    let mut html = String::new();
    // Writing to a string does not fail.
    let _ = format_html(root, &options, &mut html);
    let Some(clean) = sanitize::clean(&html) else {
        return as_written(source);
    };
    let Surroundings {
        outline, images, ..
    } = surroundings;
    Finisher {
        scope: None,
        outline,
        images,
    }
    .finish(&clean)
}

fn as_written(source: &str) -> Finished {
    Finished {
        html: format!("<pre>{}</pre>", escaped(source)),
        is_painted: false,
    }
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.render.r#unsafe = true;
    options.render.tasklist_classes = true;
    options
}

/// What a node is to be instead, where comrak's own HTML will not do.
fn replacement(value: &mut NodeValue, cell: usize, math: &mut Mathematics) -> Option<NodeValue> {
    match value {
        NodeValue::Math(formula) => Some(NodeValue::Raw(
            math.write(&formula.literal, formula.display_math),
        )),
        NodeValue::CodeBlock(block) => {
            let name = block
                .info
                .split([' ', ',', '{', '}'])
                .find(|word| !word.is_empty())
                .unwrap_or_default();
            let html = if name == "math" {
                math.write(&block.literal, true)
            } else {
                let code = code::highlight(
                    &block.literal,
                    &Language::from_name(name.trim_start_matches('.')),
                );
                format!("<pre><code>{code}</code></pre>")
            };
            Some(NodeValue::HtmlBlock(NodeHtmlBlock {
                block_type: 6,
                literal: html,
            }))
        }
        NodeValue::FootnoteDefinition(note) => {
            note.name = format!("{cell}-{}", note.name);
            None
        }
        NodeValue::FootnoteReference(note) => {
            note.name = format!("{cell}-{}", note.name);
            None
        }
        _ => None,
    }
}

/// How deep quotes and lists nest at most, guessed from above.
fn deepest(source: &str) -> usize {
    let is_mark = |byte: &u8| matches!(byte, b'>' | b' ' | b'-' | b'*' | b'+' | b'\t');
    let depth = |line: &str| {
        let start = line.trim_start();
        let marks = start.bytes().take_while(is_mark).count();
        (line.len() - start.len()) / 2 + marks.div_ceil(2)
    };
    let is_rule = |line: &str| {
        line.len() < 1000
            && line
                .trim()
                .bytes()
                .all(|byte| matches!(byte, b'-' | b'*' | b' '))
    };
    source
        .lines()
        .filter(|line| !is_rule(line))
        .map(depth)
        .max()
        .unwrap_or(0)
}

/// Puts dollars around environments that stand by themselves.
fn with_dollars(source: &str) -> String {
    let ended: Vec<(&str, usize)> = ENVIRONMENTS
        .into_iter()
        .filter_map(|name| Some((name, source.rfind(&end_of(name))?)))
        .collect();
    let mut out = String::with_capacity(source.len());
    let (mut fenced, mut in_dollars, mut at) = (false, false, 0);
    let mut environment: Option<&str> = None;
    for line in source.split_inclusive('\n') {
        let start = line.trim_start();
        fenced ^= start.starts_with("```") || start.starts_with("~~~");
        if !fenced && environment.is_none() && !in_dollars {
            let begun = ended
                .iter()
                .find(|(name, end)| begins(start, name) && *end > at);
            environment = begun.map(|(name, _)| *name);
            out.push_str(if environment.is_some() { "$$\n" } else { "" });
        }
        in_dollars ^= !fenced && environment.is_none() && line.matches("$$").count() % 2 == 1;
        out.push_str(line);
        at += line.len();
        if environment.is_some_and(|name| line.contains(&end_of(name))) {
            out.push_str(if line.ends_with('\n') {
                "$$\n"
            } else {
                "\n$$\n"
            });
            environment = None;
        }
    }
    out
}

fn begins(line: &str, environment: &str) -> bool {
    let rest = line
        .strip_prefix("\\begin{")
        .and_then(|rest| rest.strip_prefix(environment));
    rest.is_some_and(|rest| rest.starts_with('}'))
}

fn end_of(environment: &str) -> String {
    format!("\\end{{{environment}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(source: &str) -> String {
        let (mut math, mut outline) = (Mathematics::new(), Outline::default());
        let images = |_: &str| Picture::Missing;
        let surroundings = Surroundings {
            cell: 3,
            math: &mut math,
            outline: &mut outline,
            images: &images,
        };
        let html = to_html(source, surroundings).html;
        outline
            .settle(&html)
            .trim()
            .replace(" rel=\"noopener noreferrer\"", "")
    }

    #[test]
    fn what_jupyter_takes() {
        for (source, expected) in [
            ("a **b** ~~c~~", "<p>a <strong>b</strong> <del>c</del></p>"),
            (
                "https://a.b",
                "<p><a href=\"https://a.b\">https://a.b</a></p>",
            ),
            (
                "$x$ costs $5 and $6",
                "<p><math><mi>x</mi></math> costs $5 and $6</p>",
            ),
            (
                "```python\nif 1:\n```",
                "<pre><code><span class=\"hk\">if</span> <span class=\"hn\">1</span>:\n</code></pre>",
            ),
            ("<b onclick=x>y</b><script>z</script>", "<p><b>y</b></p>"),
        ] {
            assert_eq!(html(source), expected);
        }
        assert!(html("|a|\n|-|\n|b|").starts_with("<div class=\"scroll\"><table>"));
        assert!(html("- [x] a").contains("<input type=\"checkbox\" disabled checked>"));
        assert!(html("a[^1]\n\n[^1]: b").contains("href=\"#fn-3-1\" id=\"fnref-3-1\""));
        assert!(html("> [!NOTE]\n> a").contains("class=\"markdown-alert markdown-alert-note\""));
    }

    #[test]
    fn environments_need_no_dollars() {
        let env = "text\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\nmore";
        assert!(
            html(env).contains("<math display=\"block\">"),
            "{}",
            html(env)
        );
        assert!(!html(&format!("```\n{env}\n```")).contains("<math"));
        assert_eq!(html(&format!("$$\n{env}\n$$")).matches("<math").count(), 0);
        assert!(html("$$\n\\begin{align}a\\end{align}\n$$").contains("<math"));
    }

    #[test]
    fn bombs_are_survived() {
        for unit in [
            ">",
            "- ",
            "[",
            "![",
            "*a ",
            "<div>",
            "`",
            "(",
            "| ",
            "$",
            "\\begin{align}\n",
            "[^a]",
            "&",
            "<!--",
            "# ",
        ] {
            html(&unit.repeat(20_000));
            html(&format!("{}\n", unit).repeat(2_000));
        }
    }
}
