SELECT regexp_extract(ProcessCommandLine, 'https?://([^/:]+)', 1) AS Site,
       regexp_extract(ProcessCommandLine, '\\([A-Za-z-]+)-[0-9]+\.(?:ps1|exe)', 1) AS Script,
       count(*) AS Events
FROM DeviceProcessEvents
GROUP BY Site, Script
HAVING Site <> '' OR Script <> ''
