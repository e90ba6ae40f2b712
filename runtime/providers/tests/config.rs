//! Configurations: what they mean, and what is said of those that mean nothing.
#![allow(clippy::unwrap_used)]

use spoor_providers::cloud::Cloud;
use spoor_providers::config::{Config, FIELDS, LIMIT_FIELDS, Limits, Mistake, Service, Workspaces};

const GUID: &str = "0f0e0d0c-0b0a-0908-0706-050403020100";

fn check(toml: &str) -> Result<Workspaces, Vec<Mistake>> {
    toml::from_str::<Config>(toml).unwrap().check()
}

fn one(body: &str) -> Result<Workspaces, Vec<Mistake>> {
    check(&format!("[workspaces.w]\n{body}"))
}

/// The only mistake of a workspace `w`, as it is told.
#[track_caller]
fn mistake(body: &str) -> String {
    let mistakes = one(body).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    mistakes[0].to_string()
}

#[test]
fn clouds_imply_servers_authorities_and_scopes() {
    let guid = format!("workspace-id = '{GUID}'");
    for (cloud, body, origin, authority, scope) in [
        (
            "public",
            format!("kind = 'log-analytics'\n{guid}"),
            "https://api.loganalytics.io",
            "https://login.microsoftonline.com",
            "https://api.loganalytics.io/.default",
        ),
        (
            "us-government",
            format!("kind = 'log-analytics'\n{guid}"),
            "https://api.loganalytics.us",
            "https://login.microsoftonline.us",
            "https://api.loganalytics.us/.default",
        ),
        (
            "china",
            format!("kind = 'log-analytics'\n{guid}"),
            "https://api.loganalytics.azure.cn",
            "https://login.partner.microsoftonline.cn",
            "https://api.loganalytics.azure.cn/.default",
        ),
        (
            "public",
            "kind = 'defender'".into(),
            "https://graph.microsoft.com",
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com/.default",
        ),
        (
            "us-government",
            "kind = 'defender'\nendpoint = 'https://dod-graph.microsoft.us'".into(),
            "https://dod-graph.microsoft.us",
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us/.default",
        ),
        (
            "china",
            "kind = 'resource-graph'".into(),
            "https://management.chinacloudapi.cn",
            "https://login.partner.microsoftonline.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
        (
            "public",
            "kind = 'kusto'\nendpoint = 'https://Help.kusto.windows.net/'\ndatabase = 'Samples'"
                .into(),
            "https://help.kusto.windows.net",
            "https://login.microsoftonline.com",
            "https://help.kusto.windows.net/.default",
        ),
    ] {
        let made = one(&format!("cloud = '{cloud}'\n{body}")).unwrap();
        let remote = made.list()[0].remote.clone().unwrap();
        assert_eq!(remote.origin.to_string(), origin, "{cloud} {body}");
        assert_eq!(remote.authority.as_deref(), Some(authority));
        assert_eq!(remote.scope.as_deref(), Some(scope));
    }
}

#[test]
fn the_example_has_every_kind_and_field() {
    let text = include_str!("data/spoor.toml");
    let made = check(text).unwrap();
    let mut kinds: Vec<&str> = made
        .list()
        .iter()
        .map(|workspace| workspace.service.kind())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), Service::KINDS.len());
    for field in FIELDS.iter().map(|(field, _)| *field).chain(LIMIT_FIELDS) {
        assert!(text.contains(field), "{field}");
    }
    assert_eq!(made.default_workspace().unwrap().name, "sentinel");
}

