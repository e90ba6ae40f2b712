//! The plugins of a run: those that the command line names, those that the notebook pins and the user has added, and those
//! that come with Spoor and the notebook calls.

use std::collections::BTreeMap;
use std::path::PathBuf;

use spoor_gate::Identity;
use spoor_notebook::{Notebook, PluginPin};
use spoor_plugin_abi::Capability;
use spoor_protocol::PluginWish;

use super::{Failure, plugin, say};
use crate::assets::Assets;
use crate::plugins::registry::{Installed, Shipped};
use crate::session::PluginFile;

/// The plugins of a run of `notebook`. Those that the command line names, and those that come with Spoor, are pinned in it.
pub fn given(
    named: &[PathBuf],
    granted: &[Capability],
    assets: &Assets,
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
        warn_of_another(&pins, &name, &pin);
        notebook.pin_plugin(&name, &pin);
        seen.push(name);
        files.push(file(path.display().to_string(), bytes, None, granted));
    }
    for (name, pin) in &pins {
        if seen.contains(name) {
            continue;
        }
        // A notebook is not its user: what it pins gets no capability.
        if let Some(bytes) = added(name, pin) {
            files.push(file(name.clone(), bytes, Some(pin.sha256.clone()), &[]));
            seen.push(name.clone());
        }
    }
    if let Some(shipped) = Shipped::find(assets)? {
        for (name, version) in shipped.all() {
            let called = version.functions.iter();
            let called = called.into_iter().any(|f| notebook.mentions(&f.name));
            if !called || seen.iter().any(|seen| seen == name) {
                continue;
            }
            let pin = PluginPin {
                version: version.version.clone(),
                sha256: version.sha256.clone(),
            };
            warn_of_another(&pins, name, &pin);
            notebook.pin_plugin(name, &pin);
            let bytes = shipped.module(name)?;
            files.push(file(name.to_owned(), bytes, Some(pin.sha256), &[]));
            seen.push(name.to_owned());
        }
    }
    for (name, pin) in pins.iter().filter(|(name, _)| !seen.contains(name)) {
        say::warning(format_args!(
            "the notebook pins the plugin {name} {}, and that module was not added here: cells that call it will fail. \
             Add it with `spoor plugin add`, or name its file with --plugin",
            pin.version
        ));
    }
    Ok(files)
}

fn warn_of_another(pins: &BTreeMap<String, PluginPin>, name: &str, pin: &PluginPin) {
    let other = pins.get(name).filter(|before| before.sha256 != pin.sha256);
    if let Some(before) = other {
        say::warning(format_args!(
            "the notebook was made with another {name} ({}); the executed one pins this one, {}",
            before.version, pin.version
        ));
    }
}

fn pin_of(admitted: &spoor_gate::Admitted<'_>) -> PluginPin {
    PluginPin {
        version: admitted.manifest.version.clone(),
        sha256: admitted.identity.to_string(),
    }
}

/// The module of a plugin that the notebook pins, if the user has added that very one.
fn added(name: &str, pin: &PluginPin) -> Option<Vec<u8>> {
    let installed = Installed::folder_of_user().and_then(Installed::open);
    let bytes = installed
        .and_then(|installed| installed.module(name))
        .ok()?;
    (Identity::of(&bytes).to_string() == pin.sha256).then_some(bytes)
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_that_is_no_plugin_is_refused_before_anything_begins() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kernel.wasm"), "").unwrap();
        let assets = Assets::at(folder.path()).unwrap();
        let mut notebook = Notebook::new();
        let named = [PathBuf::from("/nowhere/at/all.wasm")];
        assert!(given(&named, &[], &assets, &mut notebook).is_err());
        assert!(notebook.plugin_pins().is_empty());
    }
}
