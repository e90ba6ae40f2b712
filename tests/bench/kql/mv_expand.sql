SELECT Policy ->> '$.displayName' AS Name, Policy ->> '$.result' AS Result, count(*) AS Events, count(DISTINCT UserPrincipalName) AS Users
FROM (
    SELECT UserPrincipalName, unnest(from_json(ConditionalAccessPolicies, '["JSON"]')) AS Policy
    FROM SigninLogs
    WHERE ResultType <> '0'
)
GROUP BY ALL
