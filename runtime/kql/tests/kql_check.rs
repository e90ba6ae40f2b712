//! Queries that are checked and not run: all their mistakes at once, what each fix makes of them, and what their words are.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;

use spoor_kql::bind::{Catalogue, CatalogueTable, TokenSense, diagnose};
use spoor_kql::{Engine, EngineOptions};
use spoor_kql_syntax::{Diagnostic, Fix};
use spoor_table::{Column, KustoType, Table};

/// Logins and Hosts, which are known, and Unread, of which only the name is.
fn catalogue() -> Catalogue {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let logins = [
        ("When", KustoType::DateTime),
        ("User", KustoType::String),
        ("Result Code", KustoType::Long),
        ("Details", KustoType::Dynamic),
    ];
    let hosts = [("User", KustoType::String), ("Host", KustoType::String)];
    for (name, columns) in [("Logins", &logins[..]), ("Hosts", &hosts[..])] {
        let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty));
        engine.register(name, Table::empty(columns.collect::<Vec<_>>()));
    }
    let mut catalogue = engine.catalogue().clone();
    catalogue.insert("Unread".to_owned(), CatalogueTable::unread());
    catalogue
}

fn check(query: &str, catalogue: &Catalogue) -> Vec<Diagnostic> {
    diagnose(query, catalogue, 0).diagnostics
}

fn describe(query: &str, catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for diagnostic in check(query, catalogue) {
        writeln!(text, "{}", diagnostic.message).unwrap();
        if let Some(hint) = &diagnostic.hint {
            writeln!(text, "  = {hint}").unwrap();
        }
        for fix in &diagnostic.fixes {
            let mark = if fix.safe { "!" } else { "" };
            let fixed = fix.apply(query).unwrap();
            writeln!(text, "  {}{mark}: {fixed}", fix.title).unwrap();
        }
    }
    text
}

/// Where a byte of a text is after a fix.
fn moved(fix: &Fix, at: usize) -> usize {
    let before = fix.edits.iter().filter(|(range, _)| range.end <= at);
    before.fold(at, |at, (range, text)| at + text.len() - range.len())
}

/// Each fix puts right what it is for.
fn check_fixes(query: &str, catalogue: &Catalogue) {
    for diagnostic in check(query, catalogue) {
        for fix in &diagnostic.fixes {
            let fixed = fix.apply(query).unwrap();
            let same = |other: &Diagnostic| {
                other.message == diagnostic.message
                    && other.span.start == moved(fix, diagnostic.span.start)
            };
            assert!(
                !check(&fixed, catalogue).iter().any(same),
                "{query}\n{}\n{fixed}",
                diagnostic.message
            );
        }
    }
}

/// The queries of `fixes.md` with what is expected of each. `UPDATE_EXPECT=1` rewrites the file.
#[test]
fn mistakes_and_fixes_are_as_expected() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixes.md");
    let text = std::fs::read_to_string(path).unwrap();
    let catalogue = catalogue();
    let mut blocks: Vec<String> = text.split("\n```").map(str::to_owned).collect();
    let mut count = 0;
    for at in 0..blocks.len() {
        let Some(query) = blocks[at].strip_prefix("kql\n").map(str::to_owned) else {
            continue;
        };
        count += 1;
        check_fixes(&query, &catalogue);
        blocks[at + 2] = format!("text\n{}", describe(&query, &catalogue))
            .trim_end()
            .to_owned();
    }
    assert!(count > 40, "only {count} cases were found");
    let actual = blocks.join("\n```");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    assert_eq!(text, actual);
}

/// A sound query that uses much of the language, for what comes of it when a piece is taken out.
const SOUND: &str = "declare query_parameters(least: long = 3);\n\
     let recent = (T: (When: datetime), days: long) { T | where When > ago(days * 1d) };\n\
     let busy = Logins | summarize n = count() by User | where n >= least;\n\
     Logins\n\
     | invoke recent(7)\n\
     | where User in (busy | project User) and Details.ip != '::1'\n\
     | extend Day = bin(When, 1d), Code = tostring(['Result Code'])\n\
     | join kind=leftouter (Hosts | where Host has 'srv') on $left.User == $right.User\n\
     | mv-expand Tag = Details.tags to typeof(string)\n\
     | parse Code with a: long '-' b\n\
     | summarize Codes = make_set(Code), arg_max(When, *) by User, Day\n\
     | project-away Host, Tag\n\
     | top 10 by Day desc\n\
     | render timechart with (title='x')";

#[test]
fn a_sound_query_has_no_mistakes() {
    assert_eq!(check(SOUND, &catalogue()), []);
    assert_eq!(check("", &catalogue()), []);
    assert_eq!(check("// nothing yet\n", &catalogue()), []);
}

