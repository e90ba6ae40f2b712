//! What completion offers, and what it does not, by the place in the query. `‸` marks the place.

#![allow(clippy::unwrap_used)]

use spoor_kql::bind::{Completion, CompletionKind, Completions, complete, hover};
use spoor_kql::{Engine, EngineOptions};
use spoor_table::{Column, KustoType, Table};

fn engine() -> Engine {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let logins = [
        ("When", KustoType::DateTime),
        ("User", KustoType::String),
        ("Result Code", KustoType::Long),
        ("Details", KustoType::Dynamic),
    ];
    engine.register("Logins", table(&logins));
    engine.register(
        "Hosts",
        table(&[("User", KustoType::String), ("Host", KustoType::String)]),
    );
    engine
}

fn table(columns: &[(&str, KustoType)]) -> Table {
    let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty));
    Table::empty(columns.collect::<Vec<_>>())
}

fn at(query: &str) -> Completions {
    let (before, after) = query.split_once('‸').unwrap();
    let text = format!("{before}{after}");
    complete(&text, before.len(), engine().catalogue())
}

fn texts(items: &[Completion], kind: CompletionKind) -> Vec<&str> {
    let of_kind = items.iter().filter(|item| item.kind == kind);
    of_kind.map(|item| item.text.as_str()).collect()
}

/// What is offered of one kind.
fn offered(query: &str, kind: CompletionKind) -> Vec<String> {
    let items = at(query).items;
    texts(&items, kind).into_iter().map(str::to_owned).collect()
}

fn columns(query: &str) -> Vec<String> {
    offered(query, CompletionKind::Column)
}

const NONE: [&str; 0] = [];

#[test]
fn a_query_begins_with_a_table_or_a_source() {
    for query in ["‸", "let x = 1;\n‸", "// hunt\n‸"] {
        let items = at(query).items;
        assert_eq!(
            texts(&items, CompletionKind::Table),
            ["Hosts", "Logins"],
            "{query}"
        );
        let keywords = texts(&items, CompletionKind::Keyword);
        assert!(
            keywords.contains(&"print") && keywords.contains(&"let"),
            "{query}"
        );
        assert_eq!(texts(&items, CompletionKind::Column), NONE, "{query}");
    }
    assert_eq!(offered("Log‸", CompletionKind::Table), ["Logins"]);
    assert_eq!(offered("log‸", CompletionKind::Table), ["Logins"]);
}

#[test]
fn after_a_pipe_stand_operators_and_nothing_else() {
    let items = at("Logins | ‸").items;
    let operators = texts(&items, CompletionKind::Operator);
    assert_eq!(operators.len(), items.len());
    for wanted in [
        "where",
        "summarize",
        "project-away",
        "mv-expand",
        "join",
        "render",
    ] {
        assert!(operators.contains(&wanted), "{wanted}");
    }
    let started = at("Logins\n| project-a‸ | take 1");
    assert_eq!(
        texts(&started.items, CompletionKind::Operator),
        ["project-away"]
    );
    assert_eq!(started.range, 9..18);
}

#[test]
fn columns_are_those_in_scope_at_the_place() {
    let all = ["When", "User", "['Result Code']", "Details"];
    assert_eq!(columns("Logins | where ‸"), all);
    assert_eq!(columns("Logins | where User == 'x' and ‸"), all);
    assert_eq!(
        columns("Logins | project User, n = 1 | where ‸"),
        ["User", "n"]
    );
    assert_eq!(
        columns("Logins | summarize c = count() by User | sort by ‸"),
        ["User", "c"]
    );
    assert_eq!(
        columns("Logins | extend Day = bin(When, 1d) | project D‸"),
        ["Details", "Day"]
    );
    assert_eq!(
        columns("Logins | where Us‸er == 1 | project-away User"),
        ["User"]
    );
}

#[test]
fn columns_know_their_types() {
    let items = at("Logins | extend n = strlen(User) | where n‸").items;
    let found = items.iter().find(|item| item.text == "n").unwrap();
    assert_eq!(found.detail, "long");
}

#[test]
fn what_stands_after_the_place_and_mistakes_before_it_do_no_harm() {
    assert_eq!(
        columns("Logins | where ‸ | summarize count() by Nix"),
        columns("Logins | where ‸")
    );
    // The mistaken operator is left out.
    assert_eq!(
        columns("Logins | project User | where Nix > 1 | extend ‸"),
        ["User"]
    );
    assert_eq!(columns("Nowhere | where ‸"), NONE);
    // Nor do a comment before a pipe and a definition that does not bind.
    assert_eq!(columns("Hosts // all of them\n| where ‸"), ["User", "Host"]);
    assert_eq!(
        columns("let x = Nowhere | take 1; Hosts | where ‸"),
        ["User", "Host"]
    );
}

