//! What Spoor does otherwise than Kusto, or where Kusto leaves it open. Examples run in the test that writes the page.

/// Something that is said.
pub(super) struct Said {
    /// In Markdown.
    pub sentence: &'static str,
    /// A query whose first row or message shows it; may be empty.
    pub example: &'static str,
}

const fn said(sentence: &'static str, example: &'static str) -> Said {
    Said { sentence, example }
}

/// All of it, by topic.
pub(super) const TOPICS: &[(&str, &[Said])] = &[
    ("Rows and their order", ROWS),
    ("Counts and percentiles", COUNTS),
    ("Numbers and dynamic values", VALUES),
    ("Comparing text", TEXT),
    ("Time", TIME),
    ("Tables, functions and options", TABLES),
];

const ROWS: &[Said] = &[
    said(
        "In a notebook a result is cut at 500,000 rows, and says so: on the cell, in the saved notebook, and to Python as a partial result. \
         `set notruncation;` gives all rows, `set truncationmaxrecords = N;` another number. There is no limit of 64 MB: a query that \
         needs more memory than there is fails with a message, and the table below a page's cell shows up to 256 MiB of a result. \
         `spoor query` and `%%kql host` give all rows. Limits of workspaces stand in [workspaces.md](workspaces.md), and \
         `spoor serve --api` cuts its answers at 500,000 rows unless `--api-rows` says otherwise.",
        "set notruncation; range x from 1 to 600000 step 1 | count",
    ),
    said(
        "`take`, `limit`, `sample` and `sample-distinct` give any rows, mostly those that come first, and no random ones. For those, sort by `rand()` \
         before: `| top 100 by rand()`.",
        "range x from 1 to 100000 step 1 | sample 3 | summarize make_list(x)",
    ),
    said(
        "Rows that a `sort` or a `top` leaves equal come in any order, and not always in the one before, as in Kusto. Where a report has \
         to be the same each time, add a key: `| sort by Count, User`.",
        "",
    ),
    said(
        "`make_list` keeps the order of what was sorted.",
        "datatable(x: long)[2, 3, 1] | sort by x asc | summarize make_list(x)",
    ),
    said(
        "NaN sorts beside the nulls.",
        "datatable(x: real)[1, real(nan), 2] | sort by x asc | summarize make_list(x)",
    ),
];

const COUNTS: &[Said] = &[
    said(
        "`dcount` and `dcountif` are exact, where Kusto estimates; their accuracy is read and not needed.",
        "range x from 1 to 100000 step 1 | summarize dcount(x)",
    ),
    said(
        "`percentile` and its like are exact, by nearest rank: the result is one of the values.",
        "datatable(x: long)[1, 2, 3, 10] | summarize percentiles(x, 50, 95)",
    ),
    said(
        "`top-hitters` is exact too; its column keeps Kusto's name.",
        "datatable(x: long)[1, 2, 2] | top-hitters 1 of x",
    ),
    said(
        "`hll` sketches are exact up to 4,095 values, and beyond it within about 1.6%. They are no HyperLogLogs: a sketch that Kusto \
         stored in a table cannot be read here.",
        "range x from 1 to 4000 step 1 | summarize s = hll(x) | project dcount_hll(s)",
    ),
    said(
        "`tdigest` keeps up to 1,024 values as they are, and beyond it gives estimates, most exact at both ends. One that Kusto stored \
         cannot be read here.",
        "range x from 1 to 1000 step 1 | summarize d = tdigest(x) | project percentile_tdigest(d, 95)",
    ),
    said(
        "`series_decompose` and its like look for a season in a way of their own, as Kusto does not say how it finds one. Give the \
         seasonality where both have to agree.",
        "",
    ),
];

const VALUES: &[Said] = &[
    said(
        "A `decimal` has up to 26 digits before the point and 12 behind it. Kusto's has a scale for each value.",
        "print decimal(2) / decimal(3), todecimal(\"123456789012345678901234567\")",
    ),
    said(
        "Whole numbers that no `long` holds are refused as literals; in dynamic values they are `real`.",
        "print dynamic(18446744073709551615)",
    ),
    said(
        "Arithmetic on `long` wraps round, and gives no error.",
        "print 9223372036854775807 + 1",
    ),
    said(
        "Two `int` make a `long`; a division by zero is null for whole numbers.",
        "print gettype(int(1) + int(2)), 1 / 0",
    ),
    said(
        "A bag keeps its properties in the order in which they were written; of two with one name the last counts.",
        "print dynamic({\"b\": 1, \"a\": 2, \"b\": 3})",
    ),
    said(
        "Two dynamic values do not compare: convert one of them.",
        "print a = dynamic(1), b = dynamic(1) | where a == b",
    ),
];

