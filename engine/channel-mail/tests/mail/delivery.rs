//! Delivery over real sockets to the catcher, with and without protection.

use crate::{Still, message, sender};
use hostler_channel_mail::sink::{Options, Policy, Sink, Stage, Stream, Upgrade};
use hostler_channel_mail::{Login, MailChannel, Security, SmtpConfig, SmtpFault};
use hostler_core::id::Digest;
use hostler_ports::channel::{Channel as _, Delivery, Message};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

fn config(port: u16, security: Security) -> SmtpConfig {
    SmtpConfig {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        plain_beyond_loopback: false,
        login: None,
        authority_pem: None,
        hello_name: "hostler.example".to_owned(),
        timeout_ms: 20_000,
        at_once: 4,
    }
}

fn channel(config: SmtpConfig) -> MailChannel {
    MailChannel::new(config, sender(), Arc::new(Still)).unwrap()
}

async fn sink(options: Options) -> Sink {
    Sink::start("127.0.0.1:0".parse().unwrap(), options)
        .await
        .unwrap()
}

fn at(stage: Stage, answer: &'static str) -> Policy {
    Arc::new(move |here, _| (here == stage).then(|| answer.to_owned()))
}

#[tokio::test]
async fn an_accepted_message_is_proven_by_answer_and_digest() {
    let sink = sink(Options::default()).await;
    let delivery = channel(config(sink.address().port(), Security::Plain))
        .deliver(&message())
        .await;
    let caught = sink.get(1).unwrap();
    let expected = Delivery::Accepted {
        answer: "250 2.0.0 caught as 1".to_owned(),
        sha256: Digest::of(&caught.bytes).to_string(),
    };
    assert_eq!(delivery, expected);
    assert_eq!(
        (caught.from.as_str(), &caught.to[..]),
        (
            "bounces@hostler.example",
            &["ada@chem.example".to_owned()][..]
        )
    );
    assert_eq!(
        caught.text("text/plain").unwrap().replace("\r\n", "\n"),
        message().text,
        "also its line with a single dot"
    );
}

#[tokio::test]
async fn a_repeat_has_the_same_message_id() {
    let sink = sink(Options::default()).await;
    let channel = channel(config(sink.address().port(), Security::Plain));
    channel.deliver(&message()).await;
    channel.deliver(&message()).await;
    let ids: Vec<Option<String>> = sink
        .caught()
        .iter()
        .map(|caught| caught.header("Message-ID"))
        .collect();
    assert_eq!(
        ids,
        vec![Some("<run-1.chem.2@hostler.example>".to_owned()); 2]
    );
}

