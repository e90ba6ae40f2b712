//! Building the page and driving it in a browser.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::build::{self, Profile};
use crate::paths::Paths;
use crate::process::{say, step};
use crate::toolchain::Toolchain;
use crate::{demo, setup};

/// Builds the page and its worker into the web folder, beside the kernel and the guest.
pub fn build(paths: &Paths, profile: Profile) -> Result<()> {
    crates(paths, profile)?;
    bundle(paths, profile, &paths.web(), &[])
}

/// Builds the page into a folder for any static file server.
pub fn site(paths: &Paths, profile: Profile, out: &Path) -> Result<()> {
    crates(paths, profile)?;
    bundle(paths, profile, out, &["--site"])
}

/// Builds the crates, and writes their bindings.
fn crates(paths: &Paths, profile: Profile) -> Result<()> {
    setup::npm(paths)?;
    let toolchain = Toolchain::ensure(paths)?;
    let mut command = toolchain.cargo_build(paths, "wasm32-unknown-unknown")?;
    step(
        "Building the page and its worker",
        command
            .args(["--locked", "--profile", profile.name()])
            .args(CRATES.iter().flat_map(|name| ["-p", name])),
    )?;
    for name in CRATES {
        bindings(paths, profile, name)?;
    }
    Ok(())
}

/// What the site has of WebAssembly beside the kernel and the guest.
const CRATES: [&str; 4] = ["spoor-fetch", "spoor-page", "spoor-results", "spoor-worker"];

/// The JavaScript that wasm-bindgen writes beside a crate's WebAssembly.
fn bindings(paths: &Paths, profile: Profile, name: &str) -> Result<()> {
    let built = paths
        .target
        .join("wasm32-unknown-unknown")
        .join(profile.name())
        .join(format!("{}.wasm", name.replace('-', "_")));
    say(&format!("Writing the bindings of {name}"));
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(&built)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true);
    bindgen
        .web(true)
        .and_then(|bindgen| bindgen.generate(paths.target.join("bindings")))
        .with_context(|| format!("could not write the bindings of {}", built.display()))
}

/// Bundles the page's scripts and lays out its folder.
fn bundle(paths: &Paths, profile: Profile, out: &Path, options: &[&str]) -> Result<()> {
    let gallery = demo::gallery(paths)?;
    step(
        "Dividing kernel.wasm by what the gallery's hunts run",
        Command::new(paths.spoor())
            .args(["kernel", "divide", "--kernel"])
            .arg(paths.assets().join("kernel.wasm"))
            .arg("--out")
            .arg(paths.assets().join("kernel"))
            .args(&gallery.recordings),
    )?;
    step(
        "Bundling the page",
        Command::new("node")
            .current_dir(paths.root.join("web"))
            .arg("build.mjs")
            .arg("--bindings")
            .arg(paths.target.join("bindings"))
            .arg("--assets")
            .arg(paths.assets())
            .arg("--data")
            .arg(demo::data(paths)?)
            .arg("--gallery")
            .arg(gallery.finished)
            .arg("--out")
            .arg(out)
            .args(options)
            .args(if profile == Profile::Dist {
                &["--brotli"][..]
            } else {
                &[]
            }),
    )
}

/// The tests of the page as it is built day by day: what each tries, and its file.
const TESTS: [(&str, &str); 16] = [
    (
        "a session's traps, interrupts and hostile output",
        "session",
    ),
    ("the notebook's screen", "notebook"),
    ("the editor of a cell", "editor"),
    ("tables, charts and mistakes that are live", "live"),
    (
        "the storage through crashes, full disks and second tabs",
        "storage",
    ),
    (
        "the user's data, saving and trust beside an open notebook",
        "files",
    ),
    ("hostile notebooks", "hostile"),
    ("public vectors of cross-site scripting", "vectors"),
    ("plugins, and those that mean harm", "plugins"),
    ("a site's plugins, and those of a registry", "registry"),
    (
        "workspaces' answers, recorded on the host and given again in the page",
        "recorded",
    ),
    (
        "signing in, renewing and signing out, against an authority",
        "signin",
    ),
    (
        "workspaces of the page: a store, a sign-in, mistakes, an interrupt",
        "workspaces",
    ),
    ("a session by keyboard alone", "keyboard"),
    (
        "every screen, narrow, magnified and in both themes",
        "screens",
    ),
    ("notebooks and results that are large", "large"),
];

/// Runs the browser's tests: the same notebook in Chromium and under wasmtime, then the page's, and
/// the site's on plain servers.
pub fn test(paths: &Paths, chromium: &Path, data: &Path) -> Result<()> {
    site(paths, Profile::Daily, &paths.site())?;
    step(
        "Running the same notebook in Chromium and under wasmtime",
        node(paths, chromium)
            .arg("tests/browser/compare.mjs")
            .arg("--site")
            .arg(paths.web())
            .arg("--spoor")
            .arg(paths.spoor())
            .arg("--data")
            .arg(data),
    )?;
    let vectors = setup::vectors(paths)?;
    let corpus = corpus(paths)?;
    let tests = TESTS.map(|(what, file)| (what, file, paths.web()));
    let plain = (
        "the site on a plain server, below a path, offline and across builds",
        "site",
        paths.site(),
    );
    let served = (
        "notebooks of a folder, and queries of the computer, on `spoor serve`",
        "serve",
        paths.site(),
    );
    let guarded = (
        "the page behind the door of `spoor serve`",
        "door",
        paths.site(),
    );
    let other = ("the core of a session in Firefox", "firefox", paths.web());
    let firefox = setup::firefox()?;
    for (what, file, site) in tests.into_iter().chain([plain, served, guarded, other]) {
        within_limit(
            &format!("Trying {what}"),
            node(paths, chromium)
                .arg("--test")
                .arg(format!("--test-timeout={}", LIMIT.as_millis()))
                .arg(format!("tests/browser/{file}.test.mjs"))
                .env("SPOOR_SITE", site)
                .env("SPOOR", paths.spoor())
                .env("SPOOR_VECTORS", &vectors)
                .env("SPOOR_CORPUS", &corpus)
                .env("FIREFOX", &firefox)
                .env("SPOOR_SHOTS", paths.target.join("screens")),
        )?;
    }
    Ok(())
}

/// How long one file of the browser's tests may take: several times what the longest takes.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs a file of the browser's tests, which ends itself after [`LIMIT`]. A browser or a server that
/// neither answers nor ends is begun anew, once and said so; a test that fails is not.
fn within_limit(what: &str, command: &mut Command) -> Result<()> {
    let begun = Instant::now();
    match step(what, command) {
        Err(error) if begun.elapsed() >= LIMIT => {
            say(&format!("Hung ({error:#}): trying it once more"));
            step(what, command)
        }
        done => done,
    }
}

/// The hostile plugins, and how they end under wasmtime.
fn corpus(paths: &Paths) -> Result<PathBuf> {
    step(
        "Building the hostile plugins",
        Command::new("cargo")
            .current_dir(&paths.root)
            .env("CARGO_TARGET_DIR", &paths.target)
            .args(["build", "--release", "--locked", "--workspace"])
            .args(build::NOT_NATIVE)
            .args(["--example", "corpus"]),
    )?;
    let folder = paths.target.join("corpus");
    let program = paths.target.join("release/examples/corpus");
    step(
        "Running them under wasmtime",
        Command::new(program).arg(&folder),
    )?;
    Ok(folder)
}

/// Node in the repository, told which browser to use.
fn node(paths: &Paths, chromium: &Path) -> Command {
    let mut node = Command::new("node");
    node.current_dir(&paths.root).env("CHROMIUM", chromium);
    node
}
