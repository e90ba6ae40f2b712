SELECT date_trunc('hour', TimeGenerated) AS TimeGenerated, AppDisplayName, count(*) AS Failures
FROM SigninLogs
WHERE ResultType <> '0'
GROUP BY ALL
