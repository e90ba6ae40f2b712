#![allow(clippy::unwrap_used)]
use super::*;

fn list(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn entry(title: &str, description: &str, tables: &str, sources: &str, tags: &str) -> Entry {
    Entry {
        file: format!("{}.ipynb", title.to_lowercase()),
        title: title.to_owned(),
        description: description.to_owned(),
        author: "Spoor".to_owned(),
        data_types: list(tables),
        data_sources: list(sources),
        tags: list(tags),
        revised: None,
    }
}

fn entries() -> Vec<Entry> {
    vec![
        entry(
            "Alert",
            "A macro starts a shell",
            "DeviceProcessEvents SecurityAlert",
            "Defender",
            "execution T1059",
        ),
        entry(
            "Credentials",
            "Passwords on command lines",
            "DeviceProcessEvents",
            "Defender",
            "credentials T1552",
        ),
        entry(
            "Sign-ins",
            "Alert on odd countries",
            "SigninLogs",
            "Entra",
            "identity credentials",
        ),
    ]
}

fn titles(filter: &Filter) -> Vec<String> {
    search(&entries(), filter)
        .into_iter()
        .map(|entry| entry.title.clone())
        .collect()
}

#[test]
fn words_are_found_anywhere_and_titles_come_first() {
    let words = |text: &str| {
        titles(&Filter {
            text: text.to_owned(),
            ..Filter::default()
        })
    };
    assert_eq!(words(""), ["Alert", "Credentials", "Sign-ins"]);
    assert_eq!(words("ALERT"), ["Alert", "Sign-ins"]);
    assert_eq!(words("credentials"), ["Credentials", "Sign-ins"]);
    assert_eq!(words("t1059 macro"), ["Alert"]);
    assert_eq!(words("signinlogs"), ["Sign-ins"]);
    assert_eq!(words("macro password"), [""; 0], "every word must be there");
}

#[test]
fn filters_narrow() {
    let tags = Filter {
        tags: list("Credentials"),
        ..Filter::default()
    };
    assert_eq!(titles(&tags), ["Credentials", "Sign-ins"]);
    let have = |tables: &str| {
        titles(&Filter {
            have: list(tables),
            ..Filter::default()
        })
    };
    assert_eq!(
        have("DeviceProcessEvents"),
        ["Credentials"],
        "all that it needs must be there"
    );
    assert_eq!(
        have("deviceprocessevents SecurityAlert"),
        ["Alert", "Credentials"]
    );
    let sources = Filter {
        data_sources: list("Entra AWS"),
        ..Filter::default()
    };
    assert_eq!(titles(&sources), ["Sign-ins"]);
}

#[test]
fn facets_count() {
    let tables = facet(&entries(), |entry| &entry.data_types);
    let expected = [
        ("DeviceProcessEvents", 2),
        ("SecurityAlert", 1),
        ("SigninLogs", 1),
    ];
    assert_eq!(
        tables,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
}

#[test]
fn an_entry_is_what_a_notebook_says_of_itself() {
    let notebook = include_bytes!("../../../gallery/process-alert.ipynb");
    let notebook = Notebook::from_slice(notebook).unwrap();
    let entry = Entry::of("hunts/process-alert.ipynb", &notebook);
    assert_eq!(entry.title, "A process alert, investigated");
    assert!(entry.data_types.contains(&"DeviceProcessEvents".to_owned()));
    assert!(!entry.description.is_empty() && !entry.tags.is_empty());
    let bare = Entry::of("hunts/bare.ipynb", &Notebook::new());
    assert_eq!(
        (bare.title.as_str(), bare.file.as_str()),
        ("bare", "hunts/bare.ipynb")
    );
}

#[test]
fn an_index_is_read_with_what_it_has() {
    let index = r#"[{"file": "a.ipynb", "title": "A", "more": 1}]"#;
    let entries: Vec<Entry> = serde_json::from_str(index).unwrap();
    assert_eq!(entries[0].title, "A");
    assert!(entries[0].tags.is_empty());
    let again: Vec<Entry> =
        serde_json::from_str(&serde_json::to_string(&entries).unwrap()).unwrap();
    assert_eq!(again, entries);
}

#[test]
fn techniques_are_told_from_words() {
    for id in ["T1059", "T1059.001"] {
        assert!(is_technique(id), "{id}");
    }
    for word in [
        "T105",
        "T1059.01",
        "T1059.",
        "t1059",
        "Team",
        "T10591",
        "execution",
        "",
    ] {
        assert!(!is_technique(word), "{word}");
    }
}

#[test]
fn the_techniques_of_the_notebooks_that_ship_have_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../gallery");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "ipynb")
        {
            continue;
        }
        let notebook = Notebook::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for tag in notebook.card().tags {
            if is_technique(&tag) {
                assert!(technique_name(&tag).is_some(), "{tag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}
