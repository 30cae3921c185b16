//! An orderly stop.

use std::time::Duration;

use keelson_server::ServerOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{BATCH, ESTATE, Running, any_port, reply, request, run, start, start_with};

/// Sends an import but for its last bytes, and waits until the server asks for them.
async fn begun(server: &Running) -> (TcpStream, Vec<u8>) {
    let headers = [("content-type", "application/x-ndjson"), ("expect", "100-continue")];
    let whole = request("PUT", &format!("/imports/estate/{BATCH}"), &headers, ESTATE.as_bytes());
    let (begin, end) = whole.split_at(whole.len() - 100);
    let mut stream = server.connect().await;
    stream.write_all(begin).await.unwrap();
    let mut line = [0; 25];
    stream.read_exact(&mut line).await.unwrap();
    (stream, end.to_vec())
}

/// Waits until nothing listens any more.
async fn closed(server: &Running) {
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_request_in_flight_is_finished() {
    run(async {
        let mut server = start().await;
        let idle = server.connect().await;
        let (mut stream, end) = begun(&server).await;
        server.stop();
        closed(&server).await;
        stream.write_all(&end).await.unwrap();
        let reply = reply(stream).await;
        assert_eq!((reply.status, reply.json()["batches"][0]["outcome"].as_str()), (200, Some("committed")));
        server.ended().await;
        drop(idle);
    });
}

#[test]
fn what_does_not_finish_is_cut_off() {
    run(async {
        let mut server = start_with(ServerOptions { stop_time: Duration::from_millis(200), ..any_port() }).await;
        let (stream, _) = begun(&server).await;
        server.stop();
        server.ended().await;
        drop(stream);
    });
}

#[test]
fn a_socket_is_told_that_the_server_stops() {
    run(async {
        let mut server = start().await;
        let mut stream = server.connect().await;
        let head = format!(
            "GET /graphql/ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: \
             13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        server.stop();
        let mut frame = [0; 4];
        stream.read_exact(&mut frame).await.unwrap();
        // A close, unmasked, with its code: 1001.
        assert_eq!((frame[0], frame[2..].to_vec()), (0x88, 1001_u16.to_be_bytes().to_vec()));
        server.ended().await;
    });
}
