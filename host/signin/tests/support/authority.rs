//! The authority: npm's oidc-provider, in a process of its own. The tests of `spoor-door` have it too.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

/// Below the repository's root, as other crates' tests have this module too.
const SCRIPT: &str = "host/signin/tests/support/provider.mjs";

/// npm's oidc-provider. It ends with the value.
pub struct Authority {
    process: Mutex<Child>,
    pub issuer: String,
}

impl Authority {
    /// Starts one. `settings` are those of provider.mjs.
    pub fn start(settings: &Value) -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.ancestors().find(|root| root.join(SCRIPT).is_file());
        let root = root.expect("the crate is in the repository");
        let package = root.join("web/node_modules/oidc-provider");
        assert!(
            package.is_dir(),
            "oidc-provider is not there: run `cargo xtask setup`"
        );
        let mut process = Command::new("node")
            .arg(root.join(SCRIPT))
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
            process: Mutex::new(process),
            issuer: told["issuer"].as_str().unwrap().to_owned(),
        }
    }

    /// Ends it.
    pub fn stop(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
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
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}