#[tokio::test]
async fn only_what_is_said_about_recipient_or_message_refuses_it() {
    for (stage, answer, refused) in [
        (Stage::Greeting, "554 5.3.2 no service here", false),
        (Stage::Greeting, "421 4.3.2 later", false),
        (Stage::Mail, "550 5.7.1 this sender not", false),
        (Stage::Mail, "451 4.3.0 later", false),
        (Stage::Rcpt, "550 5.1.1 nobody of that name", true),
        (Stage::Rcpt, "450 4.2.1 greylisted", false),
        (Stage::Rcpt, "452 4.2.2 mailbox full", false),
        (Stage::Data, "554 5.5.1 no", true),
        (Stage::Message, "550 5.7.1 looks like spam", true),
        (Stage::Message, "451 4.3.0 disk full", false),
    ] {
        let sink = sink(Options {
            policy: Some(at(stage, answer)),
            ..Options::default()
        })
        .await;
        let delivery = channel(config(sink.address().port(), Security::Plain))
            .deliver(&message())
            .await;
        let (was_refused, said) = match &delivery {
            Delivery::Refused { answer } => (true, answer),
            Delivery::Deferred { answer } => (false, answer),
            Delivery::Accepted { .. } => panic!("{stage:?} {answer}: {delivery:?}"),
        };
        assert_eq!(was_refused, refused, "{stage:?} {answer}: {delivery:?}");
        assert!(
            said.contains(&answer[..3]) && said.contains(&answer[4..]),
            "the evidence is what was said: {said}"
        );
        assert!(sink.caught().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing_defers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = SmtpConfig {
        timeout_ms: 100,
        ..config(port, Security::Plain)
    };
    assert!(matches!(
        channel(silent).deliver(&message()).await,
        Delivery::Deferred { .. }
    ));
    drop(listener);
    assert!(matches!(
        channel(config(port, Security::Plain))
            .deliver(&message())
            .await,
        Delivery::Deferred { .. }
    ));
}

#[tokio::test]
async fn an_unsafe_message_never_reaches_the_server() {
    let sink = sink(Options::default()).await;
    let hostile = Message {
        subject: "x\r\nBcc: evil@x.example".to_owned(),
        ..message()
    };
    let delivery = channel(config(sink.address().port(), Security::Plain))
        .deliver(&hostile)
        .await;
    assert!(matches!(delivery, Delivery::Refused { answer } if answer.contains("the subject")));
    assert!(sink.caught().is_empty());
}

/// A certificate for 127.0.0.1 and a server that shows it.
fn protected() -> (String, Upgrade) {
    let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let upgrade: Upgrade = Arc::new(move |stream| {
        let acceptor = acceptor.clone();
        Box::pin(async move { Ok(Box::new(acceptor.accept(stream).await?) as Box<dyn Stream>) })
    });
    (pair.cert.pem(), upgrade)
}

#[tokio::test]
async fn protected_delivery_works_from_the_start_and_by_starttls() {
    for (security, tls_at_start) in [(Security::StartTls, false), (Security::Tls, true)] {
        let (pem, upgrade) = protected();
        let sink = sink(Options {
            upgrade: Some(upgrade),
            tls_at_start,
            ..Options::default()
        })
        .await;
        let config = SmtpConfig {
            authority_pem: Some(pem),
            ..config(sink.address().port(), security)
        };
        let delivery = channel(config).deliver(&message()).await;
        assert!(
            matches!(delivery, Delivery::Accepted { .. }),
            "{security:?}: {delivery:?}"
        );
        assert_eq!(sink.caught().len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_is_not_protected_or_not_known() {
    let (_, upgrade) = protected();
    let (other_pem, _) = protected();
    for (options, security) in [
        (Options::default(), Security::StartTls),
        (Options::default(), Security::Tls),
        (
            Options {
                upgrade: Some(Arc::clone(&upgrade)),
                ..Options::default()
            },
            Security::StartTls,
        ),
        (
            Options {
                upgrade: Some(upgrade),
                tls_at_start: true,
                ..Options::default()
            },
            Security::Tls,
        ),
    ] {
        // The silent case of TLS against a plain server ends by its time limit.
        let options = Options {
            idle_ms: 500,
            ..options
        };
        let sink = sink(options).await;
        let config = SmtpConfig {
            authority_pem: Some(other_pem.clone()),
            timeout_ms: 2_000,
            ..config(sink.address().port(), security)
        };
        let delivery = channel(config).deliver(&message()).await;
        assert!(
            matches!(delivery, Delivery::Deferred { .. }),
            "{delivery:?}"
        );
        assert!(sink.caught().is_empty());
    }
}

#[tokio::test]
async fn a_refused_login_defers_and_is_not_shown() {
    // "\0hostler\0right" in base64.
    let policy: Policy = Arc::new(|stage, about| {
        (stage == Stage::Auth && about != "PLAIN AGhvc3RsZXIAcmlnaHQ=")
            .then(|| "535 5.7.8 wrong".to_owned())
    });
    for (password, taken) in [("right", true), ("wr0ng-secret", false)] {
        let sink = sink(Options {
            auth: true,
            policy: Some(Arc::clone(&policy)),
            ..Options::default()
        })
        .await;
        let login = Login {
            user: "hostler".to_owned(),
            password: password.to_owned(),
        };
        let config = SmtpConfig {
            login: Some(login),
            ..config(sink.address().port(), Security::Plain)
        };
        assert!(!format!("{config:?}").contains(password));
        let delivery = channel(config).deliver(&message()).await;
        assert_eq!(
            matches!(delivery, Delivery::Accepted { .. }),
            taken,
            "{delivery:?}"
        );
        assert!(
            taken
                || matches!(&delivery, Delivery::Deferred { answer } if answer.contains("535") && !answer.contains(password))
        );
    }
}

#[test]
fn mail_does_not_leave_the_machine_unprotected_by_accident() {
    let new = |config: SmtpConfig| MailChannel::new(config, sender(), Arc::new(Still)).err();
    for host in ["mail.example", "192.0.2.1", "127.0.0.1.example", "0.0.0.0"] {
        let beyond = SmtpConfig {
            host: host.to_owned(),
            ..config(25, Security::Plain)
        };
        assert_eq!(new(beyond.clone()), Some(SmtpFault::Unprotected), "{host}");
        assert_eq!(
            new(SmtpConfig {
                plain_beyond_loopback: true,
                ..beyond
            }),
            None,
            "{host}"
        );
    }
    let bad = SmtpConfig {
        authority_pem: Some("no pem".to_owned()),
        ..config(25, Security::Tls)
    };
    assert!(matches!(new(bad), Some(SmtpFault::Tls(_))));
    assert_eq!(
        new(SmtpConfig {
            timeout_ms: 0,
            ..config(25, Security::Plain)
        }),
        Some(SmtpFault::Zero("timeout_ms"))
    );
}

#[tokio::test]
async fn many_messages_at_once_all_arrive() {
    let sink = sink(Options::default()).await;
    let channel = Arc::new(channel(config(sink.address().port(), Security::Plain)));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let channel = Arc::clone(&channel);
        tasks.spawn(async move {
            channel
                .deliver(&Message {
                    message_id: format!("m{n}@h.example"),
                    ..message()
                })
                .await
        });
    }
    while let Some(delivery) = tasks.join_next().await {
        assert!(matches!(delivery.unwrap(), Delivery::Accepted { .. }));
    }
    let mut ids: Vec<String> = sink
        .caught()
        .iter()
        .filter_map(|caught| caught.header("Message-ID"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}
