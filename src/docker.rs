//! Edge `docker`: what the engine shows of its containers.

pub mod endpoint;
pub mod engine;
pub mod logs;
mod wire;
