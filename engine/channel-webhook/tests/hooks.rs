//! Deliveries to a server on this machine: what arrives there, what each answer means, and where nothing goes.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use hostler_channel_webhook::{Form, Hook, WebhookChannel, WebhookFault};
use hostler_ports::channel::{Channel, Delivery, Message};
use hostler_ports::clock::Clock;
use ring::hmac;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_790_000_000_500
    }

    fn monotonic_ms(&self) -> i64 {
        0
    }
}

fn message() -> Message {
    Message {
        message_id: "m@main.hostler".to_owned(),
        references: Vec::new(),
        to_name: "Chemistry".to_owned(),
        to_address: "room@chem.example".to_owned(),
        subject: "Maintenance on Sunday".to_owned(),
        text: "web1 restarts".to_owned(),
        html: String::new(),
        calendar: None,
        unsubscribe: None,
        return_tag: None,
    }
}

fn hook(url: String) -> Hook {
    Hook {
        url,
        form: Form::Json,
        key: Some(KEY.to_vec()),
        networks: vec!["127.0.0.1".parse().unwrap()],
        plain: true,
        timeout_ms: 20_000,
    }
}

fn channel(hook: Hook) -> Result<WebhookChannel, WebhookFault> {
    // The TLS of all is the same; whoever comes first has set it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    WebhookChannel::new(hook, Arc::new(Still))
}

/// One request is heard whole and answered with these bytes.
async fn server(answer: Vec<u8>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !whole(&heard) {
            let mut some = [0; 4_096];
            let read = stream.read(&mut some).await.unwrap();
            assert!(read > 0, "the request ended early");
            heard.extend_from_slice(&some[..read]);
        }
        // Whoever has read enough hangs up.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(heard).unwrap()
    });
    (address, heard)
}

fn whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    header(head, "content-length").is_some_and(|length| length.parse() == Ok(body.len()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

async fn answered(answer: &str) -> (Delivery, String) {
    let (address, heard) = server(answer.as_bytes().to_vec()).await;
    let channel = channel(hook(format!("http://{address}/room?x=1"))).unwrap();
    let delivery = channel.deliver(&message()).await;
    (delivery, heard.await.unwrap())
}

fn reply(status: &str, more: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{more}connection: close\r\n\r\nsaid so\u{7}")
}

#[tokio::test]
async fn a_message_arrives_signed_and_the_answer_is_the_evidence() {
    let (delivery, heard) = answered(&reply("200 OK", "")).await;
    let Delivery::Accepted { answer, sha256 } = delivery else {
        panic!("{delivery:?}")
    };
    assert_eq!(answer, "200 said so");
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /room?x=1 HTTP/1.1"), "{head}");
    assert!(body.contains("\"message_id\":\"m@main.hostler\""), "{body}");
    let digest = hostler_core::id::Digest::of(body.as_bytes()).to_string();
    assert_eq!(sha256, digest);
    let field = |name| header(head, name).unwrap();
    assert_eq!(field("x-hostler-timestamp"), "1790000000");
    let signed = format!("1790000000.{}.{body}", field("x-hostler-nonce"));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), signed.as_bytes());
    let digits: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(field("x-hostler-signature"), format!("sha256={digits}"));
}

#[tokio::test]
async fn each_answer_means_what_the_outbox_makes_of_it() {
    for (status, expected) in [
        ("204 No Content", "accepted"),
        ("400 Bad Request", "refused"),
        ("401 Unauthorized", "deferred"),
        ("404 Not Found", "refused"),
        ("410 Gone", "refused"),
        ("429 Too Many Requests", "deferred"),
        ("503 Service Unavailable", "deferred"),
    ] {
        let (delivery, _) = answered(&reply(status, "")).await;
        let is = match delivery {
            Delivery::Accepted { .. } => "accepted",
            Delivery::Deferred { .. } => "deferred",
            Delivery::Refused { .. } => "refused",
        };
        assert_eq!(is, expected, "{status}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (other, _heard) = server(Vec::new()).await;
    let (delivery, _) = answered(&reply(
        "302 Found",
        &format!("location: http://{other}/\r\n"),
    ))
    .await;
    let Delivery::Refused { answer } = &delivery else {
        panic!("{delivery:?}")
    };
    assert!(answer.contains("redirects are not followed"), "{answer}");
    assert!(!_heard.is_finished(), "somebody came to the other place");
}

#[tokio::test]
async fn an_endless_answer_is_read_to_a_bound() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
        "x".repeat(1 << 20)
    );
    let (delivery, _) = answered(&long).await;
    let Delivery::Accepted { answer, .. } = delivery else {
        panic!("{delivery:?}")
    };
    assert_eq!(answer.len(), "200 ".len() + 400);
}

#[tokio::test]
async fn nothing_goes_inwards_that_is_not_listed() {
    let (address, heard) = server(reply("200 OK", "").into_bytes()).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let hook = Hook {
            networks: Vec::new(),
            ..hook(format!("http://{host}:{}/", address.port()))
        };
        let delivery = channel(hook).unwrap().deliver(&message()).await;
        let Delivery::Deferred { answer } = &delivery else {
            panic!("{host}: {delivery:?}")
        };
        assert!(answer.contains("loopback"), "{host}: {answer}");
    }
    assert!(!heard.is_finished(), "somebody came in");
}

#[tokio::test]
async fn who_does_not_answer_holds_nothing_up_for_longer_than_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hook = Hook {
        timeout_ms: 50,
        ..hook(format!("http://{address}/secret-part"))
    };
    let delivery = channel(hook).unwrap().deliver(&message()).await;
    let Delivery::Deferred { answer } = &delivery else {
        panic!("{delivery:?}")
    };
    assert!(!answer.contains("secret-part"), "{answer}");
}

#[test]
fn an_unprotected_or_unreadable_address_is_refused_with_its_remedy() {
    let fault = |url: &str| {
        let hook = Hook {
            plain: false,
            ..hook(url.to_owned())
        };
        channel(hook).err()
    };
    assert_eq!(fault("http://x.example/"), Some(WebhookFault::Plain));
    assert_eq!(fault("ftp://x.example/"), Some(WebhookFault::Url));
    assert_eq!(fault("x.example"), Some(WebhookFault::Url));
    assert_eq!(fault("https://a:b@x.example/"), Some(WebhookFault::User));
    assert_eq!(fault("https://x.example/hook"), None);
    let shown = format!("{:?}", hook("https://x.example/secret".to_owned()));
    assert!(
        !shown.contains("secret") && !shown.contains("0123"),
        "{shown}"
    );
}
