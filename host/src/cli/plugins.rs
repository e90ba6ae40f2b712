//! The plugins of a run: those that the command line names, and those that the notebook pins and the user has added.

use std::path::PathBuf;

use spoor_gate::Identity;
use spoor_notebook::{Notebook, PluginPin};
use spoor_plugin_abi::Capability;
use spoor_protocol::PluginWish;

use super::{Failure, plugin, say};
use crate::plugins::registry::Installed;
use crate::session::PluginFile;

/// The plugins of a run of `notebook`. Those that the command line names are pinned in it.
pub fn given(
    named: &[PathBuf],
    granted: &[Capability],
    notebook: &mut Notebook,
) -> Result<Vec<PluginFile>, Failure> {
    let mut files = Vec::new();
    let pins = notebook.plugin_pins();
    let mut seen = Vec::new();
    for path in named {
        let bytes = plugin::module(path, None)?;
        // The kernel admits it again: here the refusal names the file, before anything else is begun.
        let admitted = plugin::admit(&bytes, path)?;
        let (name, pin) = (admitted.manifest.name.clone(), pin_of(&admitted));
        if pins
            .get(&name)
            .is_some_and(|pinned| pinned.sha256 != pin.sha256)
        {
            say::warning(format_args!(
                "the notebook was made with another {name}; the executed one pins this one, {}",
                pin.version
            ));
        }
        notebook.pin_plugin(&name, &pin);
        seen.push(name);
        files.push(file(path.display().to_string(), bytes, None, granted));
    }
    for (name, pin) in pins.iter().filter(|(name, _)| !seen.contains(name)) {
        // A notebook is not its user: what it pins gets no capability.
        files.extend(pinned(name, pin));
    }
    Ok(files)
}

fn pin_of(admitted: &spoor_gate::Admitted<'_>) -> PluginPin {
    PluginPin {
        version: admitted.manifest.version.clone(),
        sha256: admitted.identity.to_string(),
    }
}

/// A plugin that the notebook pins, if the user has added that very module.
fn pinned(name: &str, pin: &PluginPin) -> Option<PluginFile> {
    let added = Installed::folder_of_user()
        .and_then(Installed::open)
        .and_then(|installed| installed.module(name));
    let bytes = match added {
        Ok(bytes) if Identity::of(&bytes).to_string() == pin.sha256 => bytes,
        Ok(_) => {
            say::warning(format_args!(
                "the notebook pins {name} {}, and another version of it was added here: cells that call it will \
                 fail. Name the one to use with --plugin",
                pin.version
            ));
            return None;
        }
        Err(_) => {
            say::warning(format_args!(
                "the notebook pins the plugin {name} {}, which was not added here: cells that call it will fail. \
                 Add it with `spoor plugin add`, or name its file with --plugin",
                pin.version
            ));
            return None;
        }
    };
    Some(file(name.to_owned(), bytes, Some(pin.sha256.clone()), &[]))
}

fn file(
    label: String,
    bytes: Vec<u8>,
    sha256: Option<String>,
    granted: &[Capability],
) -> PluginFile {
    PluginFile {
        label,
        bytes,
        is_named: sha256.is_none(),
        sha256,
        granted: granted.to_vec(),
        limits: PluginWish::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_plugin_is_refused_before_anything_begins() {
        let mut notebook = Notebook::new();
        let named = [PathBuf::from("/nowhere/at/all.wasm")];
        assert!(given(&named, &[], &mut notebook).is_err());
        assert!(notebook.plugin_pins().is_empty());
    }
}