#[test]
fn a_whole_configuration() {
    let made = check(&format!(
        "default = 'cluster'\n\
         [workspaces.cluster]\nkind = 'kusto'\ncloud = 'custom'\nendpoint = 'http://127.0.0.1:8080'\nplain-loopback = true\n\
         database = 'My Data'\n\
         [workspaces.cluster.limits]\ntimeout-seconds = 30\nrows = 10\nbytes = 1000\nconcurrent = 2\n\
         [workspaces.private]\nkind = 'log-analytics'\ncloud = 'custom'\nendpoint = 'https://logs.corp.example:8443'\n\
         workspace-id = '{{{upper}}}'\nauthority = 'https://login.corp.example/realms/soc/'\nscope = 'logs.read openid'\n\
         tenant = 'corp.example'\nclient-id = 'spoor'\n\
         [workspaces.here]\nkind = 'local'\n",
        upper = GUID.to_uppercase()
    ))
    .unwrap();
    let cluster = made.default_workspace().unwrap();
    assert_eq!(
        cluster.service,
        Service::Kusto {
            database: "My Data".into()
        }
    );
    assert_eq!(
        cluster.limits,
        Limits {
            timeout_seconds: 30,
            rows: 10,
            bytes: 1000,
            concurrent: 2
        }
    );
    let remote = cluster.remote.as_ref().unwrap();
    assert_eq!(
        (remote.origin.port(), &remote.authority, &remote.scope),
        (8080, &None, &None)
    );

    let private = made.get("private").unwrap();
    assert_eq!(
        private.service,
        Service::LogAnalytics {
            workspace_id: GUID.into()
        }
    );
    assert_eq!(private.cloud, Cloud::Custom);
    let remote = private.remote.as_ref().unwrap();
    assert_eq!(
        remote.authority.as_deref(),
        Some("https://login.corp.example/realms/soc")
    );
    assert_eq!(remote.scope.as_deref(), Some("logs.read openid"));

    let here = made.get("here").unwrap();
    assert_eq!((&here.service, &here.remote), (&Service::Local, &None));
    let told = made.get("privat").unwrap_err().to_string();
    assert_eq!(
        told,
        "no workspace is called 'privat'; did you mean `private`?"
    );
}

#[test]
fn json_is_read_and_written_alike() {
    let config: Config = serde_json::from_str(&format!(
        r#"{{"workspaces":{{"w":{{"kind":"log-analytics","workspace-id":"{GUID}","limits":{{"rows":5}}}}}}}}"#
    ))
    .unwrap();
    let again = serde_json::to_string(&config).unwrap();
    let again: Config = serde_json::from_str(&again).unwrap();
    assert_eq!(config.check().unwrap(), again.check().unwrap());
    assert_eq!(
        again
            .check()
            .unwrap()
            .default_workspace()
            .unwrap()
            .limits
            .rows,
        5
    );
    let toml = toml::from_str::<Config>("[workspaces.w.limits]\nrows = 'many'").unwrap_err();
    assert!(toml.to_string().contains("line 2"), "{toml}");
}

#[test]
fn unknown_fields_are_named_with_what_is_near() {
    for (body, wanted) in [
        (
            "kind = 'local'\ntennant = 'x'",
            "workspace 'w': 'tennant': there is no such field; did you mean `tenant`?",
        ),
        (
            "kind = 'local'\n[workspaces.w.limits]\nrow = 1",
            "workspace 'w': 'limits.row': there is no such field; did you mean `rows`?",
        ),
        (
            "kind = 'local'\n[workspaces.w.limits]\npassword = 1",
            "workspace 'w': 'limits.password': there is no such field; \
             the fields are timeout-seconds, rows, bytes, concurrent",
        ),
        (
            "kind = 'kutso'",
            "workspace 'w': 'kind': there is no kind 'kutso'; did you mean `kusto`?",
        ),
        (
            "kind = 'defender'\ncloud = 'Public'",
            "workspace 'w': 'cloud': there is no cloud 'Public'; did you mean `public`?",
        ),
    ] {
        assert_eq!(mistake(body), wanted);
    }
    let mistakes =
        check("defualt = 'a'\ndefault = 'b'\n[workspaces.c]\nkind = 'local'").unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "'defualt': there is no such field; did you mean `default`?",
            "'default': no workspace is called 'b'; name one that is there, or add [workspaces.b]",
        ]
    );
}

