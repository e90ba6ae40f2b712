//! Sentinel's parsers (ASIM) over the normalized tables that a workspace keeps: `_Im_Dns(...)` gives those rows of
//! `ASimDnsActivityLogs` that its parameters ask for. In a workspace a parser reads the sources of other vendors too; here it
//! reads the normalized table and says that it is all it read, and where that is not loaded there is no parser. Source: Microsoft's pages on ASIM schemas,
//! "Filtering parser parameters".

use std::rc::Rc;

use spoor_kql_syntax::ast::{Argument, ExprKind, Name, Span, StatementKind};

use super::relation::Relation;
use super::scope::{Function, Scope};
use super::{Bind, Binder};

/// A parameter: its name, its type, and what holds for the rows that it asks for. A name in `{}` is a column's.
type Filter = (&'static str, &'static str, &'static str);

/// A schema of ASIM, its table, and what its parser filters by.
struct Parser {
    schemas: &'static [&'static str],
    table: &'static str,
    filters: &'static [Filter],
    /// Further names of columns, each with the name that the table has.
    aliases: &'static [(&'static str, &'static str)],
}

const LIST: &str = "dynamic";
const TEXT: &str = "string";

const SOURCE_ADDRESS: Filter = (
    "srcipaddr_has_any_prefix",
    LIST,
    "has_any_ipv4_prefix({SrcIpAddr}, $)",
);
const RESULT: Filter = ("eventresult", TEXT, "{EventResult} == $");
const TYPES: Filter = ("eventtype_in", LIST, "{EventType} in~ ($)");
const DETAILS: Filter = (
    "eventresultdetails_in",
    LIST,
    "{EventResultDetails} in~ ($)",
);
const EITHER_ADDRESS: Filter = (
    "ipaddr_has_any_prefix",
    LIST,
    "has_any_ipv4_prefix({SrcIpAddr}, $) or has_any_ipv4_prefix({DstIpAddr}, $)",
);
const HOST: Filter = ("dvchostname_has_any", LIST, "{DvcHostname} has_any ($)");
const ACTOR: Filter = ("actorusername_has_any", LIST, "{ActorUsername} has_any ($)");

/// The aliases of the DNS schema, and the names that its fields had before.
const DNS_ALIASES: &[(&str, &str)] = &[
    ("Domain", "DnsQuery"),
    ("Hostname", "SrcHostname"),
    ("IpAddr", "SrcIpAddr"),
    ("Query", "DnsQuery"),
    ("QueryTypeName", "DnsQueryTypeName"),
    ("ResponseCodeName", "DnsResponseCodeName"),
    ("ResponseName", "DnsResponseName"),
    ("User", "SrcUsername"),
];

const PARSERS: &[Parser] = &[
    Parser {
        schemas: &["Dns"],
        table: "ASimDnsActivityLogs",
        filters: &[
            ("srcipaddr", TEXT, "{SrcIpAddr} == $"),
            ("domain_has_any", LIST, "{DnsQuery} has_any ($)"),
            ("responsecodename", TEXT, "{DnsResponseCodeName} =~ $"),
            ("response_has_ipv4", TEXT, "has_ipv4({DnsResponseName}, $)"),
            (
                "response_has_any_prefix",
                LIST,
                "has_any_ipv4_prefix({DnsResponseName}, $)",
            ),
            ("eventtype", TEXT, "{EventType} =~ $"),
        ],
        aliases: DNS_ALIASES,
    },
    Parser {
        schemas: &["NetworkSession"],
        table: "ASimNetworkSessionLogs",
        filters: &[
            SOURCE_ADDRESS,
            (
                "dstipaddr_has_any_prefix",
                LIST,
                "has_any_ipv4_prefix({DstIpAddr}, $)",
            ),
            EITHER_ADDRESS,
            ("dstportnumber", "int", "toint({DstPortNumber}) == $"),
            (
                "hostname_has_any",
                LIST,
                "{SrcHostname} has_any ($) or {DstHostname} has_any ($)",
            ),
            ("dvcaction", LIST, "{DvcAction} in~ ($)"),
            RESULT,
        ],
        aliases: &[],
    },
    Parser {
        schemas: &["WebSession"],
        table: "ASimWebSessionLogs",
        filters: &[
            SOURCE_ADDRESS,
            EITHER_ADDRESS,
            ("url_has_any", LIST, "{Url} has_any ($)"),
            ("httpuseragent_has_any", LIST, "{HttpUserAgent} has_any ($)"),
            DETAILS,
            RESULT,
        ],
        aliases: &[],
    },
    Parser {
        schemas: &["Authentication"],
        table: "ASimAuthenticationEventLogs",
        filters: &[
            (
                "username_has_any",
                LIST,
                "{ActorUsername} has_any ($) or {TargetUsername} has_any ($)",
            ),
            ("targetappname_has_any", LIST, "{TargetAppName} has_any ($)"),
            SOURCE_ADDRESS,
            ("srchostname_has_any", LIST, "{SrcHostname} has_any ($)"),
            TYPES,
            DETAILS,
            RESULT,
        ],
        aliases: &[],
    },
    Parser {
        schemas: &["ProcessEvent", "ProcessCreate", "ProcessTerminate"],
        table: "ASimProcessEventLogs",
        filters: &[
            ("commandline_has_any", LIST, "{CommandLine} has_any ($)"),
            ("commandline_has_all", LIST, "{CommandLine} has_all ($)"),
            (
                "actingprocess_has_any",
                LIST,
                "{ActingProcessName} has_any ($)",
            ),
            (
                "targetprocess_has_any",
                LIST,
                "{TargetProcessName} has_any ($)",
            ),
            (
                "parentprocess_has_any",
                LIST,
                "{ParentProcessName} has_any ($)",
            ),
            (
                "dvcipaddr_has_any_prefix",
                LIST,
                "has_any_ipv4_prefix({DvcIpAddr}, $)",
            ),
            HOST,
            ACTOR,
            ("eventtype", TEXT, "{EventType} =~ $"),
        ],
        aliases: &[],
    },
    Parser {
        schemas: &["FileEvent"],
        table: "ASimFileEventLogs",
        filters: &[
            TYPES,
            SOURCE_ADDRESS,
            ACTOR,
            (
                "targetfilepath_has_any",
                LIST,
                "{TargetFilePath} has_any ($)",
            ),
            ("srcfilepath_has_any", LIST, "{SrcFilePath} has_any ($)"),
            HOST,
        ],
        aliases: &[],
    },
    Parser {
        schemas: &["RegistryEvent"],
        table: "ASimRegistryEventLogs",
        filters: &[
            TYPES,
            ACTOR,
            ("registrykey_has_any", LIST, "{RegistryKey} has_any ($)"),
            ("registryvalue_has_any", LIST, "{RegistryValue} has_any ($)"),
            HOST,
        ],
        aliases: &[],
    },
];

