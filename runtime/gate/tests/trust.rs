//! What is decided on a module by what is pinned, approved, trusted and blocked.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use spoor_gate::{
    Admitted, Ask, Decision, Grounds, Identity, Policy, Stop, Trust, admit, public_key, sign,
};
use spoor_hostile::{cases, good_manifest};
use spoor_plugin_abi::Capability;

fn unsigned() -> Vec<u8> {
    let good = cases().into_iter().find(|case| case.name == "good");
    good.unwrap().bytes
}

fn decide(module: &Admitted<'_>, change: impl FnOnce(&mut Trust)) -> Decision {
    let mut trust = Trust::default();
    change(&mut trust);
    trust.decide(&module.label())
}

#[test]
fn the_unknown_asks_the_known_runs_and_the_blocked_stops() {
    let (plain, key) = (unsigned(), public_key(&[7; 32]));
    let signed = sign(&plain, &[7; 32]).unwrap();
    let (plain, signed) = [&plain, &signed]
        .map(|bytes| admit(bytes, &Policy::default()).unwrap())
        .into();
    let none = BTreeSet::new;
    assert_eq!(decide(&plain, |_| {}), Decision::Ask(Ask::Unsigned));
    assert_eq!(
        decide(&signed, |_| {}),
        Decision::Ask(Ask::UnknownPublisher(key))
    );
    // The plugin asks for no capability: a grant of one gives none.
    let all: BTreeSet<Capability> = Capability::ALL.into();
    let runs = |grounds| Decision::Run {
        grounds,
        granted: none(),
    };
    let by_key = decide(&signed, |t| _ = t.publishers.insert(key, all.clone()));
    assert_eq!(by_key, runs(Grounds::Publisher(key)));
    let by_hash = decide(&plain, |t| {
        _ = t.approved.insert(plain.identity, all.clone())
    });
    assert_eq!(by_hash, runs(Grounds::Approved));
    let pinned = decide(&plain, |t| {
        _ = t.pins.insert("hostile".into(), plain.identity)
    });
    assert_eq!(pinned, runs(Grounds::Pinned));
    let other = Identity::of(b"another");
    let stopped = decide(&signed, |t| {
        t.pins.insert("hostile".into(), other);
        t.publishers.insert(key, none());
    });
    assert_eq!(stopped, Decision::Stop(Stop::OtherThanPinned(other)));
    let blocked = decide(&signed, |t| {
        t.approved.insert(signed.identity, none());
        t.blocked_publishers.insert(key);
    });
    assert_eq!(blocked, Decision::Stop(Stop::BlockedPublisher(key)));
    let blocked = decide(&plain, |t| _ = t.blocked.insert(plain.identity));
    assert_eq!(blocked, Decision::Stop(Stop::Blocked));
}

#[test]
fn a_grant_gives_what_is_asked_for_and_no_more() {
    let mut manifest = good_manifest();
    manifest["capabilities"] = serde_json::json!(["log"]);
    let module = unsigned();
    let end = module
        .windows(14)
        .position(|bytes| bytes == b"spoor.manifest")
        .unwrap();
    // The manifest's section is the last: its head is an id, a size of two bytes and a length.
    let module = module[..end - 4].to_vec();
    let module =
        spoor_hostile::with_section(module, "spoor.manifest", manifest.to_string().as_bytes());
    let module = admit(&module, &Policy::default()).unwrap();
    let both = BTreeSet::from([Capability::Log, Capability::Time]);
    let decision = decide(&module, |t| _ = t.approved.insert(module.identity, both));
    let granted = BTreeSet::from([Capability::Log]);
    assert_eq!(
        decision,
        Decision::Run {
            grounds: Grounds::Approved,
            granted
        }
    );
}
