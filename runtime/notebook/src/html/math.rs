//! LaTeX into MathML, which browsers draw without a script.

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::text::escaped;

/// Longer formulas, and such as nest deeper, are shown as they are written: math-core's parser
/// recurses.
const LONGEST: usize = 4_000;
const DEEPEST: usize = 60;

/// Writes formulas of one page.
pub(crate) struct Mathematics {
    converter: Option<LatexToMathML>,
}

impl Mathematics {
    /// Nothing is set up until a formula comes.
    pub(crate) fn new() -> Self {
        Self { converter: None }
    }

    /// A `math` element, or the source as code where it does not parse.
    pub(crate) fn write(&mut self, latex: &str, is_block: bool) -> String {
        let latex = latex.trim();
        let display = if is_block {
            MathDisplay::Block
        } else {
            MathDisplay::Inline
        };
        let known = latex
            .replace("{split}", "{aligned}")
            .replace("{eqnarray}", "{align}")
            .replace("{eqnarray*}", "{align*}");
        let result = is_modest(&known)
            .then(|| {
                self.converter()?
                    .convert_with_local_state(&known, display)
                    .ok()
            })
            .flatten();
        match result {
            Some(result) => result.mathml,
            None if is_block => {
                format!("<pre class=\"latex\"><code>{}</code></pre>", escaped(latex))
            }
            None => format!("<code class=\"latex\">{}</code>", escaped(latex)),
        }
    }

    fn converter(&mut self) -> Option<&LatexToMathML> {
        if self.converter.is_none() {
            self.converter = LatexToMathML::new(MathCoreConfig::default()).ok();
        }
        self.converter.as_ref()
    }
}

/// Whether the parser will not recurse too deep: by groups and environments, or by a chain of
/// commands each of which takes the next for its argument.
fn is_modest(latex: &str) -> bool {
    let (mut depth, mut chain, mut deepest) = (0usize, 0, 0);
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let mut len = c.len_utf8();
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            '\\' => {
                chain += 1;
                len += rest[1..]
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(rest.len() - 1);
                depth += usize::from(rest.starts_with("\\begin") || rest.starts_with("\\left"));
                depth = depth.saturating_sub(usize::from(
                    rest.starts_with("\\end") || rest.starts_with("\\right"),
                ));
            }
            '^' | '_' => chain += 1,
            c if c.is_whitespace() => {}
            _ => chain = 0,
        }
        deepest = deepest.max(depth + chain);
        rest = &rest[len..];
    }
    latex.len() <= LONGEST && deepest <= DEEPEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml_or_stay_source() {
        let mut math = Mathematics::new();
        assert_eq!(math.write("x", false), "<math><mi>x</mi></math>");
        assert!(
            math.write(r"\begin{split}a&=b\end{split}", true)
                .starts_with("<math display=\"block\">")
        );
        assert_eq!(
            math.write(r"\nope{<x>", false),
            r#"<code class="latex">\nope{&lt;x&gt;</code>"#
        );
    }

    #[test]
    fn bombs_are_shown_as_written() {
        let mut math = Mathematics::new();
        for bomb in ["{", "\\sqrt", "\\left(", "x^", "\\begin{matrix}", "\\frac"] {
            math.write(&bomb.repeat(100_000), true);
            math.write(&bomb.repeat(LONGEST / bomb.len()), true);
        }
    }
}
