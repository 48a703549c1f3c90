//! The way out of a message: in which messages it is, in what form, and under the signature.
//!
//! Not here: who is told less after it was taken.

use crate::{Still, message, sender};
use hostler_channel_mail::compose::{ComposeFault, compose};
use hostler_channel_mail::sink::{Options, Sink};
use hostler_channel_mail::{Caught, Dkim, MailChannel, Security, Sender, SmtpConfig};
use hostler_ports::channel::{Channel as _, Delivery, Message, ReturnTag, Unsubscribe};
use std::sync::Arc;

/// Known to everybody, so it protects nothing.
const KEY: &str = include_str!("known-to-everybody.pem");
const LINK: &str = "https://runs.example/notices/0a.1b";
const LIST: &str = "List-Unsubscribe";
const POST: &str = "List-Unsubscribe-Post";

fn optional(link: &str, mail: Option<(&str, &str)>) -> Message {
    let mail = mail.map(|(address, subject)| (address.to_owned(), subject.to_owned()));
    let link = link.to_owned();
    Message {
        unsubscribe: Some(Unsubscribe { link, mail }),
        ..message()
    }
}

fn composed(signs: bool, message: &Message) -> Result<Caught, ComposeFault> {
    let sender = Sender { signs, ..sender() };
    let composed = compose(&sender, message, 1_790_000_000_000)?;
    Ok(Caught {
        number: 1,
        from: String::new(),
        to: Vec::new(),
        bytes: composed.bytes,
    })
}

async fn delivered(message: &Message, dkim: Option<Dkim>) -> Caught {
    let listen = "127.0.0.1:0".parse().unwrap();
    let sink = Sink::start(listen, Options::default()).await.unwrap();
    let config = SmtpConfig {
        host: "127.0.0.1".to_owned(),
        port: sink.address().port(),
        security: Security::Plain,
        plain_beyond_loopback: false,
        login: None,
        authority_pem: None,
        hello_name: "hostler.example".to_owned(),
        timeout_ms: 20_000,
        at_once: 1,
    };
    let channel = MailChannel::new(config, sender(), Arc::new(Still)).unwrap();
    let channel = match dkim {
        Some(dkim) => channel.signing(dkim),
        None => channel,
    };
    let delivery = channel.deliver(message).await;
    assert!(
        matches!(delivery, Delivery::Accepted { .. }),
        "{delivery:?}"
    );
    let caught = sink.get(1).unwrap();
    Caught::clone(&caught)
}

/// What the signature covers.
fn covered(caught: &Caught) -> Vec<String> {
    let signature = caught.header("DKIM-Signature").unwrap();
    let tags = signature.split(';').map(str::trim);
    let names = tags.filter_map(|tag| tag.strip_prefix("h="));
    let names = names.flat_map(|names| names.split(':'));
    names.map(|name| name.trim().to_owned()).collect()
}

#[test]
fn only_a_message_that_need_not_be_had_names_a_way_out() {
    let must = composed(true, &message()).unwrap();
    assert_eq!((must.header(LIST), must.header(POST)), (None, None));
    let mail = ("bounces+x@runs.example", "unsubscribe 0a.1b");
    let both = composed(true, &optional(LINK, Some(mail))).unwrap();
    let written = format!("<{LINK}>, <mailto:bounces+x@runs.example?subject=unsubscribe%200a.1b>");
    assert_eq!(both.header(LIST), Some(written));
    assert_eq!(
        both.header(POST).as_deref(),
        Some("List-Unsubscribe=One-Click")
    );
    let page = composed(true, &optional(LINK, None)).unwrap();
    assert_eq!(page.header(LIST), Some(format!("<{LINK}>")));
}

#[tokio::test]
async fn one_click_is_offered_under_a_signature_that_covers_both_headers_and_never_without() {
    let message = optional(LINK, None);
    let dkim = Dkim::new("hostler.example", "s1", KEY).unwrap();
    let signed = delivered(&message, Some(dkim)).await;
    assert!(signed.header(POST).is_some());
    let covered = covered(&signed);
    for name in ["list-unsubscribe", "list-unsubscribe-post"] {
        let times = covered.iter().filter(|covered| *covered == name).count();
        assert_eq!(times, 2, "it, and that there is no other: {covered:?}");
    }
    let unsigned = delivered(&message, None).await;
    assert_eq!(unsigned.header(LIST), Some(format!("<{LINK}>")));
    assert_eq!(unsigned.header(POST), None);
    let open = optional("http://runs.example/notices/0a.1b", None);
    assert_eq!(composed(true, &open).unwrap().header(POST), None);
}

#[test]
fn the_envelope_has_the_tag_that_is_given_and_the_message_itself_has_not() {
    let tag = ReturnTag::new([1, 2].map(uuid::Uuid::from_u128));
    let tagged = Message {
        return_tag: Some(tag.clone()),
        ..message()
    };
    let from =
        |sender: &Sender| compose(sender, &tagged, 0).map(|composed| composed.from.to_string());
    let ours = sender().return_path.unwrap();
    let with_tag = tag.beside(&ours).unwrap();
    assert_eq!(from(&sender()).unwrap(), with_tag);
    let bytes = compose(&sender(), &tagged, 0).unwrap().bytes;
    assert!(!String::from_utf8(bytes).unwrap().contains(&with_tag));
    let plain = Sender {
        return_path: None,
        ..sender()
    };
    assert_eq!(from(&plain).unwrap(), sender().address);
    let long = Sender {
        return_path: Some(format!("{}@x.example", "b".repeat(40))),
        ..sender()
    };
    assert_eq!(from(&long), Err(ComposeFault::ReturnPath));
}

#[test]
fn no_way_out_can_add_a_header_or_another_address() {
    let fine = ("bounces@runs.example", "unsubscribe x");
    let links = [
        "",
        "https://a b",
        "https://a\r\nBcc: eve@x.example",
        "https://a>, <https://b",
        "https://\u{e9}.example",
    ];
    let long = format!("https://{}", "a".repeat(600));
    for link in links.into_iter().chain([&*long]) {
        let fault = composed(true, &optional(link, Some(fine))).err();
        assert_eq!(fault, Some(ComposeFault::WayOut), "{link}");
    }
    for address in ["", "nobody", "a@b>, <c@d", "a@b\r\nBcc: c@d", "a b@c"] {
        let fault = composed(true, &optional(LINK, Some((address, "unsubscribe x")))).err();
        assert_eq!(fault, Some(ComposeFault::WayOut), "{address}");
    }
    let hostile = (fine.0, "unsubscribe x\r\nBcc: eve@x.example");
    let caught = composed(true, &optional(LINK, Some(hostile))).unwrap();
    assert_eq!(caught.header("Bcc"), None);
    assert!(caught.header(LIST).unwrap().contains("%0D%0ABcc%3A"));
}
