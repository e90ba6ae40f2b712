//! Makes the gallery's demo telemetry.
