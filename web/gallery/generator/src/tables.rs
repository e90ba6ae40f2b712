//! The tables: Microsoft Sentinel's names, columns and types, as far as the events fill them. A row is a struct whose
//! fields are the columns; what an event does not have stays at its default.
#![allow(non_snake_case)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Field;

use crate::time::Micros;

/// Text; most of it is the same over and over.
pub(crate) type Text = Cow<'static, str>;

/// A datetime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Micros);

/// A dynamic value, written as JSON text in a field whose metadata says `kusto.type: dynamic`.
#[derive(Clone, Default)]
pub(crate) struct Dynamic(pub(crate) String);

impl Dynamic {
    pub(crate) fn of(value: &serde_json::Value) -> Self {
        Dynamic(value.to_string())
    }
}

/// How a column's values become an array.
pub(crate) trait Cell: Sized {
    /// The Kusto type, where Arrow's does not tell it.
    const KUSTO: Option<&'static str> = None;
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
}

impl Cell for Time {
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        // Readers take a timestamp without a zone for local time.
        let values = TimestampMicrosecondArray::from_iter_values(cells.map(|time| time.0));
        Arc::new(values.with_timezone("UTC"))
    }
}

impl Cell for Text {
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cells))
    }
}

impl Cell for Dynamic {
    const KUSTO: Option<&'static str> = Some("dynamic");
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let texts = cells.map(|cell| (!cell.0.is_empty()).then_some(cell.0.as_str()));
        Arc::new(texts.collect::<StringArray>())
    }
}

impl Cell for Option<i64> {
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(cells.copied().collect::<Int64Array>())
    }
}

impl Cell for Option<i32> {
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(cells.copied().collect::<Int32Array>())
    }
}

impl Cell for bool {
    fn array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(cells.map(|cell| Some(*cell)).collect::<BooleanArray>())
    }
}

/// A row of a table.
pub(crate) trait Row: Sized {
    /// The table's name.
    const NAME: &'static str;
    /// The columns of `rows`, in order.
    fn columns(rows: &[Self]) -> Vec<(Field, ArrayRef)>;
}

fn column<'a, C: Cell + 'a>(name: &str, cells: impl Iterator<Item = &'a C>) -> (Field, ArrayRef) {
    let array = C::array(cells);
    let mut field = Field::new(name, array.data_type().clone(), true);
    if let Some(ty) = C::KUSTO {
        field = field.with_metadata(HashMap::from([("kusto.type".to_owned(), ty.to_owned())]));
    }
    (field, array)
}

macro_rules! table {
    ($(#[$doc:meta])* $table:ident { $($column:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub(crate) struct $table {
            $(pub(crate) $column: $ty,)*
        }

        impl Row for $table {
            const NAME: &'static str = stringify!($table);

            fn columns(rows: &[Self]) -> Vec<(Field, ArrayRef)> {
                vec![$(column(stringify!($column), rows.iter().map(|row| &row.$column)),)*]
            }
        }
    };
}

table! {
    /// Interactive sign-ins to Microsoft Entra ID.
    SigninLogs {
        TimeGenerated: Time,
        UserPrincipalName: Text,
        UserDisplayName: Text,
        UserId: Text,
        UserType: Text,
        AppDisplayName: Text,
        AppId: Text,
        ResourceDisplayName: Text,
        IPAddress: Text,
        Location: Text,
        LocationDetails: Dynamic,
        AutonomousSystemNumber: Text,
        ResultType: Text,
        ResultDescription: Text,
        Status: Dynamic,
        ClientAppUsed: Text,
        UserAgent: Text,
        DeviceDetail: Dynamic,
        AuthenticationRequirement: Text,
        ConditionalAccessStatus: Text,
        MfaDetail: Dynamic,
        RiskLevelDuringSignIn: Text,
        RiskState: Text,
        IsInteractive: bool,
        DurationMs: Option<i64>,
        CorrelationId: Text,
        Category: Text,
        OperationName: Text,
        Type: Text,
    }
}

