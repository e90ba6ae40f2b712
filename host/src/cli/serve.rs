//! `spoor serve`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use spoor_door::{Door, Listening};
use spoor_store::tls;

use super::local::Local;
use super::workspaces::Configuration;
use super::{Exit, Failure, api, run, say};
use crate::assets;
use crate::error::Error;
use crate::native::AT_ONCE;
use crate::remote::Workspaces;
use crate::serve::{Api, DataFile, Options, Query, Server};
use crate::sources::{Data, Source};

/// Serve the page to this machine's browser, with notebooks, data, and KQL on all cores
///
/// The page runs Python and KQL in the browser as on any static server. Beside that it lists the
/// notebooks of --notebooks under "On this computer", and saves what is changed in their files. Cells that begin
/// with the line `%%kql host` run here, natively on all cores, over the files of --data. Whoever has the printed
/// address may do so, and nobody else; with --access those whom a file names, who sign in. Ctrl-C stops it. With --api it answers
/// other programs' queries instead, and serves no page.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The port; 0 takes one that is free. Browsers keep files by it
    #[arg(long, default_value_t = 8300)]
    port: u16,
    /// The address or name to listen at, for browsers of other machines, which need --access
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// A folder of notebooks that the page lists, opens and saves
    #[arg(long, value_name = "DIR")]
    notebooks: Option<PathBuf>,
    /// A data file, or a folder of them; each file becomes a table by its name
    #[arg(short, long, value_name = "DIR|FILE")]
    data: Vec<PathBuf>,
    /// The folder of the page [default: $SPOOR_SITE, else `site` near the command]
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Stop a query after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = run::seconds, default_value = "600")]
    query_timeout: Duration,
    /// Who may ask, and for what: a file that docs/serve.md describes. Beyond this machine there has to be one
    #[arg(long, value_name = "FILE", conflicts_with = "api")]
    access: Option<PathBuf>,
    /// The certificate for TLS, PEM, with those that vouch for it behind it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    configuration: Configuration,
    #[command(flatten)]
    api: api::Args,
}

const EXAMPLES: &str = "\
Examples:
  The page, in the browser at once:
    spoor serve --open

  Hunts of a folder over a folder of logs:
    spoor serve --notebooks hunts/ --data logs/

  For a team, which signs in:
    spoor serve --host 0.0.0.0 --access access.toml --tls-cert cert.pem --tls-key key.pem --notebooks hunts/ --data logs/

  The logs as a store that Microsoft's clients query:
    spoor serve --api --data logs/ --api-tokens tokens.txt --tls-cert cert.pem --tls-key key.pem

Exit codes: 0 stopped, 2 the command line is wrong, 3 data cannot be read, 5 it cannot serve.";

pub fn run(args: Args) -> Result<Exit, Failure> {
    let data = Data::discover(&args.data)?;
    data.warnings.iter().for_each(say::warning);
    let (address, name) = address(&args.host, args.port)?;
    if args.configuration.config.is_some() && args.access.is_none() {
        let message =
            "--config goes with --access, whose file says which workspaces are asked for callers";
        return Err(Failure::new(Exit::Usage, message));
    }
    let tls = certificate(&args)?;
    let local = Arc::new(Local::new(data, AT_ONCE));
    if args.api.is_wanted() {
        let wanted = args.api.store(local, address, tls, args.query_timeout)?;
        return until_stopped(|stop| serve_api(wanted, address, stop));
    }
    let door = door(args.access.as_deref(), address, tls.is_some())?;
    // What they wait for is their callers' affair.
    let workspaces = || args.configuration.workspaces(Box::new(|_, _| {}));
    let workspaces = door.as_ref().map(|_| workspaces()).transpose()?;
    if let Some((door, workspaces)) = door.as_deref().zip(workspaces.as_ref()) {
        check_forwarded(door, workspaces)?;
    }
    let options = Options {
        address,
        name,
        site: assets::site(args.site)?,
        notebooks: args.notebooks,
        data: local.sources().iter().map(file).collect::<Result<_, _>>()?,
        query: (!local.sources().is_empty()).then(|| local.clone() as Arc<dyn Query>),
        query_time: args.query_timeout,
        workspaces: workspaces.map(Arc::new),
        door,
        tls,
    };
    until_stopped(|stop| serve_page(options, args.open, stop))
}

/// Ready when somebody asks the server to stop.
type Stopped = tokio::sync::oneshot::Receiver<()>;

/// Runs a server until a signal asks it to stop.
fn until_stopped<F>(serve: impl FnOnce(Stopped) -> F) -> Result<Exit, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let unable =
        |e: std::io::Error| Failure::new(Exit::Unable, format!("the server cannot start: {e}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(unable)?;
    let stop = stopping()?;
    let served = runtime.block_on(serve(stop));
    // A query that still runs ends with the process.
    runtime.shutdown_background();
    served.map(|()| Exit::Done)
}

async fn serve_page(options: Options, is_opened: bool, stop: Stopped) -> Result<(), Failure> {
    let server = Server::bind(options).await.map_err(bound)?;
    println!("Spoor is at {}", server.url());
    std::io::stdout().flush()?;
    let _door = if is_opened {
        Some(open(server.url())?)
    } else {
        None
    };
    server
        .run(async move { drop(stop.await) })
        .await
        .map_err(Failure::from)
}

async fn serve_api(wanted: api::Wanted, address: SocketAddr, stop: Stopped) -> Result<(), Failure> {
    let server = Api::bind(address, wanted.tls).await.map_err(bound)?;
    println!("The API is at {}", server.url());
    std::io::stdout().flush()?;
    server
        .run(wanted.store.routes(), async move { drop(stop.await) })
        .await
        .map_err(Failure::from)
}

/// Where to listen, and the name that browsers may use for it.
fn address(host: &str, port: u16) -> Result<(SocketAddr, Option<String>), Failure> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok((SocketAddr::new(ip, port), None));
    }
    if host == "localhost" {
        return Ok((SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), None));
    }
    let unknown = |why: String| {
        Failure::new(
            Exit::Usage,
            format!("--host {host} is no address of this machine: {why}"),
        )
    };
    let mut found = (host, port)
        .to_socket_addrs()
        .map_err(|e| unknown(e.to_string()))?;
    let address = found.next().ok_or_else(|| unknown("it has none".into()))?;
    Ok((address, Some(host.to_owned())))
}

