//! The plugins of a run: those that the command line names, those that the notebook pins and the user has added, and those
//! that come with Spoor and the notebook calls.

use std::collections::BTreeMap;
use std::path::PathBuf;

use spoor_kql::bind::is_kustos;
use spoor_notebook::{Notebook, PluginPin, may_call};
use spoor_plugin_abi::{Capability, Manifest};
use spoor_protocol::PluginWish;
use spoor_registry::Label;

use super::{Exit, Failure, plugin, say};
use crate::assets::Assets;
use crate::error::Error;
use crate::plugins::registry::{Installed, Shipped};
use crate::plugins::{Callable, Offered, Runner};
use crate::session::PluginFile;

/// The plugins of a run of `notebook`. Those that the command line names are pinned in it at once, the others when they are called.
pub fn given(
    named: &[PathBuf],
    granted: &[Capability],
    assets: &Assets,
    notebook: &mut Notebook,
) -> Result<Vec<PluginFile>, Failure> {
    let mut given = Given::default();
    let pins = notebook.plugin_pins();
    for path in named {
        let bytes = plugin::module(path, None)?;
        // The kernel admits it again: here the refusal names the file, before anything else is begun.
        let admitted = plugin::admit(&bytes, path)?;
        let (name, pin) = (admitted.manifest.name.clone(), pin_of(&admitted));
        warn_of_another(&pins, &name, &pin);
        notebook.pin_plugin(&name, &pin);
        let functions = admitted.manifest.functions.iter();
        let functions: Vec<String> = functions.map(|f| f.name.clone()).collect();
        let file = file(path.display().to_string(), bytes, None, granted);
        given.take(name, functions, file);
    }
    given.take_added(&pins)?;
    let shipped = Shipped::find(assets)?;
    if let Some(shipped) = &shipped {
        given.take_shipped(shipped, &pins, notebook)?;
    }
    // One that ships is not here because no cell names it, or a plugin that was named has a function of its.
    let ships = |name: &str| shipped.as_ref().is_some_and(|s| s.version(name).is_some());
    let missing = pins
        .iter()
        .filter(|(name, _)| !given.has(name) && !ships(name));
    for (name, pin) in missing {
        say::warning(format_args!(
            "the notebook pins the plugin {name} {}, and that module was not added here: cells that call it will fail. \
             Add it with `spoor plugin add`, or name its file with --plugin",
            pin.version
        ));
    }
    Ok(given.files)
}

/// The plugins that a native query may call: those that the command line names, and, where the query calls any, those that come
/// with Spoor. None gets a capability. No two of them have a name, or a function's name, in common.
pub fn for_query<'a>(
    text: &str,
    named: &[PathBuf],
    runner: &'a Runner,
) -> Result<Callable<'a>, Failure> {
    let mut plugins: Vec<Offered<'a>> = Vec::new();
    for path in named {
        let name = say::path(path);
        let plugin = offered(plugin::module(path, None)?, runner, &name)?;
        if let Some(why) = unfit(plugin.manifest(), &plugins) {
            return Err(Failure::new(Exit::Usage, format!("{name}: {why}")));
        }
        // What was named is refused before anything else is begun.
        let admitted = plugin.plugin().map(|_| ());
        admitted.map_err(|why| unreadable(&name, why))?;
        plugins.push(plugin);
    }
    let shipped = match may_call(text) {
        true => plugin::shipped()?,
        false => None,
    };
    if let Some(shipped) = shipped {
        for (name, _) in shipped.all() {
            let module = shipped.module(name).map_err(Failure::from);
            let plugin = match module.and_then(|bytes| offered(bytes, runner, name)) {
                Ok(plugin) => plugin,
                Err(failure) => {
                    say::warning(format_args!(
                        "the plugin {name} is left out: {}",
                        failure.message
                    ));
                    continue;
                }
            };
            if alike(plugin.manifest(), &plugins).is_none() {
                plugins.push(plugin);
            }
        }
    }
    Ok(Callable::new(plugins))
}

