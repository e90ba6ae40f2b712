//! `spoor accounts`.

use std::io::Write;

use spoor_signin::{Account, Accounts, Store};

use super::{Exit, Failure, login, say};

/// List who is signed in
///
/// A line for each account: its id, who it is, how they signed in and where, and whether they still are. No token is shown.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<Exit, Failure> {
    let accounts = Accounts::new(Store::open().map_err(login::unkept)?);
    let list = accounts.list().map_err(login::unkept)?;
    if list.is_empty() {
        say::line("nobody is signed in: `spoor login` signs you in");
    }
    let width = list
        .iter()
        .map(|account| account.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = std::io::stdout();
    for account in &list {
        writeln!(out, "{}", say::visible(&line(account, width)))?;
    }
    Ok(Exit::Done)
}

fn line(account: &Account, width: usize) -> String {
    let tenant = account
        .tenant
        .as_ref()
        .map(|tenant| format!("/{tenant}"))
        .unwrap_or_default();
    let out = account
        .signed_out
        .as_ref()
        .map(|why| format!("  signed out: {why}"))
        .unwrap_or_default();
    format!(
        "{}  {:width$}  {:16}  {}{tenant}{out}",
        account.id,
        account.name,
        account.how.title(),
        account.authority
    )
}
