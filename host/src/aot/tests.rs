//! The cache in folders of every kind.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;

use super::*;

/// A cache in a folder of its own, and the smallest module there is.
struct Bench {
    dir: tempfile::TempDir,
    wasm: PathBuf,
    sha256: String,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wasm = dir.path().join("tiny.wasm");
        fs::write(&wasm, b"\0asm\x01\0\0\0").unwrap();
        let sha256 = hex(&Sha256::digest(b"\0asm\x01\0\0\0"));
        Self { dir, wasm, sha256 }
    }

    fn cache(&self) -> Cache {
        Cache::at(self.dir.path().join("aot"))
    }

    /// Loads, and tells what was reported meanwhile.
    fn load(&self) -> Result<Vec<Progress>, Error> {
        let seen = RefCell::new(Vec::new());
        let engine = crate::engine::shared()?;
        self.cache().load(engine, &self.wasm, &self.sha256, &|p| {
            seen.borrow_mut().push(p)
        })?;
        Ok(seen.into_inner())
    }

    fn entry(&self, ext: &str) -> PathBuf {
        let dir = fs::read_dir(self.dir.path().join("aot")).unwrap();
        dir.map(|e| e.unwrap().path())
            .find(|p| p.extension().is_some_and(|e| e == ext))
            .unwrap()
    }
}

fn compiling() -> Vec<Progress> {
    vec![Progress::Compiling {
        name: "tiny.wasm".into(),
    }]
}

#[test]
fn a_module_is_compiled_once() {
    let bench = Bench::new();
    assert_eq!(bench.load().unwrap(), compiling());
    assert_eq!(bench.load().unwrap(), []);
    assert_eq!(
        fs::metadata(bench.entry("cwasm")).unwrap().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(bench.dir.path().join("aot")).unwrap().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_hit_does_not_need_the_module_itself() {
    let bench = Bench::new();
    bench.load().unwrap();
    fs::remove_file(&bench.wasm).unwrap();
    assert_eq!(bench.load().unwrap(), []);
}

#[test]
fn a_damaged_entry_is_made_again() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
    ];
    for damage in damages {
        let bench = Bench::new();
        bench.load().unwrap();
        let mut bytes = fs::read(bench.entry("cwasm")).unwrap();
        damage(&mut bytes);
        fs::write(bench.entry("cwasm"), bytes).unwrap();
        assert_eq!(bench.load().unwrap(), compiling());
        assert_eq!(bench.load().unwrap(), []);
    }
}

#[test]
fn an_entry_that_others_can_write_is_not_trusted() {
    let bench = Bench::new();
    bench.load().unwrap();
    fs::set_permissions(bench.entry("cwasm"), fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(bench.load().unwrap(), compiling());
}

#[test]
fn an_entry_copied_elsewhere_is_checked_and_kept() {
    let bench = Bench::new();
    bench.load().unwrap();
    let entry = bench.entry("cwasm");
    let bytes = fs::read(&entry).unwrap();
    fs::remove_file(&entry).unwrap();
    fs::write(&entry, bytes).unwrap();
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(bench.load().unwrap(), []);
}

#[test]
fn a_note_that_is_not_ours_is_ignored() {
    let bench = Bench::new();
    bench.load().unwrap();
    fs::write(bench.entry("json"), "{\"sha256\": 7}").unwrap();
    assert_eq!(bench.load().unwrap(), compiling());
}

#[test]
fn the_wrong_module_is_refused() {
    let bench = Bench::new();
    fs::write(&bench.wasm, b"\0asm\x01\0\0\0\0\x02\x01a").unwrap();
    assert!(matches!(bench.load(), Err(Error::Checksum { .. })));
}

#[test]
fn a_folder_that_cannot_be_used_costs_only_time() {
    let bench = Bench::new();
    fs::write(
        bench.dir.path().join("aot"),
        "a file where the folder should be",
    )
    .unwrap();
    let seen = bench.load().unwrap();
    assert!(
        matches!(
            seen.as_slice(),
            [Progress::NotKept { .. }, Progress::Compiling { .. }]
        ),
        "{seen:?}"
    );
}

/// What is said when the folder of the cache is as `make` leaves it.
fn not_kept(make: impl Fn(&Path)) -> String {
    let bench = Bench::new();
    make(bench.dir.path());
    match bench.load().unwrap().as_slice() {
        [Progress::NotKept { reason, .. }, Progress::Compiling { .. }] => reason.clone(),
        other => format!("{other:?}"),
    }
}

fn set_mode(dir: &Path, mode: u32) {
    fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_others_could_have_filled_is_refused() {
    let linked = not_kept(|dir| {
        fs::create_dir(dir.join("elsewhere")).unwrap();
        set_mode(&dir.join("elsewhere"), 0o700);
        std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join("aot")).unwrap();
    });
    assert!(linked.contains("a link"), "{linked}");
    for mode in [0o770, 0o702] {
        let shared = not_kept(|dir| {
            fs::create_dir(dir.join("aot")).unwrap();
            set_mode(&dir.join("aot"), mode);
        });
        assert!(shared.contains("others can write"), "{shared}");
    }
    let around = not_kept(|dir| set_mode(dir, 0o777));
    assert!(around.contains("everyone can write"), "{around}");
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let other = not_kept(|dir| {
        fs::create_dir(dir.join("aot")).unwrap();
        // Only root may give a folder away.
        let _ = std::os::unix::fs::chown(dir.join("aot"), Some(12_345), None);
    });
    if user() == 0 {
        assert!(other.contains("belongs to another user"), "{other}");
    }
}

#[test]
fn a_folder_that_others_may_only_read_is_closed_to_them() {
    let bench = Bench::new();
    let dir = bench.dir.path().join("aot");
    fs::create_dir(&dir).unwrap();
    set_mode(&dir, 0o755);
    assert_eq!(bench.load().unwrap(), compiling());
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn without_a_folder_nothing_is_kept_and_that_is_said_once() {
    let bench = Bench::new();
    for base in [None, Some(PathBuf::from("relative"))] {
        let cache = Cache::below(base);
        assert_eq!(cache.digest_of(&bench.wasm).unwrap(), bench.sha256);
        let said = RefCell::new(Vec::new());
        for _ in 0..2 {
            let engine = crate::engine::shared().unwrap();
            let hear = |progress| said.borrow_mut().push(progress);
            cache
                .load(engine, &bench.wasm, &bench.sha256, &hear)
                .unwrap();
        }
        let said = said.into_inner();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            matches!(&said[0], Progress::NotKept { reason, .. } if reason.contains("XDG_CACHE_HOME")),
            "{said:?}"
        );
    }
}

#[test]
fn a_race_compiles_once() {
    let bench = Bench::new();
    let compiled = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| bench.load().unwrap()))
            .collect();
        let seen = racers.into_iter().flat_map(|r| r.join().unwrap());
        seen.filter(|p| matches!(p, Progress::Compiling { .. }))
            .count()
    });
    assert_eq!(compiled, 1);
}

#[test]
fn a_digest_is_remembered_until_the_file_changes() {
    let bench = Bench::new();
    assert_eq!(bench.cache().digest_of(&bench.wasm).unwrap(), bench.sha256);
    assert_eq!(bench.cache().digest_of(&bench.wasm).unwrap(), bench.sha256);
    fs::write(&bench.wasm, b"other").unwrap();
    assert_eq!(
        bench.cache().digest_of(&bench.wasm).unwrap(),
        hex(&Sha256::digest(b"other"))
    );
}