#[test]
fn a_subquery_has_columns_of_its_own() {
    assert_eq!(columns("Logins | join (Hosts | where ‸"), ["User", "Host"]);
    assert_eq!(
        columns("Logins | join (Hosts | where Host == 'x') on ‸")
            .first()
            .unwrap(),
        "When"
    );
    assert_eq!(
        columns("let T = Hosts | project Host; T | where ‸"),
        ["Host"]
    );
}

#[test]
fn functions_follow_the_operator() {
    let has = |query: &str, kind, name: &str| offered(query, kind).iter().any(|text| text == name);
    assert!(has("Logins | where ‸", CompletionKind::Function, "strlen"));
    assert!(has(
        "Logins | where toup‸",
        CompletionKind::Function,
        "toupper"
    ));
    assert!(!has(
        "Logins | where ‸",
        CompletionKind::Aggregate,
        "dcount"
    ));
    assert!(has(
        "Logins | summarize ‸",
        CompletionKind::Aggregate,
        "dcount"
    ));
    assert!(has(
        "Logins | summarize arg‸ by User",
        CompletionKind::Aggregate,
        "arg_max"
    ));
    assert!(!has(
        "Logins | summarize count() by ‸",
        CompletionKind::Aggregate,
        "dcount"
    ));
    assert!(has(
        "Logins | summarize count() by ‸",
        CompletionKind::Function,
        "bin"
    ));
    let items = at("Logins | where strle‸").items;
    assert_eq!(items.first().unwrap().detail, "strlen(text)");
}

#[test]
fn joins_have_kinds_and_tables() {
    let kinds = offered("Logins | join kind=‸", CompletionKind::Keyword);
    assert!(kinds.iter().any(|kind| kind == "leftanti"), "{kinds:?}");
    assert_eq!(
        offered(
            "Logins | join kind=right‸ (Hosts) on User",
            CompletionKind::Keyword
        ),
        ["rightanti", "rightouter", "rightsemi"]
    );
    assert_eq!(
        offered("Logins | lookup kind=‸", CompletionKind::Keyword),
        ["inner", "leftouter"]
    );
    for query in [
        "Logins | join ‸",
        "Logins | join kind=inner (‸",
        "union ‸",
        "union Logins, ‸",
    ] {
        let tables = offered(query, CompletionKind::Table);
        assert_eq!(tables, ["Hosts", "Logins"], "{query}");
        assert_eq!(columns(query), NONE, "{query}");
    }
}

#[test]
fn words_of_an_operator_and_types() {
    let has = |query: &str, word: &str| {
        let words = offered(query, CompletionKind::Keyword);
        words.iter().any(|text| text == word)
    };
    assert!(has("Logins | summarize count() ‸", "by"));
    assert!(!has("Logins | summarize count() by User ‸", "by"));
    assert!(has("Logins | sort by When ‸", "desc"));
    assert!(has("Logins | mv-expand Details ‸", "to typeof("));
    assert!(has("Logins | mv-expand kind=‸", "bag"));
    assert!(has("Logins | parse User ‸", "with"));
    assert!(!has("Logins | parse User with * ‸", "with"));
    assert!(has("Logins | mv-expand Details to typeof(‸", "long"));
    assert!(has("datatable(a:‸", "datetime"));
    assert!(has("Logins | render ‸", "timechart"));
    assert!(has("union kind=‸", "outer"));
}

#[test]
fn names_that_let_defines() {
    let query = "let limit_ = 5; let Few = Hosts | take 5; let twice = (x: long) { x * 2 }; Logins | where l‸";
    assert_eq!(offered(query, CompletionKind::Variable), ["limit_"]);
    assert!(
        offered(
            "let twice = (x: long) { x * 2 }; Logins | where tw‸",
            CompletionKind::Function
        )
        .contains(&"twice".to_owned())
    );
    assert_eq!(
        offered("let Few = Hosts | take 5; F‸", CompletionKind::Table),
        ["Few"]
    );
}

#[test]
fn nothing_inside_texts_and_comments() {
    for query in [
        "Logins | where User == \"Lo‸",
        "Logins // Lo‸",
        "print 'a‸'",
    ] {
        assert_eq!(at(query).items, [], "{query}");
    }
}