#[test]
fn tokens_of_a_cloud_go_to_its_servers_only() {
    let microsoft = "https://login.microsoftonline.com";
    let own = "https://login.corp.example";
    let corp = "https://logs.corp.example";
    let made = |authority: &str, endpoint: &str, scope: &str| {
        check(&format!(
            "[workspaces.w]\nkind = 'kusto'\ndatabase = 'd'\ncloud = 'custom'\nendpoint = '{endpoint}'\n\
             authority = '{authority}'\nscope = '{scope}'\n"
        ))
    };
    for (authority, endpoint, scope) in [
        (microsoft, corp, "https://management.azure.com/.default"),
        (
            microsoft,
            corp,
            "https://management.core.windows.net//.default",
        ),
        (
            microsoft,
            corp,
            "HTTPS://graph.microsoft.com/User.Read openid",
        ),
        (microsoft, corp, "openid User.Read"),
        (
            microsoft,
            corp,
            "00000003-0000-0000-c000-000000000000/.default",
        ),
        (microsoft, corp, "https://logs.corp.example:8443/.default"),
        ("https://login.windows.net/common", corp, "User.Read"),
        (
            microsoft,
            "https://a.kusto.windows.net",
            "https://b.kusto.windows.net/.default",
        ),
        (
            microsoft,
            "https://a.kusto.windows.net",
            "https://graph.microsoft.com/.default",
        ),
        (own, corp, "https://graph.microsoft.com/.default"),
        (own, corp, "https://a.kusto.windows.net/.default"),
    ] {
        let told = made(authority, endpoint, scope).unwrap_err();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].field, "scope", "{scope}");
        assert!(
            told[0].message.contains("scope of another server"),
            "{told:?}"
        );
    }
    for (authority, endpoint, scope) in [
        (microsoft, corp, "https://logs.corp.example/.default openid"),
        (microsoft, corp, "api://logs/read"),
        (
            microsoft,
            "https://a.kusto.windows.net",
            "https://kusto.kusto.windows.net/.default",
        ),
        (own, corp, "logs.read openid"),
        (own, corp, "https://other.corp.example/read"),
    ] {
        let made = made(authority, endpoint, scope).unwrap();
        let remote = made.list()[0].remote.as_ref().unwrap();
        assert_eq!(remote.scope.as_deref(), Some(scope));
    }
}

#[test]
fn an_application_is_written_as_it_is_sent() {
    let made = check(&format!(
        "[workspaces.w]\nkind = 'defender'\nclient-id = '{{{}}}'\n",
        GUID.to_uppercase()
    ))
    .unwrap();
    let remote = made.list()[0].remote.as_ref().unwrap();
    assert_eq!(remote.client_id.as_deref(), Some(GUID));
}

