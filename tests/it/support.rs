//! What several subjects' tests share: real servers on loopback, and the time.

pub(crate) mod clock;
pub(crate) mod http_service;
pub(crate) mod receiver;