table! {
    /// Windows' Security log.
    SecurityEvent {
        TimeGenerated: Time,
        Computer: Text,
        EventID: Option<i32>,
        Activity: Text,
        Account: Text,
        AccountType: Text,
        SubjectUserName: Text,
        SubjectDomainName: Text,
        SubjectUserSid: Text,
        SubjectLogonId: Text,
        TargetUserName: Text,
        TargetDomainName: Text,
        TargetUserSid: Text,
        TargetLogonId: Text,
        LogonType: Option<i32>,
        LogonTypeName: Text,
        LogonProcessName: Text,
        AuthenticationPackageName: Text,
        WorkstationName: Text,
        IpAddress: Text,
        IpPort: Text,
        Status: Text,
        SubStatus: Text,
        ProcessId: Text,
        ProcessName: Text,
        NewProcessId: Text,
        NewProcessName: Text,
        ParentProcessName: Text,
        CommandLine: Text,
        ServiceName: Text,
        ServiceFileName: Text,
        ShareName: Text,
        RelativeTargetName: Text,
        ObjectName: Text,
        ObjectType: Text,
        AccessMask: Text,
        PrivilegeList: Text,
        Channel: Text,
        EventSourceName: Text,
        Type: Text,
    }
}

table! {
    /// Process creation, as Microsoft Defender for Endpoint reports it.
    DeviceProcessEvents {
        TimeGenerated: Time,
        DeviceName: Text,
        DeviceId: Text,
        ActionType: Text,
        AccountDomain: Text,
        AccountName: Text,
        AccountUpn: Text,
        FileName: Text,
        FolderPath: Text,
        ProcessId: Option<i64>,
        ProcessCommandLine: Text,
        ProcessCreationTime: Time,
        ProcessIntegrityLevel: Text,
        SHA256: Text,
        InitiatingProcessAccountName: Text,
        InitiatingProcessFileName: Text,
        InitiatingProcessFolderPath: Text,
        InitiatingProcessId: Option<i64>,
        InitiatingProcessCommandLine: Text,
        InitiatingProcessParentFileName: Text,
        ReportId: Option<i64>,
        Type: Text,
    }
}

table! {
    /// Network connections, as Microsoft Defender for Endpoint reports them.
    DeviceNetworkEvents {
        TimeGenerated: Time,
        DeviceName: Text,
        DeviceId: Text,
        ActionType: Text,
        LocalIP: Text,
        LocalPort: Option<i32>,
        RemoteIP: Text,
        RemotePort: Option<i32>,
        RemoteUrl: Text,
        RemoteIPType: Text,
        Protocol: Text,
        InitiatingProcessAccountName: Text,
        InitiatingProcessFileName: Text,
        InitiatingProcessFolderPath: Text,
        InitiatingProcessId: Option<i64>,
        InitiatingProcessCommandLine: Text,
        AdditionalFields: Dynamic,
        ReportId: Option<i64>,
        Type: Text,
    }
}

table! {
    /// What the firewall let pass to the internet, as it says by CEF.
    CommonSecurityLog {
        TimeGenerated: Time,
        DeviceVendor: Text,
        DeviceProduct: Text,
        Activity: Text,
        DeviceAction: Text,
        SourceIP: Text,
        DestinationIP: Text,
        DestinationPort: Option<i32>,
        DestinationHostName: Text,
        Protocol: Text,
        ApplicationProtocol: Text,
        SentBytes: Option<i64>,
        ReceivedBytes: Option<i64>,
        Type: Text,
    }
}

table! {
    /// Queries that the domain controllers' DNS servers answered.
    DnsEvents {
        TimeGenerated: Time,
        Computer: Text,
        ClientIP: Text,
        Name: Text,
        QueryType: Text,
        ResultCode: Option<i32>,
        Result: Text,
        IPAddresses: Text,
        SubType: Text,
        EventId: Option<i32>,
        Type: Text,
    }
}

table! {
    /// Alerts of the security products.
    SecurityAlert {
        TimeGenerated: Time,
        StartTime: Time,
        EndTime: Time,
        AlertName: Text,
        DisplayName: Text,
        AlertSeverity: Text,
        AlertType: Text,
        Description: Text,
        ProviderName: Text,
        ProductName: Text,
        VendorName: Text,
        CompromisedEntity: Text,
        Entities: Text,
        ExtendedProperties: Text,
        Tactics: Text,
        Techniques: Text,
        Status: Text,
        SystemAlertId: Text,
        Type: Text,
    }
}
