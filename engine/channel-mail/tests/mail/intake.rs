//! Reports brought over SMTP.

use async_trait::async_trait;
use hostler_channel_mail::intake::{Address, Intake};
use hostler_ports::returned::{Counts, TakeReport, Taken};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Answers as it is told, and keeps what it is given.
struct Scripted {
    answer: Result<Taken, String>,
    given: Mutex<Vec<Vec<u8>>>,
}

#[async_trait]
impl TakeReport for Scripted {
    async fn take(&self, report: &[u8]) -> Result<Taken, String> {
        self.given.lock().unwrap().push(report.to_vec());
        self.answer.clone()
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}

fn address(listen: &str) -> Address {
    Address {
        listen: listen.parse().unwrap(),
        recipient: "bounces@runs.example".to_owned(),
        beyond_loopback: false,
    }
}

async fn brought(answer: Result<Taken, String>, to: &str, body: &str) -> (String, Vec<Vec<u8>>) {
    let given = Mutex::default();
    let scripted = Arc::new(Scripted { answer, given });
    let intake = Intake::start(&address("127.0.0.1:0"), Arc::clone(&scripted) as _)
        .await
        .unwrap();
    let mut stream = TcpStream::connect(intake.address()).await.unwrap();
    let said = format!(
        "EHLO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\n{body}\r\n.\r\nQUIT\r\n"
    );
    // A server that has heard enough hangs up.
    let _ = stream.write_all(said.as_bytes()).await;
    let _ = stream.shutdown().await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    let given = scripted.given.lock().unwrap().clone();
    (String::from_utf8(heard).unwrap(), given)
}

#[tokio::test]
async fn a_report_is_taken_for_our_address_only_and_answered_when_it_is_kept() {
    let (heard, given) = brought(Ok(Taken::Bounced), "Bounces@runs.example", "x: y").await;
    assert!(heard.contains("250 2.0.0 read"), "{heard}");
    assert_eq!(given, [b"x: y\r\n".to_vec()]);
    let (heard, given) = brought(Ok(Taken::Bounced), "ada@chem.example", "x: y").await;
    assert!(heard.contains("550 5.1.1"), "{heard}");
    assert!(given.is_empty());
}

#[tokio::test]
async fn what_cannot_be_kept_now_is_to_come_again() {
    for answer in [Ok(Taken::NotYet), Err("the store is away".to_owned())] {
        let (heard, given) = brought(answer, "bounces@runs.example", "x: y").await;
        assert!(heard.contains("451 4.3.0"), "{heard}");
        assert!(!heard.contains("the store is away"), "{heard}");
        assert_eq!(given.len(), 1);
    }
    let (heard, _) = brought(Ok(Taken::NotOurs), "bounces@runs.example", "x: y").await;
    assert!(
        heard.contains("250 2.0.0 read"),
        "no second report: {heard}"
    );
}

#[tokio::test]
async fn too_long_a_report_is_refused_and_nothing_but_loopback_listens_without_leave() {
    let long = "x".repeat((1 << 20) + 10);
    let (heard, given) = brought(Ok(Taken::Bounced), "bounces@runs.example", &long).await;
    assert!(!heard.contains("250 2.0.0 read"), "{heard}");
    assert!(given.is_empty());
    let scripted = Arc::new(Scripted {
        answer: Ok(Taken::Bounced),
        given: Mutex::default(),
    });
    let fault = Intake::start(&address("0.0.0.0:0"), scripted).await.err();
    assert!(fault.unwrap().to_string().contains("beyond_loopback"));
}
