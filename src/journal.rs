//! Edge: keeps facts. What was appended is there after any end of the process.
