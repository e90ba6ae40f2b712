WITH Counted AS (
    SELECT Location, AppDisplayName, count(*) AS All_, count(*) FILTER (ResultType <> '0') AS Failures
    FROM SigninLogs
    GROUP BY ALL
), Outer_ AS (
    SELECT Location, sum(All_)::BIGINT AS Events FROM Counted GROUP BY Location ORDER BY Events DESC LIMIT 5
)
SELECT Location, Events, AppDisplayName, Failures
FROM Outer_ JOIN Counted USING (Location)
QUALIFY row_number() OVER (PARTITION BY Location ORDER BY Failures DESC) <= 3