#[test]
fn a_parser_that_reads_one_table_alone_is_warned_of() {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let columns = vec![Column::new("TimeGenerated", KustoType::DateTime)];
    engine.register("ASimDnsActivityLogs", Table::empty(columns));
    let found = engine.check("_Im_Dns() | union (_Im_Dns()) | count", 0);
    let told: Vec<_> = found.iter().map(|d| (d.span.clone(), &d.message)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, 0..7);
    assert!(
        told[0]
            .1
            .starts_with("`_Im_Dns` reads ASimDnsActivityLogs alone")
    );
    assert!(!found[0].is_error());
}

#[test]
fn of_a_graph_of_rows_that_nobody_has_read_nothing_is_said() {
    let graph = "Unread | make-graph a --> b with_node_id=Id";
    let matched = format!("{graph} | graph-match (x)-[e]->(y) where e.c == 1 project x.Id, y.Id");
    for query in [
        format!("{matched} | where z > 1"),
        format!("{graph} | graph-to-table nodes"),
    ] {
        assert_eq!(check(&query, &catalogue()), [], "{query}");
    }
    let known = "Hosts | make-graph User --> Host with_node_id=Id | graph-match (x)-->(y) project x.Idd | where z > 1";
    assert_eq!(check(known, &catalogue()).len(), 1);
}

#[test]
fn tables_that_a_statement_names_are_known_after_it() {
    let named =
        "Hosts | make-graph User --> Host with_node_id=Id | graph-to-table nodes as N, edges as E";
    let found = |query: &str| check(query, &catalogue()).len();
    assert_eq!(
        found(&format!(
            "{named}; N | join kind=inner E on $left.Id == $right.User"
        )),
        0
    );
    assert_eq!(found(&format!("{named}; N | where Idd == ''")), 1);
    assert_eq!(found(&format!("{named}; N; E")), 1);
    assert_eq!(found("Unread | reduce by a | where Pattern has 'x'"), 0);
    assert_eq!(
        found("Unread | evaluate funnel_sequence(a, b, 1, 2, 3, 4, c, d) | where e == 1"),
        0
    );
}

/// Queries with a word taken out have mistakes of every kind: no fix may leave its diagnostic where it is, and nothing panics.
#[test]
fn fixes_of_broken_queries_put_right_what_they_are_for() {
    let catalogue = catalogue();
    let words: Vec<&str> = SOUND.split(' ').collect();
    for left_out in 0..words.len() {
        let mut fewer = words.clone();
        fewer.remove(left_out);
        check_fixes(&fewer.join(" "), &catalogue);
        let mut spoilt = words.clone();
        let worse = format!("{}x", words[left_out]);
        spoilt[left_out] = &worse;
        check_fixes(&spoilt.join(" "), &catalogue);
    }
}

#[test]
fn as_many_mistakes_are_told_as_a_person_reads() {
    let many = vec!["nix == 1"; 5_000].join(" or ");
    let found = check(&format!("Logins | where {many}"), &catalogue());
    assert!((10..=100).contains(&found.len()), "{}", found.len());
    // A query that is too large is told so once.
    let long = "| where User == 'a' ".repeat(3_000);
    let found = check(&format!("Logins {long}"), &catalogue());
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn words_are_what_they_mean() {
    let query = "let least = 3;\n\
                 let f = (x: long) { x + least };\n\
                 Logins | where Details.ip has 'a' and When > ago(1d) // c\n\
                 | summarize n = count(), dcount(User) by bin(When, 1h) | where n >= f(2) and nix == datetime(2024-01-01)";
    let found = diagnose(query, &catalogue(), 0);
    let senses = |word: &str| {
        let of_word = found
            .tokens
            .iter()
            .filter(|(span, _)| &query[span.clone()] == word);
        of_word.map(|(_, sense)| sense.name()).collect::<Vec<_>>()
    };
    for (word, expected) in [
        ("let", &["keyword", "keyword"][..]),
        ("least", &["variable", "variable"]),
        ("f", &["function", "function"]),
        ("x", &["parameter", "parameter"]),
        ("Logins", &["table"]),
        ("Details", &["column"]),
        ("ip", &["property"]),
        ("has", &["operator"]),
        ("ago", &["function"]),
        ("1d", &["timespan"]),
        ("// c", &["comment"]),
        ("count", &["aggregate"]),
        ("dcount", &["aggregate"]),
        ("n", &["column", "column"]),
        ("by", &["keyword"]),
        ("nix", &["name"]),
        ("datetime(2024-01-01)", &["datetime"]),
        ("'a'", &["string"]),
        ("2", &["number"]),
        ("long", &["type"]),
    ] {
        assert_eq!(senses(word), expected, "{word}");
    }
    assert!(
        !found
            .tokens
            .iter()
            .any(|(_, sense)| *sense == TokenSense::Error)
    );
}