#[test]
fn a_completion_replaces_the_word_before_the_place() {
    assert_eq!(at("Logins | where Us‸").range, 15..17);
    assert_eq!(at("Logins | where ‸").range, 15..15);
    // A place inside a character, and one behind the end.
    let catalogue = engine();
    complete("Logins | where é", 16, catalogue.catalogue());
    complete("Logins", 99, catalogue.catalogue());
}

#[test]
fn hover_tells_what_a_word_is() {
    let engine = engine();
    let on = |query: &str| {
        let (before, after) = query.split_once('‸').unwrap();
        hover(
            &format!("{before}{after}"),
            before.len(),
            engine.catalogue(),
        )
    };
    assert_eq!(
        on("Logins | where U‸ser == 'x'").unwrap().title,
        "User: string"
    );
    assert_eq!(
        on("Logins | wh‸ere User == 'x'").unwrap().title,
        "where condition"
    );
    assert_eq!(
        on("Logins | extend n = str‸len(User)").unwrap().title,
        "strlen(text)"
    );
    let table = on("Log‸ins | take 1").unwrap();
    assert_eq!(table.text, "A table of 4 columns.");
    assert!(table.code.starts_with("When: datetime\nUser: string"));
    assert!(table.markdown().ends_with(
        "```kql\nWhen: datetime\nUser: string\nResult Code: long\nDetails: dynamic\n```"
    ));
    assert_eq!(
        on("Logins | where User h‸as 'x'").unwrap().title,
        "text has term"
    );
    assert_eq!(
        on("Logins | where User !h‸as 'x'").unwrap().title,
        "text !has term"
    );
    assert_eq!(
        on("Logins | where ['Result C‸ode'] == 1").unwrap().title,
        "Result Code: long"
    );
    let join = on("Logins | jo‸in (Hosts) on User").unwrap();
    assert!(join.code.contains("| join"), "{join:?}");
    assert_eq!(
        on("print tosc‸alar(Logins | count)").unwrap().title,
        "toscalar(table)"
    );
    assert_eq!(
        on("let f = (x: long) { x }; print f‸(1)").unwrap().title,
        "f(...)"
    );
    assert_eq!(on("let n = 5; Logins | take ‸n").unwrap().title, "n: long");
    assert_eq!(on("Logins | where Nix‸ == 1"), None);
}

#[test]
fn operators_stand_behind_operands_and_only_there() {
    let words = |query: &str| offered(query, CompletionKind::Keyword);
    for wanted in ["has", "!has", "in~", "between", "matches regex", "and"] {
        let behind = words("Logins | where User ‸");
        assert!(behind.iter().any(|word| word == wanted), "{wanted}");
        let before = words("Logins | where ‸");
        assert!(!before.iter().any(|word| word == wanted), "{wanted}");
    }
    // Not built, so not offered.
    assert!(!words("Logins | where User ‸").contains(&"like".to_owned()));
    assert_eq!(columns("Logins | where User ‸"), NONE);
    assert_eq!(
        words("Logins | where User startsw‸"),
        ["startswith", "startswith_cs"]
    );
}

#[test]
fn sides_of_a_join_have_their_columns() {
    let join = "Logins | join kind=inner (Hosts | where Host == 'x') on";
    assert_eq!(
        columns(&format!("{join} $left.‸")),
        ["When", "User", "['Result Code']", "Details"]
    );
    assert_eq!(
        columns(&format!("{join} $left.User == $right.‸")),
        ["User", "Host"]
    );
    let words = offered(&format!("{join} ‸"), CompletionKind::Keyword);
    assert_eq!(words, ["$left.", "$right."]);
}

#[test]
fn options_and_their_values() {
    let words = |query: &str| offered(query, CompletionKind::Keyword);
    assert!(words("Logins | join ‸").contains(&"kind=".to_owned()));
    assert!(words("Logins | join hint.‸").contains(&"strategy=".to_owned()));
    assert_eq!(
        words("Logins | join hint.strategy=‸"),
        ["broadcast", "shuffle"]
    );
    assert_eq!(words("Logins | parse kind=re‸"), ["regex", "relaxed"]);
    assert_eq!(words("union isfuzzy=‸"), ["true", "false"]);
    assert_eq!(words("Logins | render timechart ‸"), ["with ("]);
    let properties = words("Logins | render timechart with (‸");
    assert!(
        properties.contains(&"ycolumns=".to_owned()),
        "{properties:?}"
    );
    assert_eq!(
        words("Logins | render timechart with (legend=‸"),
        ["hidden", "visible"]
    );
    assert_eq!(
        columns("Logins | render timechart with (xcolumn=Wh‸"),
        ["When"]
    );
    assert_eq!(
        columns("Logins | render timechart with (ycolumns=When, Us‸"),
        ["User"]
    );
}