#[test]
fn each_mistake_names_its_field_and_what_to_do() {
    let kusto = "kind = 'kusto'\ndatabase = 'd'\n";
    let custom = "kind = 'kusto'\ndatabase = 'd'\ncloud = 'custom'\n";
    for (body, field, word) in [
        (String::new(), "kind", "log-analytics"),
        ("kind = 'log-analytics'".into(), "workspace-id", "overview"),
        (
            "kind = 'log-analytics'\nworkspace-id = 'SOC'".into(),
            "workspace-id",
            "'SOC' is no GUID",
        ),
        (
            "kind = 'kusto'\nendpoint = 'https://a.kusto.windows.net'".into(),
            "database",
            "missing",
        ),
        (kusto.into(), "endpoint", "https://host"),
        (
            format!("{kusto}cloud = 'costum'\nendpoint = 'https://a.example'\nscope = 's'"),
            "cloud",
            "custom",
        ),
        (
            format!("{kusto}endpoint = 'http://a.kusto.windows.net'"),
            "endpoint",
            "plain 'http:'",
        ),
        (
            format!("{kusto}endpoint = 'https://kusto.windows.net'"),
            "endpoint",
            "custom",
        ),
        (
            format!("{kusto}endpoint = 'https://a.kusto.windows.net.evil.example'"),
            "endpoint",
            "custom",
        ),
        (
            format!("{kusto}endpoint = 'https://evilkusto.windows.net'"),
            "endpoint",
            "custom",
        ),
        (
            format!("{kusto}endpoint = 'https://a.kusto.windows.net:8443'"),
            "endpoint",
            "port 443",
        ),
        (
            format!("{kusto}endpoint = 'https://a.kusto.usgovcloudapi.net'"),
            "endpoint",
            "not of the cloud",
        ),
        (
            format!("{kusto}endpoint = 'https://a.kusto.windows.net/db'"),
            "endpoint",
            "path",
        ),
        (
            format!("{kusto}endpoint = 'https://a.kusto.windows.net'\nscope = 'x'"),
            "scope",
            "settles it",
        ),
        (
            "kind = 'defender'\ncloud = 'china'".into(),
            "cloud",
            "no Defender",
        ),
        (
            "kind = 'defender'\ncloud = 'custom'".into(),
            "endpoint",
            "imply",
        ),
        (
            "kind = 'defender'\nendpoint = 'https://graph.microsoft.us'".into(),
            "endpoint",
            "graph.microsoft.com",
        ),
        (
            "kind = 'defender'\ndatabase = 'd'".into(),
            "database",
            "leave it out",
        ),
        (
            "kind = 'defender'\ntenant = 'a/../b'".into(),
            "tenant",
            "GUID or one of its domains",
        ),
        (
            "kind = 'defender'\nclient-id = 'me'".into(),
            "client-id",
            "GUID",
        ),
        (
            format!(
                "kind = 'resource-graph'\nsubscriptions = [{}]",
                format!("'{GUID}',").repeat(1_001)
            ),
            "subscriptions",
            "1000 at most",
        ),
        (
            "kind = 'resource-graph'\nsubscriptions = ['x']".into(),
            "subscriptions",
            "GUID",
        ),
        (
            format!("{custom}endpoint = 'http://127.0.0.1'"),
            "endpoint",
            "says so",
        ),
        (
            format!("{custom}endpoint = 'http://10.0.0.1'\nplain-loopback = true"),
            "endpoint",
            "this machine",
        ),
        (
            format!("{custom}endpoint = 'https://a.example'\nscope = 's'"),
            "scope",
            "authority",
        ),
        (
            format!("{custom}endpoint = 'https://a.example'\nauthority = 'http://b.example'"),
            "authority",
            "plain",
        ),
        (
            format!("{custom}endpoint = 'https://a.example'\nauthority = 'https://b.example/a?b'"),
            "authority",
            "path",
        ),
        (
            "kind = 'local'\ncloud = 'public'".into(),
            "cloud",
            "leave it out",
        ),
        (
            "kind = 'local'\n[workspaces.w.limits]\nconcurrent = 6".into(),
            "limits.concurrent",
            "use 1 to 5",
        ),
        (
            "kind = 'local'\n[workspaces.w.limits]\ntimeout-seconds = 0".into(),
            "limits.timeout-seconds",
            "1 to 600",
        ),
    ] {
        let told = mistake(&body);
        assert!(
            told.starts_with(&format!("workspace 'w': '{field}': ")),
            "{told}"
        );
        assert!(told.contains(word), "{told}\nlacks {word}");
    }
    check("[workspaces.local]\nkind = 'local'").unwrap();
    let told = check("[workspaces.local]\nkind = 'defender'").unwrap_err()[0].to_string();
    assert!(told.contains("'local' is the session's own data"), "{told}");
    let told = check("[workspaces.'a b']\nkind = 'local'").unwrap_err()[0].to_string();
    assert!(told.contains("letters, digits"), "{told}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mistakes =
        check("[workspaces.a]\nkind = 'kusto'\n[workspaces.b]\nkind = 'kusto'").unwrap_err();
    assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
}
