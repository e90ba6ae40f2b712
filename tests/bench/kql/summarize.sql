SELECT Location, ResultType, count(*) AS Events, count(DISTINCT UserPrincipalName) AS Users,
       list_sort(list(DISTINCT AppDisplayName)) AS Apps
FROM SigninLogs
GROUP BY Location, ResultType