#[test]
fn clauses_of_series_and_ranges() {
    let words = |query: &str| offered(query, CompletionKind::Keyword);
    let series = words("Logins | make-series n = count() ‸");
    for wanted in ["on", "default=", "step"] {
        assert!(series.iter().any(|word| word == wanted), "{wanted}");
    }
    let later = words("Logins | make-series n = count() on When from ago(1d) ‸");
    assert!(!later.iter().any(|word| word == "on" || word == "from"));
    assert_eq!(words("range x from 1 ‸"), ["to", "step"]);
    assert!(words("Logins | top 5 ‸").contains(&"by".to_owned()));
    assert!(words("Logins | sort ‸").contains(&"by".to_owned()));
}

#[test]
fn clauses_and_options_of_reduce_and_of_graphs() {
    let has = |query: &str, wanted: &str| {
        let words = offered(query, CompletionKind::Keyword);
        assert!(
            words.iter().any(|word| word == wanted),
            "{query}: {words:?}"
        );
    };
    has("Hosts | reduce ‸", "by");
    has("Hosts | reduce ‸", "kind=source");
    has("Hosts | reduce kind=‸", "source");
    has("Hosts | reduce by Host ‸", "with threshold=");
    has(
        "Hosts | reduce by Host with threshold=0.1, ‸",
        "characters=",
    );
    let graph = "Hosts | make-graph User --> Host with_node_id=Id";
    has(&format!("{graph} | graph-shortest-paths ‸"), "output=");
    has(&format!("{graph} | graph-shortest-paths output=‸"), "all");
    has(&format!("{graph} | graph-match cycles=‸"), "none");
    assert_eq!(
        columns("Hosts | reduce by Host | where ‸"),
        ["Pattern", "Count", "Representative"]
    );
    let named = format!("{graph} | graph-to-table nodes as N, edges as E; N | where ‸");
    assert_eq!(columns(&named), ["Id"]);
}

#[test]
fn parameters_are_in_scope_in_their_function() {
    let query = "let f = (name: string, T: (a: long)) { T | where ‸";
    assert_eq!(columns(query), ["a"]);
    assert_eq!(offered(query, CompletionKind::Variable), ["name"]);
    let inner = "let f = (n: long) { let twice = n * 2; Hosts | take tw‸";
    assert_eq!(offered(inner, CompletionKind::Variable), ["twice"]);
    // Outside it they are not.
    let outside = "let f = (n: long) { n }; Hosts | take ‸";
    assert_eq!(offered(outside, CompletionKind::Variable), NONE);
}

#[test]
fn names_inside_dynamic_columns_are_those_of_the_first_rows() {
    let mut engine = engine();
    let rows = engine
        .run(
            r#"print d = dynamic({"ip": "::1", "geo": {"city": "x", "a b": 1}}), s = "x""#,
            0,
        )
        .unwrap();
    engine.register("Events", rows.table);
    let at = |query: &str| {
        let (before, after) = query.split_once('‸').unwrap();
        let found = complete(
            &format!("{before}{after}"),
            before.len(),
            engine.catalogue(),
        );
        let names = found.items.iter().map(|item| item.text.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(at("Events | where d.‸"), ["geo", "ip"]);
    assert_eq!(at("Events | where d.geo.‸"), ["city"]);
    assert_eq!(at("Events | where d.g‸"), ["geo"]);
    assert_eq!(at("Events | where s.‸"), NONE);
    assert_eq!(at("Events | project s | where d.‸"), NONE);
}

#[test]
fn what_is_offered_is_described() {
    let items = at("Logins | ‸").items;
    for item in &items {
        assert!(item.documentation.ends_with('.'), "{item:?}");
        assert!(item.detail.starts_with(&item.text), "{item:?}");
    }
    let items = at("Logins | summarize ‸").items;
    let functions = items.iter().filter(|item| {
        matches!(
            item.kind,
            CompletionKind::Function | CompletionKind::Aggregate
        )
    });
    assert!(functions.clone().count() > 100);
    for item in functions {
        assert!(item.documentation.ends_with('.'), "{item:?}");
    }
    assert!(texts(&items, CompletionKind::Function).contains(&"toscalar"));
}

#[test]
fn new_names_are_not_completed() {
    for query in ["let ‸", "let x‸", "Logins | as ‸"] {
        assert_eq!(at(query).items, [], "{query}");
    }
}
