//! `spoor plugin publish`, `add`, `list` and `remove`.

use std::io::Write;
use std::path::PathBuf;

use semver::VersionReq;
use spoor_gate::PublicKey;

use super::super::{Exit, Failure, say};
use crate::plugins::keys::Secret;
use crate::plugins::registry::{self, Index, Installed, Pinned, Place, Version};

/// Put a plugin into a registry
///
/// A registry is a folder: the modules, and an index of them that its key signs. Any static server can hand it out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin publish entropy.wasm --to registry/ --key ~/registry.key")]
pub struct PublishArgs {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// The registry's folder, made if it is not there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The registry's secret key, as `spoor plugin key new` made it
    #[arg(short, long, value_name = "KEYFILE")]
    key: PathBuf,
}

/// Take a plugin, and pin it
///
/// From a registry, or from a file. Of a registry all is verified: the index's signature, the module's hash, the module
/// by every rule, its own signature, and that it is what the index says. What is taken is pinned by its hash.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The first time, with the key that the registry's owner made known:
    spoor plugin add entropy --from https://example.com/plugins --key 5f3c...

  A version by semver:
    spoor plugin add 'entropy@^1.2' --from registry/

  A file:
    spoor plugin add ./entropy.wasm")]
pub struct AddArgs {
    /// NAME, NAME@VERSION, or without --from a file
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    /// The registry: an address, or a folder
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,
    /// The registry's public key, which is remembered
    #[arg(long, value_name = "KEY", requires = "from")]
    key: Option<PublicKey>,
    /// Take it though another signed the version before
    #[arg(long)]
    new_publisher: bool,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// List the plugins that were added and those that come with spoor, or those of a registry
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin list --from https://example.com/plugins")]
pub struct ListArgs {
    /// The registry whose plugins to list: an address, or a folder
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,
    /// The registry's public key
    #[arg(long, value_name = "KEY", requires = "from")]
    key: Option<PublicKey>,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Forget a plugin that was added
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin remove entropy")]
pub struct RemoveArgs {
    /// The plugin's name
    name: String,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn publish(args: &PublishArgs) -> Result<Exit, Failure> {
    let bytes = super::read_module(&args.plugin)?;
    super::admit(&bytes, &args.plugin)?;
    let secret = Secret::read(&args.key)?;
    let published = registry::publish(&bytes, &args.to, &secret).map_err(super::refused)?;
    say::line(format_args!(
        "published {} {} in {}",
        published.name,
        published.version.version,
        say::path(&args.to)
    ));
    if published.is_first {
        say::line(format_args!(
            "this is a new registry; make its key known: {}",
            published.key
        ));
    }
    if published.version.publisher.is_none() {
        say::warning(
            "the plugin is not signed: `spoor plugin sign` it first, and whoever adds it knows whose it is",
        );
    }
    Ok(Exit::Done)
}

pub fn add(args: &AddArgs) -> Result<Exit, Failure> {
    let mut installed = Installed::open(super::folder_of(args.dir.as_deref())?)?;
    let (name, pin) = match &args.from {
        Some(from) => add_from(&mut installed, args, from)?,
        None => add_file(&mut installed, args)?,
    };
    let publisher = pin.publisher.as_deref().unwrap_or("nobody");
    say::line(format_args!(
        "added {name} {}, SHA-256 {}, signed by {publisher}",
        pin.version, pin.sha256
    ));
    Ok(Exit::Done)
}

fn add_from(
    installed: &mut Installed,
    args: &AddArgs,
    from: &str,
) -> Result<(String, Pinned), Failure> {
    let (name, requirement) = match args.plugin.split_once('@') {
        Some((name, requirement)) => (name, Some(parse_requirement(requirement)?)),
        None => (args.plugin.as_str(), None),
    };
    let place = Place::parse(from)?;
    let pin = installed
        .add_from(
            &place,
            args.key,
            name,
            requirement.as_ref(),
            args.new_publisher,
        )
        .map_err(super::refused)?;
    Ok((name.to_owned(), pin))
}

/// As Cargo has it: `1.2` is `^1.2`.
fn parse_requirement(text: &str) -> Result<VersionReq, Failure> {
    VersionReq::parse(text).map_err(|e| {
        let message =
            format!("'{text}' is no requirement on a version ({e}): write 1.2, =1.2.3 or >=1, <3");
        Failure::new(Exit::Usage, message)
    })
}

fn add_file(installed: &mut Installed, args: &AddArgs) -> Result<(String, Pinned), Failure> {
    let path = PathBuf::from(&args.plugin);
    if !path.exists() && path.extension().is_none() {
        let message = format!(
            "there is no file {}: to take the plugin of that name from a registry, say which with --from",
            say::path(&path)
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let bytes = super::read_module(&path)?;
    let module = super::admit(&bytes, &path)?;
    let place = path.canonicalize().unwrap_or(path);
    let pin = installed
        .add(&module, &place.to_string_lossy(), args.new_publisher)
        .map_err(super::refused)?;
    Ok((module.manifest.name, pin))
}

pub fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let mut installed = Installed::open(super::folder_of(args.dir.as_deref())?)?;
    let lines = match &args.from {
        Some(from) => {
            let place = Place::parse(from)?;
            let index = installed.index(&place, args.key).map_err(super::refused)?;
            of_index(&index)
        }
        None => {
            let mut lines = of_pins(&installed);
            if let Some(shipped) = super::shipped()? {
                let others = shipped.all();
                let others = others.filter(|(name, _)| !installed.plugins().contains_key(*name));
                lines.extend(
                    others.map(|(name, version)| {
                        format!("{}  comes with spoor", listed(name, version))
                    }),
                );
            }
            lines
        }
    };
    let mut stdout = std::io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{}", say::visible(&line).replace('\n', "\\n"))?;
    }
    Ok(Exit::Done)
}

fn of_index(index: &Index) -> Vec<String> {
    let entries = index.plugins.iter();
    entries
        .filter_map(|(name, entry)| {
            let newest = index.resolve(name, None).ok().or(entry.versions.last())?;
            Some(listed(name, newest))
        })
        .collect()
}

fn listed(name: &str, version: &Version) -> String {
    let withdrawn = if version.withdrawn {
        " (withdrawn)"
    } else {
        ""
    };
    format!(
        "{name} {}{withdrawn}  {}  {}",
        version.version, version.licence, version.summary
    )
}

fn of_pins(installed: &Installed) -> Vec<String> {
    let plugins = installed.plugins().iter();
    plugins
        .map(|(name, pin)| {
            let publisher = match &pin.publisher {
                Some(key) => format!("signed by {key}"),
                None => "not signed".into(),
            };
            format!(
                "{name} {}  {}  {publisher}  from {}",
                pin.version, pin.sha256, pin.from
            )
        })
        .collect()
}

pub fn remove(args: &RemoveArgs) -> Result<Exit, Failure> {
    let mut installed = Installed::open(super::folder_of(args.dir.as_deref())?)?;
    let pin = installed.remove(&args.name)?;
    say::line(format_args!("removed {} {}", args.name, pin.version));
    Ok(Exit::Done)
}
