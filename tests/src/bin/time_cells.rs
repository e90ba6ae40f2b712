//! `time_cells DATA RUNS CELL`: runs one cell again and again in a session under wasmtime, over a
//! data file. Prints what the kernel says each run took, in milliseconds, one a line.

// Its output is its answer.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context, Result, bail};
use spoor::aot::Cache;
use spoor::assets::Assets;
use spoor::session::{Message, Options, Report, Runtime, Session};
use spoor::sources::Data;
use spoor_protocol::Event;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data, runs, cell] = args.as_slice() else {
        bail!("usage: time_cells DATA RUNS CELL");
    };
    let options = Options {
        data: Data::discover(&[PathBuf::from(data)])?,
        ..Options::default()
    };
    let (sender, reports) = channel();
    // The receiver lives as long as the session.
    let runtime = Runtime::load(Assets::find()?, Cache::of_user(), Box::new(|_| {}))?;
    let session = Session::open(&runtime, options, move |report| {
        drop(sender.send(report));
    })?;
    for run in 0..runs.parse::<u32>()? {
        session.send(Event::Execute {
            id: format!("run-{run}"),
            cell_id: None,
            code: cell.clone(),
            silent: false,
            allow_stdin: false,
        })?;
        println!("{}", elapsed(&reports)?);
    }
    Ok(())
}

/// Waits for the request's end and gives the milliseconds of its reply.
fn elapsed(reports: &Receiver<Report>) -> Result<f64> {
    let mut elapsed = None;
    loop {
        match reports.recv().context("the session ended early")? {
            Report::Message(message) if message.msg_type == "execute_reply" => {
                elapsed = Some(read(&message)?)
            }
            Report::Message(_) | Report::Note(_) | Report::Preparing | Report::Prepared => {}
            Report::Done(end) => {
                end?;
                return elapsed.context("the cell had no reply");
            }
        }
    }
}

fn read(reply: &Message) -> Result<f64> {
    if reply
        .content
        .get("status")
        .and_then(|status| status.as_str())
        != Some("ok")
    {
        bail!("the cell failed: {:?}", reply.content);
    }
    let spoor = reply
        .metadata
        .get("spoor")
        .context("the reply says nothing of its time")?;
    spoor["elapsed_ms"]
        .as_f64()
        .context("the reply's time is not a number")
}