/// What a function of that name reads, if it is named as a parser is: `_Im_Dns`, `_ASim_Dns`, `imDns`, `ASimDns`.
pub(super) fn table_of_parser(name: &str) -> Option<&'static str> {
    find(name).map(|(parser, _)| parser.table)
}

/// Whether a function's name is that of a parser of Sentinel's, built or not.
pub(super) fn is_parser(name: &str) -> bool {
    let rest = schema_of(name).or_else(|| name.strip_prefix("vim"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn schema_of(name: &str) -> Option<&str> {
    ["_Im_", "_ASim_", "ASim", "im"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
}

fn find(name: &str) -> Option<(&'static Parser, &str)> {
    let schema = schema_of(name)?;
    let known = PARSERS.iter().find(|p| p.schemas.contains(&schema));
    known.map(|parser| (parser, schema))
}

impl Binder<'_> {
    /// The rows of a parser, with a word that they may be fewer than a workspace's.
    pub(super) fn call_parser(
        &mut self,
        name: &Name,
        parser: &Rc<Function>,
        arguments: &[Argument],
        span: Span,
        scope: &Scope,
    ) -> Bind<Relation> {
        if let Some(table) = table_of_parser(&name.text) {
            let message = format!(
                "`{}` reads {table} alone here, where a workspace's reads further sources",
                name.text
            );
            self.lacks.push((name.span, message));
        }
        self.built_in_function(&name.text, parser, arguments, span, scope)
    }

    /// The parser of that name as a function of the query's, where its table is there.
    pub(super) fn parser_function(&self, name: &str) -> Option<Rc<Function>> {
        let (parser, schema) = find(name)?;
        if !self.input.catalogue.contains_key(parser.table) {
            return None;
        }
        let parsed = spoor_kql_syntax::parse(&text(parser, schema));
        let statement = parsed.query.statements.first()?;
        let StatementKind::Let { value, .. } = &statement.kind else {
            return None;
        };
        let ExprKind::Lambda {
            view,
            parameters,
            body,
        } = &value.kind
        else {
            return None;
        };
        Some(Rc::new(Function::new(
            *view,
            parameters,
            body,
            &Scope::root(),
        )))
    }
}

/// The parser as KQL.
fn text(parser: &Parser, schema: &str) -> String {
    let mut parameters =
        String::from("starttime: datetime = datetime(null), endtime: datetime = datetime(null)");
    let mut conditions = String::from(
        "(isnull(starttime) or column_ifexists('TimeGenerated', datetime(null)) >= starttime) and (isnull(endtime) or column_ifexists('TimeGenerated', datetime(null)) <= endtime)",
    );
    for (name, ty, condition) in parser.filters {
        let (default, unset) = match *ty {
            LIST => ("dynamic([])", format!("array_length({name}) == 0")),
            TEXT => ("'*'", format!("{name} == '*'")),
            _ => ("int(null)", format!("isnull({name})")),
        };
        // Who asks for no type of DNS event gets queries.
        let default = match (schema, *name) {
            ("Dns", "eventtype") => "'Query'",
            _ => default,
        };
        let condition = condition
            .replace('{', "column_ifexists('")
            .replace('}', "', '')")
            .replace('$', name);
        parameters += &format!(", {name}: {ty} = {default}");
        conditions += &format!(" and ({unset} or {condition})");
    }
    let kind = match schema {
        "ProcessCreate" => " and column_ifexists('EventType', '') == 'ProcessCreated'",
        "ProcessTerminate" => " and column_ifexists('EventType', '') == 'ProcessTerminated'",
        _ => "",
    };
    let alias = |(name, of): &(&str, &str)| {
        format!(" | extend {name} = column_ifexists('{name}', column_ifexists('{of}', ''))")
    };
    let aliases: String = parser.aliases.iter().map(alias).collect();
    let rows = format!("{} | where {conditions}{kind}{aliases}", parser.table);
    format!("let f = ({parameters}, pack: bool = false) {{ {rows} }};")
}
