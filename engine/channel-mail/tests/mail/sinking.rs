//! The catcher itself, spoken to by hand.

use hostler_channel_mail::sink::{Options, Sink};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Says everything at once and reads until the server closes.
async fn talk(sink: &Sink, said: &str) -> String {
    let mut stream = TcpStream::connect(sink.address()).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    // A server that closes early may reset the connection; what it said before counts.
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

async fn sink(options: Options) -> Sink {
    Sink::start("127.0.0.1:0".parse().unwrap(), options)
        .await
        .unwrap()
}

const ENVELOPE: &str = "EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n";

#[tokio::test]
async fn it_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let error = Sink::start(address.parse().unwrap(), Options::default())
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("loopback"), "{address}: {error}");
    }
}

#[tokio::test]
async fn a_message_ends_only_with_a_dot_between_whole_line_ends() {
    let sink = sink(Options::default()).await;
    let body = "one\n.\nMAIL FROM:<evil@x.example>\r\n..two\r\n.\r\r\nthree\n.\r\nfour\r\n";
    talk(&sink, &format!("{ENVELOPE}{body}.\r\nQUIT\r\n")).await;
    let caught = sink.caught();
    assert_eq!(caught.len(), 1);
    assert_eq!(
        String::from_utf8_lossy(&caught[0].bytes),
        "one\n.\nMAIL FROM:<evil@x.example>\r\n.two\r\n\r\r\nthree\n.\r\nfour\r\n"
    );
}

#[tokio::test]
async fn an_unfinished_message_is_not_caught() {
    let sink = sink(Options::default()).await;
    talk(&sink, &format!("{ENVELOPE}half a mess")).await;
    assert!(sink.caught().is_empty());
}

#[tokio::test]
async fn it_is_bounded_in_messages_bytes_and_lines() {
    let sink = sink(Options {
        messages_max: 3,
        message_bytes_max: 1_000,
        ..Options::default()
    })
    .await;
    for n in 0..5 {
        talk(
            &sink,
            &format!("{ENVELOPE}Subject: {n}\r\n\r\nx\r\n.\r\nQUIT\r\n"),
        )
        .await;
    }
    let numbers: Vec<u64> = sink.caught().iter().map(|caught| caught.number).collect();
    assert_eq!(numbers, [3, 4, 5]);
    assert_eq!((sink.get(1), *sink.count().borrow()), (None, 5));
    assert_eq!(sink.get(4).unwrap().header("Subject").as_deref(), Some("3"));
    let heard = talk(&sink, &format!("{ENVELOPE}{}\r\n.\r\n", "x".repeat(1_500))).await;
    assert!(heard.contains("552"), "{heard}");
    let heard = talk(&sink, &"y".repeat(20_000)).await;
    assert!(heard.contains("500 5.5.2"), "{heard}");
    assert_eq!(sink.caught().len(), 3);
    sink.clear();
    assert!(sink.caught().is_empty());
}

#[tokio::test]
async fn commands_out_of_order_are_refused() {
    let sink = sink(Options::default()).await;
    let heard = talk(&sink, "EHLO x\r\nRCPT TO:<b@x.example>\r\nDATA\r\nMAIL a\r\nRCPT TO:<>\r\nSTARTTLS\r\nFROB\r\nNOOP\r\nQUIT\r\n").await;
    let codes: Vec<&str> = heard
        .lines()
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| &line[..3])
        .collect();
    assert_eq!(
        codes,
        [
            "220", "250", "503", "503", "501", "501", "502", "502", "250", "221"
        ]
    );
}
