//! Taking a plugin from a registry: a signed index on any server that lets the page read it.

use std::rc::Rc;

use spoor_model::plugins::untrusted;
use spoor_plugin_abi::MAX_MODULE;
use spoor_registry::{INDEX_FILE, Index, Known, Label, MAX_INDEX, SignedIndex, Version, is_inside};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, BlobPropertyBag, Url};

use super::Plugins;
use crate::app::fetch;
use crate::dom::{self, El, el};
use crate::files::{Question, ask_of, ask_text, tell};
use crate::picker::{self, Choice, Row};
use crate::storage::{Cancel, Store, bytes};

const TITLE: &str = "Plugins of a registry";

/// How many plugins are shown at once; words find the others.
const MOST_ROWS: usize = 100;

const CHOICE: Choice = Choice {
    title: TITLE,
    label: "Plugin",
    placeholder: "Which plugin? A name, or a version as beacons@^1.2",
};

/// Asks for a registry, and takes what is chosen of it.
pub fn add_from(plugins: &Rc<Plugins>, store: &Store) {
    let (plugins, store) = (plugins.clone(), store.clone());
    spawn_local(async move {
        let Some(address) = address(&plugins).await else {
            return;
        };
        match index(&plugins, &address).await {
            Ok(Some(index)) => choose(&plugins, &store, address, index),
            Ok(None) => {}
            Err(why) => tell(TITLE, &why),
        }
    });
}

async fn address(plugins: &Plugins) -> Option<String> {
    let known = plugins.said.borrow().addresses().last().map(str::to_owned);
    let question = Question {
        title: TITLE,
        label: "The registry's address",
        value: &known.unwrap_or_default(),
        act: "Look",
    };
    ask_text(question, |typed| absolute(typed.trim())).await
}

/// The address of the folder, without a slash at its end. The page may read its own site, and others by HTTPS.
fn absolute(typed: &str) -> Result<String, String> {
    let location = dom::window().location();
    let base = location.href().unwrap_or_default();
    let url = Url::new_with_base(typed, &base)
        .ok()
        .filter(|_| !typed.is_empty())
        .ok_or("That is no address: it begins with https://.")?;
    let own = location.origin().unwrap_or_default();
    if url.origin() != own && url.protocol() != "https:" {
        return Err("A registry of another site is read by https:// alone.".into());
    }
    let folder = url.pathname();
    let folder = folder.strip_suffix(INDEX_FILE).unwrap_or(&folder);
    Ok(format!("{}{}", url.origin(), folder.trim_end_matches('/')))
}

/// The registry's index, if its key is one that the user knows.
async fn index(plugins: &Plugins, address: &str) -> Result<Option<Index>, String> {
    let file = fetch::bytes_of(&format!("{address}/{INDEX_FILE}"), MAX_INDEX as usize).await?;
    let signed = SignedIndex::read(&file).map_err(|error| format!("{error}."))?;
    let before = plugins.said.borrow().registry(address).cloned();
    let known = match Known::see(before.as_ref(), None, &signed) {
        Ok(known) => known,
        Err(why) => {
            let (text, key) = untrusted(address, why);
            let Some(key) = key else {
                return Err(text);
            };
            if !sure("Trust this registry?", &text, "Yes, trust it").await {
                return Ok(None);
            }
            let known = Known::see(before.as_ref(), Some(key), &signed);
            known.map_err(|why| untrusted(address, why).0)?
        }
    };
    plugins.say(|said| said.know(address, known));
    Ok(Some(signed.index))
}

fn choose(plugins: &Rc<Plugins>, store: &Store, address: String, index: Index) {
    let (plugins, store) = (plugins.clone(), store.clone());
    let search = move |typed: &str| fitting(&index, typed).into_iter().map(row).collect();
    picker::open(
        &CHOICE,
        search,
        move |(name, version): (String, Version)| {
            let (plugins, store, address) = (plugins.clone(), store.clone(), address.clone());
            spawn_local(async move {
                if let Err(why) = take(&plugins, &store, &address, &name, &version).await {
                    tell(TITLE, &why);
                }
            });
        },
    );
}

