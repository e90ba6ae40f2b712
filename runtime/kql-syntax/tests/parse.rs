//! What the parser makes of text that is no query, or only nearly one: the diagnostics as people read them, and that nothing
//! panics.

#![allow(clippy::unwrap_used)]

use spoor_kql_syntax::{parse, render};

/// Each case of `diagnostics.md` is a fenced query and a fenced expectation. `UPDATE_EXPECT=1` rewrites the file.
#[test]
fn diagnostics_read_well() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/diagnostics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks: Vec<String> = text.split("```").map(str::to_owned).collect();
    for at in (1..blocks.len()).step_by(4) {
        let query = blocks[at]
            .strip_prefix("kql\n")
            .unwrap()
            .trim_end_matches('\n')
            .to_owned();
        let shown = render(&query, &parse(&query).diagnostics);
        blocks[at + 2] = format!("text\n{shown}");
    }
    let actual = blocks.join("```");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    assert_eq!(text, actual);
}

#[test]
fn nesting_bombs_are_a_diagnostic() {
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("a[", "]"),
        ("dynamic([", "])"),
        ("-", ""),
        ("(T | where ", ")"),
    ] {
        let bomb = format!("print x = {}1{}", open.repeat(20_000), close.repeat(20_000));
        let parsed = parse(&bomb);
        assert!(
            parsed
                .diagnostics
                .iter()
                .any(|d| d.message.contains("nests more than")),
            "{open}"
        );
    }
    let arrays = format!(
        "print dynamic({}{})",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    assert!(!parse(&arrays).diagnostics.is_empty());
}

#[test]
fn long_queries_are_fine() {
    let terms = (0..20_000)
        .map(|n| format!("'{n}'"))
        .collect::<Vec<_>>()
        .join(", ");
    assert_eq!(parse(&format!("T | where x in ({terms})")).diagnostics, []);
    let ors = (0..20_000)
        .map(|n| format!("x == {n}"))
        .collect::<Vec<_>>()
        .join(" or ");
    assert_eq!(parse(&format!("T | where {ors}")).diagnostics, []);
    let pipes = "| where x > 1 ".repeat(20_000);
    assert_eq!(parse(&format!("T {pipes}")).diagnostics, []);
}

/// Every prefix of a query that uses much of the grammar, and every query with one character taken out.
#[test]
fn broken_queries_do_not_panic() {
    let query = r#"let f = (a:long, T:(x:string)) { T | where x has "é" and a between (1 .. 2) };
declare query_parameters(p:string = "x"); set truncation;
f(1, datatable(x:string)["a", 'b', ```c```]) | extend ['a b'] = d.e[0]["f"], y = -1.5e3, z = @"\" !in~ (1d, T | project x)
| join kind=inner (union withsource=s T*, U | as V) on $left.a == $right.b, c | mv-expand a = b to typeof(long) limit 5
| parse kind=regex flags=i x with * "a" b:long * | make-series n = count() default=0 on t from ago(1d) to now() step 1h by k
| summarize (m, n) = arg_max(t, *), percentile(x, 95) by bin(t, 1h) | top-nested 2 of a with others="o" by sum(b) desc
| evaluate bag_unpack(d) : (*, a:string) | render timechart with (title="x", ycolumns=a, b) // done"#;
    assert_eq!(parse(query).diagnostics, []);
    for (at, character) in query.char_indices() {
        parse(&query[..at]);
        parse(&format!(
            "{}{}",
            &query[..at],
            &query[at + character.len_utf8()..]
        ));
    }
}
