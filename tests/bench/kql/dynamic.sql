SELECT DeviceDetail ->> '$.browser' AS Browser, count(*) AS Events, count(DISTINCT DeviceDetail ->> '$.deviceId') AS Devices
FROM SigninLogs
WHERE DeviceDetail ->> '$.operatingSystem' ILIKE 'windows%' AND DeviceDetail ->> '$.isCompliant' = 'false'
GROUP BY Browser
