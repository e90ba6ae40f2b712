//! KQL over DataFusion: binder, planner and Kusto's functions.

pub mod typed;
