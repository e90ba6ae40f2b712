SELECT UserPrincipalName, unnest(arg_max(
           struct_pack(TimeGenerated := TimeGenerated, IPAddress := IPAddress, AppDisplayName := AppDisplayName, Location := Location, ResultType := ResultType),
           TimeGenerated))
FROM SigninLogs
GROUP BY UserPrincipalName
