//! Texts and data that would overflow the stack, fill the memory or never end: each is a result or a message, in little time. The
//! stack is as small as a browser's.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use spoor_kql::{Engine, EngineOptions, QueryError, Step};
use spoor_table::Value;

/// What a browser gives WebAssembly; native frames are no smaller.
const STACK: usize = 1 << 20;

/// The first cell of a query's result, or what is wrong.
fn first(query: &str) -> Result<Value, String> {
    let options = EngineOptions {
        memory_bytes: 256 << 20,
        threads: 1,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).unwrap();
    let mut running = match engine.start(query, 0) {
        Ok(running) => running,
        Err(diagnostics) => return Err(diagnostics[0].message.clone()),
    };
    loop {
        match running.step(Duration::from_secs(1)) {
            Ok(Step::More | Step::Call(_)) => {}
            Ok(Step::Done(result)) => return Ok(result.table.value(0, 0)),
            Err(QueryError::Diagnostics(diagnostics)) => {
                return Err(diagnostics[0].message.clone());
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn on_a_small_stack(query: String) -> Result<Value, String> {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let start = Instant::now();
    let outcome = thread.spawn(move || first(&query)).unwrap().join().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{outcome:?} took too long"
    );
    outcome
}

fn refused(query: impl Into<String>, message: &str) {
    let outcome = on_a_small_stack(query.into());
    assert!(
        outcome.as_ref().is_err_and(|found| found.contains(message)),
        "{outcome:?}"
    );
}

fn gives(query: impl Into<String>, value: Value) {
    assert_eq!(on_a_small_stack(query.into()), Ok(value));
}

fn joined(count: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(between)
}

#[test]
fn parentheses() {
    let nested = |levels: usize| format!("print {}1{}", "(".repeat(levels), ")".repeat(levels));
    gives(nested(50), Value::Long(1));
    refused(nested(10_000), "levels deep");
}

#[test]
fn rows_of_operators() {
    let sum = format!(
        "range x from 1 to 1 step 1 | project {}",
        joined(300, " + ", |_| "x".into())
    );
    gives(sum, Value::Long(300));
    let sum = joined(10_000, " + ", |_| "1".into());
    refused(format!("print {sum}"), "operators in a row");
    // Rows within rows, each short.
    let mut nested = "1".to_owned();
    for _ in 0..40 {
        nested = format!("({nested}{})", " + 1".repeat(200));
    }
    refused(format!("print {nested}"), "levels deep");
    let members = joined(2_000, " ", |_| "in (1)".into());
    refused(format!("print 1 {members}"), "levels deep");
}

#[test]
fn ten_thousand_terms() {
    let or = joined(10_000, " or ", |n| format!("x == {}", n * 2));
    gives(
        format!("range x from 1 to 100 step 1 | where {or} | count"),
        Value::Long(50),
    );
    let differing = joined(10_000, " or ", |n| format!("x * {n} == 3"));
    gives(
        format!("range x from 1 to 100 step 1 | where {differing} | count"),
        Value::Long(2),
    );
    let list = joined(20_000, ", ", |n| format!("'{n}'"));
    gives(
        format!("print x = '17' | where x in ({list}) | count"),
        Value::Long(1),
    );
}

#[test]
fn pipes() {
    let long = |count: usize| format!("print x = 1 {} | count", "| where x < 5 ".repeat(count));
    gives(long(100), Value::Long(1));
    refused(long(5_000), "steps in a row");
    let extended = |count: usize| format!("print x = 1 {}", "| extend x = x + 1 ".repeat(count));
    gives(extended(100), Value::Long(101));
    refused(extended(5_000), "steps in a row");
    let lets = joined(2_000, " ", |n| {
        format!("let t{} = t{n} | where x < 5;", n + 1)
    });
    refused(
        format!("let t0 = print x = 1; {lets} t2000 | count"),
        "steps in a row",
    );
}

#[test]
fn things_that_double() {
    let tables = joined(40, " ", |n| format!("let t{} = union t{n}, t{n};", n + 1));
    refused(
        format!("let t0 = print x = 1; {tables} t40 | count"),
        "steps in a row",
    );
    let calls = joined(31, " ", |n| {
        format!("let f{} = (x: long) {{ f{n}(x) + f{n}(x) }};", n + 1)
    });
    let functions = format!("let f0 = (x: long) {{ x + 1 }}; {calls}");
    refused(format!("{functions} print f31(1)"), "called more than");
    refused(
        format!("{functions} range x from 1 to 2 step 1 | extend y = f31(x)"),
        "called more than",
    );
    let chain = joined(10_000, " ", |n| {
        format!("let f{} = () {{ f{n}() }};", n + 1)
    });
    refused(
        format!("let f0 = () {{ 1 }}; {chain} print f10000()"),
        "deep",
    );
    let random = joined(60, " ", |n| format!("let r{} = r{n} + r{n};", n + 1));
    refused(format!("let r0 = rand(); {random} print r60"), "too large");
}

#[test]
fn what_reads_columns_again_and_again() {
    // Before the projections, where the optimizer would put it, the condition would have a million million nodes.
    let doubled = joined(40, " | ", |_| {
        "extend a = substring(strcat(a, a), 0, 9)".to_owned()
    });
    gives(
        format!("print a = 'x' | {doubled} | where a startswith 'xx' | project strlen(a)"),
        Value::Long(9),
    );
    // Each table would have the columns of all.
    let table = |at: usize| format!("(print {})", joined(50, ", ", |c| format!("c{at}_{c} = 1")));
    refused(
        format!("union {}", joined(300, ", ", table)),
        "300 tables together have 15000 columns, which is too many",
    );
}

#[test]
fn large_values() {
    let long = "let s = strrep('0123456789abcdef', 1024);";
    refused(
        format!(
            "{long} range x from 1 to 100000 step 1 | extend t = strcat(s, x, s, x, s) | summarize max(strlen(t)), make_list(t)"
        ),
        "take more than",
    );
    gives(
        format!(
            "{long} let t = replace_string(s, '0', s); let u = replace_string(t, '1', t); print strlen(replace_string(u, '2', u))"
        ),
        Value::Long(0),
    );
    gives(
        "print array_length(repeat(strrep('x', 1000), 100000000)) < 100000",
        Value::Bool(true),
    );
    gives(
        "print array_length(range(1, 1000000000000, 1))",
        Value::Long(1_048_576),
    );
    gives(
        "print array_length(array_slice(dynamic([1, 2]), 9223372036854775807, long(-9223372036854775808)))",
        Value::Long(0),
    );
    refused(
        "range x from 1 to 1000 step 1 | mv-expand y = range(x, 1000000, 1) | count",
        "take more than",
    );
    refused(
        "range x from 1 to 1000 step 1 | make-series n = count() on x from 0 to 1000000 step 1 by k = x",
        "take more than",
    );
}

#[test]
fn long_constants() {
    let array = "let m = range(1, 1048576);";
    gives(
        format!("{array} range x from 1 to 20000 step 1 | summarize sum(tolong(m[x]))"),
        Value::Long(200_030_000),
    );
    gives(
        format!(
            "{array} range x from 1 to 8 step 1 | extend y = m | summarize sum(array_length(y))"
        ),
        Value::Long(8 << 20),
    );
    gives(
        format!(
            "{array} range x from 1 to 9000 step 1 | extend y = iff(x == 7, m, dynamic([])) | summarize max(array_length(y))"
        ),
        Value::Long(1 << 20),
    );
    for query in [
        "range x from 1 to 9000 step 1 | extend y = m | summarize sum(array_length(y))",
        "range x from 1 to 9000 step 1 | extend y = iff(x > 7, m, dynamic([])) | summarize sum(array_length(y))",
        "range x from 1 to 9000 step 1 | summarize make_list(m) by x % 2",
    ] {
        refused(format!("{array} {query}"), "take more than");
    }
    let text = "let t = strrep('0123456789abcdef', 1024, strrep('-', 100));";
    gives(
        format!("{text} range x from 1 to 9000 step 1 | where iff(x == 8, t, '') == t | count"),
        Value::Long(1),
    );
    gives(
        format!("{text} range x from 1 to 9000 step 1 | where tostring(x) in ('7', t) | count"),
        Value::Long(1),
    );
}

#[test]
fn a_long_array_beside_a_long_text_is_unnested_piece_by_piece() {
    // All at once these would be 2 GB of text.
    let query = "range x from 1 to 200 step 1 | extend s = strrep('y', 1000, tostring(x % 10)) \
                 | mv-expand e = range(1, 5000, 1) | summarize count(), max(strlen(s))";
    gives(query, Value::Long(1_000_000));
}

#[test]
fn regular_expressions() {
    refused(
        "print 'a' matches regex @'((((\\w{50}){50}){50}){50})'",
        "regular expression",
    );
    let query = "range x from 1 to 40 step 1 | where 'aaa' matches regex strcat('^(\\\\w{', x, '}){1,9}$') | count";
    gives(query, Value::Long(2));
    gives(
        "range x from 1 to 9 step 1 | where 'a' matches regex strcat(x, '(') | count",
        Value::Long(0),
    );
    // No pattern takes longer than the text is long.
    let query = "print s = strrep('a', 1024) | where s matches regex '(a|a)*(a|aa)*b' | count";
    gives(query, Value::Long(0));
}

#[test]
fn the_ends_of_numbers_and_times() {
    for query in [
        "print 9223372036854775807 + 1",
        "print long(-9223372036854775808) / -1",
        "print long(-9223372036854775808) % -1",
        "print -long(-9223372036854775808)",
        "print abs(long(-9223372036854775808))",
        "print 1 / 0",
        "print 1 % 0",
        "print 1d / 0",
        "print datetime(9999-12-31) + 100d",
        "print datetime(0001-01-01) - 1tick",
        "print timespan(10675199.00:00:00) * 1000",
        "print datetime_add('year', 9223372036854775807, datetime(2024-01-01))",
        "print datetime_add('nanosecond', long(-9223372036854775808), datetime(2024-01-01))",
        "print startofmonth(datetime(2024-01-01), 9223372036854775807)",
        "print endofweek(datetime(0001-01-01), long(-9223372036854775808))",
        "print bin(long(-9223372036854775808), 7)",
        "print bin_at(long(-9223372036854775808), 7, 9223372036854775807)",
        "print substring('abc', long(-9223372036854775808), 9223372036854775807)",
        "print indexof('abc', 'c', long(-9223372036854775808), 9223372036854775807, 9223372036854775807)",
        "print array_slice(dynamic([1]), long(-9223372036854775808), 9223372036854775807)",
        "print array_rotate_left(dynamic([1, 2]), long(-9223372036854775808))",
        "print array_shift_right(dynamic([1, 2]), long(-9223372036854775808))",
        "print dynamic([1])[9223372036854775807]",
        "print tohex(long(-9223372036854775808), 99999)",
        "print round(1.5, 9223372036854775807)",
        "print decimal(99999999999999999999) * decimal(99999999999999999999)",
        "print binary_shift_left(1, 9223372036854775807)",
        "print format_timespan(timespan(-10675199.02:48:05), 'd.hh:mm:ss')",
        "print gamma(-1e308), loggamma(1e308), erf(-1e308)",
        "range x from 9223372036854775806 to 9223372036854775807 step 1",
        "print x = 1 | take 9223372036854775807",
        "print x = 1 | top 9223372036854775807 by x",
        "print x = dynamic([1]) | mv-expand x limit 9223372036854775807",
        "print x = 1 | serialize | extend y = prev(x, 9223372036854775807), z = next(x, long(-9223372036854775808))",
        "print x = 1 | summarize percentile(x, 100), make_list(x, 9223372036854775807)",
    ] {
        if let Err(message) = on_a_small_stack(query.to_owned()) {
            panic!("{query}: {message}");
        }
    }
}

#[test]
fn characters_of_several_bytes() {
    for query in [
        "print s = 'né😀x é' | union (print s = 'né😀y é') | reduce by s with characters='😀é'",
        "print s = 'né😀x é' | union (print s = 'né😀y é') | reduce kind=source by s with threshold=0",
        "print substring('né😀x', 1, 2)",
        "print indexof('né😀x', 'x', 2), indexof_regex('né😀x', '.', 3)",
        "print trim('[é😀]', '😀né😀'), trim_end('é', 'né'), trim_start('n', 'né')",
        "print split('né😀x', 'é'), reverse('né😀x'), translate('é', '😀', 'né')",
        "print 'né😀x' has 'né', 'né😀x' hasprefix 'NÉ', 'né😀x' contains '😀', 'İ' =~ 'i'",
        "print replace_regex('né😀x', '(.)', '\\\\1\\\\1'), extract('(.)x', 1, 'né😀x')",
        "print parse_url('http://né:😀@é/😀?é=😀#é'), parse_path('é\\\\😀.é'), parse_ipv4('é'), parse_csv('é,\"😀')",
        "print todatetime('2024-0é-01'), totimespan('é')",
        "print parse_json('{\"é\":\"😀').é, extract_json('$.é[😀', '{\"é\":1}'), bag_has_key(dynamic({\"é\":1}), '$.é')",
        "print s = 'né😀x' | parse s with 'n' a '😀' b | parse s with * 'é' c:long 'x'",
        "print base64_decode_tostring('w6k='), url_decode('%C3'), url_encode('é😀'), tohex(255), parse_version('é.1')",
    ] {
        let outcome = on_a_small_stack(query.to_owned());
        assert!(outcome.is_ok(), "{query}: {outcome:?}");
    }
}

/// A graph of forty nodes with edges between any two.
const DENSE: &str = "range i from 1 to 40 step 1 | extend k = 1 \
    | join kind=inner (range j from 1 to 40 step 1 | extend k = 1) on k \
    | make-graph i --> j with_node_id=Id | graph-match ";

#[test]
fn a_pattern_with_too_many_matches_ends_at_the_memory() {
    refused(
        format!("{DENSE} (a)-[e*6..6]->(b) project a.Id, b.Id"),
        "memory",
    );
}

/// All paths of so many edges in such a graph would need more memory than there is.
#[test]
fn one_shortest_path_needs_no_others() {
    let graph = DENSE.trim_end().trim_end_matches("graph-match");
    let found = "where a.Id == 1 and all(e, i + j < 80) project b.Id, n = array_length(map(e, k))";
    let path = |output: &str| {
        format!(
            "{graph} graph-shortest-paths {output} (a)-[e*1..6]->(b) {found} | summarize max(n)"
        )
    };
    gives(path("output=any"), Value::Long(1));
    refused(path("output=all"), "memory");
    let chain = "range i from 1 to 30 step 1 | extend j = i + 1 | make-graph i --> j with_node_id=Id \
         | graph-shortest-paths (a)-[e*1..16]-(b) where a.Id == 3 project b.Id, n = array_length(map(e, i)) | summarize max(n)";
    gives(chain, Value::Long(16));
}

#[test]
fn a_pattern_of_many_paths_is_planned() {
    let query = "datatable(a: long, b: long)[1, 2, 2, 3] | make-graph a --> b with_node_id=Id \
         | graph-match (x)-[e*1..8]->(y)-[f*1..8]->(z) project x.Id, z.Id | count";
    gives(query, Value::Long(1));
    refused(
        format!("{DENSE} (x)-[e*1..9]->(y)-[f*1..8]->(z) project x.Id"),
        "in too many ways",
    );
    refused(
        format!("{DENSE} (x)-[e*1..17]->(y) project x.Id"),
        "1 to 16 edges",
    );
}
