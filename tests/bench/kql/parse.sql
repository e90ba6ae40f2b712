SELECT split_part(Found.Action, '\', 3) AS Folder, Found.Schedule AS Schedule,
       count(*) AS Events, count(DISTINCT Found.Task) AS Tasks, count(DISTINCT Found.Action) AS Actions
FROM (
    SELECT regexp_extract(ProcessCommandLine, ' /tn (.*?) /tr (.*?) /sc (.*)$', ['Task', 'Action', 'Schedule']) AS Found
    FROM DeviceProcessEvents
    WHERE FileName = 'schtasks.exe'
)
GROUP BY ALL
