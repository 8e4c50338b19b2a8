//! Against the real engine.
