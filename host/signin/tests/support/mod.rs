//! An authority, a browser that does what a person would, and a place for accounts.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

pub mod authority;
pub mod browser;

use std::path::PathBuf;

pub use authority::Authority;
use spoor_providers::config::{Config, Workspace};
use spoor_signin::{Account, Accounts, KeyPlace, SignIn, Store};

impl Authority {
    /// A workspace whose people sign in here.
    pub fn workspace(&self, client: &str, scope: &str) -> Workspace {
        workspace(&self.issuer, client, scope)
    }
}

/// A workspace with an authority.
pub fn workspace(issuer: &str, client: &str, scope: &str) -> Workspace {
    let text = format!(
        "[workspaces.lab]\nkind = \"kusto\"\ncloud = \"custom\"\nendpoint = \"http://127.0.0.1:9\"\n\
         plain-loopback = true\nauthority = \"{issuer}\"\nclient-id = \"{client}\"\nscope = \"{scope}\"\ndatabase = \"Security\"\n"
    );
    let config: Config = toml::from_str(&text).unwrap();
    config.check().unwrap().get("lab").unwrap().clone()
}

/// A folder for accounts, which is removed with the value.
pub struct Place {
    _folder: tempfile::TempDir,
    pub accounts: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = folder.path().join("spoor/accounts");
        Place {
            _folder: folder,
            accounts,
        }
    }

    pub fn store(&self) -> Store {
        Store::open_in(&self.accounts, KeyPlace::File).unwrap()
    }

    pub fn accounts(&self) -> Accounts {
        Accounts::new(self.store())
    }

    /// Signs anna in, in a browser.
    pub fn sign_in(&self, workspace: &Workspace) -> Account {
        let store = self.store();
        let signed_in = SignIn::new(&store, workspace).unwrap().browser(|address| {
            let address = address.to_owned();
            std::thread::spawn(move || browser::Browser::default().visit(&address, "anna"));
            Ok(())
        });
        signed_in.unwrap()
    }

    /// Whether any file here has one of the texts.
    pub fn has(&self, texts: &[String]) -> bool {
        let files = std::fs::read_dir(&self.accounts).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| {
                texts.iter().any(|text| {
                    bytes
                        .windows(text.len())
                        .any(|part| part == text.as_bytes())
                })
            })
    }
}
