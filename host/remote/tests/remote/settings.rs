//! The configuration file.

use std::fs;
use std::path::Path;

use spoor_remote::{Places, Settings, SettingsError};

const GOOD: &str = "[workspaces.NAME]\nkind = 'defender'\n";

fn write(path: &Path, name: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, GOOD.replace("NAME", name)).unwrap();
}

#[test]
fn the_nearest_word_counts() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    fs::create_dir_all(at("work/deep/er")).unwrap();
    let mut places = Places {
        directory: Some(at("work/deep/er")),
        settings: Some(at("home/.config")),
        ..Places::default()
    };
    assert_eq!(Settings::find_in(&places).unwrap(), Settings::default());
    let found = |places: &Places| {
        let settings = Settings::find_in(places).unwrap();
        settings.workspaces.list()[0].name.clone()
    };
    write(&at("home/.config/spoor/spoor.toml"), "own");
    assert_eq!(found(&places), "own");
    write(&at("work/spoor.toml"), "upper");
    assert_eq!(found(&places), "upper");
    write(&at("work/deep/spoor.toml"), "near");
    assert_eq!(found(&places), "near");
    write(&at("variable.toml"), "variable");
    places.variable = Some(at("variable.toml"));
    assert_eq!(found(&places), "variable");
    write(&at("explicit.toml"), "explicit");
    places.explicit = Some(at("explicit.toml"));
    assert_eq!(found(&places), "explicit");
    assert_eq!(Settings::find_in(&places).unwrap().path, places.explicit);
    // A file that is named has to be there.
    places.explicit = Some(at("none.toml"));
    let error = Settings::find_in(&places).unwrap_err().to_string();
    assert!(error.contains("none.toml cannot be read"), "{error}");
    assert!(
        error.ends_with("correct the path that --config gives, or make the file readable"),
        "{error}"
    );
}

fn error(text: &[u8]) -> (SettingsError, String) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("spoor.toml");
    fs::write(&path, text).unwrap();
    let error = Settings::find(Some(&path)).unwrap_err();
    let folder = format!("{}/", root.path().display());
    let told = error.to_string().replace(&folder, "");
    (error, told)
}

#[test]
fn mistakes_have_their_lines() {
    let text = "default = 'sok'\n\n[workspaces.soc]\nkind = 'log-analytics'\nworkspace-id = 'none'\ncolour = 1\n\n[workspaces.soc.limits]\nrows = 0\n\n[workspaces.adx]\nkind = 'kusto'\ndatabase = 'D'\n";
    let (error, told) = error(text.as_bytes());
    let SettingsError::Mistakes { notes, .. } = error else {
        panic!("{told}");
    };
    let lines: Vec<(usize, &str)> = notes
        .iter()
        .map(|note| (note.line, note.mistake.field.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (1, "default"),
            (5, "workspace-id"),
            (6, "colour"),
            (9, "limits.rows"),
            (11, "endpoint")
        ]
    );
    let first = "spoor.toml:5: workspace 'soc': 'workspace-id': 'none' is no GUID; write 32 hexadecimal digits";
    assert!(told.contains(first), "{told}");
}

#[test]
fn what_is_no_configuration_has_its_line_too() {
    for (text, start) in [
        (&b"default = 'a'\n[workspaces"[..], "spoor.toml:2: "),
        (b"[workspaces.a]\nkind = 7\n", "spoor.toml:2: invalid type"),
        (b"[workspaces.a.limits]\n\nrows = -1\n", "spoor.toml:3: "),
        (
            b"\n\n\xff",
            "spoor.toml:3: there is a byte that is no UTF-8",
        ),
    ] {
        let (_, told) = error(text);
        assert!(told.starts_with(start), "{told}");
        assert!(told.ends_with("; correct that line"), "{told}");
    }
    let (error, _) = error(&vec![b'#'; 2 << 20]);
    assert!(matches!(error, SettingsError::TooLong(_)));
}

#[test]
fn the_example_holds() {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/../../runtime/providers/tests/data/spoor.toml");
    let settings = Settings::find(Some(Path::new(&path))).unwrap();
    assert_eq!(
        settings.workspaces.default_workspace().unwrap().name,
        "sentinel"
    );
    let marked = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        marked.path(),
        format!("\u{feff}{}", GOOD.replace("NAME", "soc")),
    )
    .unwrap();
    assert!(Settings::find(Some(marked.path())).is_ok());
}
