//! What is asked of the system for a connection.

use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_connection_whose_other_end_went_without_a_word_is_given_up_within_a_minute() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = super::tcp("127.0.0.1", port).await.unwrap();
    assert!(sockopt::socket_keepalive(&socket).unwrap());
    let idle = sockopt::tcp_keepidle(&socket).unwrap();
    let interval = sockopt::tcp_keepintvl(&socket).unwrap();
    let probes = sockopt::tcp_keepcnt(&socket).unwrap();
    assert_eq!(idle + interval * probes, Duration::from_mins(1));
}
