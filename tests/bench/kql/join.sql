SELECT FileName, RemotePort, count(*) AS Connections, sum(BytesSent)::BIGINT AS Sent, count(DISTINCT RemoteIP) AS Addresses
FROM DeviceProcessEvents AS p
JOIN DeviceNetworkEvents AS n ON p.DeviceName = n.DeviceName AND p.ProcessId = n.InitiatingProcessId
WHERE FileName IN ('powershell.exe', 'certutil.exe', 'rundll32.exe') AND RemotePort <> 53
  AND n.TimeGenerated BETWEEN p.TimeGenerated AND p.TimeGenerated + INTERVAL 10 MINUTE
GROUP BY FileName, RemotePort
