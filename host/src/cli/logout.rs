//! `spoor logout`.

use spoor_signin::{Account, Accounts, LoggedOut, Revoked, Store};

use super::{Exit, Failure, login, say};

/// Sign out
///
/// The account's tokens are removed from this machine, and taken back by whoever gave them, where they have a way for it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor logout anna@contoso.example")]
pub struct Args {
    /// The account, by its name or its id, as `spoor accounts` shows it [default: the only one]
    #[arg(value_name = "ACCOUNT")]
    account: Option<String>,
    /// All accounts
    #[arg(long, conflicts_with = "account")]
    all: bool,
}

pub fn run(args: &Args) -> Result<Exit, Failure> {
    let accounts = Accounts::new(Store::open().map_err(login::unkept)?);
    let list = accounts.list().map_err(login::unkept)?;
    let chosen = if args.all {
        list
    } else {
        vec![choose(list, args.account.as_deref())?]
    };
    for account in chosen {
        match accounts.logout(&account.id).map_err(login::unkept)? {
            Some(out) => tell(&out),
            None => say::line(format_args!("{} was signed out already", account.name)),
        }
    }
    Ok(Exit::Done)
}

/// The account that is meant, if it is one.
fn choose(list: Vec<Account>, name: Option<&str>) -> Result<Account, Failure> {
    let is_meant =
        |account: &Account| name.is_none_or(|name| account.id == name || account.name == name);
    let (mut meant, rest): (Vec<_>, Vec<_>) = list.into_iter().partition(is_meant);
    match (meant.pop(), meant.is_empty(), name) {
        (Some(account), true, _) => Ok(account),
        (None, _, None) => Err(Failure::new(Exit::Failed, "nobody is signed in")),
        (None, _, Some(name)) => {
            let message = format!("no account is called '{name}'; there is {}", names(&rest));
            Err(Failure::new(Exit::Usage, message))
        }
        (Some(last), false, _) => {
            meant.push(last);
            let message = format!("say which account, by its id: {}", names(&meant));
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

fn names(list: &[Account]) -> String {
    if list.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = list
        .iter()
        .map(|account| format!("{} ({})", account.name, account.id))
        .collect();
    names.join(", ")
}

fn tell(out: &LoggedOut) {
    let name = &out.account.name;
    match &out.revoked {
        Revoked::Yes => say::line(format_args!(
            "{name} is signed out, and the tokens are taken back"
        )),
        Revoked::NotOffered => say::line(format_args!(
            "{name} is signed out of this machine; tokens that were given end by themselves"
        )),
        Revoked::Failed(why) => say::warning(format_args!(
            "{name} is signed out of this machine, and the tokens could not be taken back: {why}"
        )),
    }
}
