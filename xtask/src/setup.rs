//! Installing what is missing and fetching what is pinned.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::paths::Paths;
use crate::process::{on_path, output, run, say, step, succeeds};
use crate::toolchain::Toolchain;

/// What the Python guest is made of: `name==version --hash=sha256:...` a line, as pip reads it.
const WHEELS_LOCK: &str = "runtime/python/wheels.lock";
/// Public collections of cross-site scripting, in the same form.
const VECTORS_LOCK: &str = "tests/browser/vectors.lock";

/// Everything that `build`, `demo` and `test` need beyond a Rust toolchain.
pub fn everything(paths: &Paths) -> Result<()> {
    Toolchain::ensure(paths)?;
    wheels(paths)?;
    vectors(paths)?;
    npm(paths)?;
    browser()?;
    firefox()?;
    say("Set up. Next: cargo xtask demo");
    Ok(())
}

/// Fetches the guest's wheels. Gives the folder that holds them.
pub fn wheels(paths: &Paths) -> Result<PathBuf> {
    locked(paths, WHEELS_LOCK, "wheels")
}

/// Fetches the packages whose text the browser's tests read. Gives the folder that holds them.
pub fn vectors(paths: &Paths) -> Result<PathBuf> {
    locked(paths, VECTORS_LOCK, "vectors")
}

/// Fetches what a lock file names into a folder of the downloads, each file checked against its SHA-256.
fn locked(paths: &Paths, lock: &str, folder: &str) -> Result<PathBuf> {
    let folder = paths.downloads().join(folder);
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let lock = paths.root.join(lock);
    let wanted = locked_hashes(&lock)?;
    if !all_present(&folder, &wanted)? {
        pip_download(&folder, &lock)?;
        if !all_present(&folder, &wanted)? {
            bail!(
                "{} does not hold the files that {} names: remove the folder and run `cargo xtask setup` again",
                folder.display(),
                lock.display()
            );
        }
    }
    Ok(folder)
}

fn pip_download(folder: &Path, lock: &Path) -> Result<()> {
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        need("python3 with pip", &["python3", "python3-pip"])?;
    }
    let name = lock
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    step(
        &format!("Fetching the packages of {name}"),
        Command::new("python3")
            .args(["-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"])
            // The guest's Python, not the machine's: wheels of pure Python for it.
            .args(["--python-version", "3.14", "--implementation", "py", "--abi", "none", "--platform", "any"])
            .args(["--no-cache-dir", "--disable-pip-version-check", "--quiet", "--dest"])
            .arg(folder)
            .arg("--requirement")
            .arg(lock),
    )
    .context("the Python packages could not be fetched: check that pip reaches its index, then run `cargo xtask setup` again")
}

/// The `sha256:` values of a pip requirements file.
fn locked_hashes(lock: &Path) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(lock).with_context(|| format!("could not read {}", lock.display()))?;
    let hashes: Vec<String> = text
        .split("sha256:")
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect())
        .collect();
    if hashes.iter().any(|hash| hash.len() != 64) || hashes.is_empty() {
        bail!("{} has no SHA-256 for some package", lock.display());
    }
    Ok(hashes)
}

fn all_present(folder: &Path, wanted: &[String]) -> Result<bool> {
    let mut have = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            have.push(sha256_file(&path)?);
        }
    }
    Ok(wanted.iter().all(|hash| have.contains(hash)))
}

/// The SHA-256 of a file, in hexadecimal.
pub fn sha256_file(path: &Path) -> Result<String> {
    let mut file =
        fs::File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file
            .read(&mut buffer)
            .with_context(|| format!("could not read {}", path.display()))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(format!("{:x}", hasher.finalize()))
}

/// The page's npm packages, as `web/package-lock.json` pins them.
pub fn npm(paths: &Paths) -> Result<()> {
    packages(&paths.root.join("web"), "the page's")
}

/// The npm packages of a folder, as its `package-lock.json` pins them. `whose` is for messages.
pub fn packages(folder: &Path, whose: &str) -> Result<()> {
    if !on_path("npm") {
        need("Node and npm", &["nodejs", "npm"])?;
    }
    let (lock, stamp) = (
        folder.join("package-lock.json"),
        folder.join("node_modules/.spoor-lock"),
    );
    let digest = sha256_file(&lock)?;
    if fs::read_to_string(&stamp).is_ok_and(|text| text == digest) {
        return Ok(());
    }
    step(
        &format!("Installing {whose} npm packages, as locked"),
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )
    .with_context(|| {
        format!("npm could not install {whose} packages: check that npm reaches its registry")
    })?;
    fs::write(&stamp, digest).context("could not mark the npm packages as installed")
}

/// A Chromium for the browser tests. Gives its path.
pub fn browser() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    installed("Chromium", "CHROMIUM", &names)
}

/// A Firefox for the browser tests. Gives its path.
pub fn firefox() -> Result<PathBuf> {
    installed("Firefox", "FIREFOX", &["firefox-esr", "firefox"])
}

/// The program that a variable names, or one of these names, the first of which is Debian's package.
fn installed(what: &str, variable: &str, names: &[&str]) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    if !names.iter().any(|name| on_path(name)) {
        need(what, names.get(..1).unwrap_or_default())?;
    }
    let name = names
        .iter()
        .find(|name| on_path(name))
        .with_context(|| format!("{what} is not on the path: set {variable} to it"))?;
    Ok(PathBuf::from(
        output(Command::new("which").arg(name))?.trim(),
    ))
}

/// Installs Debian packages for `what`, or says what to install where the system is another.
fn need(what: &str, packages: &[&str]) -> Result<()> {
    if is_debian() {
        return apt_install(packages);
    }
    bail!("{what} is missing: install it with the system's package manager, then run this again")
}

/// Whether apt is the package manager here.
pub fn is_debian() -> bool {
    on_path("apt-get") && on_path("dpkg")
}

/// Installs packages with apt-get, as root or through sudo, naming them first.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    say(&format!("Installing Debian packages: {list}"));
    let root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if !root && !on_path("sudo") {
        bail!("installing needs root: run `apt-get install {list}` as root, then run this again");
    }
    let apt = |args: &[&str]| {
        let mut command = if root {
            Command::new("apt-get")
        } else {
            Command::new("sudo")
        };
        if !root {
            command.arg("apt-get");
        }
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(args);
        command
    };
    run(&mut apt(&["update"])).context("the package lists could not be fetched")?;
    run(apt(&["install", "-y", "--no-install-recommends"]).args(packages)).with_context(|| {
        format!("could not install {list}: run `apt-get install {list}` to see why")
    })
}