/// Who lets callers in. Whoever has the secret of the printed address is somebody at this machine, and nobody else.
fn door(
    access: Option<&Path>,
    address: SocketAddr,
    tls: bool,
) -> Result<Option<Arc<Door>>, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    match access {
        Some(path) => {
            let door = Door::open(path, Listening { address, tls });
            door.map(Some).map_err(|error| usage(error.to_string()))
        }
        None if !address.ip().is_loopback() => Err(usage(format!(
            "other machines could reach {}, and nobody would have to sign in: say who may ask with --access FILE, which docs/serve.md \
             describes; to stay on this machine, leave out --host, and reach it from elsewhere by an SSH tunnel",
            address.ip()
        ))),
        None if tls => Err(usage(
            "--tls-cert goes with --access or --api: this machine's browser needs none".into(),
        )),
        None => Ok(None),
    }
}

/// Refuses to send people's tokens to a service that takes another authority's: it would have no use for them but to keep them.
fn check_forwarded(door: &Door, workspaces: &Workspaces) -> Result<(), Failure> {
    for name in door.forwarded() {
        let remote = workspaces.get(name).and_then(|one| one.remote.as_ref());
        let authority = remote.and_then(|remote| remote.authority.as_deref());
        let Some((remote, authority)) = remote.zip(authority) else {
            continue;
        };
        if !door.has_tokens_of(authority, remote.tenant.as_deref()) {
            let message = format!(
                "the workspace '{name}' is to be asked with people's own tokens, which are not of its authority, {authority}: name that \
                 (and its tenant) in [authority] of the access file, or say identity = \"server\""
            );
            return Err(Failure::new(Exit::Usage, message));
        }
    }
    Ok(())
}

/// The certificate, if one is given.
fn certificate(args: &Args) -> Result<Option<Arc<tls::ServerConfig>>, Failure> {
    let files = args.tls_cert.as_deref().zip(args.tls_key.as_deref());
    let config = files.map(|(cert, key)| tls::config(cert, key)).transpose();
    config.map_err(|error| Failure::new(Exit::Usage, error.to_string()))
}

/// A taken port, with what to do about it.
fn bound(error: Error) -> Failure {
    let taken = matches!(&error, Error::File { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse);
    let mut failure = Failure::from(error);
    if taken {
        failure.exit = Exit::Unable;
        failure
            .message
            .push_str("; name another with --port, or 0 for one that is free");
    }
    failure
}

/// Ready when a signal asks the server to stop. A second one ends the process.
fn stopping() -> Result<tokio::sync::oneshot::Receiver<()>, Failure> {
    let unable =
        |e: std::io::Error| Failure::new(Exit::Unable, format!("cannot listen for Ctrl-C: {e}"));
    let mut signals =
        signal_hook::iterator::Signals::new(super::signals::that_end()).map_err(unable)?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let heed = move || {
        let mut signals = signals.forever();
        signals.next();
        let _ = stop.send(());
        signals.next();
        std::process::exit(Exit::Interrupted as i32);
    };
    std::thread::Builder::new()
        .name("spoor-signals".into())
        .spawn(heed)
        .map_err(unable)?;
    Ok(stopped)
}

/// Opens the page by a file that only this user can read: others see the arguments of a
/// program. The file goes with what is given back.
fn open(url: &str) -> Result<tempfile::NamedTempFile, Failure> {
    let made = tempfile::Builder::new()
        .prefix("spoor-")
        .suffix(".html")
        .tempfile();
    let mut door = made.map_err(Error::file("cannot make a file in", std::env::temp_dir()))?;
    let page = format!(
        "<!doctype html><meta name=\"referrer\" content=\"no-referrer\"><meta http-equiv=\"refresh\" content=\"0;url={url}\"><title>Spoor</title>"
    );
    door.write_all(page.as_bytes())
        .map_err(Error::file("cannot write", door.path()))?;
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener)
        .arg(door.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        say::warning(format_args!(
            "no browser could be opened ({opener}: {error}); open the address by hand"
        ));
    }
    Ok(door)
}

/// A source as the page is told of it.
fn file(source: &Source) -> Result<DataFile, Failure> {
    let format = serde_json::to_value(source.spec.format);
    let format = format.ok().and_then(|name| Some(name.as_str()?.to_owned()));
    let format = format.ok_or_else(|| Failure::new(Exit::Unable, "a data format has no name"))?;
    Ok(DataFile {
        table: source.spec.name.clone(),
        format,
        path: source.path.clone(),
    })
}
