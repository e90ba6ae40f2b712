//! Text with terminal controls into HTML, as a terminal shows it: colours, bold and the like, and
//! what carriage returns, backspaces, erasures and cursor movements write over. Streams and
//! tracebacks go through here. Links, titles and other commands to a terminal are left out.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

use vte::{Params, Parser, Perform};

use super::text::push_escaped;

/// How many lines up the cursor can go; a screenful.
const WINDOW: usize = 64;
/// The farthest column that a cursor movement alone reaches.
const FARTHEST: usize = 4096;
/// Blanks that cursor movements may make for each byte of text; a table with far columns takes about a dozen. Once they
/// are spent, text goes on at the end of its line.
const BLANKS_PER_BYTE: usize = 32;

/// Whether `text` has anything that a terminal would act on, beyond line ends.
pub(crate) fn has_controls(text: &str) -> bool {
    text.bytes()
        .any(|byte| (byte < 0x20 && byte != b'\n' && byte != b'\t') || byte == 0x7f)
        || text.contains(|c| ('\u{80}'..'\u{a0}').contains(&c))
}

/// A terminal that text is fed to in parts.
pub(crate) struct Terminal {
    parser: Parser,
    screen: Screen,
}

impl Terminal {
    /// An empty terminal.
    pub(crate) fn new() -> Self {
        Self {
            parser: Parser::new(),
            screen: Screen::new(),
        }
    }

    /// Shows `text` and returns the HTML of all lines since the last call. Colours carry over.
    pub(crate) fn show(&mut self, text: &str) -> String {
        if self.screen.is_plain() && !has_controls(text) {
            let mut out = String::with_capacity(text.len());
            push_escaped(&mut out, text);
            return out;
        }
        let blanks = text.len().saturating_mul(BLANKS_PER_BYTE);
        self.screen.blanks = self.screen.blanks.saturating_add(blanks);
        self.parser.advance(&mut self.screen, text.as_bytes());
        self.screen.flush()
    }
}

