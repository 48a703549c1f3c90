//! Reports brought over SMTP, and mail of people who want no more.

use async_trait::async_trait;
use hostler_channel_mail::intake::{Address, Intake};
use hostler_ports::channel::ReturnTag;
use hostler_ports::leave::TakeLeave;
use hostler_ports::returned::{Counts, TakeReport, Taken, Vouched};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Answers as it is told, and keeps what it is given.
struct Scripted {
    answer: Result<Taken, String>,
    given: Mutex<Vec<Vec<u8>>>,
    /// A report that came to another address is not believed.
    under: Option<ReturnTag>,
}

#[async_trait]
impl TakeReport for Scripted {
    async fn take(&self, report: &[u8], vouched: &Vouched) -> Result<Taken, String> {
        if *vouched != Vouched::Address(self.under.clone()) {
            return Ok(Taken::WrongAddress);
        }
        self.given.lock().unwrap().push(report.to_vec());
        self.answer.clone()
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}

/// Opens for one link, and keeps what it is asked.
struct Leaving {
    opens: Result<&'static str, String>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl TakeLeave for Leaving {
    async fn take(&self, link: &str) -> Result<bool, String> {
        self.asked.lock().unwrap().push(link.to_owned());
        self.opens.clone().map(|opens| opens == link)
    }
}

fn leaving(opens: Result<&'static str, String>) -> Arc<Leaving> {
    let asked = Mutex::default();
    Arc::new(Leaving { opens, asked })
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
    let under = None;
    let scripted = Arc::new(Scripted {
        answer,
        given,
        under,
    });
    let heard = said(&scripted, &leaving(Ok("none")), to, body).await;
    let given = scripted.given.lock().unwrap().clone();
    (heard, given)
}

async fn said(take: &Arc<Scripted>, leave: &Arc<Leaving>, to: &str, body: &str) -> String {
    let (take, leave) = (Arc::clone(take), Arc::clone(leave));
    let listen = address("127.0.0.1:0");
    let intake = Intake::start(&listen, take, leave).await.unwrap();
    let mut stream = TcpStream::connect(intake.address()).await.unwrap();
    let words = format!(
        "EHLO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\n{body}\r\n.\r\nQUIT\r\n"
    );
    // A server that has heard enough hangs up.
    let _ = stream.write_all(words.as_bytes()).await;
    let _ = stream.shutdown().await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn whoever_wants_no_more_is_answered_by_what_the_link_opens_and_nothing_is_read_as_a_report()
{
    let read = Scripted {
        answer: Ok(Taken::Bounced),
        given: Mutex::default(),
        under: None,
    };
    let (read, to) = (Arc::new(read), "bounces@runs.example");
    let subject = "From: ada@chem.example\r\nSubject: unsubscribe abc\r\n\r\n";
    for (opens, answer) in [
        (Ok("abc"), "250 2.0.0 done"),
        (Ok("abd"), "550 5.7.1 this link opens nothing"),
        (Err("the store is away".to_owned()), "451 4.3.0"),
    ] {
        let leave = leaving(opens);
        let heard = said(&read, &leave, to, subject).await;
        assert!(heard.contains(answer), "{answer}: {heard}");
        assert!(!heard.contains("away"), "{heard}");
        assert_eq!(*leave.asked.lock().unwrap(), ["abc"]);
    }
    assert!(read.given.lock().unwrap().is_empty());
    let leave = leaving(Ok("abc"));
    let other = subject.replace("unsubscribe", "Re: unsubscribe");
    let heard = said(&read, &leave, to, &other).await;
    assert!(heard.contains("250 2.0.0 read"), "{heard}");
    assert!(leave.asked.lock().unwrap().is_empty());
    let heard = said(&read, &leave, "ada@chem.example", subject).await;
    assert!(heard.contains("550 5.1.1"), "{heard}");
    assert!(leave.asked.lock().unwrap().is_empty());
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
async fn a_report_to_another_address_than_the_message_came_from_is_refused_with_its_reason() {
    let tags = [1, 2].map(|number| ReturnTag::new([number, 0].map(uuid::Uuid::from_u128)));
    let ours = "bounces@runs.example";
    let [own, other] = tags.clone().map(|tag| tag.beside(ours).unwrap());
    let scripted = Arc::new(Scripted {
        answer: Ok(Taken::Bounced),
        given: Mutex::default(),
        under: Some(tags[0].clone()),
    });
    for (to, answer) in [
        (
            &*other,
            "550 5.7.1 the message that it is about was not sent from this address",
        ),
        (ours, "550 5.7.1"),
        ("bounces+x@runs.example", "550 5.1.1"),
        (&*own, "250 2.0.0 read"),
        (&*own.to_uppercase(), "250 2.0.0 read"),
    ] {
        let heard = said(&scripted, &leaving(Ok("none")), to, "x: y").await;
        assert!(heard.contains(answer), "{to}: {heard}");
    }
    assert_eq!(scripted.given.lock().unwrap().len(), 2);
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
        under: None,
    });
    let listen = address("0.0.0.0:0");
    let intake = Intake::start(&listen, scripted, leaving(Ok("none")));
    let fault = intake.await.err();
    assert!(fault.unwrap().to_string().contains("beyond_loopback"));
}
