//! Texts as the editor has them: offsets in UTF-16 units, each line end one unit whatever its bytes; and lines
//! that are elements of their own, to be numbered.

/// The editor's offset of a byte offset; one inside a character counts as at its start.
pub fn editor_offset(text: &str, byte: usize) -> usize {
    let mut cursor = Cursor::new(text);
    cursor.go_to(byte);
    cursor.editor
}

/// The byte offset of an editor's offset; one past the end is the end.
pub fn byte_offset(text: &str, editor: usize) -> usize {
    let mut cursor = Cursor::new(text);
    while cursor.editor < editor && cursor.step() {}
    cursor.byte
}

/// The lines of highlighted code, each in a `span` of the class `line` with its line end. `html` is escaped text
/// with `span`s that are not nested, as `spoor_notebook::highlight` writes it; one over several lines is closed and
/// opened again.
pub fn numbered_lines(html: &str) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    // The tag of the span that is open where a line ends.
    let mut open = "";
    for (nth, line) in html.split('\n').enumerate() {
        if nth > 0 {
            out.push('\n');
            out.push_str(if open.is_empty() { "" } else { "</span>" });
            out.push_str("</span>");
        }
        out.push_str("<span class=\"line\">");
        out.push_str(open);
        out.push_str(line);
        if let Some(at) = line.rfind("<span") {
            let tag = &line[at..];
            let end = tag.find('>').map_or(tag.len(), |end| end + 1);
            open = if tag.contains("</span>") {
                ""
            } else {
                &tag[..end]
            };
        } else if line.contains("</span>") {
            open = "";
        }
    }
    out.push_str("</span>");
    out
}

/// Walks a text once, forwards, knowing both offsets.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    pub(crate) byte: usize,
    pub(crate) editor: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            editor: 0,
        }
    }

    /// Goes on to a byte offset that is not before where it is.
    pub(crate) fn go_to(&mut self, byte: usize) {
        while self.byte < byte {
            let before = (self.byte, self.editor);
            if !self.step() {
                return;
            }
            if self.byte > byte {
                (self.byte, self.editor) = before;
                return;
            }
        }
    }

    /// Passes one character, or one line end. False at the end.
    fn step(&mut self) -> bool {
        let rest = &self.text[self.byte..];
        let Some(char) = rest.chars().next() else {
            return false;
        };
        if rest.starts_with("\r\n") {
            self.byte += 2;
            self.editor += 1;
        } else {
            self.byte += char.len_utf8();
            self.editor += char.len_utf16();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_both_ways() {
        let text = "aé\r\n😀b\nc";
        let pairs = [
            (0, 0),
            (1, 1),
            (3, 2),
            (5, 3),
            (9, 5),
            (10, 6),
            (11, 7),
            (12, 8),
        ];
        for (byte, editor) in pairs {
            assert_eq!(editor_offset(text, byte), editor, "byte {byte}");
            assert_eq!(byte_offset(text, editor), byte, "editor {editor}");
        }
    }

    #[test]
    fn each_line_is_an_element() {
        let lines = |html| numbered_lines(html).replace("<span class=\"line\">", "[");
        assert_eq!(lines(""), "[</span>");
        assert_eq!(lines("a\nb"), "[a\n</span>[b</span>");
        assert_eq!(lines("a\n"), "[a\n</span>[</span>");
        assert_eq!(
            lines("<span class=\"hk\">if</span> a\n&lt;"),
            "[<span class=\"hk\">if</span> a\n</span>[&lt;</span>"
        );
        let long = "x <span class=\"hs\">`a\n\nb`</span> y\nz";
        let first = "[x <span class=\"hs\">`a\n</span></span>";
        let second = "[<span class=\"hs\">\n</span></span>";
        let last = "[<span class=\"hs\">b`</span> y\n</span>[z</span>";
        assert_eq!(lines(long), [first, second, last].concat());
    }

    #[test]
    fn offsets_between_characters_are_brought_to_one() {
        assert_eq!(editor_offset("é", 1), 0);
        assert_eq!(editor_offset("a\r\nb", 2), 1);
        assert_eq!(byte_offset("😀b", 1), 4);
        assert_eq!(byte_offset("ab", 99), 2);
        assert_eq!(editor_offset("ab", 99), 2);
    }
}