/// The newest versions of the plugins that fit what is typed: words of a name or a summary, or a name and a requirement.
fn fitting(index: &Index, typed: &str) -> Vec<(String, Version)> {
    let (typed, requirement) = match typed.split_once('@') {
        Some((name, requirement)) => (name, semver_of(requirement)),
        None => (typed, Ok(None)),
    };
    let Ok(requirement) = requirement else {
        return Vec::new();
    };
    let words = typed.to_lowercase();
    let names = index.plugins.keys();
    let newest = names.filter_map(|name| {
        let version = index.resolve(name, requirement.as_ref()).ok()?;
        Some((name.clone(), version.clone()))
    });
    let fits = |(name, version): &(String, Version)| {
        let text = format!("{name} {}", version.summary).to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    };
    newest.filter(fits).take(MOST_ROWS).collect()
}

fn semver_of(text: &str) -> Result<Option<semver::VersionReq>, semver::Error> {
    match text.trim() {
        "" => Ok(None),
        text => semver::VersionReq::parse(text).map(Some),
    }
}

fn row((name, version): (String, Version)) -> Row<(String, Version)> {
    let about = format!(
        "{} · {} · {}",
        version.summary,
        version.licence,
        bytes(version.size as f64)
    );
    let parts: Vec<El> = vec![
        el("span").text(&format!("{name} {}", version.version)),
        el("span").class("file-meta grow").text(&about),
    ];
    Row {
        parts,
        value: (name, version),
    }
}

/// Takes a version: verified by the index's hash and word, asked about as any other, kept as a file.
async fn take(
    plugins: &Plugins,
    store: &Store,
    address: &str,
    name: &str,
    version: &Version,
) -> Result<(), String> {
    if !is_inside(&version.file) {
        return Err(format!(
            "{address} names the file '{}', which is not one of its own.",
            version.file
        ));
    }
    let module = fetch::bytes_of(&format!("{address}/{}", version.file), MAX_MODULE).await?;
    let label = version.vouches(name, &module);
    let label = label.map_err(|error| format!("{error}."))?;
    let _turn = plugins.turn.lock().await;
    let before: Vec<(String, Label)> = plugins.own(name);
    if before.iter().any(|(_, own)| own.identity == label.identity) {
        return Err(format!("{name} {} is here already.", version.version));
    }
    // A publisher's later version takes the place of an earlier one; what nobody signed may be anybody's.
    let is_known = |own: &Label| own.publisher.is_some() && own.publisher == label.publisher;
    for (file, own) in before.iter().filter(|(_, own)| !is_known(own)) {
        let text = changed(file, own, &label);
        if !sure("Replace the plugin?", &text, "Replace it").await {
            return Ok(());
        }
    }
    if !plugins.asked(&label).await {
        return Ok(());
    }
    let file = format!("{name}-{}.wasm", version.version);
    // A file of this name is replaced where it is one of those that were asked about.
    let is_replaced = before.iter().any(|(old, _)| *old == file);
    let kept = keep(store, &file, &module, is_replaced).await;
    kept.map_err(|error| format!("{file} was not kept: {error}."))?;
    for (old, _) in before.iter().filter(|(old, _)| *old != file) {
        store
            .remove_file(old)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Asks with nothing that a key pressed too early would choose.
async fn sure(title: &str, text: &str, act: &str) -> bool {
    ask_of(title, [el("p").text(text)], &[act]).await.is_some()
}

fn changed(file: &str, before: &Label, now: &Label) -> String {
    let by = |label: &Label| match label.publisher {
        Some(key) => format!("signed by {key}"),
        None => "not signed".to_owned(),
    };
    format!(
        "{file} has {} {}, {}. It is replaced by {}, {}. Has its publisher made that known?",
        before.manifest.name,
        before.manifest.version,
        by(before),
        now.manifest.version,
        by(now)
    )
}

async fn keep(
    store: &Store,
    file: &str,
    module: &[u8],
    is_replaced: bool,
) -> Result<(), crate::storage::StoreError> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(module));
    let options = BlobPropertyBag::new();
    options.set_type("application/wasm");
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    let cancel = Cancel::default();
    store
        .add_file(file, &blob, is_replaced, |_| {}, &cancel)
        .await?;
    Ok(())
}
