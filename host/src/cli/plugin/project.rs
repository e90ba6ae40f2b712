//! `spoor plugin new`, `build` and `test`.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Exit, Failure, say};
use super::LimitArgs;
use crate::error::Error;
use crate::plugins::check::Plan;
use crate::plugins::project::{self, Language};
use crate::save::write_atomically;

/// Begin a plugin of your own
///
/// Writes a small project that works: change it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin new my-plugin --lang rust")]
pub struct NewArgs {
    /// The plugin's name
    name: String,
    /// The language to write it in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    lang: Lang,
    /// The project's folder [default: the name]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The folder of the Rust SDK [default: that of the checkout that this spoor was built from]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    /// Rust, with the SDK
    Rust,
    /// C, with clang and nothing else
    C,
    /// AssemblyScript, with npm
    #[value(name = "assemblyscript")]
    AssemblyScript,
}

/// Build a plugin's project
///
/// Calls cargo, clang or npm, looks the module over by every rule, and puts it into the project's folder.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin build my-plugin")]
pub struct BuildArgs {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where the module goes [default: DIR/NAME.wasm]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Try a plugin's project out: its own tests, then `spoor plugin check` of what it builds
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin test my-plugin")]
pub struct TestArgs {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Inputs of each function
    #[arg(long, value_name = "N", default_value_t = 200)]
    runs: u64,
    /// What the inputs are drawn from; the same number gives the same inputs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    limits: LimitArgs,
}

pub fn new(args: &NewArgs) -> Result<Exit, Failure> {
    let folder = args.dir.clone().unwrap_or(PathBuf::from(&args.name));
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::C => Language::C,
        Lang::AssemblyScript => Language::AssemblyScript,
    };
    let sdk = match &args.sdk {
        Some(sdk) => Some(
            sdk.canonicalize()
                .map_err(Error::file("cannot read the SDK", sdk))?,
        ),
        None => None,
    };
    project::begin(&args.name, &folder, language, sdk.as_deref()).map_err(|error| match error {
        Error::Data(message) => Failure::new(Exit::Usage, message),
        other => other.into(),
    })?;
    let place = say::path(&folder);
    say::line(format_args!(
        "made {place}. Next: spoor plugin build {place}"
    ));
    Ok(Exit::Done)
}

pub fn build(args: &BuildArgs) -> Result<Exit, Failure> {
    let (output, bytes) = made(&args.folder, args.output.as_deref())?;
    say::line(format_args!(
        "built {}, {} bytes",
        say::path(&output),
        say::count(bytes.len() as u64)
    ));
    Ok(Exit::Done)
}

pub fn test(args: &TestArgs) -> Result<Exit, Failure> {
    if !project::test(&args.folder).map_err(super::refused)? {
        say::line("the project has no tests that spoor can run; its module is checked");
    }
    let (_, bytes) = made(&args.folder, None)?;
    let plan = Plan {
        runs: args.runs,
        seed: args.seed,
    };
    super::check::report(&bytes, &args.limits, plan)
}

/// Builds, admits, and puts the module where it is looked for.
fn made(folder: &Path, output: Option<&Path>) -> Result<(PathBuf, Vec<u8>), Failure> {
    let built = project::build(folder).map_err(super::refused)?;
    let bytes = super::read_module(&built)?;
    let admitted = super::admit(&bytes, &built)?;
    let output = match output {
        Some(output) => output.to_owned(),
        None => folder.join(format!("{}.wasm", admitted.manifest.name)),
    };
    write_atomically(&output, &bytes)?;
    // Cargo keeps its own; the other tools' is in the way.
    if built.parent() == Some(folder) && built != output {
        let _ = fs::remove_file(&built);
    }
    Ok((output, bytes))
}