/// `text` as HTML.
#[cfg(test)]
pub(crate) fn to_html(text: &str) -> String {
    Terminal::new().show(text)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Color {
    #[default]
    Default,
    Named(u8),
    Rgb(u8, u8, u8),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Style {
    fg: Color,
    bg: Color,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    strike: bool,
    inverse: bool,
    hidden: bool,
}

type Line = Vec<(char, u16)>;

struct Screen {
    /// Styles seen, by the number that cells have; the first is the plain one.
    styles: Vec<Style>,
    numbers: HashMap<Style, u16>,
    style: Style,
    number: u16,
    lines: VecDeque<Line>,
    row: usize,
    column: usize,
    /// Blanks that movements and erasures may still make.
    blanks: usize,
    out: String,
}

impl Screen {
    fn new() -> Self {
        let plain = Style::default();
        Self {
            styles: vec![plain],
            numbers: HashMap::from([(plain, 0)]),
            style: plain,
            number: 0,
            lines: VecDeque::from([Line::new()]),
            row: 0,
            column: 0,
            blanks: FARTHEST,
            out: String::new(),
        }
    }

    fn is_plain(&self) -> bool {
        self.number == 0 && self.column == 0 && self.lines.len() == 1 && self.lines[0].is_empty()
    }

    fn set_style(&mut self, style: Style) {
        self.style = style;
        let next = u16::try_from(self.styles.len()).unwrap_or(0);
        self.number = *self.numbers.entry(style).or_insert(next);
        if self.number == next && next != 0 {
            self.styles.push(style);
        }
    }

    fn line(&mut self) -> &mut Line {
        while self.lines.len() <= self.row {
            self.lines.push_back(Line::new());
        }
        &mut self.lines[self.row]
    }

    /// Whether so many more blanks may be made, which are then counted.
    fn affords(&mut self, blanks: usize) -> bool {
        let left = self.blanks.checked_sub(blanks);
        self.blanks = left.unwrap_or(self.blanks);
        left.is_some()
    }

    fn put(&mut self, c: char) {
        let cell = (c, self.number);
        let length = self.line().len();
        if !self.affords(self.column.saturating_sub(length)) {
            self.column = length;
        }
        let column = self.column;
        let line = self.line();
        if line.len() < column {
            line.resize(column, (' ', 0));
        }
        match line.get_mut(column) {
            Some(old) => *old = cell,
            None => line.push(cell),
        }
        self.column += 1;
    }

    fn newline(&mut self) {
        self.row += 1;
        self.column = 0;
        self.line();
        while self.lines.len() > WINDOW {
            self.emit_first(true);
            self.row = self.row.saturating_sub(1);
        }
    }

    fn emit_first(&mut self, ends: bool) {
        let Some(line) = self.lines.pop_front() else {
            return;
        };
        for run in line.chunk_by(|a, b| a.1 == b.1) {
            let text: String = run.iter().map(|(c, _)| *c).collect();
            let style = run
                .first()
                .and_then(|(_, number)| self.styles.get(usize::from(*number)));
            push_run(&mut self.out, style.copied().unwrap_or_default(), &text);
        }
        if ends {
            self.out.push('\n');
        }
    }

    fn flush(&mut self) -> String {
        while !self.lines.is_empty() {
            let ends = self.lines.len() > 1;
            self.emit_first(ends);
        }
        self.lines.push_back(Line::new());
        (self.row, self.column) = (0, 0);
        std::mem::take(&mut self.out)
    }

    fn move_column(&mut self, column: usize) {
        let reach = self.line().len().max(FARTHEST);
        self.column = column.min(reach);
    }

    fn erase_in_line(&mut self, mode: u16) {
        let column = self.column;
        let before = self.line().len().min(column + 1);
        // Blanking the same long start again and again would take for ever.
        let blanks = mode == 1 && self.affords(before);
        let line = self.line();
        match mode {
            0 => line.truncate(column),
            1 if blanks => line
                .iter_mut()
                .take(before)
                .for_each(|cell| *cell = (' ', 0)),
            _ => line.clear(),
        }
    }

    fn erase_in_display(&mut self, mode: u16) {
        self.erase_in_line(if mode == 0 { 0 } else { 2 });
        match mode {
            0 => self.lines.truncate(self.row + 1),
            1 => self.lines.iter_mut().take(self.row).for_each(Line::clear),
            _ => {
                self.lines = VecDeque::from([Line::new()]);
                self.row = 0;
            }
        }
    }

    fn select_graphics(&mut self, params: &Params) {
        let mut style = self.style;
        let mut groups = params.iter();
        let mut any = false;
        while let Some(group) = groups.next() {
            any = true;
            match *group {
                [38, ref rest @ ..] => style.fg = extended(rest, &mut groups).unwrap_or(style.fg),
                [48, ref rest @ ..] => style.bg = extended(rest, &mut groups).unwrap_or(style.bg),
                [4, 0] => style.underline = false,
                [code, ..] => apply(&mut style, code),
                [] => {}
            }
        }
        self.set_style(if any { style } else { Style::default() });
    }
}

fn apply(style: &mut Style, code: u16) {
    let low = u8::try_from(code).unwrap_or(0);
    match code {
        0 => *style = Style::default(),
        1 => style.bold = true,
        2 => style.dim = true,
        3 => style.italic = true,
        4 | 21 => style.underline = true,
        7 => style.inverse = true,
        8 => style.hidden = true,
        9 => style.strike = true,
        22 => (style.bold, style.dim) = (false, false),
        23 => style.italic = false,
        24 => style.underline = false,
        27 => style.inverse = false,
        28 => style.hidden = false,
        29 => style.strike = false,
        30..=37 => style.fg = Color::Named(low - 30),
        39 => style.fg = Color::Default,
        40..=47 => style.bg = Color::Named(low - 40),
        49 => style.bg = Color::Default,
        90..=97 => style.fg = Color::Named(low - 90 + 8),
        100..=107 => style.bg = Color::Named(low - 100 + 8),
        _ => {}
    }
}

/// The colour after 38 or 48: `5;n` or `2;r;g;b`, with semicolons or with colons.
fn extended<'p>(rest: &[u16], groups: &mut impl Iterator<Item = &'p [u16]>) -> Option<Color> {
    let byte = |value: Option<&u16>| value.and_then(|value| u8::try_from(*value).ok());
    let mut next = || {
        groups
            .next()
            .and_then(|group| u8::try_from(*group.first()?).ok())
    };
    match *rest {
        [5, ref rest @ ..] => byte(rest.first()).map(palette),
        [2, r, g, b] | [2, _, r, g, b, ..] => Some(Color::Rgb(
            byte(Some(&r))?,
            byte(Some(&g))?,
            byte(Some(&b))?,
        )),
        [] => match next()? {
            5 => next().map(palette),
            2 => Some(Color::Rgb(next()?, next()?, next()?)),
            _ => None,
        },
        _ => None,
    }
}

/// xterm's palette: 16 named colours, a cube of 6 by 6 by 6, and 24 greys.
fn palette(index: u8) -> Color {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        0..16 => Color::Named(index),
        16..232 => {
            let n = index - 16;
            Color::Rgb(level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            Color::Rgb(grey, grey, grey)
        }
    }
}

fn push_run(out: &mut String, style: Style, text: &str) {
    let (classes, css) = attributes(style);
    if classes.is_empty() && css.is_empty() {
        push_escaped(out, text);
        return;
    }
    out.push_str("<span");
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{}\"", classes.trim_start());
    }
    if !css.is_empty() {
        let _ = write!(out, " style=\"{css}\"");
    }
    out.push('>');
    push_escaped(out, text);
    out.push_str("</span>");
}

