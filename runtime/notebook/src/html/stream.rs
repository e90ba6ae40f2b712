//! Text outputs: streams, tracebacks, plain results. Long ones are folded, never cut.

use super::ansi::Terminal;
use super::text::{counted, size};

/// Text with more lines than this is folded, as is text with more bytes.
const MOST_LINES: usize = 160;
const MOST_BYTES: usize = 40_000;
/// What stays in sight of folded text.
const FIRST_LINES: usize = 40;
const FIRST_BYTES: usize = 8_000;
/// Text with a longer line wraps; up to it, lines scroll so that tables stay straight.
const LONGEST_LINE: usize = 400;

/// `text` in a `pre` of the class, as a terminal shows it.
pub(crate) fn to_html(text: &str, class: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let wraps = if text.lines().any(|line| line.len() > LONGEST_LINE) {
        " wrap"
    } else {
        ""
    };
    let lines = text.lines().count();
    let mut terminal = Terminal::new();
    if lines <= MOST_LINES && text.len() <= MOST_BYTES {
        return format!(
            "<pre class=\"{class}{wraps}\">{}</pre>",
            terminal.show(text)
        );
    }
    let (first, rest) = text.split_at(first_part(text));
    let shown = terminal.show(first.strip_suffix('\n').unwrap_or(first));
    let hidden = terminal.show(rest);
    let more = match lines.saturating_sub(first.lines().count()) {
        0 => format!("{} more", size(rest.len())),
        number => format!("{}, {}", counted(number, "more line"), size(rest.len())),
    };
    format!(
        "<pre class=\"{class}{wraps}\">{shown}</pre>\
         <details class=\"fold\"><summary>{more}</summary><pre class=\"{class}{wraps}\">{hidden}</pre></details>"
    )
}

/// Where the part in sight ends: after some lines, or some bytes where lines are long.
fn first_part(text: &str) -> usize {
    let lines: usize = text
        .split_inclusive('\n')
        .take(FIRST_LINES)
        .map(str::len)
        .sum();
    let mut end = lines.min(FIRST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::ansi;

    #[test]
    fn long_text_is_folded_whole() {
        let text: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let html = to_html(&text, "text");
        assert!(
            html.contains("<summary>960 more lines, 9 KB</summary>"),
            "{html}"
        );
        assert!((0..1000).all(|n| html.contains(&format!("line {n}"))));
        let html = to_html(&"é".repeat(50_000), "text");
        assert_eq!(html.matches('é').count(), 50_000);
    }

    #[test]
    fn terminals() {
        for (text, expected) in [
            (
                "\u{1b}[31mred\u{1b}[0m <b>",
                "<span class=\"f1\">red</span> &lt;b&gt;",
            ),
            (
                "\u{1b}[1;4;38;5;196mx\u{1b}[m",
                "<span class=\"x tb tu\" style=\"--x:#ff0000;\">x</span>",
            ),
            (
                "\u{1b}[38;2;1;2;3;48;5;9mx",
                "<span class=\"x g9\" style=\"--x:#010203;\">x</span>",
            ),
            (
                "\u{1b}[38:2::1:2:3mx",
                "<span class=\"x\" style=\"--x:#010203;\">x</span>",
            ),
            ("\u{1b}[7mx\u{1b}[27my", "<span class=\"fi gi\">x</span>y"),
            ("50%\r100%", "100%"),
            ("abc\rX", "Xbc"),
            ("abc\u{8}\u{8}X", "aXc"),
            ("abc\r\u{1b}[KX", "X"),
            ("a\nb\u{1b}[1Ac\nd", "ac\nd"),
            ("a\r\nb\r\n", "a\nb\n"),
            (
                "\u{1b}]0;title\u{7}a\u{1b}]8;;javascript:x\u{1b}\\b\u{1b}]8;;\u{1b}\\",
                "ab",
            ),
            ("\u{1b}[999999999Cx", &format!("{}x", " ".repeat(4096))),
            ("\u{1b}[2Ja\u{1b}[", "a"),
        ] {
            assert_eq!(ansi::to_html(text), *expected, "{text:?}");
        }
        let mut terminal = Terminal::new();
        assert_eq!(terminal.show("\u{1b}[32ma"), "<span class=\"f2\">a</span>");
        assert_eq!(terminal.show("b"), "<span class=\"f2\">b</span>");
    }
    #[test]
    fn movements_make_few_blanks_for_their_bytes() {
        // Ten bytes a line that ask for four thousand cells each.
        let bomb = "\u{1b}[4096Cx\n".repeat(10_000);
        let html = ansi::to_html(&bomb);
        assert!(html.len() < 40 * bomb.len(), "{} bytes", html.len());
        assert_eq!(html.matches('x').count(), 10_000);
        // A bar that is drawn in place, and a table whose columns are moved to.
        let row = "\u{1b}[60Gname\u{1b}[110Gsize\n".repeat(5_000);
        let html = ansi::to_html(&row);
        let line = format!("{}name{}size", " ".repeat(59), " ".repeat(46));
        assert_eq!(html.matches(line.as_str()).count(), 5_000);
    }

    #[test]
    fn erasures_take_time_for_their_bytes() {
        let bomb = "x".repeat(200_000) + &"\u{1b}[1K".repeat(200_000);
        let start = std::time::Instant::now();
        assert_eq!(ansi::to_html(&bomb).trim(), "");
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }
}
