//! What a user prefers, kept as JSON.
//!
//! Read leniently: a value of the wrong type or out of range gives way to the default, and fields
//! of a newer version are kept for it.

use serde_json::{Map, Value, json};

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, in the order of the menu.
    pub const ALL: &'static [Self] = &[Self::System, Self::Light, Self::Dark];

    /// The value that is kept, and that the page sets as `data-theme`.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme that the command to switch leads to, where the system is dark or not.
    pub fn toggled(self, system_is_dark: bool) -> Self {
        let dark = match self {
            Self::System => system_is_dark,
            other => other == Self::Dark,
        };
        if dark { Self::Light } else { Self::Dark }
    }
}

/// The sizes of the editor's text that can be chosen, in pixels.
pub const FONT_SIZES: std::ops::RangeInclusive<u8> = 10..=24;

/// How soon after a change the notebook is saved, in seconds.
pub const AUTOSAVE_SECONDS: std::ops::RangeInclusive<u16> = 1..=600;

/// How wide the files beside a notebook can be, in pixels.
pub const FILES_WIDTH: std::ops::RangeInclusive<u16> = 220..=720;

/// A user's preferences.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Light or dark.
    pub theme: Theme,
    /// Whether editors show line numbers.
    pub line_numbers: bool,
    /// Whether long lines of code are broken.
    pub wrap_lines: bool,
    /// Whether changes are saved without being asked.
    pub autosave: bool,
    /// How soon after a change, in seconds: within [`AUTOSAVE_SECONDS`].
    pub autosave_seconds: u16,
    /// The size of the editor's text in pixels: within [`FONT_SIZES`].
    pub font_size: u8,
    /// Whether a notebook of the user's own runs when it is opened.
    pub run_on_open: bool,
    /// Whether the outline is shown.
    pub outline: bool,
    /// Whether the files are shown beside a notebook, where there is room for both.
    pub files: bool,
    /// How wide they are then, in pixels: within [`FILES_WIDTH`].
    pub files_width: u16,
    /// Whether engines are kept for the next visit.
    pub keep_engines: bool,
    /// Fields that this version does not know.
    extra: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            line_numbers: false,
            wrap_lines: true,
            autosave: true,
            autosave_seconds: 2,
            font_size: 13,
            run_on_open: false,
            outline: true,
            files: false,
            files_width: 300,
            keep_engines: true,
            extra: Map::new(),
        }
    }
}

impl Settings {
    /// Reads what was kept. Text that is no JSON object gives the defaults.
    pub fn from_json(text: &str) -> Self {
        let mut kept: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let mut settings = Self::default();
        let flags = [
            ("line_numbers", &mut settings.line_numbers),
            ("wrap_lines", &mut settings.wrap_lines),
            ("autosave", &mut settings.autosave),
            ("run_on_open", &mut settings.run_on_open),
            ("outline", &mut settings.outline),
            ("files", &mut settings.files),
            ("keep_engines", &mut settings.keep_engines),
        ];
        for (name, flag) in flags {
            let value = kept.shift_remove(name).and_then(|value| value.as_bool());
            *flag = value.unwrap_or(*flag);
        }
        let theme = kept.shift_remove("theme");
        if let Some(theme) = theme.as_ref().and_then(Value::as_str) {
            let mut all = Theme::ALL.iter().copied();
            settings.theme = all.find(|one| one.name() == theme).unwrap_or_default();
        }
        if let Some(size) = number(&mut kept, "font_size").filter(|size| FONT_SIZES.contains(size))
        {
            settings.font_size = size;
        }
        let seconds = number(&mut kept, "autosave_seconds");
        if let Some(seconds) = seconds.filter(|seconds| AUTOSAVE_SECONDS.contains(seconds)) {
            settings.autosave_seconds = seconds;
        }
        let width = number(&mut kept, "files_width");
        if let Some(width) = width.filter(|width| FILES_WIDTH.contains(width)) {
            settings.files_width = width;
        }
        settings.extra = kept;
        settings
    }

    /// What to keep.
    pub fn to_json(&self) -> String {
        let own = json!({
            "theme": self.theme.name(),
            "line_numbers": self.line_numbers,
            "wrap_lines": self.wrap_lines,
            "autosave": self.autosave,
            "autosave_seconds": self.autosave_seconds,
            "font_size": self.font_size,
            "run_on_open": self.run_on_open,
            "outline": self.outline,
            "files": self.files,
            "files_width": self.files_width,
            "keep_engines": self.keep_engines,
        });
        let mut all = self.extra.clone();
        if let Value::Object(own) = own {
            all.extend(own);
        }
        Value::Object(all).to_string()
    }
}

fn number<T: TryFrom<u64>>(kept: &mut Map<String, Value>, name: &str) -> Option<T> {
    T::try_from(kept.shift_remove(name)?.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let settings = Settings {
            theme: Theme::Dark,
            line_numbers: true,
            autosave: false,
            autosave_seconds: 30,
            font_size: 16,
            run_on_open: true,
            files: true,
            files_width: 412,
            ..Settings::default()
        };
        assert_eq!(Settings::from_json(&settings.to_json()), settings);
    }

    #[test]
    fn bad_values_fall_back_one_by_one() {
        let text = r#"{"theme": "pink", "font_size": 900, "autosave": "yes", "line_numbers": true,
            "autosave_seconds": -1, "files_width": 9}"#;
        let expected = Settings {
            line_numbers: true,
            ..Settings::default()
        };
        assert_eq!(Settings::from_json(text), expected);
        for text in ["", "null", "[1]", "{", "\"x\""] {
            assert_eq!(Settings::from_json(text), Settings::default(), "{text}");
        }
    }

    #[test]
    fn fields_of_a_newer_version_are_kept() {
        let text = Settings::from_json(r#"{"vim": {"on": true}, "font_size": 12}"#).to_json();
        let kept: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(kept["vim"], json!({ "on": true }));
        assert_eq!(kept["font_size"], 12);
    }

    #[test]
    fn switching_leaves_what_is_shown() {
        assert_eq!(Theme::System.toggled(true), Theme::Light);
        assert_eq!(Theme::System.toggled(false), Theme::Dark);
        assert_eq!(Theme::Dark.toggled(false), Theme::Light);
        assert_eq!(Theme::Light.toggled(true), Theme::Dark);
    }
}