const TEXT: &[Said] = &[
    said(
        "A column of text beside a constant number is compared as text by `==` and `!=`, so that `EventID == 4688` runs whatever the \
         column's type came to be.",
        "datatable(EventID: string)[\"4688\", \"04688\"] | where EventID == 4688 | summarize make_list(EventID)",
    ),
    said(
        "A number beside a constant text is compared with the number in it, and refused where there is none.",
        "print Code = 1 | where Code == \"one\"",
    ),
    said(
        "Two columns, or two constants, of which one is a text and the other a number are refused.",
        "print \"1\" == 1",
    ),
    said(
        "The words that `has` looks for are runs of letters and digits of any script; they may be as short as one letter.",
        "print \"naïve\" has \"na\", \"C:\\\\x\" has \"x\"",
    ),
    said(
        "Case is that of Unicode, letter by letter.",
        "print \"ÄRGER\" =~ \"ärger\", \"STRASSE\" =~ \"straße\"",
    ),
];

const TIME: &[Said] = &[
    said(
        "`now()` and `ago()` are one instant for a whole query: when it began, by the clock of the machine or the browser that runs it.",
        "print now() == now(), now() - ago(1h)",
    ),
    said(
        "`ingestion_time()` is null: tables here do not record when rows came in.",
        "print isnull(ingestion_time())",
    ),
    said(
        "Time zones are those of the IANA database that was built in.",
        "print datetime_utc_to_local(datetime(2026-07-01 12:00), \"Europe/Paris\")",
    ),
];

const TABLES: &[Said] = &[
    said(
        "There is one database, whose tables are the data files and the results that a notebook keeps with `--as`. Other services are \
         asked by [workspaces](workspaces.md), where their own KQL runs and nothing of this page holds.",
        "",
    ),
    said(
        "There are no stored functions: a query brings its own with `let`.",
        "let twice = (n: long) { n * 2 }; print twice(21)",
    ),
    said(
        "Sentinel's parsers, such as `_Im_Dns`, read the normalized table of their schema (`ASimDnsActivityLogs`), where it is loaded, and \
         nothing else. A workspace's also read tables of other vendors: the editor warns of it, and the result says that it is partial.",
        "",
    ),
    said(
        "`autocluster`, `diffpatterns` and `basket` look for the same as Kusto's, which does not say how: their patterns need not be its.",
        "",
    ),
    said(
        "`reduce` finds patterns as the paper says on which Kusto's is based (R. Vaarandi, A Data Clustering Algorithm for Mining Patterns from \
         Event Logs, 2003): the threshold is the share of the rows that a word, and then a pattern, has at least. Kusto does not say what it \
         does besides: its groups need not be the same.",
        "range x from 1 to 10 step 1 | project s = strcat(\"user \", x, \" came\") | reduce by s",
    ),
    said(
        "`funnel_sequence` gives the first of Kusto's three tables, and the result says so.",
        "",
    ),
    said(
        "`graph-match` and `graph-shortest-paths` follow paths of up to 16 edges, and their patterns with paths may stand for 64 patterns of \
         single edges. A graph is made of what the query reads: there are no stored graphs, no labels, and no `partitioned-by`. Of several \
         tables that `graph-to-table` names, a later statement gives one.",
        "",
    ),
    said(
        "`search`, `find` and `union *` go over the tables that there are, all of them where none is named.",
        "",
    ),
    said(
        "`materialize` computes once what `summarize`, `distinct`, `take` or `top` leave. Of other rows each use reads what it needs, and has its \
         own `rand()` and `new_guid()`.",
        "",
    ),
    said(
        "Other options of `set`, and hints of `join` and `summarize`, steer Kusto's service. They are read and change nothing; the few that would change \
         an answer are refused.",
        "set query_results_cache_max_age = 1h; print x = 1 | join hint.strategy=broadcast (print x = 1) on x | count",
    ),
];
