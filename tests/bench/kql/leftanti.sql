SELECT RemoteUrl, count(*) AS Connections, count(DISTINCT DeviceName) AS Devices, sum(BytesSent)::BIGINT AS Sent
FROM DeviceNetworkEvents
ANTI JOIN KnownDomains ON RemoteUrl = Domain
GROUP BY RemoteUrl
