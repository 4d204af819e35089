//! The port for health and metrics, and clients that mean no good: they are cut off in time, leave room for others, and hold up
//! no end. On tokio's paused time, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use launchway::serve::{OF_HEALTH, Ready, health, serve};
use launchway_tests::life::context;
use launchway_tests::life::gate::Gate;
use launchway_tests::world::sample;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

struct Port {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Port {
    async fn open() -> Port {
        let world = sample::world(7);
        let context = Arc::new(context(&world, &Gate::new(&world.time), 1, 600));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let served = tokio::spawn(serve(listener, health(context, Ready::default()), OF_HEALTH, stop.clone()));
        Port { address, stop, served }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A client from another address of this machine.
    async fn client_from(&self, last: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// How long the end takes.
    async fn closed(self) -> Duration {
        let began = Instant::now();
        self.stop.cancel();
        self.served.await.unwrap();
        began.elapsed()
    }
}

/// Asks once over a connection that is kept.
async fn answered(client: &mut TcpStream) -> bool {
    let mut answer = [0; 1024];
    if client.write_all(REQUEST).await.is_err() {
        return false;
    }
    let length = client.read(&mut answer).await.unwrap_or_default();
    answer[..length].starts_with(b"HTTP/1.1 200 OK") && answer[..length].ends_with(b"ok")
}

/// Whether the server has closed the connection, which may take so long.
async fn is_cut_off(mut client: TcpStream, most: Duration) -> bool {
    let mut answer = Vec::new();
    tokio::time::timeout(most, client.read_to_end(&mut answer)).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_or_half_a_head_is_cut_off() {
    let port = Port::open().await;
    for head in [&b""[..], b"GET /healthz HTTP/1.1\r\nHost:"] {
        let mut client = port.client().await;
        client.write_all(head).await.unwrap();
        assert!(is_cut_off(client, Duration::from_secs(6)).await, "{head:?}");
    }
    assert!(answered(&mut port.client().await).await);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_cut_off_too() {
    let port = Port::open().await;
    let mut client = port.client().await;
    let began = Instant::now();
    let mut sent = 0;
    while client.write_all(b"G").await.is_ok() && began.elapsed() < Duration::from_secs(60) {
        sent += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(sent > 1 && began.elapsed() < Duration::from_secs(10), "{sent} bytes, {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_keeps_its_connection_is_cut_off_when_it_asks_no_more_and_after_a_minute_anyway() {
    let port = Port::open().await;
    let mut client = port.client().await;
    assert!(answered(&mut client).await && answered(&mut client).await, "a connection may be kept");
    assert!(is_cut_off(client, Duration::from_secs(6)).await);
    let mut client = port.client().await;
    let began = Instant::now();
    while answered(&mut client).await {
        assert!(began.elapsed() < Duration::from_secs(70), "it is served for ever");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(50), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn of_the_connections_that_one_address_keeps_the_oldest_is_closed_for_a_new_one() {
    let port = Port::open().await;
    let mut kept = Vec::new();
    for _ in 0..9 {
        let mut client = port.client().await;
        assert!(answered(&mut client).await);
        kept.push(client);
    }
    assert!(answered(&mut port.client_from(2).await).await, "another address is served");
    let mut oldest = kept.remove(0);
    assert!(!answered(&mut oldest).await, "the oldest is closed");
    assert!(answered(&mut kept[0]).await, "and no other");
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_all_connections_keeps_nobody_out() {
    let port = Port::open().await;
    let mut kept = Vec::new();
    for number in 0..64 {
        let mut client = port.client_from(2 + number / 8).await;
        assert!(answered(&mut client).await);
        kept.push(client);
    }
    for _ in 0..10 {
        assert!(answered(&mut port.client().await).await, "kubelet is answered");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_up_the_end() {
    let port = Port::open().await;
    let silent = port.client().await;
    let mut half = port.client().await;
    half.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let mut kept = port.client().await;
    assert!(answered(&mut kept).await);
    let took = port.closed().await;
    assert!(took <= Duration::from_secs(5), "{took:?}");
    for client in [silent, half, kept] {
        assert!(is_cut_off(client, Duration::from_secs(1)).await);
    }
}
