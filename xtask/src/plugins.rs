//! The plugins that ship: built, put into a registry among the assets, and looked over as a reviewer would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::Paths;
use crate::process::{output, say, step};
use crate::toolchain::Toolchain;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "plugin";

/// The names of the plugins that ship: the folders of `plugins` whose crates make a module.
fn names(paths: &Paths) -> Result<Vec<String>> {
    let folder = paths.root.join("plugins");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("could not list the plugins")? {
        let path = entry?.path();
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| manifest.contains("cdylib")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds them, and publishes them into the registry among the assets. Their modules as cargo leaves them.
pub fn build(paths: &Paths) -> Result<Vec<PathBuf>> {
    let names = names(paths)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = Toolchain::ensure(paths)?.cargo_build(paths, TARGET)?;
    command.args(["--locked", "--profile", PROFILE]);
    for name in &names {
        command.args(["-p", &format!("spoor-plugin-{name}")]);
    }
    step("Building the plugins", &mut command)?;
    let built = paths.target.join(TARGET).join(PROFILE);
    let module =
        |name: &String| built.join(format!("spoor_plugin_{}.wasm", name.replace('-', "_")));
    let modules: Vec<PathBuf> = names.iter().map(module).collect();
    publish(paths, &modules)?;
    Ok(modules)
}

/// Makes the registry anew, if it is not of these very modules: an index that changed would have all be done again that
/// was made with it.
fn publish(paths: &Paths, modules: &[PathBuf]) -> Result<()> {
    let folder = paths.assets().join("plugins");
    let mut made_of = String::new();
    // The command too: it is what writes the index.
    for module in modules.iter().chain([&paths.spoor()]) {
        made_of.push_str(&crate::setup::sha256_file(module)?);
        made_of.push('\n');
    }
    let key = key(paths)?;
    made_of.push_str(&crate::setup::sha256_file(&key)?);
    let stamp = folder.join(".made-of");
    if fs::read_to_string(&stamp).is_ok_and(|before| before == made_of) {
        return Ok(());
    }
    say("Publishing the plugins that ship");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("could not clear the plugins' registry")?;
    }
    for module in modules {
        let mut command = Command::new(paths.spoor());
        command.args(["plugin", "publish"]).arg(module);
        command.arg("--to").arg(&folder).arg("--key").arg(&key);
        output(&mut command)?;
    }
    fs::write(&stamp, made_of).context("could not mark the plugins as published")
}

/// The key that signs the registry: the file that `SPOOR_REGISTRY_KEY` names, for who publishes Spoor, or else this target folder's own.
fn key(paths: &Paths) -> Result<PathBuf> {
    if let Some(key) = std::env::var_os("SPOOR_REGISTRY_KEY") {
        return Ok(PathBuf::from(key));
    }
    let key = paths.target.join("registry.key");
    if !Path::exists(&key) {
        let mut command = Command::new(paths.spoor());
        output(command.args(["plugin", "key", "new"]).arg(&key))?;
    }
    Ok(key)
}

/// Runs `spoor plugin check` on each.
pub fn check(paths: &Paths) -> Result<()> {
    for module in build(paths)? {
        let name = module.file_stem().unwrap_or_default().to_string_lossy();
        step(
            &format!("Checking {name}"),
            Command::new(paths.spoor())
                .args(["plugin", "check"])
                .arg(&module),
        )?;
    }
    Ok(())
}
