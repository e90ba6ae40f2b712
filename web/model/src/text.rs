//! Offsets as the editor counts them: UTF-16 units, each line end one unit whatever its bytes.

/// The editor's offset of a byte offset; one inside a character counts as at its start.
pub fn editor_offset(text: &str, byte: usize) -> usize {
    let mut cursor = Cursor::new(text);
    cursor.to_byte(byte);
    cursor.editor
}

/// The byte offset of an editor's offset; one past the end is the end.
pub fn byte_offset(text: &str, editor: usize) -> usize {
    let mut cursor = Cursor::new(text);
    while cursor.editor < editor && cursor.step() {}
    cursor.byte
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
    pub(crate) fn to_byte(&mut self, byte: usize) {
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
    fn offsets_between_characters_are_brought_to_one() {
        assert_eq!(editor_offset("é", 1), 0);
        assert_eq!(editor_offset("a\r\nb", 2), 1);
        assert_eq!(byte_offset("😀b", 1), 4);
        assert_eq!(byte_offset("ab", 99), 2);
        assert_eq!(editor_offset("ab", 99), 2);
    }
}
