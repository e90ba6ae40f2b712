//! What the user prefers, kept in the browser, and made to hold on the page.

use std::cell::RefCell;

use spoor_model::settings::{Settings, Theme};
use web_sys::Storage;

use crate::dom;

const KEY: &str = "spoor.settings";

/// The settings in force.
pub struct Preferences {
    settings: RefCell<Settings>,
}

impl Preferences {
    /// Those that were kept; the defaults where the browser keeps nothing.
    pub fn load() -> Self {
        let kept = storage().and_then(|storage| storage.get_item(KEY).ok()?);
        Self {
            settings: RefCell::new(Settings::from_json(&kept.unwrap_or_default())),
        }
    }

    /// A copy.
    pub fn get(&self) -> Settings {
        self.settings.borrow().clone()
    }

    /// Changes them, keeps them and makes them hold.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.borrow_mut());
        if let Some(storage) = storage() {
            // A browser that keeps nothing keeps no settings; they hold until the page is closed.
            let _ = storage.set_item(KEY, &self.settings.borrow().to_json());
        }
        self.apply();
    }

    /// Makes them hold on the page.
    pub fn apply(&self) {
        let settings = self.settings.borrow();
        let Some(root) = dom::document().document_element() else {
            return;
        };
        dom::set(&root, "data-theme", settings.theme.name());
        dom::flag(&root, "data-wrap", settings.wrap_lines);
        dom::set(
            &root,
            "style",
            &format!(
                "--code-size: {}px; --files-width: {}px",
                settings.font_size, settings.files_width
            ),
        );
    }

    /// Whether the page is dark now.
    pub fn is_dark(&self) -> bool {
        match self.settings.borrow().theme {
            Theme::Dark => true,
            Theme::Light => false,
            Theme::System => system_is_dark(),
        }
    }
}

/// Whether the system asks for dark pages.
pub fn system_is_dark() -> bool {
    let query = dom::window().match_media("(prefers-color-scheme: dark)");
    query.ok().flatten().is_some_and(|query| query.matches())
}

fn storage() -> Option<Storage> {
    dom::window().local_storage().ok().flatten()
}
