//! Text as it grows on a terminal: a progress bar that writes over itself a thousand times is kept
//! as its last state. [`crate::html`] draws whatever is left to draw.

/// Lines longer than this are not searched for what can be dropped.
const LONGEST_LINE: usize = 64 << 10;

/// Adds `more` to a stream's text. What a carriage return lets later text cover entirely is
/// dropped; what it covers in part stays, for the cursor's sake.
pub(crate) fn append(text: &mut String, more: &str) {
    let Some(line) =
        last_line(text).filter(|&line| more.contains('\r') || text[line..].contains('\r'))
    else {
        text.push_str(more);
        return;
    };
    let tail = text.split_off(line) + more;
    for line in tail.split_inclusive('\n') {
        push_line(text, line);
    }
}

/// Where the last line begins, unless it is over the limit.
fn last_line(text: &str) -> Option<usize> {
    let window = text.len().saturating_sub(LONGEST_LINE);
    let end = text.as_bytes()[window..]
        .iter()
        .rposition(|&byte| byte == b'\n');
    end.map(|at| window + at + 1).or((window == 0).then_some(0))
}

fn push_line(text: &mut String, line: &str) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let has_end = body.len() < line.len();
    let mut kept: Vec<(&str, usize)> = Vec::new();
    let mut segments = body.split('\r').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let width = width(segment);
        if segment.is_empty() && (has_end || !is_last) {
            continue;
        }
        if !segment.is_empty() {
            while kept
                .last()
                .is_some_and(|(below, below_width)| covers(segment, width, below, *below_width))
            {
                kept.pop();
            }
        }
        kept.push((segment, width));
    }
    for (index, (segment, _)) in kept.iter().enumerate() {
        if index > 0 {
            text.push('\r');
        }
        text.push_str(segment);
    }
    if has_end {
        text.push('\n');
    }
}

/// Whether nothing of `below` is seen, nor felt in later colours, once `above` is written over it.
fn covers(above: &str, width: usize, below: &str, below_width: usize) -> bool {
    let erases = above.starts_with("\u{1b}[2K") || above.starts_with("\u{1b}[K");
    (erases || width >= below_width) && is_settled(below)
}

/// Whether the text leaves cursor and colours as it found them: no escape but SGR, the last a reset.
fn is_settled(text: &str) -> bool {
    let mut settled = true;
    for sequence in text.split('\u{1b}').skip(1) {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic());
        match end.map(|end| sequence.split_at(end)) {
            Some((parameters, rest)) if rest.starts_with('m') => {
                settled = matches!(parameters, "[" | "[0")
            }
            Some((_, rest)) if rest.starts_with('K') => {}
            _ => return false,
        }
    }
    settled
}

/// How many characters show, escape sequences aside.
fn width(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().map_or(0, |part| part.chars().count());
    let rest = parts.map(|part| match part.find(|c: char| c.is_ascii_alphabetic()) {
        Some(end) => part[end + 1..].chars().count(),
        None => 0,
    });
    first + rest.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(parts: &[&str]) -> String {
        let mut text = String::new();
        parts.iter().for_each(|part| append(&mut text, part));
        text
    }

    #[test]
    fn progress_bars_keep_their_last_state() {
        assert_eq!(
            grown(&["\r 10%", "\r 20%", "\r100%", "\ndone"]),
            "100%\ndone"
        );
        assert_eq!(grown(&["a\r\nb\r\n"]), "a\nb\n");
        assert_eq!(grown(&["abc\r", "xyz"]), "xyz");
        assert_eq!(grown(&["plain ", "text\n"]), "plain text\n");
    }

    #[test]
    fn what_is_covered_in_part_stays() {
        assert_eq!(grown(&["abcdef\r", "xy", "z"]), "abcdef\rxyz");
        assert_eq!(grown(&["abcdef\rxy\r\u{1b}[2Kz"]), "\u{1b}[2Kz");
        assert_eq!(grown(&["\u{1b}[31mred\rblue"]), "\u{1b}[31mred\rblue");
        assert_eq!(grown(&["\u{1b}[31mred\u{1b}[0m\rblue"]), "blue");
    }

    #[test]
    fn a_thousand_updates_stay_short() {
        let updates: Vec<String> = (0..1000).map(|i| format!("\r{i:>4}/1000")).collect();
        let mut text = String::new();
        updates.iter().for_each(|update| append(&mut text, update));
        assert_eq!(text, " 999/1000");
    }
}
