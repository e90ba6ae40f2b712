//! What an open notebook says of the plugins that its cells call.

use spoor_model::CellKey;
use spoor_notebook::{PluginPin, may_call};

use crate::notebook::Screen;
use crate::toast;

impl Screen {
    /// Says that a cell called other modules than those that the notebook pins.
    pub(crate) fn tell_of_other_plugins(&self, called: &[(String, PluginPin)]) {
        let pins = self.state.borrow().document().notebook().plugin_pins();
        for (name, pin) in called {
            let Some(old) = pins.get(name).filter(|old| old.sha256 != pin.sha256) else {
                continue;
            };
            let text = format!(
                "The notebook was run with another {name} ({}); it pins this one now ({}).",
                old.version, pin.version
            );
            toast::show(&text, None);
        }
    }

    /// Says of a cell that failed which of the notebook's plugins are not here.
    pub(crate) fn tell_of_missing_plugins(&self, key: CellKey) {
        let state = self.state.borrow();
        let document = state.document();
        let source = document.source(key);
        if !may_call(source) {
            return;
        }
        let missing = self.app.plugins.missing(&document.notebook().plugin_pins());
        if !missing.is_empty() {
            let names = missing.join(", ");
            toast::show(
                &format!(
                    "The notebook was run with {names}, which is not here. Add its file (.wasm) under Plugins, or take it from its registry."
                ),
                None,
            );
        }
    }
}
