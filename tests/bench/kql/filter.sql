SELECT FileName, count(*) AS Events, count(DISTINCT DeviceName) AS Devices, min(TimeGenerated) AS First, max(TimeGenerated) AS Last
FROM DeviceProcessEvents
WHERE (ProcessCommandLine ILIKE '%urlcache%' AND regexp_matches(ProcessCommandLine, '(?i)(^|[^0-9a-z])urlcache($|[^0-9a-z])'))
   OR ProcessCommandLine ILIKE '%encodedcommand%'
GROUP BY FileName
