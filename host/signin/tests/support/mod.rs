//! An authority, a browser that does what a person would, and a place for accounts.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

pub mod browser;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use spoor_providers::config::{Config, Workspace};
use spoor_signin::{Account, Accounts, KeyPlace, SignIn, Store};

/// npm's oidc-provider. It ends with the value.
pub struct Authority {
    process: Child,
    pub issuer: String,
}

impl Authority {
    /// Starts one. `settings` are those of provider.mjs.
    pub fn start(settings: &Value) -> Self {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = crate_folder.join("../../web/node_modules/oidc-provider");
        assert!(
            package.is_dir(),
            "oidc-provider is not there: run `cargo xtask setup`"
        );
        let mut process = Command::new("node")
            .arg(crate_folder.join("tests/support/provider.mjs"))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is there");
        let mut line = String::new();
        // It warns of what only tests may do, on either stream.
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        while !line.starts_with("{\"issuer\"") {
            line.clear();
            assert_ne!(
                lines.read_line(&mut line).unwrap(),
                0,
                "the authority did not start"
            );
        }
        let told: Value = serde_json::from_str(&line).unwrap();
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Authority {
            process,
            issuer: told["issuer"].as_str().unwrap().to_owned(),
        }
    }

    /// Changes settings, and tells what was given out.
    pub fn control(&self, wanted: &Value) -> Value {
        let address = format!("{}/control", self.issuer);
        let mut answer = ureq::post(&address).send(wanted.to_string()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// How often tokens were given for a grant.
    pub fn grants(&self, kind: &str) -> usize {
        let told = self.control(&json!({}));
        told["grants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|grant| *grant == kind)
            .count()
    }

    /// Every token that was given out.
    pub fn given(&self) -> Vec<String> {
        let told = self.control(&json!({}));
        serde_json::from_value(told["given"].clone()).unwrap()
    }

    /// A workspace whose people sign in here.
    pub fn workspace(&self, client: &str, scope: &str) -> Workspace {
        workspace(&self.issuer, client, scope)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
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