fn offered<'a>(bytes: Vec<u8>, runner: &'a Runner, name: &str) -> Result<Offered<'a>, Failure> {
    Offered::new(bytes, runner).map_err(|why| unreadable(name, why))
}

fn unreadable(name: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Unreadable, format!("{name}: {why}"))
}

/// Why a plugin cannot be beside these.
fn unfit(manifest: &Manifest, beside: &[Offered<'_>]) -> Option<String> {
    for function in &manifest.functions {
        if is_kustos(&function.name) {
            return Some(format!(
                "it has a function '{}', which is the name of a plugin of Kusto's: a query would mean that",
                function.name
            ));
        }
    }
    alike(manifest, beside).map(|there| {
        format!(
            "the plugin {} has the name or a function of {}, which was named before: name one of them",
            manifest.name, there.name
        )
    })
}

/// The one of these that has a plugin's name or a function of its.
fn alike<'a>(manifest: &Manifest, beside: &'a [Offered<'_>]) -> Option<&'a Manifest> {
    beside.iter().map(Offered::manifest).find(|there| {
        let mut functions = manifest.functions.iter();
        there.name == manifest.name || functions.any(|f| there.function(&f.name).is_some())
    })
}

/// The plugins so far.
#[derive(Default)]
struct Given {
    files: Vec<PluginFile>,
    /// Their names.
    names: Vec<String>,
    /// The names of their functions, of which no two plugins may have one.
    functions: Vec<String>,
}

impl Given {
    fn take(&mut self, name: String, functions: Vec<String>, file: PluginFile) {
        self.names.push(name);
        self.functions.extend(functions);
        self.files.push(file);
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|there| there == name)
    }

    /// Those that the notebook pins and the user has added. A notebook is not its user: what it pins gets no capability.
    fn take_added(&mut self, pins: &BTreeMap<String, PluginPin>) -> Result<(), Failure> {
        if pins.keys().all(|name| self.has(name)) {
            return Ok(());
        }
        let installed = Installed::folder_of_user().and_then(Installed::open);
        let installed = match installed {
            Ok(installed) => installed,
            Err(error) => {
                say::warning(format_args!(
                    "the plugins that were added cannot be used: {error}"
                ));
                return Ok(());
            }
        };
        for (name, pin) in pins {
            let added = installed.plugins().get(name);
            if self.has(name) || added.is_none_or(|added| added.sha256 != pin.sha256) {
                continue;
            }
            match installed.module(name) {
                Ok(bytes) => {
                    let label = Label::read(&bytes).map_err(|e| Error::Data(e.to_string()))?;
                    let functions = label.manifest.functions.into_iter();
                    let functions = functions.map(|f| f.name).collect();
                    let file = file(name.clone(), bytes, Some(pin.sha256.clone()), &[]);
                    self.take(name.clone(), functions, file);
                }
                Err(error) => say::warning(format_args!("{error}")),
            }
        }
        Ok(())
    }

    /// Those that come with Spoor and the notebook pins or calls, where no other has their names.
    fn take_shipped(
        &mut self,
        shipped: &Shipped,
        pins: &BTreeMap<String, PluginPin>,
        notebook: &Notebook,
    ) -> Result<(), Failure> {
        for (name, version) in shipped.all() {
            let functions: Vec<String> = version.functions.iter().map(|f| f.name.clone()).collect();
            let is_pinned = pins
                .get(name)
                .is_some_and(|pin| pin.sha256 == version.sha256);
            let is_called = functions.iter().any(|name| notebook.mentions(name));
            let is_taken = self.has(name) || functions.iter().any(|f| self.functions.contains(f));
            if is_taken || !(is_pinned || is_called) {
                continue;
            }
            let pin = PluginPin {
                version: version.version.clone(),
                sha256: version.sha256.clone(),
            };
            // It is pinned once it is called: it may only be named.
            warn_of_another(pins, name, &pin);
            let file = file(
                name.to_owned(),
                shipped.module(name)?,
                Some(pin.sha256),
                &[],
            );
            self.take(name.to_owned(), functions, file);
        }
        Ok(())
    }
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
