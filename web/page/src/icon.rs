//! The icons: lines of one width on a grid of 16, in the colour of the text.

use web_sys::Element;

use crate::dom;

/// An icon, by what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Running.
    Run,
    /// Running everything.
    RunAll,
    /// Stopping.
    Stop,
    /// Beginning anew.
    Restart,
    /// A new cell.
    Add,
    /// Taking away.
    Delete,
    /// Moving up.
    Up,
    /// Moving down.
    Down,
    /// The list of headings.
    Outline,
    /// The user's files.
    Files,
    /// Searching.
    Find,
    /// All commands.
    More,
    /// Saving.
    Save,
    /// Closing.
    Close,
    /// Light and dark.
    Theme,
    /// The keys.
    Help,
    /// A section that can be folded.
    Fold,
}

impl Icon {
    /// The path, in SVG's words.
    fn path(self) -> &'static str {
        match self {
            Self::Run => "M5 3.5v9l7-4.5z",
            Self::RunAll => "M3 3.5v9L8 8zM8.5 3.5v9l5-4.5z",
            Self::Stop => "M4 4h8v8H4z",
            Self::Restart => "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5",
            Self::Add => "M8 3v10M3 8h10",
            Self::Delete => "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5",
            Self::Up => "M8 13V3.5M4 7l4-4 4 4",
            Self::Down => "M8 3v9.5M4 9l4 4 4-4",
            Self::Outline => "M3 4h10M5.5 8H13M5.5 12H13M3 8h.01M3 12h.01",
            Self::Files => "M2.5 12.5v-9h4l1.5 2h5.5v7z",
            Self::Find => "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.5 3.5",
            Self::More => "M3 4.5h10M3 8h10M3 11.5h6",
            Self::Save => "M8 3v6.5M5 7l3 3 3-3M3 12.5h10",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Theme => "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
            Self::Help => "M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6.9v.7M8 12h.01",
            Self::Fold => "M6 4l4 4-4 4",
        }
    }

    /// Whether its shape is full rather than drawn by its outline.
    fn is_filled(self) -> bool {
        matches!(self, Self::Run | Self::RunAll | Self::Stop)
    }
}

/// A new picture of the icon, hidden from those who listen: its button says what it does.
pub fn icon(icon: Icon) -> Element {
    let picture = dom::svg("svg");
    let class = if icon.is_filled() {
        "icon filled"
    } else {
        "icon"
    };
    for (name, value) in [
        ("viewBox", "0 0 16 16"),
        ("class", class),
        ("aria-hidden", "true"),
    ] {
        dom::set(&picture, name, value);
    }
    let path = dom::svg("path");
    dom::set(&path, "d", icon.path());
    dom::append(&picture, &path);
    picture
}
