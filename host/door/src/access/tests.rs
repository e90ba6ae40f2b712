use serde_json::json;

use super::*;

const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn read(text: &str) -> Result<Access, AccessError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.toml");
    std::fs::write(&path, text).unwrap();
    Access::open(&path)
}

fn file(address: &str, rest: &str) -> String {
    format!(
        "address = \"{address}\"\n{rest}\n[audit]\nfile = \"audit.jsonl\"\n[[machines]]\nname = \"nightly\"\nsha256 = \"{HASH}\"\n\
         role = \"reader\"\n"
    )
}

#[test]
fn a_server_is_called_by_a_name_over_tls() {
    for (address, good) in [
        ("https://hunt.example", true),
        ("https://hunt.example:8443/", true),
        ("http://127.0.0.1:8300", true),
        ("http://hunt.example", false),
        ("https://hunt.example/spoor", false),
        ("https://me@hunt.example", false),
        ("hunt.example", false),
        ("ftp://hunt.example", false),
    ] {
        let read = read(&file(address, ""));
        assert_eq!(read.is_ok(), good, "{address}");
        if !good {
            assert!(read.unwrap_err().to_string().contains("https://NAME"));
        }
    }
}

#[test]
fn mistakes_are_told_with_their_line_and_without_their_text() {
    let error = read(&file("https://hunt.example", "client-secret = \"canary\"")).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("line 2") && told.contains("client-secret"),
        "{told}"
    );
    assert!(!told.contains("canary"), "{told}");
    let error = read(&file("https://hunt.example", "").replace("reader", "admin")).unwrap_err();
    assert!(error.to_string().contains("contributor"), "{error}");
}

#[test]
fn a_file_that_lets_nobody_in_is_wrong() {
    let text = "address = \"https://hunt.example\"\n[audit]\nfile = \"a\"\n";
    assert!(matches!(read(text), Err(AccessError::Nobody)));
    let limits = file("https://hunt.example", "[limits]\nrequests-per-minute = 0");
    assert!(matches!(
        read(&limits),
        Err(AccessError::Nothing("requests-per-minute"))
    ));
}

#[test]
fn each_machine_has_a_name_and_a_hash() {
    let door = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        std::fs::write(&path, text).unwrap();
        let listening = Listening {
            address: "127.0.0.1:1".parse().unwrap(),
            tls: true,
        };
        crate::Door::open(&path, listening).map(drop)
    };
    let good = file("https://hunt.example", "");
    assert!(door(&good).is_ok());
    // A token in its hash's place is not told to anybody.
    let token = door(&good.replace(HASH, "canary")).unwrap_err();
    assert!(matches!(&token, AccessError::Hash(name) if name == "nightly"));
    assert!(!token.to_string().contains("canary"));
    let (_, machine) = good.split_once("[[machines]]").unwrap();
    let twice = door(&format!("{good}[[machines]]{machine}"));
    assert!(matches!(twice, Err(AccessError::Twice(name)) if name == "nightly"));
}

#[test]
fn what_is_sent_is_kept_from_others() {
    let proxy = "[proxy]\naddresses = [\"10.0.0.5\"]\n";
    let (near, far) = ("127.0.0.1:1", "10.0.0.1:1");
    for (address, rest, at, tls, good) in [
        ("https://hunt.example", "", far, true, true),
        ("https://hunt.example", "", far, false, false),
        ("https://hunt.example", proxy, far, false, true),
        ("https://hunt.example", proxy, near, false, true),
        ("https://hunt.example", "", near, false, false),
        ("http://localhost:1", "", near, false, true),
        ("http://localhost:1", "", near, true, false),
        ("http://localhost:1", "", far, false, false),
        ("http://localhost:1", proxy, far, false, false),
    ] {
        let access = read(&file(address, rest)).unwrap();
        let listening = Listening {
            address: at.parse().unwrap(),
            tls,
        };
        let suits = access.suits(listening);
        assert_eq!(
            suits.is_ok(),
            good,
            "{address} {rest} {at} {tls}: {suits:?}"
        );
    }
}

#[test]
fn roles_follow_claims() {
    let rules = "[authority]\nissuer = \"https://id.example\"\nclient-id = \"spoor\"\n\
        [[roles]]\nrole = \"reader\"\nclaim = \"groups\"\nvalues = [\"soc\"]\nfolders = [\"*\"]\n\
        [[roles]]\nrole = \"contributor\"\nclaim = \"roles\"\nvalues = [\"lead\", \"owner\"]\nworkspaces = [\"host\"]\n";
    let access = read(&file("https://hunt.example", rules)).unwrap();
    let roles = |claims: Value| {
        let grants = access.grants(&claims).into_iter();
        grants.map(|grant| grant.role).collect::<Vec<_>>()
    };
    use Role::{Contributor, Reader};
    assert_eq!(roles(json!({ "groups": ["x", "soc"] })), [Reader]);
    assert_eq!(
        roles(json!({ "groups": "soc", "roles": ["owner"] })),
        [Reader, Contributor]
    );
    for nobody in [
        json!({}),
        json!({ "groups": ["SOC", "soc2"], "roles": "leader" }),
        json!({ "groups": { "soc": true } }),
        json!({ "groups": [["soc"]] }),
        json!(null),
    ] {
        assert_eq!(roles(nobody.clone()), [], "{nobody}");
    }
}

#[cfg(unix)]
#[test]
fn the_client_secret_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.toml");
    let rules = "[authority]\nissuer = \"https://id.example\"\nclient-id = \"spoor\"\nclient-secret-file = \"secret\"\n";
    std::fs::write(&path, file("https://hunt.example", rules)).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "canary\n").unwrap();
    for (mode, good) in [(0o644, false), (0o600, true)] {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        let registration = Access::open(&path).unwrap().registration();
        assert_eq!(registration.is_ok(), good, "{mode:o}");
        let told = format!("{registration:?}");
        assert!(!told.contains("canary"), "{told}");
        if !good {
            assert!(registration.unwrap_err().to_string().contains("chmod 600"));
        }
    }
}

#[test]
fn one_workspace_alone_gets_people_s_own_tokens() {
    let upstream =
        |name: &str, identity: &str| format!("[workspaces.{name}]\nidentity = \"{identity}\"\n");
    let both = upstream("adx", "user") + &upstream("lab", "server");
    assert!(read(&file("https://hunt.example", &both)).is_ok());
    let two = upstream("adx", "user") + &upstream("lab", "user");
    let error = read(&file("https://hunt.example", &two)).unwrap_err();
    assert!(error.to_string().contains("adx, lab"), "{error}");
}