/// The classes and the inline style of a run. Colours are classes and variables, so that the page can
/// suit them to light and dark.
fn attributes(style: Style) -> (String, String) {
    let (mut classes, mut css) = (String::new(), String::new());
    let (fg, bg) = if style.inverse {
        (style.bg, style.fg)
    } else {
        (style.fg, style.bg)
    };
    match fg {
        Color::Named(n) => classes.push_str(&format!(" f{n}")),
        Color::Rgb(r, g, b) => {
            classes.push_str(" x");
            let _ = write!(css, "--x:#{r:02x}{g:02x}{b:02x};");
        }
        Color::Default if style.inverse => classes.push_str(" fi"),
        Color::Default => classes.push_str(readable_on(bg)),
    }
    match bg {
        Color::Named(n) => classes.push_str(&format!(" g{n}")),
        Color::Rgb(r, g, b) => {
            classes.push_str(" y");
            let _ = write!(css, "--y:#{r:02x}{g:02x}{b:02x};");
        }
        Color::Default if style.inverse => classes.push_str(" gi"),
        Color::Default => {}
    }
    let flags = [
        (style.bold, " tb"),
        (style.dim, " td"),
        (style.italic, " ti"),
        (style.underline && style.strike, " tus"),
        (style.underline && !style.strike, " tu"),
        (style.strike && !style.underline, " ts"),
        (style.hidden, " th"),
    ];
    flags
        .iter()
        .filter(|(on, _)| *on)
        .for_each(|(_, class)| classes.push_str(class));
    (classes, css)
}

/// The class of default text on a background of its own: dark or light, whichever can be read.
fn readable_on(bg: Color) -> &'static str {
    match bg {
        Color::Rgb(r, g, b) if 3 * u32::from(r) + 6 * u32::from(g) + u32::from(b) > 1275 => " fd",
        Color::Rgb(..) => " fl",
        _ => "",
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        self.put(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | 0x0b | 0x0c => self.newline(),
            b'\r' => self.column = 0,
            0x08 => self.column = self.column.saturating_sub(1),
            b'\t' => self.put('\t'),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        if !intermediates.is_empty() {
            return;
        }
        let first = params
            .iter()
            .next()
            .and_then(|group| group.first().copied())
            .unwrap_or(0);
        let count = usize::from(first.max(1));
        match action {
            'm' => self.select_graphics(params),
            'K' => self.erase_in_line(first),
            'J' => self.erase_in_display(first),
            'A' | 'F' => self.row = self.row.saturating_sub(count),
            'B' | 'E' => self.row = (self.row + count).min(self.lines.len().saturating_sub(1)),
            'C' => self.move_column(self.column + count),
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.move_column(count - 1),
            _ => {}
        }
        if matches!(action, 'E' | 'F') {
            self.column = 0;
        }
    }
}
