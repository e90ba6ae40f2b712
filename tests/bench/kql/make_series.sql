-- Gaps are filled as make-series does it. SQL has no series_decompose_anomalies, so that its part is Spoor's alone.
WITH Counted AS (
    SELECT Location, date_trunc('hour', TimeGenerated) AS Hour, count(*) AS Failures
    FROM SigninLogs
    WHERE ResultType = '50126'
    GROUP BY ALL
), Hours AS (
    SELECT unnest(generate_series(TIMESTAMP '2026-03-02', TIMESTAMP '2026-03-15 23:00:00', INTERVAL 1 HOUR)) AS Hour
), Locations AS (
    SELECT DISTINCT Location FROM Counted
)
SELECT Location, list(coalesce(Failures, 0) ORDER BY Hour) AS Failures
FROM Locations CROSS JOIN Hours LEFT JOIN Counted USING (Location, Hour)
GROUP BY Location
