//! An AWS that lives in memory, spoken to over the wire.
